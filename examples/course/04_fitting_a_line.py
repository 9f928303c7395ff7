# %% [markdown]
# # 4. Fitting a line
#
# **Which straight line fits a set of points best, and what decides whether gradient descent finds it?**
#
# At the end of this chapter you will be able to scale data and scale a prediction back, to do a step of descent on paper, to
# compare descent with the exact answer, to choose a learning rate, a size of batches and an end, and to say what a loss makes
# of outliers. Needed: gradient descent ([chapter 3](03_one_neuron.py)).

# %% The tools of this chapter
from functools import partial

import numpy as np
from exercises import check
from sklearn.preprocessing import MinMaxScaler, StandardScaler, normalize

import nn
import viz
from nn.functional import half_mse_loss, l1_loss, log_cosh_loss, mse_loss, msle_loss, rmse_loss
from nn.optim import SGD, Adam, trace
from tinygrad_edu import Value, derivative, grad, hessian

# %% [markdown]
# ## Twelve offices
#
# Here are the areas of twelve offices, in square feet, and what they cost in a month, in thousand dollars. What should an
# office of 1,900 square feet cost? The article that this chapter follows has twelve points too, but they are lost. Ours are
# invented, so that the first step of descent has exactly the numbers that the article states.

# %% The data
areas = np.array([500.0, 700, 800, 1000, 1200, 1400, 1500, 1600, 2100, 2300, 2400, 2500])
rents = np.array([1.00, 1.32, 1.36, 1.38, 1.66, 1.88, 2.11, 2.04, 2.71, 2.83, 2.83, 3.00])

# %% [markdown]
# ## Scaling
#
# Areas are thousands and rents are ones. Descent has trouble with that, as we shall see. So data are scaled first. There are
# three usual ways, and a library has them: *min-max* scaling puts the least number at 0 and the greatest at 1 (or at -1 and 1).

# %% Min-max scaling rows="150"
area_scaler, rent_scaler = MinMaxScaler(), MinMaxScaler()
x = area_scaler.fit_transform(areas[:, None])[:, 0]
y = rent_scaler.fit_transform(rents[:, None])[:, 0]
print(x, y)
assert np.allclose(x, (areas - areas.min()) / (areas.max() - areas.min()))
assert (x.min(), x.max(), y.min(), y.max()) == (0, 1, 0, 1)

both_sides = MinMaxScaler(feature_range=(-1, 1)).fit_transform(areas[:, None])
assert (both_sides.min(), both_sides.max()) == (-1, 1)

# %% [markdown]
# *Unit length* divides all numbers by the length of their vector, √(Σ x²). Subtract the mean before, and they are on both sides
# of 0. No number is beyond -1 or 1.

# %% Unit length rows="151"
(unit,) = normalize([areas - areas.mean()])
assert np.isclose(np.linalg.norm(unit), 1)
assert np.all(abs(unit) <= 1)

# %% [markdown]
# *Standardising* subtracts the mean and divides by the standard deviation: the mean becomes 0 and the deviation 1. Of numbers
# from a normal distribution, about 68, 95 and 99.7 % are then within 1, 2 and 3 of 0.

# %% Standardising rows="152"
standard = StandardScaler().fit_transform(areas[:, None])[:, 0]
assert np.isclose(standard.mean(), 0)
assert np.isclose(standard.std(), 1)

normal = np.random.default_rng(0).normal(50, 10, (100_000, 1))
z = abs(StandardScaler().fit_transform(normal))
shares = [np.mean(z < k) for k in (1, 2, 3)]
print(np.round(shares, 3))
assert np.allclose(shares, [0.683, 0.954, 0.997], atol=0.005)

# %% [markdown]
# From here on x and y are the areas and rents after min-max scaling.
#
# ## A line and its errors
#
# Our model is a line: ŷ = C + m x. We begin with any numbers, C = 0.52 and m = 0.81, and look how wrong they are. The
# difference between a point and the line is the *residual*. In the picture the residuals are upright lines. Ours are all on one
# side: the line is too high.

# %% The first line and its residuals rows="170"
# alt: Twelve points and a line above them. An upright line leads from each point to the line: its residual.
C, m = 0.52, 0.81
residuals = y - (C + m * x)
assert np.all(residuals < 0)
viz.fitted({"C + m x": lambda x: C + m * x}, x, y)

# %% [markdown]
# A sum of residuals would let a positive one hide a negative one. So we take absolute values, or squares. The mean of the
# squares is the *mean squared error*, the MSE. For four residuals of 0.1 and 0.2 the numbers are easy to follow.
#
# One definition in use says that a residual is the observed value minus the true one, and calls the prediction "observed". The
# names are exchanged: what we observe are the data. A residual is observed minus predicted, so it is positive for a point above
# the line.

# %% Residual, absolute, square, mean rows="38" claim="residual's names"
observed, predicted = np.array([1.1, 2.2, 2.8, 3.9]), np.array([1.0, 2.0, 3.0, 4.0])
residual = observed - predicted
assert np.allclose(residual, [0.1, 0.2, -0.2, -0.1])
assert np.array_equal(residual > 0, observed > predicted)

sums = abs(residual).sum(), (residual**2).sum()
assert np.allclose(sums, (0.6, 0.1))
assert np.isclose(l1_loss(predicted, observed), 0.15)
assert np.isclose(mse_loss(predicted, observed), 0.025)

# %% [markdown]
# ## One step, on paper
#
# The cost of the line is half the sum of the squares, L(C, m) = ½ Σ (C + m x - y)². The half is there for its derivative: of ½
# e² it is e. So ∂L/∂C is the sum of the errors e = C + m x - y, and ∂L/∂m the sum of e · x. The table has a row for each
# office, as a spreadsheet would, and the sums below.

# %% The table of the first step rows="169"
# alt: A table with a row for each of the 12 offices: area, rent, x, y, prediction, error, half its square, and its share of
#   each derivative. The sums are 1.0886, 5.04 and 2.279.
error = C + m * x - y
columns = {"area": areas, "rent": rents, "x": x, "y": y, "prediction": C + m * x, "error": error}
columns |= {"½ error²": error**2 / 2, "∂/∂C": error, "∂/∂m": error * x}
viz.table(columns, totals=["½ error²", "∂/∂C", "∂/∂m"])

# %% [markdown]
# With the learning rate 0.01 the new numbers are 0.52 - 0.01 × 5.040 = 0.47 and 0.81 - 0.01 × 2.279 = 0.79. (In one place the
# second minus is printed as "=", a misprint.) The engine agrees with the table. The cost falls from 1.09 to 0.81.


# %% The first step rows="167" claim="equals instead of minus"
def cost(C, m):
    return 0.5 * np.sum((C + m * x - y) ** 2)


gradient = grad(cost, argnums=(0, 1))(0.52, 0.81)
assert np.allclose(gradient, (5.040, 2.279))
assert np.allclose(gradient, (error.sum(), (error * x).sum()))

new_C, new_m = 0.52 - 0.01 * gradient[0], 0.81 - 0.01 * gradient[1]
print(new_C, new_m, cost(0.52, 0.81), cost(new_C, new_m))
assert np.allclose((new_C, new_m), (0.47, 0.79), atol=0.005)
assert cost(new_C, new_m) < cost(0.52, 0.81)

# %% [markdown]
# ## All the steps
#
# `trace` repeats the step and keeps the way. Its path is a table too: a row for each step.

# %% The table of all steps rows="169"
# alt: A table with a row for each step: C, m, the derivatives by both, and the cost, which falls from 1.0886 to 0.0177.
path = trace(cost, (0.52, 0.81), lambda p: SGD(p, lr=0.01), 100)
assert np.allclose([numbers[1] for numbers in path.parameters], (new_C, new_m))
path.table()

# %% [markdown]
# The cost is a function of the two weights, and descent looks for its least value. On the map it is a long, narrow bowl. The
# path goes straight down its steep side, then turns, and creeps along the bottom: 100 steps are not enough at this rate. With a
# rate of 0.1 they are, though the first ones jump across the valley.

# %% The cost as a bowl rows="10"
# alt: Contour lines of the cost are long ellipses. The path with rate 0.01 has turned into the valley but is not at its end;
#   that with 0.1 is.
paths = {"η = 0.01": path, "η = 0.1": trace(cost, (0.52, 0.81), lambda p: SGD(p, lr=0.1), 100)}
C, m = (numbers[-1] for numbers in paths["η = 0.1"].parameters)
print(C, m, cost(C, m))
assert np.isclose(cost(C, m), 0.0083, atol=5e-5)
viz.contour(cost, (-0.6, 0.8), (0.4, 1.6), paths=paths, scale="log")

# %% [markdown]
# For a line, the least cost is known exactly. Where it is least, both derivatives are 0: these are two linear equations for C
# and m, and their solution is the *closed form*. Their matrix is the matrix of second derivatives, so one step of Newton's
# method from anywhere arrives: θ - H⁻¹ ∇L. NumPy's least squares give the same.


# %% Closed form against descent rows="39"
def of_array(theta):
    return cost(theta[0], theta[1])


start = np.zeros(2)
exact = start - np.linalg.solve(hessian(of_array)(start), grad(of_array)(start))
equations = [[len(x), x.sum()], [x.sum(), (x * x).sum()]], [y.sum(), (x * y).sum()]
assert np.allclose(exact, np.linalg.solve(*equations))
assert np.allclose(exact, np.polyfit(x, y, 1)[::-1])
assert np.allclose(exact, (C, m), atol=2e-3)
print(exact)

# %% [markdown]
# This is the best line, with what remains of the residuals. For networks there is no closed form; descent is what remains.

# %% The best line rows="170"
# alt: The twelve points with the best line through them. The residuals are short, and on both sides.
viz.fitted({"best line": lambda x: exact[0] + exact[1] * x}, x, y)

# %% [markdown]
# Now the question of the beginning. A new office must be scaled as the others were, with their minimum and maximum, not its
# own; and the answer, which is a number from 0 to 1, must be scaled back. `inverse_transform` does that. The answer does not
# depend on the scaling: a line through the raw data says the same.

# %% The rent of a new office rows="168"
scaled = area_scaler.transform([[1900.0]])
predicted = rent_scaler.inverse_transform(exact[0] + exact[1] * scaled)
print(predicted)
assert np.isclose(predicted.item(), 2.407, atol=5e-4)
assert np.isclose(predicted.item(), np.polyval(np.polyfit(areas, rents, 1), 1900.0))

# %% [markdown]
# ## The learning rate
#
# How long should a step be? Without a learning rate, that is with η = 1, each step goes so far past the minimum that it lands
# higher than before: after 100 steps the cost has 231 digits. With 0.1 descent is done after 32 steps. With 0.01 it is on the
# way.
#
# One article says that the rate is usually very small, such as 0.00001. Here 5,000 such steps do not suffice: the cost is 0.30,
# and 0.0083 is possible. Whether a rate is small depends on the scale of the data. With the areas as they are, unscaled,
# 0.00001 is so large that descent diverges.


# %% Too large and too small rows="40 44" claim="the usual learning rate"
def after(steps, lr, f=cost):
    return trace(f, (0.52, 0.81), lambda p: SGD(p, lr=lr), steps).values


large, good, low, tiny = after(100, 1.0), after(100, 0.1), after(100, 0.01), after(5000, 0.00001)
assert large[-1] > 1e230
assert np.argmax(good < 1.01 * cost(*exact)) == 32
assert np.allclose((low[-1], tiny[-1]), (0.0188, 0.3009), atol=5e-5)


def unscaled(C, m):
    return 0.5 * np.sum((C + m * areas - rents) ** 2)


assert not np.isfinite(after(100, 0.00001, unscaled)[-1])

# %% [markdown]
# The picture shows four rates, 8 steps each. The lowest has hardly left the start. The next one is on its way down. 0.12 jumps
# from one side of the valley to the other, closer each time. 0.135 jumps further each time: it diverges. Where is the border?
# The steepest curvature of the bowl is 15.3, the largest eigenvalue of H, and descent converges below 2 / 15.3 = 0.131.

# %% Four learning rates rows="45"
# alt: A contour map of the cost with four paths of 8 steps: 0.001 stays near the start, 0.02 descends, 0.12 zigzags into the
#   valley, 0.135 zigzags outward.
rates = {f"η = {lr}": trace(cost, (0.52, 0.81), partial(SGD, lr=lr), 8) for lr in (0.001, 0.02, 0.12, 0.135)}
assert np.isclose(2 / np.linalg.eigvalsh(hessian(of_array)(start))[-1], 0.131, atol=5e-4)
assert rates["η = 0.12"].values[-1] < rates["η = 0.12"].values[0]
assert rates["η = 0.135"].values[-1] > rates["η = 0.135"].values[0]
viz.contour(cost, (-0.6, 0.8), (0.4, 1.4), paths=rates, scale="log")

# %% [markdown]
# Back to scaling. The best rate for each scaling is one over its largest curvature. With it, standardised areas need one step,
# min-max 56, and unit length without its mean subtracted 366. The raw areas are not done after 20,000: the bowl is millions of
# times as steep across as along. That is why data are scaled.


# %% Scaling makes descent fast rows="153"
def steps_needed(inputs, most=20_000):
    design = np.column_stack([np.ones(12), inputs])
    best = np.linalg.lstsq(design, rents)[0]
    enough = 1.01 * np.mean((design @ best - rents) ** 2)
    curvatures, theta = np.linalg.eigvalsh(design.T @ design), np.zeros(2)
    for step in range(most):
        if np.mean((design @ theta - rents) ** 2) < enough:
            return step
        theta -= design.T @ (design @ theta - rents) / curvatures[-1]
    return most


needed = [steps_needed(inputs) for inputs in (standard, x, normalize([areas])[0], areas)]
print(needed)
assert needed == [1, 56, 366, 20_000]

# %% [markdown]
# ## When to stop
#
# An iteration has three parts: *forward*, from the weights to the cost; *backward*, from the cost to the gradients; and the
# *update*. With Values it is written so. It stops when the cost is small enough.

# %% Forward, backward, update rows="43"
C, m = Value(0.52), Value(0.81)
optimizer = SGD([C, m], lr=0.1)
for iteration in range(1000):
    loss = half_mse_loss(C + m * x, y, reduction="sum")
    if loss.item() < 0.01:
        break
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(iteration, loss.item())
assert iteration == 18

# %% [markdown]
# Which cost is small enough is seldom known. The usual end is a largest number of epochs, or a change of the loss that is too
# small to go on, whichever comes first. `fit` asks a function after each epoch, and ends if it returns True. Here the rate 0.5
# ends after 45 epochs, as the loss hardly changes; the rate 0.01 after all 500.


# %% The end of training rows="174"
def hardly_changes(epoch, history):
    losses = history.curves["train_loss"]
    return epoch > 1 and abs(losses[-2] - losses[-1]) < 1e-6


def train(lr, epochs):
    line = nn.Linear(1, 1, rng=0)
    options = {"loss": mse_loss, "batch_size": None, "epochs": epochs, "on_epoch": hardly_changes, "progress": False}
    return nn.fit(line, (x[:, None], y[:, None]), SGD(line.parameters(), lr=lr), **options)


ended = {lr: len(train(lr, epochs=500).curves["train_loss"]) for lr in (0.5, 0.01)}
print(ended)
assert ended == {0.5: 45, 0.01: 500}

# %% [markdown]
# ## Sum or mean
#
# Our cost is a sum. It is sometimes advised to leave it undivided, since the mean only makes steps shorter. But the sum grows
# with the number of examples, and so does each step. With the same twelve points a hundred times over, 1,200 points, the rate
# 0.01 diverges. With the mean nothing changes: rate and number of examples are two things.

# %% The sum diverges with more data rows="171" claim="the sum undivided"
many_x, many_y = np.tile(x, 100), np.tile(y, 100)
few, many = {}, {}
for name, reduce in {"sum": np.sum, "mean": np.mean}.items():
    few[name] = after(50, 0.01, lambda C, m: 0.5 * reduce((C + m * x - y) ** 2))
    many[name] = after(50, 0.01, lambda C, m: 0.5 * reduce((C + m * many_x - many_y) ** 2))
assert few["sum"][-1] < few["sum"][0]
assert many["sum"][-1] > 1e100
assert np.allclose(few["mean"], many["mean"])

# %% [markdown]
# ## Batches
#
# So far each step has looked at all twelve points, the whole *batch*. A *mini-batch* of four points gives a gradient that is
# less exact, but there are three steps in an epoch. With single points there are twelve: *stochastic* gradient descent. After
# the same 50 epochs the smaller batches are closer to the minimum, as they have taken more steps.


# %% Batch, mini-batch, single examples rows="173"
# alt: A contour map of the loss with three paths of 50 epochs. All 12 points: smooth and unfinished. Batches of 4: nearly
#   there. Single points: there, with jitter.
def in_batches(size, epochs=50):
    """The loss over bias and weight, and the path of training."""
    line = nn.Linear(1, 1, rng=0)
    line.load_state_dict({"bias": [0.52], "weight": [[0.81]]})
    loss = viz.loss_over(line, mse_loss, x[:, None], y[:, None], ["bias", "weight"])
    options = {"loss": half_mse_loss, "batch_size": size, "epochs": epochs, "rng": 0, "progress": False}
    path = loss.follow()
    nn.fit(line, (x[:, None], y[:, None]), SGD(line.parameters(), lr=0.1), on_step=path, **options)
    return loss, path


runs = {f"batches of {size}": in_batches(size) for size in (12, 4, 1)}
assert [(len(path) - 1) / 50 for _, path in runs.values()] == [1, 3, 12]
final = [loss(*path[-1]) for loss, path in runs.values()]
print(np.round(final, 5))
assert final[0] > final[1] > final[2]
loss = runs["batches of 12"][0]
viz.contour(loss, (-0.2, 0.7), (0.5, 1.2), paths={k: path for k, (_, path) in runs.items()}, scale="log", points=61)

# %% [markdown]
# What is saved? For a million examples, a batch of 10,000 costs a hundredth of all. An article says 1M / 1K = 1,000, but the
# batch is of 10K: the factor is 100. Neither number says how many steps are needed.

# %% A factor of one hundred claim="a factor of 1000"
assert 1_000_000 / 10_000 == 100

# %% [markdown]
# It is also said that the noise of small batches shakes descent out of local minima. Sometimes. Here 2,000 starts descend on
# sin(3x) + 0.1 x², which has several minima, with noise added to each gradient and a rate that falls. Without noise 18 % end in
# the lowest one. With weak noise no more do; with strong noise 41 %; with too strong noise fewer again.


# %% Noise and local minima rows="175"
# alt: A wave on a wide parabola: several minima, of which the one left of 0 is the lowest.
def wave(x):
    return np.sin(3 * x) + 0.1 * x**2


def share_in_the_lowest(noise):
    x, rng = np.linspace(-6, 6, 2000), np.random.default_rng(0)
    for rate in np.linspace(0.05, 0, 2000):
        x = x - rate * (3 * np.cos(3 * x) + 0.2 * x + noise * rng.normal(size=2000))
    return np.mean((x > -0.9) & (x < -0.1))  # the lowest minimum is at -0.51


shares = [share_in_the_lowest(noise) for noise in (0, 1, 8, 16)]
print(shares)
assert np.allclose(shares, [0.18, 0.18, 0.41, 0.28], atol=0.02)
viz.curve(wave, (-6, 6))

# %% [markdown]
# ## A function without a minimum
#
# Descent does not ask whether there is a minimum. An article descends on x + y from (2, 4) with the rate 0.01. Both slopes are
# 1, so the first step leads to 1.99 + 3.99 = 5.98, and step 300 to (-1, 1), where x + y = 0. The article calls this the
# minimum, where the slope is 0. It is none: step 400 is at -2, and so on for ever. The slopes are 1 everywhere, and the second
# derivatives 0.

# %% It has no minimum rows="166" claim="x+y has a minimum"
# alt: Contour lines of x + y are straight and equally spaced. The path crosses the line 0 and leads on downhill.
path = trace(lambda x, y: x + y, (2.0, 4.0), lambda p: SGD(p, lr=0.01), 400)
assert np.isclose(path.values[1], 5.98)
assert np.allclose([numbers[300] for numbers in path.parameters], (-1, 1))
assert np.isclose(path.values[300], 0)
assert np.isclose(path.values[400], -2)
assert all(np.all(slopes == 1) for slopes in path.gradients)
assert not np.any(hessian(lambda p: p[0] + p[1])(np.array([-1.0, 1.0])))
viz.contour(lambda x, y: x + y, (-4, 4), (-4, 5), paths=path)

# %% [markdown]
# ## Outliers, and other losses
#
# Ten points lie near the line y = 4x, except the last two, which are 20 and 25 too high. The squared error counts them most:
# without the two, the MSE is 165 times as small, the mean absolute error (MAE) not quite 7 times.

# %% Errors with two outliers rows="154"
inputs = np.arange(1.0, 11)
observed = 4 * inputs + [0.5, -0.5, 1, -1, 0.5, -0.5, -1, 1, 20, 25]
absolute, squared = abs(observed - 4 * inputs), (observed - 4 * inputs) ** 2
mae, mse = l1_loss(4 * inputs, observed), mse_loss(4 * inputs, observed)
assert np.allclose((mae, mse, rmse_loss(4 * inputs, observed)), (5.1, 103, np.sqrt(103)))
assert np.allclose((absolute.mean(), squared.mean()), (mae, mse))

print(absolute.mean() / absolute[:8].mean(), squared.mean() / squared[:8].mean())
assert np.isclose(absolute.mean() / absolute[:8].mean(), 6.8)
assert np.isclose(squared.mean() / squared[:8].mean(), 164.8)

# %% [markdown]
# What counts most pulls most. Fitted with the MSE, the slope is 5.1 instead of 4, drawn up by two points of ten. RMSE, its
# root, has the same minimum. The MAE gives 4.1, and log-cosh 4.2, which is a parabola for small errors and a straight line for
# large ones.

# %% Lines through outliers
# alt: Ten points, of which the last two lie high. The line fitted with the MSE leans towards them; those fitted with MAE and
#   log-cosh follow the other eight.
losses = {"MSE": mse_loss, "RMSE": rmse_loss, "MAE": l1_loss, "log-cosh": log_cosh_loss}
slopes = {}
for name, loss in losses.items():
    descent = trace(lambda m: loss(m * inputs, observed), 0.0, lambda p: Adam(p, lr=0.05), 1000)
    slopes[name] = descent.parameters[-1]
print({name: round(float(m), 2) for name, m in slopes.items()})
assert np.allclose(list(slopes.values()), [5.11, 5.11, 4.12, 4.16], atol=5e-3)
lines = {f"least {name}": lambda x, m=m: m * x for name, m in slopes.items() if name != "RMSE"}
viz.fitted(lines, inputs, observed, truth=lambda x: 4 * x)

# %% [markdown]
# The reason is simple where the prediction is a single number c for all points. The MSE is least at their mean, which an
# outlier moves; the MAE at their median, which it does not.

# %% Mean and median rows="155"
points = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
choices = np.linspace(0, 100, 1001)
assert np.isclose(choices[np.argmin([mse_loss(np.full(5, c), points) for c in choices])], points.mean())
assert np.isclose(choices[np.argmin([l1_loss(np.full(5, c), points) for c in choices])], np.median(points))
assert (points.mean(), np.median(points)) == (22, 3)

# %% [markdown]
# The picture has both losses of one prediction, for the target 100 and predictions from -10,000 to 10,000. The MAE is a wedge:
# its derivative, dashed and with its own numbers on the right, is -1 or 1 however close the target is. The MSE is a parabola,
# whose derivative shrinks to 0.

# %% MAE and MSE rows="157"
# alt: Two panels. The absolute error is a wedge with its tip at 100, its derivative jumps from -1 to 1. The squared error is a
#   parabola, its derivative a straight line.
slope_of_mae, slope_of_mse = (derivative(lambda p, loss=loss: loss(p, 100.0)) for loss in (l1_loss, mse_loss))
assert [slope_of_mae(p) for p in (-10_000.0, 99.0, 101.0, 10_000.0)] == [-1, -1, 1, 1]
assert [slope_of_mse(p) for p in (-10_000.0, 99.0, 101.0, 10_000.0)] == [-20_200, -2, 2, 19_800]
viz.losses("l1_loss", "mse_loss", target=100, xlim=(-10_000, 10_000))

# %% [markdown]
# A slope that does not shrink has a price. With the rate 0.3 the MAE steps over its target 1 and back for ever: 0.9, 1.2, 0.9,
# 1.2. The MSE arrives. A rate that falls helps the MAE.

# %% A constant gradient oscillates rows="156"
# alt: The loss by the step, on a logarithmic scale: MSE falls on a straight line, MAE swings between 0.1 and 0.2.
paths = {name: trace(lambda p: losses[name](p, 1.0), 0.0, lambda p: SGD(p, lr=0.3), 30) for name in ("MAE", "MSE")}
assert np.allclose(paths["MAE"].parameters[3:7], [0.9, 1.2, 0.9, 1.2])
assert np.isclose(paths["MSE"].parameters[-1], 1)
viz.curves(paths, "loss", yscale="log")

# %% [markdown]
# An article says of MAE and RMSE that they give a constant gradient, and that this is good for learning. It says itself,
# elsewhere, that MAE's is bad for it, as we have just seen. And RMSE's gradient is constant for a single error only: for the
# errors 1 and 5 it is 0.139 and 0.693, in proportion to them.

# %% The gradient of RMSE claim="a constant gradient is good"
errors = np.array([1.0, 5.0])
assert np.allclose(grad(lambda e: rmse_loss(e, np.zeros(2)))(errors), [0.139, 0.693], atol=5e-4)
assert np.allclose(grad(lambda e: l1_loss(e, np.zeros(2)))(errors), 0.5)
assert [derivative(lambda e: rmse_loss(e, 0.0))(e) for e in (1.0, 5.0)] == [1, 1]

# %% [markdown]
# log-cosh is between the two. Its derivative is tanh, which is never beyond -1 and 1, so no outlier pulls harder than that; and
# near 0 it is nearly the error itself, so steps shrink. Its second derivative is sech² = 1 / cosh². An article says that it is
# the first derivative times x: at 2 that would be 1.93, but it is 0.07.


# %% log-cosh rows="172" claim="log-cosh's second derivative"
# alt: The function log cosh, with its derivative tanh and its second derivative, a bell that is highest at 0.
def log_cosh(e):
    return np.log(np.cosh(e))


first = derivative(log_cosh)
second = derivative(first)
assert np.isclose(first(2.0), np.tanh(2.0))
assert np.isclose(second(2.0), 1 / np.cosh(2.0) ** 2)
assert np.allclose((second(2.0), 2.0 * first(2.0)), (0.07, 1.93), atol=2e-3)
viz.curve(log_cosh, (-4, 4), derivative=2)

# %% [markdown]
# The MSE of logarithms, MSLE, counts ratios instead of differences. For the target 100 a prediction of 50 costs 0.47, one of
# 150 only 0.16: too low is worse than too high. The MSE has 2,500 for both.

# %% Too low costs more rows="159"
low, high = msle_loss(50.0, 100.0), msle_loss(150.0, 100.0)
assert np.allclose((low, high), (0.467, 0.162), atol=5e-4)
assert mse_loss(50.0, 100.0) == mse_loss(150.0, 100.0) == 2500

# %% [markdown]
# ## Exercises
#
# Replace `...` by your answer, run the cell and the check below it. The check contains
# the answer: read it when you have yours.
#
# **1.** Three points: (0, 1), (1, 2), (2, 4). What are ∂L/∂C and ∂L/∂m of L = ½ Σ (C + m x - y)² at C = 0, m = 1?

# %% Exercise 1
gradient_at_0_1 = ...

# %% Check 1
check(
    "Exercise 1", gradient_at_0_1, (-4.0, -5.0), hint="The errors are -1, -1, -2. Add them up; then each times its x."
)

# %% [markdown]
# **2.** A data set has 50,000 digits. How many updates are there in 30 epochs, with batches of 10?

# %% Exercise 2
updates = ...

# %% Check 2
check("Exercise 2", updates, 150_000, hint="50,000 / 10 updates in each epoch.")

# %% [markdown]
# **3.** Write the way back from min-max scaling: given scaled numbers, and the least and the greatest of the original data,
# return the numbers in their own unit.


# %% Exercise 3
def scale_back(scaled, least, greatest):
    return ...


# %% Check 3
def is_inverse(f):
    return np.allclose(f(y, rents.min(), rents.max()), rents)


check("Exercise 3", scale_back, is_inverse, hint="x = (a - least) / (greatest - least). Solve for a.")
