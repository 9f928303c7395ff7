# %% A landscape in space
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.func import grad, jvp, vmap


def bowl(x, y):
    return x**2 + y**2


def grid(across, along, points=121):
    return torch.meshgrid(torch.linspace(*across, points), torch.linspace(*along, points), indexing="xy")


def draw_surface(ax, f, across, along):
    X, Y = grid(across, along, 81)
    ax.plot_surface(X, Y, f(X, Y), cmap="viridis")
    ax.set_xlabel("x")
    ax.set_ylabel("y")


figure, ax = plt.subplots(subplot_kw={"projection": "3d"})
draw_surface(ax, bowl, (-3, 3), (-3, 3))


# %% Slice, mark, flatten
def draw_map(ax, f, across, along, levels=10):
    X, Y = grid(across, along)
    ax.contourf(X, Y, f(X, Y), levels, cmap="viridis", alpha=0.4, extend="both")
    ax.clabel(ax.contour(X, Y, f(X, Y), levels, colors="black", linewidths=0.8), fontsize=8)
    ax.set_aspect("equal")
    ax.set_xlabel("x")
    ax.set_ylabel("y")


heights = np.array([2, 4, 6, 8, 10, 12, 14, 16])
figure = plt.figure(figsize=(11, 4.6))
left, right = figure.add_subplot(1, 2, 1, projection="3d"), figure.add_subplot(1, 2, 2)
X, Y = grid((-3, 3), (-3, 3), 81)
left.plot_surface(X, Y, bowl(X, Y), cmap="viridis", alpha=0.75)
left.contour(X, Y, bowl(X, Y), heights, colors="black")
left.contour(X, Y, bowl(X, Y), heights, colors="black", zdir="z", offset=-9)
corners = np.meshgrid([-3, 3], [-3, 3])
for height in heights:
    left.plot_surface(*corners, np.full((2, 2), height), color="black", alpha=0.06)
left.set_zlim(-9, 18)
draw_map(right, bowl, (-3, 3), (-3, 3), heights)


# %% A map with its heights
def hills(x, y):
    return 2 * torch.exp(-((x - 1) ** 2) - y**2) + torch.exp(-((x + 1) ** 2) - y**2)


figure, ax = plt.subplots()
draw_map(ax, hills, (-3, 3), (-2, 2))


# %% Distance and steepness
def oval(x, y):
    return x**2 + 3 * y**2


gradient = grad(oval, argnums=(0, 1))
beside = gradient(torch.tensor(2.0), torch.tensor(0.0))
above = gradient(torch.tensor(0.0), torch.tensor(2.0))
figure, ax = plt.subplots()
draw_map(ax, oval, (-3.8, 3.8), (-2.3, 2.3), range(1, 14))


# %% Along a line, and across it
def ellipse(t):
    return 2 * torch.cos(t), 2 / np.sqrt(3) * torch.sin(t)


turn = torch.linspace(0, 2 * torch.pi, 100)
_, along = jvp(ellipse, (turn,), (torch.ones(100),))
uphill = vmap(gradient)(*ellipse(turn))
places = [(1.0, 1.0), (-2.0, 0.5), (0.5, -1.0)]
figure, ax = plt.subplots()
draw_map(ax, oval, (-3.5, 3.5), (-2.5, 2.5), sorted(oval(*place) for place in places))
for place in places:
    up = torch.stack(gradient(*map(torch.tensor, place)))
    up = 0.8 * up / up.norm()
    t = torch.tensor([-up[1], up[0]])
    ends = torch.tensor(place) + torch.stack([-t, t])
    ax.plot(*ends.T, "C0--")
    ax.quiver(*place, *up, angles="xy", scale_units="xy", scale=1, color="C1", zorder=4)
    square = torch.tensor(place) + 0.2 * torch.stack([t, t + up, up])
    ax.plot(*square.T, "k", lw=1)
    ax.plot(*place, "ko")

# %% The gradient field
X, Y = torch.meshgrid(torch.linspace(-2, 2, 9), torch.linspace(-1, 1, 5), indexing="xy")
dx, dy = (g.reshape(X.shape) for g in vmap(gradient)(X.ravel(), Y.ravel()))
figure, ax = plt.subplots()
draw_map(ax, hills, (-3, 3), (-2, 2))
U, V = torch.meshgrid(torch.linspace(-2.8, 2.8, 13), torch.linspace(-1.8, 1.8, 9), indexing="xy")
arrows = vmap(grad(hills, argnums=(0, 1)))(U.ravel(), V.ravel())
ax.quiver(U.ravel(), V.ravel(), *arrows, angles="xy")


# %% Each segment is a step
def descend(f, start, rate, steps):
    p = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.SGD([p], lr=rate)
    points, values = [p.detach().clone()], [f(*p).item()]
    for _ in range(steps):
        optimizer.zero_grad()
        f(*p).backward()
        optimizer.step()
        points.append(p.detach().clone())
        values.append(f(*p).item())
    return torch.stack(points), values


def draw_path(ax, points):
    ax.plot(*points.T, ".-", label="path")
    ax.plot(*points[0], "o", mfc="white", label="start")
    ax.plot(*points[-1], "*", ms=10, label="end")
    ax.legend()


rate = 0.12
points, _ = descend(oval, (-2.5, 1.0), rate, 6)
segments = torch.diff(points, dim=0).T
figure, ax = plt.subplots()
draw_map(ax, oval, (-3, 3), (-2, 2))
draw_path(ax, points)


# %% The first step points elsewhere
def long_valley(x, y):
    return x**2 + 8 * y**2


points, values = descend(long_valley, (-4.0, 2.0), 0.11, 40)
first = -torch.stack(grad(long_valley, argnums=(0, 1))(torch.tensor(-4.0), torch.tensor(2.0)))
home = torch.tensor([4.0, -2.0])
cosine = first @ home / first.norm() / home.norm()
figure, ax = plt.subplots()
draw_map(ax, long_valley, (-5, 5), (-3, 3))
U, V = torch.meshgrid(torch.linspace(-4.6, 4.6, 13), torch.linspace(-2.6, 2.6, 8), indexing="xy")
arrows = vmap(grad(long_valley, argnums=(0, 1)))(U.ravel(), V.ravel())
ax.quiver(U.ravel(), V.ravel(), *arrows, angles="xy")
draw_path(ax, points)

# %% Guess the landscape
quiz = {
    "A": lambda x, y: x**2 - y**2,
    "B": lambda x, y: 4 - x**2 - y**2,
    "C": lambda x, y: x + y,
    "D": hills,
    "E": lambda x, y: (x - y) ** 2,
    "F": lambda x, y: x**2 + 2 * y**2,
}
figure, axes = plt.subplots(2, 3, figsize=(14, 8.5))
for ax, (name, f) in zip(axes.flat, quiz.items(), strict=True):
    draw_map(ax, f, (-2, 2), (-2, 2))
    ax.set_title(name)

# %% Compared
agree = ["beside", "above", "along", "uphill", "dx", "dy", "segments", "cosine"]
