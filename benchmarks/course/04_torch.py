# %% The tools of this chapter
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.preprocessing import MinMaxScaler
from torch.autograd.functional import hessian
from torch.nn.functional import l1_loss, mse_loss
from torch.utils.data import DataLoader, TensorDataset

torch.set_default_dtype(torch.float64)

# %% The data
areas = torch.tensor([500.0, 700, 800, 1000, 1200, 1400, 1500, 1600, 2100, 2300, 2400, 2500])
rents = torch.tensor([1.00, 1.32, 1.36, 1.38, 1.66, 1.88, 2.11, 2.04, 2.71, 2.83, 2.83, 3.00])

# %% Min-max scaling
area_scaler, rent_scaler = MinMaxScaler(), MinMaxScaler()
x = torch.tensor(area_scaler.fit_transform(areas[:, None])[:, 0])
y = torch.tensor(rent_scaler.fit_transform(rents[:, None])[:, 0])


# %% The first line and its residuals
def fitted(ax, line, x, y, name):
    predicted = line(x)
    ax.plot(x, y, "ko", label="examples")
    ax.plot(x, predicted, label=f"{name}: MSE {mse_loss(predicted, y):.4g}")
    ax.vlines(x, predicted, y, color="C1", lw=1, label="residuals")
    ax.set(xlabel="x", ylabel="y")
    ax.legend()


C, m = 0.52, 0.81
_, ax = plt.subplots()
fitted(ax, lambda x: C + m * x, x, y, "C + m x")

# %% The table of the first step
error = C + m * x - y
columns = {"area": areas, "rent": rents, "x": x, "y": y, "prediction": C + m * x, "error": error}
columns |= {"½ error²": error**2 / 2, "∂/∂C": error, "∂/∂m": error * x}
_, ax = plt.subplots()
ax.axis("off")
rows = [[f"{number:.4g}" for number in row] for row in zip(*columns.values(), strict=True)]
sums = [f"{columns[name].sum():.4f}" if name in ("½ error²", "∂/∂C", "∂/∂m") else "" for name in columns]
ax.table([*rows, sums], colLabels=list(columns), loc="center")


# %% The first step
def cost(C, m):
    return 0.5 * torch.sum((C + m * x - y) ** 2)


gradient = torch.stack(torch.func.grad(cost, argnums=(0, 1))(torch.tensor(0.52), torch.tensor(0.81)))
new_C, new_m = 0.52 - 0.01 * gradient[0], 0.81 - 0.01 * gradient[1]


# %% The table of all steps
def trace(f, start, steps, make=torch.optim.SGD, **options):
    numbers = [torch.tensor(number, requires_grad=True) for number in start]
    optimizer = make(numbers, **options)
    points, gradients, values = [], [], []
    for _ in range(steps + 1):
        optimizer.zero_grad()
        value = f(*numbers)
        value.backward()
        points.append([number.item() for number in numbers])
        gradients.append([number.grad.item() for number in numbers])
        values.append(value.item())
        optimizer.step()
    return np.array(points), np.array(gradients), np.array(values)


path = trace(cost, (0.52, 0.81), 100, lr=0.01)
_, ax = plt.subplots()
ax.axis("off")
shown = [*range(6), *range(95, 101)]
rows = [[k, *[f"{number:.4g}" for number in (*path[0][k], *path[1][k], path[2][k])]] for k in shown]
ax.table(rows, colLabels=["step", "C", "m", "∂/∂C", "∂/∂m", "cost"], loc="center")


# %% The cost as a bowl
def contour(ax, f, xlim, ylim, levels, paths, points=121):
    across, up = np.linspace(*xlim, points), np.linspace(*ylim, points)
    ax.clabel(ax.contour(across, up, [[f(a, b).item() for a in across] for b in up], levels=levels))
    for name, points in paths.items():
        (line,) = ax.plot(*points.T, "o-", markevery=max(1, len(points) // 40), label=name)
        ax.plot(*points[0], "o", ms=9, mfc="white", mec=line.get_color())
        ax.plot(*points[-1], "*", ms=14, color=line.get_color())
    ax.legend()


powers = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]
paths = {"η = 0.01": path[0], "η = 0.1": trace(cost, (0.52, 0.81), 100, lr=0.1)[0]}
_, ax = plt.subplots()
contour(ax, cost, (-0.6, 0.8), (0.4, 1.6), powers, paths)
ax.set(xlabel="C", ylabel="m")


# %% Closed form against descent
def of_array(theta):
    return cost(theta[0], theta[1])


start = torch.zeros(2)
exact = start - torch.linalg.solve(hessian(of_array, start), torch.func.grad(of_array)(start))

# %% The best line
_, ax = plt.subplots()
fitted(ax, lambda x: exact[0] + exact[1] * x, x, y, "best line")

# %% The rent of a new office
scaled = area_scaler.transform([[1900.0]])
predicted = rent_scaler.inverse_transform(exact[0] + exact[1] * scaled)

# %% Four learning rates
rates = {f"η = {lr}": trace(cost, (0.52, 0.81), 8, lr=lr)[0] for lr in (0.001, 0.02, 0.12, 0.135)}
_, ax = plt.subplots()
contour(ax, cost, (-0.6, 0.8), (0.4, 1.4), powers, rates)
ax.set(xlabel="C", ylabel="m")

# %% Forward, backward, update
C, m = torch.tensor(0.52, requires_grad=True), torch.tensor(0.81, requires_grad=True)
optimizer = torch.optim.SGD([C, m], lr=0.1)
for iteration in range(1000):
    loss = 0.5 * mse_loss(C + m * x, y, reduction="sum")
    if loss.item() < 0.01:
        break
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


# %% The end of training
def train(lr, epochs):
    line = torch.nn.Linear(1, 1)
    with torch.no_grad():
        line.weight.fill_(0.27392337)  # where the chapter's line starts
        line.bias.fill_(-0.46042657)
    optimizer, losses = torch.optim.SGD(line.parameters(), lr=lr), []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = mse_loss(line(x[:, None]), y[:, None])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if len(losses) > 1 and abs(losses[-2] - losses[-1]) < 1e-6:
            break
    return losses


ended = [len(train(lr, 500)) for lr in (0.5, 0.01)]


# %% Batch, mini-batch, single examples
def in_batches(size, epochs=50):
    line = torch.nn.Linear(1, 1)
    with torch.no_grad():
        line.weight.fill_(0.81)
        line.bias.fill_(0.52)
    optimizer = torch.optim.SGD(line.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(x[:, None], y[:, None]), size, shuffle=True)
    points = [(line.bias.item(), line.weight.item())]
    for _ in range(epochs):
        for inputs, targets in loader:
            optimizer.zero_grad()
            (0.5 * mse_loss(line(inputs), targets)).backward()
            optimizer.step()
            points.append((line.bias.item(), line.weight.item()))
    return np.array(points)


runs = {f"batches of {size}": in_batches(size) for size in (12, 4, 1)}
_, ax = plt.subplots()
contour(ax, lambda b, w: mse_loss(w * x + b, y), (-0.2, 0.7), (0.5, 1.2), [level / 5 for level in powers], runs, 61)
ax.set(xlabel="bias", ylabel="weight")

# %% It has no minimum
path = trace(lambda x, y: x + y, (2.0, 4.0), 400, lr=0.01)
_, ax = plt.subplots()
contour(ax, lambda x, y: x + y, (-4, 4), (-4, 5), range(-8, 9, 2), {"path": path[0]})
ax.set(xlabel="x", ylabel="y")

# %% Lines through outliers
inputs = torch.arange(1.0, 11)
observed = 4 * inputs + torch.tensor([0.5, -0.5, 1, -1, 0.5, -0.5, -1, 1, 20, 25])
losses = {"MSE": mse_loss, "RMSE": lambda a, b: torch.sqrt(mse_loss(a, b)), "MAE": l1_loss}
losses["log-cosh"] = lambda a, b: torch.mean(torch.log(torch.cosh(a - b)))
slopes = {}
for name, loss in losses.items():
    slopes[name] = trace(lambda m: loss(m * inputs, observed), (0.0,), 1000, torch.optim.Adam, lr=0.05)[0][-1, 0]
_, ax = plt.subplots()
ax.plot(inputs, observed, "ko", label="examples")
ax.plot(inputs, 4 * inputs, "k--", label="truth")
for name, m in slopes.items():
    ax.plot(inputs, m * inputs, label=f"least {name}: MSE {mse_loss(m * inputs, observed):.4g}")
ax.set(xlabel="x", ylabel="y")
ax.legend()

# %% MAE and MSE
prediction = torch.linspace(-10_000, 10_000, 401, requires_grad=True)
_, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
for name, ax in zip(("MAE", "MSE"), axes, strict=True):
    values = losses[name](prediction, torch.full((401,), 100.0), reduction="none")
    (slope,) = torch.autograd.grad(values.sum(), prediction)
    ax.plot(prediction.detach(), values.detach(), label="f(x)")
    beside = ax.twinx()
    beside.plot(prediction.detach(), slope, "C1--", label="f'(x), on the right")
    ax.set(title=name, xlabel="prediction, target 100")
axes[0].figure.legend()

# %% A constant gradient oscillates
paths = {name: trace(lambda p: losses[name](p, torch.tensor(1.0)), (0.0,), 30, lr=0.3) for name in ("MAE", "MSE")}
_, ax = plt.subplots()
for name, (_, _, values) in paths.items():
    ax.semilogy(values, label=name)
ax.set(xlabel="step", ylabel="loss")
ax.legend()

# %% log-cosh
e = torch.linspace(-4, 4, 401, requires_grad=True)
values = torch.log(torch.cosh(e))
(first,) = torch.autograd.grad(values.sum(), e, create_graph=True)
(second,) = torch.autograd.grad(first.sum(), e)
_, ax = plt.subplots()
for name, line in {"log cosh": values, "its derivative": first, "its second": second}.items():
    ax.plot(e.detach(), line.detach(), label=name)
ax.set(xlabel="e")
ax.legend()

agree = ["x", "y", "error", "gradient", "new_C", "new_m", "exact", "predicted", "iteration"]
