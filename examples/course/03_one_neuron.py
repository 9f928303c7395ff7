# %% [markdown]
# # 3. One neuron
#
# **A neuron has two numbers, a weight and a bias: how does it find the pair that makes its curve pass through two given
# points?**
#
# At the end of this chapter you will be able to say what a neuron computes, to draw its error surface, to derive the rule of
# gradient descent from the Taylor series, to write it in five lines, and to say where it is slow and what helps. Needed:
# gradients ([chapter 1](01_what_a_gradient_is.py)) and contour maps ([chapter 2](02_contour_maps.py)).

# %% The tools of this chapter
import numpy as np
from exercises import check

import nn
import viz
from nn.functional import mse_loss
from nn.optim import SGD, trace
from tinygrad_edu import derivative, grad, heaviside, hessian, sigmoid, value_and_grad

# %% [markdown]
# ## What a neuron computes
#
# A neuron multiplies each input by a weight, adds the products, adds a bias, and puts the sum through a function, its
# *activation*. With three inputs the sum is the product of a row of weights, 1 × 3, and a column of inputs, 3 × 1. That is a 1
# × 1 matrix: one number.

# %% Weights, sum, bias, activation rows="136"
weights = np.array([[-0.5, 0.4, 0.2]])
inputs = np.array([[0.2], [1.0], [0.6]])
total = weights @ inputs - 0.08

print(total, heaviside(total, 1.0), sigmoid(total))
assert total.shape == (1, 1)
assert np.isclose(total, 0.34)
assert np.isclose(sigmoid(total), 0.584, atol=5e-4)

# %% [markdown]
# The oldest activation is the step: 1 from 0 on, 0 below. It decides, but its slope is 0 on both sides, so a slope never says
# in which direction to change a weight. The simplest activation is a straight line, such as 4x. Its slope is 4 everywhere.

# %% A step and a line rows="138 139"
assert heaviside(np.array([-2.0, -0.1, 0.0, 3.0]), 1.0).tolist() == [0, 0, 1, 1]
assert derivative(lambda x: heaviside(x, 1.0))(3.0) == 0
assert [derivative(lambda x: 4 * x)(x) for x in (-2.0, 0.0, 5.0)] == [4, 4, 4]

# %% [markdown]
# A neuron with a step is a *perceptron*. It draws a line through the plane of its two inputs, and answers 1 on one side. So it
# can be a logic gate, if a line separates the ones from the zeros.
#
# It is sometimes said that a perceptron cannot compute NAND. It can: `learn`, the rule of 1958, ends without a mistake. XOR and
# XNOR are those that no line separates: however long the rule runs, some of the four answers are wrong. In the picture the line
# goes through a corner; a point on the line counts as 1.

# %% A perceptron computes NAND rows="137" claim="NAND is no perceptron"
# alt: The four corners of a square. A straight line separates the corner (1, 1), where NAND is 0, from the others, where it is
#   1.
corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
gates = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "NAND": [1, 1, 1, 0], "XOR": [0, 1, 1, 0], "XNOR": [1, 0, 0, 1]}
mistakes = {name: nn.Perceptron(2).learn(corners, answers)[-1] for name, answers in gates.items()}
print(mistakes)
assert mistakes == {"AND": 0, "OR": 0, "NAND": 0, "XOR": 4, "XNOR": 4}

unit = nn.Perceptron(2)
unit.learn(corners, gates["NAND"])
viz.decision_boundary(unit, corners, gates["NAND"])

# %% [markdown]
# One line in the picture is one neuron. Several neurons draw several lines: every gate can be built of NANDs. XNOR takes five.


# %% Five NANDs make XNOR rows="137"
def nand(p, q):
    return heaviside(3 - 2 * p - 2 * q, 1.0)


p, q = corners.T
both = nand(p, q)
xor = nand(nand(p, both), nand(q, both))
assert xor.tolist() == gates["XOR"]
assert nand(xor, xor).tolist() == gates["XNOR"]

# %% [markdown]
# ## A step that has slopes: the sigmoid
#
# The sigmoid σ(x) = 1 / (1 + e⁻ˣ) is a smooth step. It is a logistic curve L / (1 + e^(-k (x - x₀))) with height L = 1,
# steepness k = 1 and middle x₀ = 0. The neuron σ(wx + b) has the steepness w and its middle at x₀ = -b/w. The picture shows
# what each of the three numbers does. Their derivatives come from the engine, and agree with those on paper.


# %% Height, steepness and middle rows="140"
# alt: Four logistic curves. A larger k makes the curve steeper, a larger x0 moves it to the right, a larger L makes it higher.
def logistic(x, L=1.0, k=1.0, x0=0.0):
    return L / (1 + np.exp(-k * (x - x0)))


x, L, k, x0 = 1.0, 2.0, 3.0, 0.5
s = sigmoid(k * (x - x0))
on_paper = [L * s * (1 - s) * k, s, L * s * (1 - s) * (x - x0), -L * s * (1 - s) * k]
assert np.allclose(grad(logistic, argnums=(0, 1, 2, 3))(x, L, k, x0), on_paper)
assert np.isclose(logistic(0.7), sigmoid(0.7))

settings = {"L = 1, k = 1, x₀ = 0": {}, "k = 3": {"k": 3.0}, "x₀ = 2": {"x0": 2.0}, "L = 2": {"L": 2.0}}
viz.curve({name: lambda x, given=given: logistic(x, **given) for name, given in settings.items()}, (-6, 6))

# %% [markdown]
# It is sometimes said that the sigmoid is linear from -3 to 3, and that all positive arguments give 0.5. Neither is so. Its
# value is 0.5 at 0 only, and larger to the right of it. At 0 it bends from one side to the other: its second derivative is 0
# there. The slope is 0.25 at 0 and 0.045 at 3. The line of least squares from -3 to 3 misses the sigmoid by up to 0.088, and
# there is none that comes closer than 0.063 everywhere. The picture shows the tangent at 0, and the slope as the dashed curve.

# %% The sigmoid is a line nowhere rows="141" claim="sigmoid is linear"
# alt: The sigmoid from -6 to 6 with its tangent at 0, of slope 0.25, and its slope, a bell that is highest at 0.
slope = derivative(sigmoid)
assert (sigmoid(0.0), slope(0.0), derivative(slope)(0.0)) == (0.5, 0.25, 0.0)
assert np.isclose(slope(3.0), 0.0452, atol=5e-5)

x = np.linspace(-3, 3, 601)
line = np.polynomial.Polynomial.fit(x, sigmoid(x), 1)
assert np.isclose(np.max(abs(sigmoid(x) - line(x))), 0.088, atol=5e-4)
misses = [np.max(abs(sigmoid(x) - 0.5 - m * x)) for m in np.linspace(0.1, 0.3, 401)]
assert np.isclose(min(misses), 0.063, atol=5e-4)
assert np.all(sigmoid(x[x > 0]) > 0.5)
viz.curve(sigmoid, (-6, 6), derivative=True, tangents=[0.0])

# %% [markdown]
# ## Guessing
#
# Our neuron f(x) = σ(wx + b) has one input. It is to learn two points: f(0.5) should be 0.2, and f(2.5) should be 0.9. The
# *loss* says how far it is from that: half the sum of the squared errors. For two points this is also their mean, the MSE in
# the legends of the pictures.

# %% Two points and a loss rows="18"
xs, ys = np.array([0.5, 2.5]), np.array([0.2, 0.9])


def loss(w, b):
    return 0.5 * np.sum((sigmoid(w * xs + b) - ys) ** 2)


assert np.isclose(loss(0.5, 0.0), 0.0731, atol=5e-5)

# %% [markdown]
# Let us guess, as nobody would do for long. With w = 0.5 and b = 0 the curve is too high at the left and too low at the right.
# It must become steeper, so we raise w; and its middle must move to the right, so we lower b. Some guesses later the curve is
# close to both points, and the loss is small.

# %% Guess after guess rows="19"
# alt: Four sigmoid curves and the two points. Each guess comes closer to the points; the last curve passes through both.
guesses = [(0.5, 0.0), (1.0, -1.0), (1.5, -2.0), (1.78, -2.27)]
losses = [loss(w, b) for w, b in guesses]
print(np.round(losses, 7))
assert np.allclose(losses, [7.3e-2, 1.9e-2, 1.4e-3, 1.7e-6], rtol=0.03)

curves = {f"w = {w}, b = {b}": lambda x, w=w, b=b: sigmoid(w * x + b) for w, b in guesses}
viz.fitted(curves, xs, ys, xlim=(-1, 4))

# %% [markdown]
# For two points, there is an answer on paper. The inverse of σ is logit(y) = ln(y / (1 - y)), so w · 0.5 + b = logit(0.2) and w
# · 2.5 + b = logit(0.9). These are two linear equations for two unknowns. With more points than unknowns there is no such way,
# and this chapter is about the way that remains. We keep the exact answer to compare with.

# %% The exact answer rows="20"
exact = np.linalg.solve([[0.5, 1], [2.5, 1]], np.log(ys / (1 - ys)))
print(exact)
assert np.allclose(exact, [1.791759, -2.282174], atol=1e-6)
assert loss(*exact) < 1e-25

# %% [markdown]
# ## The error surface
#
# Each pair (w, b) has a loss. So the loss is a height over the plane of w and b: the *error surface*. Brute force is to compute
# it everywhere, here on a grid with steps of 0.1 from -6 to 6, which is 14,641 guesses. The lowest is at (1.8, -2.3).

# %% Brute force rows="21 22"
# alt: The error surface over w and b from -6 to 6, in space: a hill in one corner, flat plateaus, and a low basin on the right.
axis = np.linspace(-6, 6, 121)
heights = np.array([[loss(w, b) for b in axis] for w in axis])
i, j = np.unravel_index(heights.argmin(), heights.shape)
assert heights.size == 14_641
assert np.allclose((axis[i], axis[j]), (1.8, -2.3))
viz.surface(loss, (-6, 6), (-6, 6))

# %% [markdown]
# The surface has a hill, flat plateaus, and a basin. The same neuron is a model of two layers in `nn`. `viz.loss_over` makes of
# a model's loss a function of some of its numbers, so the map of a model takes as few lines. On this map each contour line is
# about half as high as the next one: so it shows where in the basin the lowest place is.

# %% The same surface of a model rows="21"
# alt: The contour map of the model's loss over weight and bias, from -6 to 6. Rings close around the minimum near (1.8, -2.3).
neuron = nn.Sequential(nn.Linear(1, 1, rng=0), nn.Sigmoid())
of_model = viz.loss_over(neuron, mse_loss, xs[:, None], ys[:, None], ["0.weight", "0.bias"])
assert np.isclose(of_model(0.5, 0.0), loss(0.5, 0.0))
viz.contour(of_model, (-6, 6), (-6, 6), scale="log", points=61)

# %% [markdown]
# Brute force ends here: ten numbers instead of two would take 121¹⁰ guesses. We need a direction instead of a map.
#
# ## Which way is down?
#
# Stand at θ = (w, b), and take a step of length η in the direction u, a vector of length 1. The Taylor series says what you
# find:
#
# > L(θ + ηu) = L(θ) + η uᵀ∇L + ½ η² uᵀHu + …
#
# ∇L is the gradient, H the matrix of second derivatives. If only the first two terms are kept, the rest is about η²: with a
# step ten times as short it is a hundred times as small. With three terms it is about η³. So for short steps the gradient alone
# decides. In the picture the line is the first two terms, and the parabola the first three.

# %% The Taylor series and its remainder rows="23"
# alt: The loss along a direction, by the length of the step, with a line and a parabola that touch it at step 0.
theta, u = np.array([0.5, 0.0]), np.array([0.6, 0.8])
value, gradient = value_and_grad(lambda t: loss(*t))(theta)
curvature = u @ hessian(lambda t: loss(*t))(theta) @ u

along = {"loss": lambda eta: loss(*(theta + eta * u)), "two terms": lambda eta: value + eta * (u @ gradient)}
along["three terms"] = lambda eta: along["two terms"](eta) + 0.5 * eta**2 * curvature
rest = {k: [along["loss"](eta) - along[k](eta) for eta in (0.1, 0.01, 0.001)] for k in ("two terms", "three terms")}
assert np.allclose(np.divide(rest["two terms"][:-1], rest["two terms"][1:]), 100, rtol=0.1)
assert np.allclose(np.divide(rest["three terms"][:-1], rest["three terms"][1:]), 1000, rtol=0.1)
viz.curve(along, (-3, 3))

# %% [markdown]
# The second term is η uᵀ∇L = η · |∇L| · cos β, with β the angle between the step and the gradient. It is as negative as it can
# be for cos β = -1, that is for β = 180°: against the gradient. The picture shows the slope for each direction, with its
# greatest value along the gradient and its least one opposite.

# %% Opposite to the gradient rows="24"
# alt: The slope of the loss at (0.5, 0) by the angle of the direction: a wave, highest along the gradient, lowest opposite to
#   it.
angle_of_gradient = np.arctan2(gradient[1], gradient[0])


def slope_at_angle(beta):
    """The slope in a direction at this angle, in degrees, to the gradient, as a share of the gradient's length."""
    angle = angle_of_gradient + np.radians(beta)
    along = lambda eta: loss(0.5 + eta * np.cos(angle), eta * np.sin(angle))
    return derivative(along)(0.0) / np.linalg.norm(gradient)


slopes = [slope_at_angle(beta) for beta in (0, 45, 90, 135, 180)]
assert np.allclose(slopes, [1, 0.7071, 0, -0.7071, -1], atol=1e-4)
viz.directional(loss, (0.5, 0.0))

# %% [markdown]
# That gives the rule, with a *learning rate* η that sets how far a step goes:
#
# > w ← w - η · ∂L/∂w  and  b ← b - η · ∂L/∂b
#
# For the neuron, the chain rule gives the two derivatives on paper. With f = σ(wx + b) the slope of σ is f (1 - f), so ∂L/∂w =
# Σ (f - y) f (1 - f) x, and ∂L/∂b is the same without x. The engine finds the same numbers without paper.


# %% Gradients by hand and by the engine rows="27"
def by_hand(w, b):
    f = sigmoid(w * xs + b)
    delta = (f - ys) * f * (1 - f)
    return np.sum(delta * xs), np.sum(delta)


by_engine = grad(loss, argnums=(0, 1))
assert np.allclose(by_hand(0.5, 0.0), (-0.008528, 0.067904), atol=1e-6)
assert np.allclose(by_hand(0.5, 0.0), by_engine(0.5, 0.0), rtol=1e-12)

# %% [markdown]
# ## Gradient descent
#
# The algorithm repeats the rule, and stops after a number of rounds, its *epochs*. These are the five lines. From (-2, -2) with
# η = 1, both numbers are within 0.0001 of the exact answer after 1,000 epochs.


# %% The algorithm rows="25 26 28"
def descend(w, b, eta, epochs):
    for _ in range(epochs):
        dw, db = by_hand(w, b)
        w, b = w - eta * dw, b - eta * db
    return w, b


w, b = descend(-2.0, -2.0, eta=1.0, epochs=1000)
print(w, b, loss(w, b))
assert np.allclose((w, b), (1.79172, -2.28212), atol=1e-5)
assert np.allclose((w, b), exact, rtol=0, atol=1e-4)
assert np.isclose(loss(w, b), 2.4e-11, rtol=0.03)

# %% [markdown]
# `nn.optim` has the rule as `SGD`, and `trace` follows it over a function and keeps each point. The path goes the same way,
# step by step. It leaves the plateau slowly, runs down a steep slope, and then creeps to the bottom of the basin. In the
# picture a dot marks every 25th step: the dots are far apart where the surface is steep, and crowd where it is flat.

# %% The path of descent rows="29 54"
# alt: A path from (-2, -2) to (1.8, -2.3), on the error surface and on its contour map. Dots at every 25th step crowd at its
#   end.
path = trace(loss, (-2.0, -2.0), lambda p: SGD(p, lr=1.0), 1000)
assert np.allclose([numbers[-1] for numbers in path.parameters], (w, b), rtol=1e-12)
assert np.all(np.diff(path.values) < 0)

viz.surface_and_contour(loss, (-4, 4), (-4, 4), paths={"η = 1": path}, scale="log")

# %% [markdown]
# ## Slow on gentle slopes
#
# The step is η times the gradient: where the surface is flat, the step is short. A curve shows why. A step of 0.1, 0.5, 1 or 2
# to the right of 0 lands where x² + 1 has the slope 0.2, 1, 2 or 4. A printed version of this example says f(x) = x + 1, but
# the square was lost: x + 1 has the slope 1 everywhere.

# %% Steep and gentle rows="30" claim="the lost square"
# alt: The parabola x squared plus 1 with a gentle tangent at 0.5, of slope 1, and a steep one at 2, of slope 4.
places = (0.1, 0.5, 1.0, 2.0)
assert np.allclose([derivative(lambda x: x**2 + 1)(x) for x in places], [0.2, 1, 2, 4])
assert [derivative(lambda x: x + 1)(x) for x in places] == [1, 1, 1, 1]
viz.curve(lambda x: x**2 + 1, (-3, 3), tangents=[0.5, 2.0])

# %% [markdown]
# Now count the steps until the loss is below 0.001. From (-2, -2) it takes 183, from (-4, -4) ten times as many, from (6, 6)
# still more. From (-4, 4) it is not there after 20,000 steps: the neuron answers 0 at x = 2.5 there, its curve is flat at that
# point, and the loss stays near ½ · 0.9² = 0.405. Nothing is wrong with the gradient. It is right, and tiny.


# %% How many steps from where rows="31"
def steps_to(goal, w, b, eta=1.0, most=20_000):
    for step in range(most):
        if loss(w, b) < goal:
            return step
        dw, db = by_hand(w, b)
        w, b = w - eta * dw, b - eta * db
    return most, loss(w, b)


counts = [steps_to(1e-3, *start) for start in ((-2.0, -2.0), (-4.0, -4.0), (6.0, 6.0))]
most, stuck = steps_to(1e-3, -4.0, 4.0)
print(counts, "and after", most, f"steps {stuck:.3f}")
assert counts == [183, 1893, 8170]
assert np.isclose(stuck, 0.405, atol=5e-4)

# %% [markdown]
# The picture has the first 300 steps from each of the four starts. All take the same number of steps, and only one arrives.

# %% Four starts rows="31"
# alt: A contour map with four paths of 300 steps. The one from (-2, -2) reaches the valley; those on the plateaus stay near
#   their starts.
starts = [(-2.0, -2.0), (-4.0, -4.0), (6.0, 6.0), (-4.0, 4.0)]
from_starts = {f"from {start}": trace(loss, start, lambda p: SGD(p, lr=1.0), 300) for start in starts}
final = [each.values[-1] for each in from_starts.values()]
assert final[0] < 1e-3 < min(final[1:])
viz.contour(loss, (-7, 7), (-7, 7), paths=from_starts)

# %% [markdown]
# ## What helps
#
# A larger learning rate helps on a plateau: with η = 10 instead of 1, it takes 15 steps from (-2, -2) instead of 183. But the
# rate that is right for a plateau is too large for a steep slope. With η = 100 the first steep slope throws the path onto
# another plateau, where the loss is higher than at the start, even 3,000 steps later.

# %% A larger rate rows="92"
counts = [steps_to(1e-3, -2.0, -2.0, eta=10.0), steps_to(1e-3, -4.0, -4.0, eta=10.0)]
most, stuck = steps_to(1e-3, -2.0, -2.0, eta=100.0, most=3000)
print(counts, "and after", most, f"steps {stuck:.3f}")
assert counts == [15, 188]
assert np.isclose(stuck, 0.425, atol=5e-4)
assert stuck > loss(-2.0, -2.0)

# %% [markdown]
# *Momentum* keeps a part of the last step, here nine tenths, and adds the new one to it. On a long gentle slope the parts add
# up, and the steps become longer by themselves. It needs 148 steps. *Nesterov's* version looks at the gradient where the
# momentum is about to lead, and is below 0.001 after 30 steps. In the picture, momentum runs past the bottom and comes back.

# %% Momentum and Nesterov rows="32"
# alt: A contour map with three paths from (-2, -2): descent, momentum and Nesterov. Both with momentum swing past the minimum.
rules = {"descent": {}, "momentum": {"momentum": 0.9}, "Nesterov": {"momentum": 0.9, "nesterov": True}}
paths = {name: trace(loss, (-2.0, -2.0), lambda p: SGD(p, lr=1.0, **rule), 200) for name, rule in rules.items()}
counts = {name: int(np.argmax(path.values < 1e-3)) for name, path in paths.items()}
print(counts)
assert counts == {"descent": 183, "momentum": 148, "Nesterov": 30}
viz.contour(loss, (-3, 7), (-7, 3), paths=paths, scale="log")

# %% [markdown]
# The loss by the step shows the same: momentum makes waves, and where it has swung past the bottom the loss rises again. So
# Nesterov's path, below 0.001 at step 30, is above it once more and stays below from step 82 on. A chapter to
# come, the ninth, compares more rules.

# %% The loss by the step
# alt: The loss of the three rules over 200 steps, on a logarithmic scale. Descent falls evenly, momentum and Nesterov in waves.
assert np.flatnonzero(paths["Nesterov"].values > 1e-3)[-1] + 1 == 82
viz.curves(paths, yscale="log")

# %% [markdown]
# ## Exercises
#
# Replace `...` by your answer, run the cell and the check below it. The check contains
# the answer: read it when you have yours.
#
# **1.** The two points are now (1, 0.5) and (3, 0.8). Which w and b put both on the curve of σ(wx + b)?

# %% Exercise 1
w_and_b = ...

# %% Check 1
check("Exercise 1", w_and_b, (0.693147, -0.693147), hint="logit(0.5) = 0, so b = -w; logit(0.8) = ln 4 = 3w + b.")

# %% [markdown]
# **2.** Take one step of gradient descent from (w, b) = (0, 0) with η = 2, on the points of the chapter. Where do you arrive?

# %% Exercise 2
after_one_step = ...

# %% Check 2
check("Exercise 2", after_one_step, (0.425, 0.05), hint="by_hand(0.0, 0.0), times 2, subtracted from 0.")

# %% [markdown]
# **3.** Write the update of momentum: given a parameter, its gradient g and the velocity v, first v ← 0.9 v + g, then subtract
# η v from the parameter. Return the new parameter and the new velocity.


# %% Exercise 3
def momentum_step(parameter, g, v, eta):
    return ...


# %% Check 3
def is_momentum(step):
    return np.allclose(step(1.0, 2.0, 10.0, 0.1), (-0.1, 11.0))


check(
    "Exercise 3",
    momentum_step,
    is_momentum,
    hint="The new velocity is 0.9 * v + g; subtract eta times the new one, not the old.",
)
