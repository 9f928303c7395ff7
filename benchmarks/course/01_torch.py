# %% The tangent line
import matplotlib.pyplot as plt
import torch


def f(x):
    return x**2 - 3 * x + 3


x = torch.tensor(3.0, requires_grad=True)
y = f(x)
y.backward()
slope = x.grad
xs = torch.linspace(-1, 5, 401)
figure, ax = plt.subplots()
ax.plot(xs, f(xs), label="f(x)")
ax.plot(xs, y.item() + slope * (xs - 3), "--", label=f"tangent at (3, {y.item():g}): slope {slope:g}")
ax.plot(3, y.item(), "o")
ax.set_xlabel("x")
ax.legend()

agree = ["slope"]
