# %% [markdown]
# # 5. The chain rule
#
# **A weight at the beginning of a network changes a little: how much does the result change at the end, and what does it cost
# to know this for every weight?**
#
# At the end of this chapter you will be able to follow a change through a network by hand, to say why all gradients are
# computed from the end to the beginning, to count what that saves, and to read what the engine records while a function runs.
# Needed: derivatives ([chapter 1](01_what_a_gradient_is.py)).

# %% The tools of this chapter
from timeit import repeat

import numpy as np
from exercises import check

import nn
import viz
from tinygrad_edu import ShapeError, Value, derivative, grad, jacobian, jvp, no_grad

# %% [markdown]
# ## Three neurons in a row
#
# Three neurons stand in a row. Each multiplies what it gets by its weight, adds its bias, and divides the sum:
#
# - h₁ = (w₁x + b₁) / 8
# - h₂ = (w₂h₁ + b₂) / 7
# - h₃ = (w₃h₂ + b₃) / 9
#
# The divisions are their activations: they shrink every change. The picture shows the network for x = 1; read its two rows like
# lines of text. On each arrow stands, after ∂, a *local derivative*: by how much the box at its end changes, for each unit by
# which the box at its beginning changes. The boxes say "no gradient yet", as nothing has gone back through the network so far.

# %% The network rows="176"
# alt: Boxes in two rows: x times w1, plus b1, divided by 8 gives h1 = 0.625; the same by 7 gives h2, and by 9 gives h3 =
#   0.8214.
x = Value(1.0, name="x", requires_grad=False)
w1, w2, w3 = Value(4.0, name="w1"), Value(5.0, name="w2"), Value(6.0, name="w3")
b1, b2, b3 = Value(1.0, name="b1"), Value(2.0, name="b2"), Value(3.0, name="b3")

h1 = (w1 * x + b1) / 8
h2 = (w2 * h1 + b2) / 7
h3 = (w3 * h2 + b3) / 9

assert np.allclose([h1.item(), h2.item(), h3.item()], [0.625, 0.73214, 0.82143], atol=5e-6)
viz.graph(h3, names=locals(), derivatives=True, flow="right", ratio=2.2, title="Three neurons in a row")

# %% [markdown]
# ## The rule
#
# Let w₁ grow by a little. Then w₁x grows by x times as much, and h₁ by x/8 times as much. The second neuron makes of each
# change of h₁ one that is w₂/7 times as large. The third makes of each change of h₂ one that is w₃/9 times as large. So a
# change of w₁ arrives at the end multiplied by all three:
#
# dh₃/dw₁ = dh₃/dh₂ · dh₂/dh₁ · dh₁/dw₁ = w₃/9 · w₂/7 · x/8
#
# This is the *chain rule*: along a chain, local derivatives are multiplied. No neuron needs to know the others. Each knows its
# own factor only.
#
# The table tries the rule for three inputs. The column *predicted* adds the rule's change to h₃, for a step of 0.001 in w₁. The
# column *new h₃* computes the network again with the new weight. The two agree. The last two columns compare the slope,
# measured as a difference, with that of the rule.


# %% A table of the rule rows="177"
def network(x, w1=4.0, w2=5.0, w3=6.0):
    h1 = (w1 * x + 1.0) / 8
    h2 = (w2 * h1 + 2.0) / 7
    return h1, h2, (w3 * h2 + 3.0) / 9


inputs, step = np.array([1.0, 2.0, 3.0]), 0.001
h1s, h2s, h3s = network(inputs)
rule = 6.0 / 9 * 5.0 / 7 * inputs / 8
predicted, new = h3s + rule * step, network(inputs, w1=4.0 + step)[2]
difference = (new - h3s) / step

print("   x       h1      h2      h3      predict new h3  differ. rule")
print(np.round(np.column_stack([inputs, h1s, h2s, h3s, predicted, new, difference, rule]), 5))
assert np.allclose(predicted, new, rtol=1e-14)
assert np.allclose(rule, [0.05952, 0.11905, 0.17857], atol=5e-6)
assert np.allclose(difference, rule)

# %% [markdown]
# The network is a straight line in w₁, so any step would have given the exact slope. With a cost at the end this changes. Let y
# be the number that the network should give. The cost L = (h₃ - y)² says how far it is from that. It is one more link of the
# chain, with the local derivative 2(h₃ - y):
#
# dL/dw₁ = 2(h₃ - y) · w₃/9 · w₂/7 · x/8
#
# Now the difference is not exact. A parabola bends: over a step s its chord is steeper than its tangent by s · (dh₃/dw₁)². That
# error shrinks with the step, and the rule has none of it.

# %% The same with a cost at the end rows="178"
y = 2.0


def cost(w1, x=inputs):
    return (network(x, w1=w1)[2] - y) ** 2


cost_rule = 2 * (h3s - y) * rule
cost_difference = (cost(4.0 + step) - cost(4.0)) / step

print(np.round(np.column_stack([inputs, cost(4.0), cost_difference, cost_rule]), 6))
assert np.allclose(cost_rule, [grad(cost)(4.0, x) for x in inputs], rtol=1e-14)
assert np.allclose(cost_difference - cost_rule, step * rule**2, rtol=1e-6)
assert np.all(cost_difference != cost_rule)

# %% [markdown]
# ## Compute once, use often
#
# A network has many weights, and each wants its slope of the cost. Write the chains of all six below each other:
#
# - dL/dw₃ = **2(h₃ - y)** · h₂/9
# - dL/db₃ = **2(h₃ - y)** · 1/9
# - dL/dw₂ = **2(h₃ - y) · w₃/9** · h₁/7
# - dL/db₂ = **2(h₃ - y) · w₃/9** · 1/7
# - dL/dw₁ = **2(h₃ - y) · w₃/9 · w₂/7** · x/8
# - dL/db₁ = **2(h₃ - y) · w₃/9 · w₂/7** · 1/8
#
# All of them begin in the same way. So compute the beginning once: dL/dh₃. Multiply it by w₃/9, and you have dL/dh₂. Multiply
# that by w₂/7, and you have dL/dh₁. Each weight takes the slope of its own neuron, and one more factor. This goes from the last
# neuron to the first, so it is called *backpropagation*. `backward()` does it for any function.

# %% Six slopes from right to left rows="41 42"
L = (h3 - y) ** 2
L.backward()

to_h3 = 2 * (h3.item() - y)
to_h2 = to_h3 * 6 / 9
to_h1 = to_h2 * 5 / 7
by_hand = [to_h1 * 1 / 8, to_h2 * h1.item() / 7, to_h3 * h2.item() / 9, to_h1 / 8, to_h2 / 7, to_h3 / 9]

assert np.allclose([p.grad for p in (w1, w2, w3, b1, b2, b3)], by_hand, rtol=1e-14)
assert np.allclose([h.grad for h in (h3, h2, h1)], [to_h3, to_h2, to_h1], rtol=1e-14)
assert np.isclose(w1.grad, cost_rule[0], rtol=1e-14)

# %% [markdown]
# The picture shows the last neuron and the cost. The upper half computes values, from left to right. The lower half computes
# slopes, from right to left. Follow it from dL/dL = 1: each box below is the box at its right times one local derivative, and
# dL/dv2 is used for both w₃ and b₃. `v` numbers the results that have no name.

# %% Values go forward, slopes go back rows="42"
# alt: Above, the last neuron with its cost from left to right. Below, the gradients from right to left, each with formula and
#   number.
last = ((w3 * h2.item() + b3) / 9 - y) ** 2
assert last.item() == L.item()
viz.graph(last, names={"w₃": w3, "b₃": b3, "L": last}, detail="backward", title="Forward above, backward below")

# %% [markdown]
# The page below goes through the same computation step by step. It shows each rule with its numbers. Change an input, or use
# the practice mode, which hides the next slope until you have said it.

# %% Step by step rows="178"
# alt: A page with the network as a graph and buttons to step forward and backward; a panel explains each step in formulas and
#   numbers.
viz.step(L, names=locals(), title="Three neurons and a cost")

# %% [markdown]
# ## From right to left is cheaper
#
# In a real network each hₗ is a vector. Then a local derivative is a matrix, called *Jacobian*: in row i and column j stands by
# how much output i changes for each unit of input j. The chain rule stays the same, with products of matrices. But the order
# matters now: the last function stands on the left.

# %% The chain rule with matrices rows="120"
assert np.isclose(derivative(lambda x: np.sin(x**2))(1.5), np.cos(1.5**2) * 2 * 1.5)


def g(x):
    return np.tanh(np.array([[1.0, -2.0], [0.5, 1.0], [3.0, 0.0]]) @ x)


def f(u):
    return u[:2] * u[1:]


point = np.array([0.3, -0.2])
outer, inner = jacobian(f)(g(point)), jacobian(g)(point)
assert (outer.shape, inner.shape) == ((2, 3), (3, 2))
assert np.allclose(outer @ inner, jacobian(lambda x: f(g(x)))(point))
assert not np.allclose((inner @ outer)[:2, :2], outer @ inner)

# %% [markdown]
# The end of a network is one number, the cost. So the last Jacobian is a single row, and the product looks like this, for
# layers of n neurons:
#
# (1 × n) · (n × n) · (n × n) · (n × n)
#
# It may be computed from either end; the result is the same. Begin where the cost is: a row times a matrix is a row again, and
# takes n² multiplications. Begin at the inputs: a matrix times a matrix takes n³ multiplications, and only the very last
# product is cheap. In formulas that stand the other way round, the cost is at the right end. There, as in the picture of the
# network, the cheap direction is from right to left.

# %% The same product from either end rows="121"
n, rng = 200, np.random.default_rng(0)
row, A, B, C = rng.normal(size=(1, n)), *rng.normal(size=(3, n, n))

from_the_cost, from_the_inputs = ((row @ A) @ B) @ C, row @ (A @ (B @ C))
assert np.allclose(from_the_cost, from_the_inputs)


def multiplications(*shapes):
    return sum(rows * inside * columns for rows, inside, columns in shapes)


one = multiplications((1, n, n), (1, n, n), (1, n, n))
other = multiplications((n, n, n), (n, n, n), (1, n, n))
print(f"{one:,} multiplications from the cost, {other:,} from the inputs")
assert (one, other) == (3 * n**2, 2 * n**3 + n**2)
assert other / one > 100

# %% [markdown]
# ## What a gradient costs
#
# There are three ways to get the slope of the cost for each of n weights.
#
# - **Finite differences.** Change one weight up and down a little, and run the network each time. That takes two runs a weight.
# - **From left to right.** Follow the change of one weight through the network, by the chain rule. The name is *forward mode*,
#   and in the engine `jvp`. It is exact, but takes one run a weight.
# - **From right to left.** One backward pass for all weights: `grad`, or `backward()`.
#
# The function below counts its runs. All three ways agree; the number of runs does not.


# %% Three ways, and their runs
def loss(W):
    loss.runs += 1
    return np.sum(np.tanh(W @ np.ones(len(W))) ** 2)


def differences(W, h=1e-5):
    units = np.eye(W.size).reshape(-1, *W.shape)
    return np.array([(loss(W + h * unit) - loss(W - h * unit)) / (2 * h) for unit in units]).reshape(W.shape)


def left_to_right(W):
    return np.array([jvp(loss, (W,), (unit,))[1] for unit in np.eye(W.size).reshape(-1, *W.shape)]).reshape(W.shape)


ways = {"finite differences": differences, "left to right": left_to_right, "right to left": grad(loss)}

# %% Two runs a weight, one run a weight, one run rows="179"
runs = {}
for name, way in ways.items():
    loss.runs = 0
    assert np.allclose(way(np.eye(10) / 3), grad(loss)(np.eye(10) / 3), atol=1e-9)
    runs[name] = loss.runs - 1  # grad, for the comparison, ran once

print(runs)
assert runs == {"finite differences": 200, "left to right": 100, "right to left": 1}

# %% [markdown]
# A count is no time: a run that is recorded is slower than a plain one, so here left to right takes longer than differences.
# Let us measure, for matrices of 4 × 4 to 32 × 32 weights. Both axes of the picture are logarithmic. Two of the lines rise with
# the number of weights, as there is a run for each, and each run grows too. The line of the backward pass hardly rises. A
# network of 160 × 160 weights is small today: finite differences run it 51,200 times, the backward pass once.

# %% What it takes on this machine rows="121 179"
# alt: Seconds against the number of weights, both logarithmic: two lines rise steeply, that of right to left stays almost
#   level.
widths = np.array([4, 8, 16, 32])
matrices = [rng.normal(size=(width, width)) / width for width in widths]
seconds = {name: [min(repeat(lambda: way(W), number=1, repeat=3)) for W in matrices] for name, way in ways.items()}

print({name: f"{1000 * taken[-1]:.1f} ms" for name, taken in seconds.items()}, "for", widths[-1] ** 2, "weights")
assert 2 * 160**2 == 51_200
ax = viz.curve({name: (widths**2, taken) for name, taken in seconds.items()}, (12, 1400), xscale="log", yscale="log")
ax.set(xlabel="weights", ylabel="seconds")
ax

# %% [markdown]
# Forward mode has its place. A function of one number with many results is cheaper from left to right, for the same reason. But
# a network has many weights and one cost.
#
# ## What the engine records
#
# To go backwards, `backward()` must know what was computed. The engine records it while the function runs. Every `Value` keeps
# the operation that made it, in `grad_fn`, and the operation's inputs. A Value that you made yourself is a *leaf*: its
# `grad_fn` is None.
#
# It is sometimes said that the graph is built when `backward()` is called. It is there before: look at `grad_fn`. And since it
# is recorded anew in each run, an `if` may take another branch the next time. This is called a *dynamic graph*.


# %% The graph is there before backward() rows="129" claim="the graph is built on backward()"
def dynamic(x):
    return x * 3 if x.item() > 0 else x * x


leaf = Value(2.0)
result = dynamic(leaf)
print(leaf.grad_fn, result.grad_fn, result.inputs)
assert leaf.grad_fn is None
assert result.grad_fn is not None
assert result.inputs[0] is leaf
assert leaf.grad is None

negative = Value(-2.0)
result.backward()
dynamic(negative).backward()
assert (leaf.grad, negative.grad) == (3.0, -4.0)

# %% [markdown]
# Nobody needs the slope of the data. `requires_grad=False` says so, and plain NumPy arrays are taken in that way. A result
# requires a gradient if one of its inputs does: the flag is passed on.

# %% Gradients are wanted for weights, not for data rows="128"
W, X = Value(np.ones((2, 3))), Value(np.ones((3, 4)), requires_grad=False)
assert (W @ X).requires_grad
assert not (X * 2).requires_grad
assert (W @ X).sum().requires_grad
assert type(np.ones((2, 3)) @ np.ones((3, 4))) is np.ndarray

# %% [markdown]
# Several `backward()` calls add up in a leaf. That is what you want if a batch comes in parts, and a mistake if you forget that
# the last step has left its slopes. So a training step begins with `zero_grad()`.

# %% Slopes add up rows="130"
v = Value(2.0)
(v * v).backward()
assert v.grad == 4.0
(v * v).backward()
assert v.grad == 8.0
v.zero_grad()
assert v.grad is None

# %% [markdown]
# Four more things to know. Under `no_grad()` nothing is recorded. A *hook* sees the slope of its Value on the way back. An
# array has no single slope, so its `backward` asks for weights. And the record stays until you let it go, with
# `retain_graph=False`.

# %% Switching off, looking on, and letting go rows="132"
with no_grad():
    assert not (v * v).requires_grad

seen, square = [], v * v
square.register_hook(seen.append)
(3 * square).backward()
assert seen == [3.0]

array = Value([1.0, 2.0])
try:
    (array * array).backward()
except ShapeError as error:
    print(error)
(array * array).backward(np.array([1.0, 10.0]))
assert array.grad.tolist() == [2.0, 40.0]

# %% The record is kept, or not rows="132"
total = (array * array).sum()
total.backward()
total.backward(retain_graph=False)
try:
    total.backward()
    released = False
except Exception as error:
    released = "released" in str(error)
assert released

# %% [markdown]
# ## One model, drawn at several levels
#
# Linear regression with two inputs predicts x₁θ₁ + x₂θ₂. Its cost is the square of the error. Written in numbers it is a graph
# of five operations. The parameters θ are blue; slopes are orange.

# %% Linear regression in scalars rows="115"
# alt: A graph: x1 times theta1 and x2 times theta2 are added, y is subtracted, the difference squared; each box with value
#   and gradient.
x1, x2, target = Value(2.0, requires_grad=False), Value(3.0, requires_grad=False), Value(1.0, requires_grad=False)
theta1, theta2 = Value(0.5), Value(-1.0)
error = (x1 * theta1 + x2 * theta2 - target) ** 2
error.backward()

assert (error.item(), theta1.grad, theta2.grad) == (9.0, -12.0, -18.0)
viz.graph(error, names={"x₁": x1, "x₂": x2, "θ₁": theta1, "θ₂": theta2, "y": target})

# %% [markdown]
# Written with vectors it is the same computation, in fewer boxes: the sum of the products is one operation, `@`. This is how
# networks are written, as there may be thousands of inputs. Each slope is the number from before: -12 and -18 are the largest
# and the smallest.

# %% Linear regression in vectors rows="116"
# alt: The same graph with two vectors: x at theta, minus y, squared. The gradient of theta is a vector.
features, theta = Value([2.0, 3.0], requires_grad=False), Value([0.5, -1.0])
squared = (features @ theta - target) ** 2
squared.backward()

assert squared.item() == error.item()
assert theta.grad.tolist() == [theta1.grad, theta2.grad]
viz.graph(squared, names={"x": features, "θ": theta, "y": target})

# %% [markdown]
# Logistic regression puts the sum through a sigmoid, so that it becomes a probability. As a network it is a linear layer of one
# neuron. The next three pictures are of one model. In the first every number has a box.

# %% Logistic regression in scalars rows="117"
# alt: Scalar boxes: W1 times x1 plus W2 times x2, plus b, and the sigmoid at the end.
logistic = nn.MLP((2, 1), output=nn.Sigmoid, rng=0)
example = np.array([2.0, 3.0])
viz.graph(logistic, example, detail="scalar", title="Number by number")

# %% [markdown]
# In the second every array has a box, and an operation on arrays is one box. A box of an array has room for its mean, its
# smallest and its largest number.

# %% Logistic regression with a matrix rows="117"
# alt: Boxes for arrays: x, weight and bias enter the operation x times W transposed plus b, and the sigmoid follows.
viz.graph(logistic, example, detail="tensor", title="Array by array")

# %% [markdown]
# In the third every layer has a box. The parameters belong to their layer and are not drawn.

# %% Logistic regression as layers rows="117"
# alt: Three boxes from left to right: x, the layer Linear 2 to 1 with 3 parameters, and the layer Sigmoid.
W, b = logistic.parameters()
assert np.isclose(logistic(example).item(), 1 / (1 + np.exp(-(W.data @ example + b.data).item())))
viz.graph(logistic, example, detail="layer", flow="right", title="Layer by layer")

# %% [markdown]
# ## Exercises
#
# Replace `...` by your answer, run the cell and the check below it. The check contains
# the answer: read it when you have yours.
#
# **Exercise 1.** In the network of three neurons, with x = 2 and y = 2: what is dL/dw₂? Follow the change of w₂ to the end.

# %% Exercise 1
dL_dw2 = ...

# %% Check 1
expected = grad(lambda w2: (network(2.0, w2=w2)[2] - y) ** 2)(5.0)
check("Exercise 1", dL_dw2, expected, hint="2(h3 - y) times w3/9 times h1/7, with the h1 and h3 of x = 2 in the table.")

# %% [markdown]
# **Exercise 2.** A row of 100 such neurons has 100 weights and 100 biases. The chain of the last weight has two factors, and
# the slopes of the neurons are given for nothing: dL/dh, and each local derivative. How many multiplications do the 200 chains
# take, if each is computed alone (a), and how many from right to left, where each neuron's slope is computed once (b)? In the
# network of three neurons it is 12 and 8. Write them as a pair.

# %% Exercise 2
multiplications_a, multiplications_b = ..., ...

# %% Check 2
alone, reused = sum(2 * k for k in range(1, 101)), 99 + 200
hint = "The k-th neuron from the end: k multiplications for its weight and k for its bias; or one for its slope and two more."
check("Exercise 2", (multiplications_a, multiplications_b), (alone, reused), hint=hint)

# %% [markdown]
# **Exercise 3.** Write the slope of z = exp(sin(x²)) from the chain rule, without the engine.


# %% Exercise 3
def slope(x):
    return ...


# %% Check 3
points = np.linspace(-2, 2, 9)
right = derivative(lambda x: np.exp(np.sin(x**2)))(points)
hint = "Three factors: exp(sin(x²)), cos(x²) and 2x."
check("Exercise 3", slope, lambda s: np.allclose([s(x) for x in points], right), hint=hint)
