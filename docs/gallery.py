"""`python docs/gallery.py FOLDER`: a page of every kind of drawing, each beside the code that drew it.

With --screenshots (Playwright and Chromium) also pictures of the page, wide and narrow, light and dark, for docs/gallery/.
"""

from __future__ import annotations

import argparse
import shutil
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

import viz
from viz.writing.files import write

SETUP = """
import numpy as np
import nn
import viz
from tinygrad_edu import Value, sigmoid, softmax, sqrt, tanh, where
from nn.functional import cross_entropy, mse_loss
from nn.optim import LBFGS, SGD, Adam, trace
"""
ENTRIES = [
    (
        "An expression, with values and gradients",
        """
a, b, c = Value(2.0), Value(-3.0), Value(10.0)
y = tanh(0.1 * (a * b + c))
y.backward()
picture = viz.graph(y, names=locals(), title="y = tanh(0.1 (a b + c))")
""",
    ),
    (
        "A shared value, with local derivatives on the arrows",
        """
a, b = Value(2.0), Value(-3.0)
y = a * b + a
y.backward()
picture = viz.graph(y, names=locals(), title="a is used twice: its gradients add up", derivatives=True)
""",
    ),
    (
        "Before backward(), and a frozen input",
        """
a, k = Value(2.0), Value(3.0, requires_grad=False)
picture = viz.graph(a * k + 1, names=locals(), title="no gradient yet")
""",
    ),
    (
        "Where NaN comes from",
        """
x = Value(np.array([4.0, -1.0]))
y = (sqrt(x) * 2).sum()
y.backward()
picture = viz.graph(y, names=locals(), title="the root of a negative number")
""",
    ),
    (
        "A number that changed, and a gradient that added up",
        """
w, x, b = Value(2.0), Value(3.0), Value(0.5)
for _ in range(2):
    y = w * x + b
    y.backward()  # without zero_grad()
w.data -= 0.1 * w.grad
picture = viz.graph(y, names=locals(), title="after an update", derivatives=True)
""",
    ),
    (
        "Sizes of gradients; one is 0",
        """
a, b, c = Value(1.0), Value(2.0), Value(3.0)
y = a * 0.5 + b * 1.5 + c * 0.0
y.backward()
picture = viz.graph(y, names=locals(), magnitudes=True, detail="tensor")
""",
    ),
    (
        "Arrays: a layer and its loss, gradient sizes as colour",
        """
rng = np.random.default_rng(0)
x, labels = rng.standard_normal((5, 4)), np.array([0, 1, 2, 0, 1])
W, b = Value(rng.standard_normal((3, 4))), Value(np.zeros(3))
loss = cross_entropy(x @ W.T + b, labels)
loss.backward()
picture = viz.graph(loss, names=locals(), title="softmax regression", magnitudes=True)
""",
    ),
    (
        "The chain rule: a product along each path, a sum over paths",
        """
w, x, b = Value(0.5), Value(2.0), Value(-0.5)
z = w * x + b
L = sigmoid(z) + 0.1 * w**2
picture = viz.graph(L, names=locals(), title="what backward() computes", detail="backward")
""",
    ),
    (
        "The chain rule of matrices",
        """
x, W = Value(np.array([1.0, 2.0])), Value(np.array([[0.5, -1.0], [2.0, 0.25]]))
L = tanh(W @ x).sum()
picture = viz.graph(L, names=locals(), title="the transposed matrix carries the gradient back", detail="backward")
""",
    ),
    (
        "A linear model and its squared error, number by number",
        """
model = nn.Linear(2, 1, bias=False, rng=0)
model.weight.name, y = "θ", np.array([3.0])
loss = lambda p: ((p - y) ** 2).sum()
loss(model(np.array([1.0, 2.0]))).backward()
picture = viz.graph(model, np.array([1.0, 2.0]), detail="scalar", loss=loss, names={"y": y}, title="(x₁θ₁ + x₂θ₂ - y)²")
""",
    ),
    (
        "A layer of two units, number by number, with local derivatives",
        """
x, W, b = Value([1.0, 2.0]), Value([[0.5, -1.0], [2.0, 0.25]]), Value([0.1, -0.1])
y = tanh(W @ x + b).sum()
y.backward()
picture = viz.graph(y, names=locals(), detail="scalar", derivatives=True, title="tanh(W x + b), taken apart")
""",
    ),
    (
        "What does not come apart is one operation for each entry",
        """
z = Value([1.0, 2.0, 3.0])
p = softmax(z)
L = -np.log(p[1])
L.backward()
picture = viz.graph(L, names=locals(), detail="scalar", derivatives=True, title="p₂ depends on each z")
""",
    ),
    (
        "A network, a box for each module",
        """
model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1, rng=0), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(128, 10, rng=0),
)
labels = np.array([3, 7])
picture = viz.graph(model, np.ones((2, 1, 8, 8)), title="a convolutional network", loss=lambda y: cross_entropy(y, labels))
""",
    ),
    (
        "A residual network",
        """
block = lambda: nn.Residual(nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 8, rng=0), nn.GELU()))
picture = viz.graph(nn.Sequential(block(), block()), np.ones((3, 8)), title="two residual blocks")
""",
    ),
    (
        "A transformer's layer",
        """
layer = nn.TransformerEncoderLayer(16, 4, 32, rng=0).eval()
picture = viz.graph(layer, np.ones((5, 2, 16)), title="TransformerEncoderLayer")
""",
    ),
    (
        "Attention: queries, keys and values",
        """
rng = np.random.default_rng(0)
picture = viz.graph(nn.MultiheadAttention(16, 4, rng=0), *rng.normal(size=(3, 5, 16)), title="four heads")
""",
    ),
    (
        "Neurons, with all numbers",
        """
x = np.random.default_rng(0).normal(size=(32, 2))
model = nn.MLP((2, 3, 1), nn.Tanh, rng=0)
mse_loss(model(x), x[:, :1]).backward()
picture = viz.graph(model, x, detail="neurons", row=7, title="MLP 2-3-1 after backward()")
""",
    ),
    (
        "Neurons, with the size of gradients as colour",
        """
x = np.random.default_rng(0).normal(size=(5, 4))
model = nn.MLP((4, 8, 3), nn.ReLU, rng=0)
cross_entropy(model(x), np.array([0, 1, 2, 0, 1])).backward()
picture = viz.graph(model, x, detail="neurons", magnitudes=True, title="MLP 4-8-3")
""",
    ),
    (
        "Many neurons: the strongest weights",
        """
picture = viz.graph(nn.MLP((784, 100, 40, 10), rng=0), detail="neurons", title="MLP 784-100-40-10")
""",
    ),
    (
        "A model that fails, up to where it failed",
        """
model = nn.Sequential(nn.Linear(4, 8, rng=0), nn.ReLU(), nn.Linear(9, 2, rng=0))
try:
    viz.graph(model, np.ones((3, 4)), title="shapes that do not fit")
except ValueError as error:
    picture = error.picture
""",
    ),
    (
        "65,000 operations, folded",
        """
rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, (100, 2))
w = [[Value(v) for v in row] for row in rng.uniform(-1, 1, (16, 2))]
v = [[Value(u) for u in row] for row in rng.uniform(-1, 1, (16, 16))]
out = [Value(u) for u in rng.uniform(-1, 1, 16)]
neuron = lambda weights, inputs: sum(p * q for p, q in zip(weights, inputs)).relu()
scores = []
for point in x:
    h = [neuron(row, point) for row in w]
    h = [neuron(row, h) for row in v]
    scores.append(sum(p * q for p, q in zip(out, h)))
loss = sum((1 - s).relu() for s in scores) * 0.01
loss.backward()
picture = viz.graph(loss, title="micrograd's demo loss")
""",
    ),
    (
        "Wrapped for a slide, with a legend",
        """
a, b = Value(-4.0), Value(2.0)
c, d = a + b, a * b + b**3
c = c + c + 1
c = c + 1 + c + (-a)
d = d + d * 2 + (b + a).relu()
d = d + 3 * d + (b - a).relu()
f = (c - d) ** 2
g = f / 2 + 10 / f
g.backward()
picture = viz.graph(g, names={"a": a, "b": b, "g": g}, title="micrograd's example", ratio=16 / 9, legend=True)
""",
    ),
    (
        "A deep network in columns",
        """
block = lambda n, m: (nn.Conv2d(n, m, 3, padding=1, rng=0), nn.BatchNorm2d(m), nn.ReLU(), nn.MaxPool2d(2))
model = nn.Sequential(*block(1, 8), *block(8, 16), nn.Flatten(), nn.Linear(64, 10, rng=0))
picture = viz.graph(model, np.ones((2, 1, 8, 8)), title="two blocks and a classifier", ratio=16 / 9)
""",
    ),
    (
        "For dark slides",
        """
a, b, c = Value(2.0), Value(-3.0), Value(10.0)
y = tanh(0.1 * (a * b + c))
y.backward()
picture = viz.graph(y, names=locals(), title="always dark", derivatives=True, theme="dark", legend=True)
""",
    ),
    (
        "Without a ground, for any slide",
        """
a, b = Value(2.0), Value(-3.0)
y = (a - b) / (a * b)
y.backward()
picture = viz.graph(y, names=locals(), title="transparent", derivatives=True, theme="transparent")
""",
    ),
]
PAGES = [  # title, code, and the first step shown
    (
        "Step by step: an expression",
        """
a, b, c = Value(0.5), Value(-3.0), Value(1.0)
page = viz.step(tanh(a * b + c), names=locals(), title="tanh(a b + c), step by step")
""",
        5,
    ),
    (
        "Step by step: a network, by layer",
        """
rng = np.random.default_rng(0)
x, labels = rng.standard_normal((5, 4)), np.array([0, 1, 2, 0, 1])
model = nn.Sequential(nn.Linear(4, 8, rng=0), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 3, rng=1))
page = viz.step(model, x, loss=lambda scores: cross_entropy(scores, labels))
""",
        8,
    ),
]
ANIMATION = """
a, b, c = Value(2.0), Value(-3.0), Value(10.0)
y = tanh(0.1 * (a * b + c)) + a / 2
page = viz.animate(y, names=locals(), title="y = tanh(0.1 (a b + c)) + a / 2")
"""
DESCENT = """
bowl = lambda x, y: x**2 + 8 * y**2
rules = {"SGD": lambda p: SGD(p, lr=0.11), "Adam": lambda p: Adam(p, lr=0.3)}
paths = {name: trace(bowl, (-4.0, 2.0), rule, 30) for name, rule in rules.items()}
page = viz.descent(bowl, paths, title="SGD and Adam")
"""
MOVING = [  # name of the file, title, code
    ("animation", "Forward and backward pass, animated", ANIMATION),
    ("descent", "Descent, step by step", DESCENT),
]
DIGITS = """
from sklearn.datasets import load_digits
digits = load_digits()
x, y = digits.data / 16, digits.target
train, rest = nn.stratified_split(y, (0.3,), np.random.default_rng(0))
model = nn.MLP((64, 40, 10), rng=0)
optimizer = nn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
history = nn.fit(model, (x[train], y[train]), optimizer, epochs=25, rng=0, validation=(x[rest], y[rest]), progress=False)
"""
PLOTS = [  # title, what it shows, and code that makes `figure`, or Axes `ax`; theme is "light" and "dark" in turn
    (
        "A function, its derivative and a tangent",
        "A parabola, its derivative, a straight line, and the tangent at (3, 3) with slope 3",
        """
ax = viz.curve(lambda x: x**2 - 3 * x + 3, (-1, 4), tangents=[3.0], derivative=True, theme=theme)
""",
    ),
    (
        "Where descent ends depends on where it starts",
        "A curve with several minima, and three paths that end in different ones",
        """
f = lambda x: np.sin(3 * x) + 0.1 * x**2
paths = {f"from {x}": trace(f, x, lambda p: SGD(p, lr=0.05), 20) for x in (-3.5, -1, 0.8)}
ax = viz.curve(f, (-4, 4), paths=paths, theme=theme)
""",
    ),
    (
        "Two surfaces side by side",
        "A dome and a bowl, each with the level plane that touches its top or its bottom",
        """
both = {"maximum": lambda x, y: -(x**2) - y**2, "minimum": lambda x, y: x**2 + y**2}
figure = viz.side_by_side(viz.surface, both, (-3, 3), (-3, 3), tangents=[(0, 0)], theme=theme)
""",
    ),
    (
        "A surface with a tangent plane",
        "A dome, and the plane that touches it at (0, 2)",
        """
ax = viz.surface(lambda x, y: -(x**2) - y**2, (-3, 3), (-3, 3), tangents=[(0, 2)], theme=theme)
""",
    ),
    (
        "Three optimisers on one surface",
        "Contour lines of a long bowl: SGD zigzags, momentum swings over the minimum, Adam goes a curve",
        """
bowl = lambda x, y: x**2 + 8 * y**2
rules = {
    "SGD": lambda p: SGD(p, lr=0.11),
    "momentum": lambda p: SGD(p, lr=0.02, momentum=0.9),
    "Adam": lambda p: Adam(p, lr=0.3),
}
paths = {name: trace(bowl, (-4.0, 2.0), rule, 40) for name, rule in rules.items()}
ax = viz.contour(bowl, (-5, 5), (-3, 3), paths=paths, theme=theme)
""",
    ),
    (
        "Rosenbrock's valley: logarithmic levels, the direction of the gradient, and L-BFGS",
        "Contour lines at powers of ten, arrows at a right angle to them, and a path along the valley to the minimum",
        """
rosenbrock = lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
path = trace(rosenbrock, np.array([-1.5, 1.5]), lambda p: LBFGS(p, max_iter=1, max_eval=25, line_search_fn="strong_wolfe"), 40)
ax = viz.contour(rosenbrock, (-2, 2), (-1, 3), scale="log", arrows=True, paths={"L-BFGS": path}, theme=theme)
""",
    ),
    (
        "A neuron's error surface, and descent on it",
        "A surface with a plateau and a valley beside its contour map; the path crosses the plateau into the valley",
        """
x, y = np.array([0.5, 2.5]), np.array([0.2, 0.9])
error = lambda w, b: 0.5 * np.sum((sigmoid(w * x + b) - y) ** 2)
path = trace(error, (-2.0, -2.0), lambda p: SGD(p, lr=1.0), 300)
figure = viz.surface_and_contour(error, (-4, 4), (-4, 4), paths={"η = 1": path}, theme=theme)
""",
    ),
    (
        "Slices of a surface, and the contour map to which they project",
        "Two hills cut by level planes, the cuts projected to the ground, and the same lines as a map",
        """
hills = lambda x, y: np.exp(-(x**2) - y**2) + 0.6 * np.exp(-((x - 1.5) ** 2) - (y - 1.5) ** 2)
figure = viz.slices(hills, (-2, 3), (-2, 3), theme=theme)
""",
    ),
    (
        "A partial derivative is the slope of a cut",
        "A bowl cut by an upright plane, and the curve of the cut with its tangent of slope 6",
        """
figure = viz.cut(lambda x, y: x**2 + 3 * y**2, (-3, 3), (-3, 3), (1, 1), angle=90, theme=theme)
""",
    ),
    (
        "The directional derivative by the angle",
        "A sine wave: largest in the direction of the gradient, least opposite to it, 0 along the level set",
        """
ax = viz.directional(lambda x, y: x**2 + 3 * y**2, (2.0, 1.0), theme=theme)
""",
    ),
    (
        "A level set and the gradient across it",
        "An ellipse through two points, with tangent and gradient at a right angle at each",
        """
ax = viz.level_set(lambda x, y: x**2 + 3 * y**2, (-3, 3), (-2, 2), [(1, 1), (-2, 0)], theme=theme)
""",
    ),
    (
        "A network's loss over two of its weights",
        "Contour lines of the loss over two weights, and the path of SGD",
        """
model = nn.MLP((1, 4, 1), nn.Tanh, rng=0)
x = np.linspace(-1, 1, 20)[:, None]
f = viz.loss_over(model, mse_loss, x, np.sin(3 * x), ["0.weight[0, 0]", "2.weight[0, 0]"])
path = trace(f, f.start, lambda p: SGD(p, lr=0.5), 20)
ax = viz.contour(f, (-4, 4), (-4, 4), paths={"SGD": path}, points=41, theme=theme)
""",
    ),
    (
        "Training: losses, accuracy, and the best epoch",
        "Training and validation loss fall on a logarithmic axis, validation accuracy rises; rings mark the best epochs",
        DIGITS + "figure = viz.curves(history, yscale='log', theme=theme)",
    ),
    (
        "Runs side by side, with the epoch in which each was best",
        "Losses of three learning rates: the low one falls slowly, the middle one overfits, the high one does not learn",
        """
n = np.arange(1, 41)
noise = np.random.default_rng(0).uniform(0, 0.03, (6, 40))
runs = {
    "lr 0.001": {"train_loss": 2.3 * 0.98**n + noise[0], "validation_loss": 2.4 * 0.98**n + noise[1]},
    "lr 0.1": {"train_loss": 2 / n + noise[2], "validation_loss": 2 / n + 0.01 * n + noise[3]},
    "lr 10": {"train_loss": 2.3 + noise[4], "validation_loss": 2.35 + noise[5]},
}
ax = viz.curves(runs, smooth=0.5, theme=theme)
""",
    ),
    (
        "Activations and their derivatives",
        "Fifteen panels, each an activation and its derivative; dots mark the derivative that is taken at a kink",
        "figure = viz.activations(theme=theme)",
    ),
    (
        "Losses and their derivatives",
        "Seventeen panels, each a loss of one prediction and its derivative; dots mark the one that is taken at a kink",
        "figure = viz.losses(theme=theme)",
    ),
    (
        "A decision boundary: XOR",
        "Two corners of a square are of one class, two of the other; the boundary is a band along a diagonal",
        """
x, y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])
model = nn.Sequential(nn.Linear(2, 8, rng=0), nn.Tanh(), nn.Linear(8, 1, rng=1), nn.Sigmoid())
optimizer = nn.optim.Adam(model.parameters(), lr=0.05)
nn.fit(model, (x, y[:, None] * 1.0), optimizer, loss=nn.functional.binary_cross_entropy, epochs=200, progress=False)
ax = viz.decision_boundary(model, x, y, theme=theme)
""",
    ),
    (
        "Regions of three classes, and the examples that are wrong",
        "Three regions of the plane for three kinds of iris; at the boundary of two kinds wrong examples have rings",
        """
from sklearn.datasets import load_iris
iris = load_iris()
x, y = iris.data[:, :2], iris.target
model = nn.MLP((2, 16, 3), nn.Tanh, rng=0)
nn.fit(model, (x, y), nn.optim.Adam(model.parameters(), lr=0.02), epochs=60, rng=0, progress=False)
ax = viz.decision_boundary(model, x, y, list(iris.target_names), theme=theme)
ax.set(xlabel="length of sepals, cm", ylabel="width of sepals, cm")
""",
    ),
    (
        "How sure a model is",
        "Two half moons; colours are the deeper, the higher the probability, in steps that a bar names; rings for wrong examples",
        """
from sklearn.datasets import make_moons
x, y = make_moons(200, noise=0.25, random_state=0)
model = nn.MLP((2, 16, 2), nn.Tanh, rng=0)
nn.fit(model, (x, y), nn.optim.Adam(model.parameters(), lr=0.05), epochs=20, rng=0, progress=False)
ax = viz.decision_boundary(model, x, y, ["upper", "lower"], probabilities=True, theme=theme)
""",
    ),
    (
        "Which digit is taken for which",
        "A matrix of ten digits: most answers on the diagonal, some mistakes, with recall and precision of each digit",
        DIGITS + "ax = viz.confusion_matrix(y[rest], model(x[rest]), theme=theme)",
    ),
    (
        "Of what was taken for a digit, the share that is one",
        "The same matrix in percentages of each prediction, in one colour map",
        DIGITS + "ax = viz.confusion_matrix(y[rest], model(x[rest]), normalise='pred', cmap='cividis', theme=theme)",
    ),
    (
        "Misread digits",
        "Images of digits, each with what was read and what it is",
        DIGITS
        + """
scores = model(x[rest]).data
wrong = scores.argmax(axis=1) != y[rest]
figure = viz.images(x[rest][wrong], scores[wrong], y[rest][wrong], cmap="gray_r", most=16, theme=theme)
""",
    ),
    (
        "What the units of the first layer look for",
        "Forty small images of weights, red positive and blue negative: strokes and edges",
        DIGITS + "figure = viz.weights(model[0], (8, 8), theme=theme)",
    ),
    (
        "What flows through the layers",
        "Histograms of the outputs of three layers; more than half of those of the ReLU are exactly 0",
        DIGITS + "figure = viz.histograms(model, x[rest], theme=theme)",
    ),
    (
        "The landscape of a loss, and the path of training in it",
        "Contour lines of the loss at powers of ten; the path comes down from the left into a wide valley",
        """
from sklearn.datasets import load_digits
x, y = load_digits().data / 16, load_digits().target
model = nn.MLP((64, 30, 10), nn.Tanh, rng=0)
path = [model.state_dict()]
optimizer = nn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
nn.fit(model, (x, y), optimizer, epochs=12, rng=0, progress=False, on_epoch=lambda *_: path.append(model.state_dict()))
ax = viz.landscape(model, cross_entropy, (x, y), "pca", paths=path, steps=25, progress=False, theme=theme)
""",
    ),
    (
        "The loss around a network, in two random directions",
        "Contour lines of the loss around a minimum, nearly round",
        DIGITS
        + "ax = viz.landscape(model, cross_entropy, (x[train], y[train]), steps=25, progress=False, theme=theme)",
    ),
    (
        "Overfitting and underfitting",
        "Points around a wave: a line misses them, a cubic follows the wave, and a polynomial of degree 12 swings through all",
        """
from numpy.polynomial import Polynomial
x, wave = np.linspace(0, 1, 13), lambda x: np.sin(5 * x)
y = wave(x) + np.random.default_rng(0).normal(0, 0.2, 13)
ax = viz.fitted({f"degree {d}": Polynomial.fit(x, y, d) for d in (1, 3, 12)}, x, y, truth=wave, theme=theme)
""",
    ),
    (
        "The actual line, the predicted line and the residuals",
        "Twelve points, a line fitted to them by descent, the line behind them, and upright lines from points to predictions",
        """
x = np.linspace(0, 1, 12)
y = 0.1 + 0.8 * x + np.random.default_rng(0).normal(0, 0.1, 12)
path = trace(lambda c, m: np.mean((m * x + c - y) ** 2), (0.5, 0.8), lambda p: SGD(p, lr=0.5), 200)
c, m = (numbers[-1] for numbers in path.parameters)
ax = viz.fitted(lambda x: m * x + c, x, y, truth=lambda x: 0.1 + 0.8 * x, theme=theme)
""",
    ),
    (
        "How the gradients of parameters are distributed",
        "Four histograms on a logarithmic axis: most gradients are near 0, a few are large",
        DIGITS
        + """
loss = lambda scores: cross_entropy(scores, y[rest])
figure = viz.histograms(model, x[rest], "parameter gradients", loss=loss, yscale="log", theme=theme)
""",
    ),
    (
        "Where gradients vanish",
        "Gradients of seven layers fall from the last to the first by five orders of magnitude; three are called vanishing",
        """
from sklearn.datasets import load_digits
x, y = load_digits().data[:200] / 16, load_digits().target[:200]
deep = nn.Sequential(*[layer for i in range(6) for layer in (nn.Linear(64, 64, rng=i), nn.Sigmoid())], nn.Linear(64, 10, rng=9))
ax = viz.gradient_flow(deep, x, loss=lambda scores: cross_entropy(scores, y), theme=theme)
""",
    ),
]
STYLE = """
:root { color-scheme: light dark }
body { margin: 0 auto; max-width: 75rem; padding: 1rem; font: 1rem/1.5 Helvetica, Arial, sans-serif }
body { color: #1a1a1a; background: #fff }
section { margin: 0 0 2.5rem } h2 { font-size: 1.15rem }
pre { overflow-x: auto; padding: .7rem; background: #f4f4f4; border-radius: .3rem; font-size: .85rem }
figure { margin: 0 } figure svg, figure img { max-width: 100%; height: auto }
iframe { width: 100%; height: 46rem; border: 1px solid #8886; border-radius: .3rem }
@media (prefers-color-scheme: dark) { body { color: #e8e8e8; background: #14171a } pre { background: #22272c } }
"""


def pictures() -> list[tuple[str, str, viz.Picture]]:
    """Title, code and drawing of each entry."""
    found = []
    for title, code in ENTRIES:
        with np.errstate(invalid="ignore"):  # of the root of a negative number
            found.append((title, code.strip(), run(title, code)["picture"]))
    return found


def run(title: str, code: str, **given: Any) -> dict[str, Any]:
    """The names that code defines, after the set-up."""
    names = dict(given)
    exec(compile(SETUP + code, title, "exec"), names)
    return names


def write_all(folder: Path) -> Path:
    """Write the gallery, a page for each picture, and the step pages; returns the path of the gallery."""
    drawn = pictures()
    for k, (_, _, picture) in enumerate(drawn):
        picture.save(folder / f"{k}.html")
    for k, (title, code, _) in enumerate(PAGES):
        run(title, code)["page"].save(folder / f"step{k}.html")
    for name, _, code in MOVING:
        run(name, code)["page"].save(folder / f"{name}.html")
    for k in range(len(PLOTS)):
        for theme in ("light", "dark"):
            plot(k, theme, folder / f"plot{k}_{theme}.png")
    return write("gallery", folder / "index.html", page(drawn).encode())


def plot(k: int, theme: str, file: Path) -> None:
    """Save a plot."""
    from matplotlib import pyplot as plt

    figure = figure_of(k, theme)
    figure.savefig(file, metadata={"Software": None})
    plt.close(figure)


def figure_of(k: int, theme: str) -> Any:
    """The figure that the code of a plot makes."""
    title, _, code = PLOTS[k]
    names = run(title, code, theme=theme)
    return names["figure"] if "figure" in names else names["ax"].figure


def page(drawn: list[tuple[str, str, viz.Picture]]) -> str:
    """The gallery as HTML; each picture links to a page, 0.html and so on; step0.html and so on are embedded in frames."""
    sections = [
        f"<section>\n<h2>{escape(title)}</h2>\n<pre>{escape(code)}</pre>\n<figure>\n{picture.svg()}\n"
        f'<figcaption><a href="{k}.html">to zoom, to search, to open and close groups</a></figcaption>\n</figure>\n</section>'
        for k, (title, code, picture) in enumerate(drawn)
    ]
    sections += [
        f"<section>\n<h2>{escape(title)}</h2>\n<pre>{escape(code.strip())}</pre>\n"
        f'<iframe src="step{k}.html#step={step}" title="{escape(title)}"></iframe>\n'
        f'<p><a href="step{k}.html">as a page</a></p>\n</section>'
        for k, (title, code, step) in enumerate(PAGES)
    ]
    sections += [
        f"<section>\n<h2>{escape(title)}</h2>\n<pre>{escape(code.strip().replace(', theme=theme', ''))}</pre>\n<figure><picture>"
        f'<source srcset="plot{k}_dark.png" media="(prefers-color-scheme: dark)">'
        f'<img src="plot{k}_light.png" alt="{escape(text)}"></picture></figure>\n</section>'
        for k, (title, text, code) in enumerate(PLOTS)
    ]
    sections += [
        f"<section>\n<h2>{title}</h2>\n<pre>{escape(code.strip())}</pre>\n"
        f'<iframe src="{name}.html" title="{title}"></iframe>\n'
        f'<p><a href="{name}.html">as a page</a></p>\n</section>'
        for name, title, code in MOVING
    ]
    head = '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">'
    return "\n".join(
        [
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n<title>Gallery</title>\n<style>{STYLE}</style>\n</head>',
            f"<body>\n<h1>Drawings, and the code that drew them</h1>\n<pre>{escape(SETUP.strip())}</pre>",
            *sections,
            "</body>\n</html>\n",
        ]
    )


def screenshots(path: Path, folder: Path) -> None:
    """Pictures of the page at desktop and phone width, light and dark."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for name, width in (("desktop", 1280), ("phone", 390)):
            for scheme in ("light", "dark"):
                view = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
                view.goto(path.resolve().as_uri())
                height = view.evaluate("document.documentElement.scrollHeight")
                view.set_viewport_size({"width": width, "height": height})  # frames out of view are not drawn
                view.wait_for_timeout(500)
                view.screenshot(path=folder / f"{name}_{scheme}.jpg", full_page=True, quality=50)
                view.close()
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write index.html")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="where to write pictures of the page")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    index = write_all(options.folder)
    print(f"wrote {index}")
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
        screenshots(index, options.screenshots)
        print(f"wrote pictures of it to {options.screenshots}")
