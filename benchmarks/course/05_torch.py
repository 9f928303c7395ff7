# %% The network
import torch

x = torch.tensor(1.0, dtype=torch.float64)
w1, w2, w3, b1, b2, b3 = (
    torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (4.0, 5.0, 6.0, 1.0, 2.0, 3.0)
)
h1 = (w1 * x + b1) / 8
h2 = (w2 * h1 + b2) / 7
h3 = (w3 * h2 + b3) / 9


# %% A table of the rule
def network(x, w1=4.0, w2=5.0, w3=6.0):
    h1 = (w1 * x + 1.0) / 8
    h2 = (w2 * h1 + 2.0) / 7
    return h1, h2, (w3 * h2 + 3.0) / 9


inputs, step = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64), 0.001
h1s, h2s, h3s = network(inputs)
rule = 6.0 / 9 * 5.0 / 7 * inputs / 8
predicted, new = h3s + rule * step, network(inputs, w1=4.0 + step)[2]
difference = (new - h3s) / step

# %% The same with a cost at the end
y = 2.0


def cost(w1, x=inputs):
    return (network(x, w1=w1)[2] - y) ** 2


cost_rule = 2 * (h3s - y) * rule
cost_difference = (cost(4.0 + step) - cost(4.0)) / step

# %% Six slopes from right to left
L = (h3 - y) ** 2
for h in (h1, h2, h3):
    h.retain_grad()
L.backward()
to_h3 = 2 * (h3.item() - y)
to_h2 = to_h3 * 6 / 9
to_h1 = to_h2 * 5 / 7
by_hand = [to_h1 * 1 / 8, to_h2 * h1.item() / 7, to_h3 * h2.item() / 9, to_h1 / 8, to_h2 / 7, to_h3 / 9]

# %% The chain rule with matrices
from torch.func import jacrev


def g(x):
    return torch.tanh(torch.tensor([[1.0, -2.0], [0.5, 1.0], [3.0, 0.0]], dtype=torch.float64) @ x)


def f(u):
    return u[:2] * u[1:]


point = torch.tensor([0.3, -0.2], dtype=torch.float64)
outer, inner = jacrev(f)(g(point)), jacrev(g)(point)

# %% Three ways, and their runs
from torch.func import grad, jvp


def loss(W):
    loss.runs += 1
    return torch.sum(torch.tanh(W @ torch.ones(len(W), dtype=W.dtype)) ** 2)


def differences(W, h=1e-5):
    units = torch.eye(W.numel(), dtype=W.dtype).reshape(-1, *W.shape)
    return torch.stack([(loss(W + h * unit) - loss(W - h * unit)) / (2 * h) for unit in units]).reshape(W.shape)


def left_to_right(W):
    units = torch.eye(W.numel(), dtype=W.dtype).reshape(-1, *W.shape)
    return torch.stack([jvp(loss, (W,), (unit,))[1] for unit in units]).reshape(W.shape)


ways = {"finite differences": differences, "left to right": left_to_right, "right to left": grad(loss)}

# %% Two runs a weight, one run a weight, one run
runs = {}
for name, way in ways.items():
    loss.runs = 0
    way(torch.eye(10, dtype=torch.float64) / 3)
    runs[name] = loss.runs

# %% What it takes on this machine
from timeit import repeat

import matplotlib.pyplot as plt

rng = torch.Generator().manual_seed(0)
widths = [4, 8, 16, 32]
matrices = [torch.randn(width, width, generator=rng, dtype=torch.float64) / width for width in widths]
seconds = {name: [min(repeat(lambda: way(W), number=1, repeat=3)) for W in matrices] for name, way in ways.items()}
figure, ax = plt.subplots()
for (name, taken), style in zip(seconds.items(), ("o-", "s--", "^-."), strict=True):
    ax.loglog([width**2 for width in widths], taken, style, label=name)
ax.set(xlabel="weights", ylabel="seconds")
ax.legend()


# %% The graph is there before backward()
def dynamic(x):
    return x * 3 if x.item() > 0 else x * x


leaf = torch.tensor(2.0, requires_grad=True)
result = dynamic(leaf)
negative = torch.tensor(-2.0, requires_grad=True)
result.backward()
dynamic(negative).backward()

# %% Slopes add up
v = torch.tensor(2.0, requires_grad=True)
(v * v).backward()
(v * v).backward()
v.grad = None

# %% Compared
agree = ["predicted", "new", "difference", "rule", "cost_rule", "cost_difference", "by_hand", "outer", "inner"]
