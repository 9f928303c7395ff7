# %% The change for a unit of x
import torch


def f(x):
    return x**2 - 3 * x + 3


steps = torch.tensor([1.0, 0.1, 0.01, 0.001], dtype=torch.float64)
changes = (f(3 + steps) - f(3)) / steps

# %% The tangent line
import matplotlib.pyplot as plt
import numpy as np
from torch.func import grad, hessian, jvp, vmap

at = torch.tensor(3.0)
slope = grad(f)(at)
xs = torch.linspace(-1, 5, 401)
figure, ax = plt.subplots()
ax.plot(xs, f(xs), label="f(x)")
ax.plot(xs, f(at) + slope * (xs - at), "k--", label=f"tangent at ({at:g}, {f(at):g}): slope {slope:g}")
ax.plot(at, f(at), "ko")
ax.set_ylim(f(xs).min() - 1, f(xs).max() + 1)
ax.set_xlabel("x")
ax.legend()


# %% Curves with their slopes
def hill(x):
    return 1 + 2 * x - x**2


xs = torch.linspace(-2, 4, 401)
figure, axes = plt.subplots(1, 2, figsize=(9, 4))
for ax, (name, g) in zip(axes, {"x²": torch.square, "1 + 2x − x²": hill}.items(), strict=True):
    ax.plot(xs, g(xs), label="f(x)")
    ax.plot(xs, vmap(grad(g))(xs), "--", label="f′(x)")
    ax.set_title(name)
    ax.set_xlabel("x")
    ax.legend()


# %% Where you end depends on where you start
def wavy(x):
    return torch.sin(3 * x) + 0.1 * x**2


starts = {"left": -3.5, "middle": -1.0, "right": 0.8}
walks, ends = {}, []
for name, start in starts.items():
    x = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.05)
    places = [x.item()]
    for _ in range(60):
        optimizer.zero_grad()
        wavy(x).backward()
        optimizer.step()
        places.append(x.item())
    walks[name] = torch.tensor(places)
    ends.append(wavy(x).item())
xs = torch.linspace(-4, 4, 401)
figure, ax = plt.subplots()
ax.plot(xs, wavy(xs), label="wavy(x)")
for name, places in walks.items():
    (line,) = ax.plot(places, wavy(places), ".--", label=name)
    ax.plot(places[0], wavy(places[0]), "o", mfc="white", color=line.get_color())
    ax.plot(places[-1], wavy(places[-1]), "*", ms=10, color=line.get_color())
ax.set_xlabel("x")
ax.legend()


# %% Partial derivatives
def plus(x, y):
    return x + y


def bowl(x, y):
    return x**2 + y**2


# %% A cut through a landscape
def land(x, y):
    return x**2 + 2 * y**2


here = (torch.tensor(1.5), torch.tensor(1.0))
gradient = grad(land, argnums=(0, 1))(*here)
X, Y = torch.meshgrid(torch.linspace(-3, 3, 81), torch.linspace(-2, 2, 81), indexing="xy")
xs = torch.linspace(-3, 3, 201)
near = xs[(xs > 0) & (xs < 3)]
tangent = land(*here) + gradient[0] * (near - here[0])
figure = plt.figure(figsize=(11, 4.6))
left, right = figure.add_subplot(1, 2, 1, projection="3d"), figure.add_subplot(1, 2, 2)
left.plot_surface(X, Y, land(X, Y), cmap="viridis", alpha=0.7)
wall_x, wall_z = np.meshgrid([-3, 3], [0, 17])
left.plot_surface(wall_x, np.full_like(wall_x, here[1]), wall_z, color="black", alpha=0.15)
left.plot(xs, torch.full_like(xs, here[1]), land(xs, here[1]), "C1", lw=2.5, zorder=5)
left.plot(near, torch.full_like(near, here[1]), tangent, "k--", zorder=6)
left.set_xlabel("x")
left.set_ylabel("y")
left.set_zlabel("land(x, y)")
right.plot(xs - here[0], land(xs, here[1]), "C1", lw=2.5, label="cut along x")
right.plot(near - here[0], tangent, "k--", label=f"tangent: slope {gradient[0]:g}")
right.plot(0, land(*here), "ko")
right.set_xlabel("distance from (1.5, 1)")
right.legend()


# %% The tangent plane
def dome(x, y):
    return -(x**2) - y**2


def draw_with_plane(ax, f, x0, y0):
    x0, y0 = torch.tensor(x0), torch.tensor(y0)
    a, b = grad(f, argnums=(0, 1))(x0, y0)
    X, Y = torch.meshgrid(torch.linspace(-3, 3, 81), torch.linspace(-3, 3, 81), indexing="xy")
    U, V = torch.meshgrid(torch.tensor([-1.5, 1.5]), torch.tensor([-1.5, 1.5]), indexing="xy")
    ax.plot_surface(X, Y, f(X, Y), cmap="viridis", alpha=0.75)
    ax.plot_surface(x0 + U, y0 + V, f(x0, y0) + a * U + b * V, color="C1", alpha=0.55)
    ax.plot([x0], [y0], [f(x0, y0)], "ko", zorder=5)
    ax.set_title(f"tangent plane at ({x0:g}, {y0:g}): slopes {a:g}, {b:g}")
    ax.set_xlabel("x")
    ax.set_ylabel("y")
    return a, b


figure, ax = plt.subplots(subplot_kw={"projection": "3d"})
a, b = draw_with_plane(ax, dome, 0.0, 2.0)

# %% Level planes
tops = {"maximum of −x² − y²": dome, "minimum of x² + y²": bowl}
figure, axes = plt.subplots(1, 2, figsize=(9, 4), subplot_kw={"projection": "3d"})
level = [draw_with_plane(ax, f, 0.0, 0.0) for ax, f in zip(axes, tops.values(), strict=True)]

# %% At a minimum every direction leads up
angles = torch.deg2rad(torch.arange(360.0))
around = bowl(0.01 * torch.cos(angles), 0.01 * torch.sin(angles))

# %% The directional derivative
ways = torch.cos(angles), torch.sin(angles)
points = torch.full((360,), here[0]), torch.full((360,), here[1])
_, slopes = jvp(land, points, ways)

# %% The slope by the angle
a_here, b_here = gradient
steepest = torch.rad2deg(torch.atan2(b_here, a_here))
norm = torch.hypot(a_here, b_here)
figure, ax = plt.subplots()
ax.plot(torch.rad2deg(angles), slopes, label="directional derivative")
ax.axhline(0, color="black", lw=0.8)
ax.plot(steepest, norm, "^", ms=10, label=f"gradient: {norm:g} at {steepest:.1f}°")
ax.plot(
    (steepest + 180) % 360, -norm, "v", ms=10, label=f"steepest descent: {-norm:g} at {(steepest + 180) % 360:.1f}°"
)
zeros = [(steepest + turn).item() % 360 for turn in (90, 270)]
ax.plot(zeros, [0, 0], "o", ms=10, label=f"level set: 0 at {zeros[0]:.1f}° and {zeros[1]:.1f}°")
ax.set_xticks(range(0, 361, 45))
ax.set_xlabel("angle of the direction in degrees")
ax.set_ylabel("slope")
ax.legend()


# %% The diagonal is not enough
def hidden(x, y):
    return x**2 + 4 * x * y + y**2


zero = torch.tensor(0.0)
second = torch.tensor(hessian(hidden, argnums=(0, 1))(zero, zero))


# %% Chords above and below
def funnel(x):
    return 1 - torch.exp(-(x**2))


shapes = {"convex: x²": torch.square, "not convex: 1 − exp(−x²)": funnel}
left, right, middle = torch.tensor(-2.5), torch.tensor(0.5), torch.tensor(-1.0)
above = [(g(left) + g(right)) / 2 - g(middle) for g in shapes.values()]
xs = torch.linspace(-3, 3, 401)
figure, axes = plt.subplots(1, 2, figsize=(9, 4))
for ax, (name, g) in zip(axes, shapes.items(), strict=True):
    ax.plot(xs, g(xs), label="f(x)")
    ax.plot([left, right], [g(left), g(right)], "ko--", label=f"chord from {left:g} to {right:g}")
    ax.set_title(name)
    ax.set_xlabel("x")
    ax.legend()


# %% Differences beside backward()
def wave(x):
    return torch.exp(x) * torch.sin(x)


x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
wave(x).backward()
h = 1e-5
one = x.detach()
forward = (wave(one + h) - wave(one)) / h
central = (wave(one + h) - wave(one - h)) / (2 * h)

# %% The error against the step
exact = x.grad
h = torch.logspace(-16, 0, 401, dtype=torch.float64)
figure, ax = plt.subplots()
ax.loglog(h, abs((wave(1 + h) - wave(one)) / h - exact), label="error of the forward difference")
ax.loglog(h, abs((wave(1 + h) - wave(1 - h)) / (2 * h) - exact), "--", label="error of the central difference")
ax.set_xlabel("h")
ax.legend()

# %% Compared
agree = [
    "changes",
    "slope",
    "ends",
    "gradient",
    "a",
    "b",
    "level",
    "around",
    "slopes",
    "steepest",
    "second",
    "above",
    "forward",
    "central",
]
