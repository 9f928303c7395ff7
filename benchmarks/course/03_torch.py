# %% The tools of this chapter
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.autograd.functional import hessian

torch.set_default_dtype(torch.float64)

# %% The sigmoid is a line nowhere
x = torch.linspace(-6, 6, 401, requires_grad=True)
y = torch.sigmoid(x)
(slope,) = torch.autograd.grad(y.sum(), x)
zero = torch.tensor(0.0, requires_grad=True)
middle = torch.sigmoid(zero)
(steepest,) = torch.autograd.grad(middle, zero, create_graph=True)
(bend,) = torch.autograd.grad(steepest, zero)
_, ax = plt.subplots()
ax.plot(x.detach(), y.detach(), label="sigmoid(x)")
ax.plot(x.detach(), slope, "--", label="its slope")
ax.plot(x.detach(), middle.item() + steepest.item() * x.detach(), "-.", label=f"tangent at 0: slope {steepest.item()}")
ax.set(xlabel="x", ylim=(-0.1, 1.1))
ax.legend()

# %% Two points and a loss
xs, ys = torch.tensor([0.5, 2.5]), torch.tensor([0.2, 0.9])


def loss(w, b):
    return 0.5 * torch.sum((torch.sigmoid(w * xs + b) - ys) ** 2)


# %% Guess after guess
guesses = [(0.5, 0.0), (1.0, -1.0), (1.5, -2.0), (1.78, -2.27)]
losses = [loss(w, b) for w, b in guesses]
x = torch.linspace(-1, 4, 401)
_, ax = plt.subplots()
for (w, b), value in zip(guesses, losses, strict=True):
    ax.plot(x, torch.sigmoid(w * x + b), label=f"w = {w}, b = {b}: {value:.4g}")
ax.plot(xs, ys, "ko", label="examples")
ax.set(xlabel="x", ylabel="y")
ax.legend()

# %% Brute force
axis = np.linspace(-6, 6, 121)
heights = np.array([[loss(w, b) for b in axis] for w in axis])
i, j = np.unravel_index(heights.argmin(), heights.shape)
_, ax = plt.subplots(subplot_kw={"projection": "3d"})
ax.plot_surface(*np.meshgrid(axis, axis), heights.T, cmap="viridis")
ax.set(xlabel="w", ylabel="b", zlabel="loss")

# %% The same surface of a model
neuron = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Sigmoid())


def of_model(w, b):
    numbers = {"0.weight": torch.tensor([[w]]), "0.bias": torch.tensor([b])}
    return torch.nn.functional.mse_loss(torch.func.functional_call(neuron, numbers, xs[:, None]), ys[:, None])


def contour(ax, f, xlim, ylim, levels=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5), points=121):
    x, y = np.linspace(*xlim, points), np.linspace(*ylim, points)
    ax.clabel(ax.contour(x, y, [[f(w, b).item() for w in x] for b in y], levels=levels))
    ax.set(xlabel="w", ylabel="b")


_, ax = plt.subplots()
contour(ax, of_model, (-6, 6), (-6, 6), points=61)

# %% The Taylor series and its remainder
theta, u = torch.tensor([0.5, 0.0], requires_grad=True), torch.tensor([0.6, 0.8])
value = loss(*theta)
(gradient,) = torch.autograd.grad(value, theta)
curvature = u @ hessian(lambda t: loss(*t), theta.detach()) @ u
along = {
    "loss": lambda eta: loss(*(theta.detach() + eta * u)),
    "two terms": lambda eta: value.item() + eta * (u @ gradient),
}
along["three terms"] = lambda eta: along["two terms"](eta) + 0.5 * eta**2 * curvature
etas = torch.linspace(-3, 3, 401)
_, ax = plt.subplots()
for name, f in along.items():
    ax.plot(etas, [f(eta).item() for eta in etas], label=name)
ax.set(xlabel="eta")
ax.legend()

# %% Opposite to the gradient
angle_of_gradient = torch.atan2(gradient[1], gradient[0])


def slope_at_angle(beta):
    angle = angle_of_gradient + np.radians(beta)
    direction = torch.stack([torch.cos(angle), torch.sin(angle)])
    _, slope = torch.func.jvp(lambda t: loss(t[0], t[1]), (theta.detach(),), (direction,))
    return slope / torch.linalg.norm(gradient)


slopes = torch.stack([slope_at_angle(beta) for beta in (0, 45, 90, 135, 180)])
angles = torch.linspace(0, 2 * torch.pi, 361)
_, ax = plt.subplots()
ax.plot(np.degrees(angles), gradient[0] * torch.cos(angles) + gradient[1] * torch.sin(angles))
steepest = np.degrees(angle_of_gradient) % 360
ax.plot(
    steepest, torch.linalg.norm(gradient), "^", label=f"gradient: {torch.linalg.norm(gradient):.4g} at {steepest:.4g}°"
)
ax.plot((steepest + 180) % 360, -torch.linalg.norm(gradient), "v", label="steepest descent")
ax.set(xlabel="angle of the direction in degrees", ylabel="slope")
ax.legend()


# %% Gradients by hand and by the engine
def by_hand(w, b):
    f = torch.sigmoid(w * xs + b)
    delta = (f - ys) * f * (1 - f)
    return torch.sum(delta * xs), torch.sum(delta)


by_engine = torch.func.grad(loss, argnums=(0, 1))


# %% The algorithm
def descend(w, b, eta, epochs):
    for _ in range(epochs):
        dw, db = by_hand(w, b)
        w, b = w - eta * dw, b - eta * db
    return w, b


w, b = descend(-2.0, -2.0, eta=1.0, epochs=1000)


# %% The path of descent
def trace(start, steps, **options):
    w, b = (torch.tensor(number, requires_grad=True) for number in start)
    optimizer = torch.optim.SGD([w, b], **options)
    points, values = [], []
    for _ in range(steps + 1):
        optimizer.zero_grad()
        value = loss(w, b)
        value.backward()
        points.append((w.item(), b.item()))
        values.append(value.item())
        optimizer.step()
    return np.array(points), np.array(values)


def draw(ax, paths):
    for name, (points, _) in paths.items():
        (line,) = ax.plot(*points.T, "o-", markevery=max(1, len(points) // 40), label=name)
        ax.plot(*points[0], "o", ms=9, mfc="white", mec=line.get_color())
        ax.plot(*points[-1], "*", ms=14, color=line.get_color())
    ax.legend()


path, values = trace((-2.0, -2.0), 1000, lr=1.0)
axis = np.linspace(-4, 4, 81)
heights = np.array([[loss(w, b) for w in axis] for b in axis])
figure = plt.figure(figsize=(11, 4.6))
left, right = figure.add_subplot(1, 2, 1, projection="3d"), figure.add_subplot(1, 2, 2)
left.plot_surface(*np.meshgrid(axis, axis), heights, cmap="viridis", alpha=0.7)
left.plot(*path.T, values, "o-", markevery=25, zorder=5)
left.set(xlabel="w", ylabel="b", zlabel="loss")
contour(right, loss, (-4, 4), (-4, 4))
draw(right, {"η = 1": (path, values)})

# %% Steep and gentle
x = torch.linspace(-3, 3, 401)
_, ax = plt.subplots()
ax.plot(x, x**2 + 1)
for place in (0.5, 2.0):
    at = torch.tensor(place, requires_grad=True)
    height = at**2 + 1
    height.backward()
    ax.plot(x, height.item() + at.grad * (x - place), "--", label=f"tangent at {place}: slope {at.grad:g}")
    ax.plot(place, height.item(), "ko")
ax.set(xlabel="x", ylim=(0, 10))
ax.legend()


# %% How many steps from where
def steps_to(goal, w, b, eta=1.0, most=20_000):
    for step in range(most):
        if loss(w, b) < goal:
            return step
        dw, db = by_hand(w, b)
        w, b = w - eta * dw, b - eta * db
    return most, loss(w, b)


counts = [steps_to(1e-3, *start) for start in ((-2.0, -2.0), (-4.0, -4.0), (6.0, 6.0))]
most, stuck = steps_to(1e-3, -2.0, -2.0, eta=100.0, most=3000)  # as the chapter does last

# %% Four starts
starts = [(-2.0, -2.0), (-4.0, -4.0), (6.0, 6.0), (-4.0, 4.0)]
from_starts = {f"from {start}": trace(start, 300, lr=1.0) for start in starts}
final = [values[-1] for _, values in from_starts.values()]
_, ax = plt.subplots()
contour(ax, loss, (-7, 7), (-7, 7), np.arange(0.1, 0.8, 0.1))
draw(ax, from_starts)

# %% Momentum and Nesterov
rules = {"descent": {}, "momentum": {"momentum": 0.9}, "Nesterov": {"momentum": 0.9, "nesterov": True}}
paths = {name: trace((-2.0, -2.0), 200, lr=1.0, **rule) for name, rule in rules.items()}
counts = [int(np.argmax(values < 1e-3)) for _, values in paths.values()]
_, ax = plt.subplots()
contour(ax, loss, (-3, 7), (-7, 3))
draw(ax, paths)

# %% The loss by the step
_, ax = plt.subplots()
for name, (_, values) in paths.items():
    ax.semilogy(values, label=name)
ax.set(xlabel="step", ylabel="loss")
ax.legend()

agree = ["losses", "gradient", "curvature", "slopes", "final", "stuck"]
