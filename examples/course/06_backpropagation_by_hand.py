# %% [markdown]
# # 6. Backpropagation by hand
#
# **A network for digits has 82,950 weights and biases: which four formulas say how each of them has to change?**
#
# At the end of this chapter you will be able to name every weight of a network, to write backpropagation in ten lines of NumPy,
# to check it, to read it in source that `compile` writes, and to train a network on real handwritten digits, by your own lines
# and by the package's. Needed: the chain rule ([chapter 5](05_the_chain_rule.py)).

# %% The tools of this chapter
import os

import numpy as np
from exercises import check
from sklearn.datasets import load_digits

import nn
import viz
from nn.functional import cross_entropy, half_mse_loss, one_hot
from tinygrad_edu import Value, compile, derivative, relu, sigmoid, softmax, value_and_grad
from tinygrad_edu.testing import GradientError, check_vjp

# %% [markdown]
# ## A name for everything
#
# The network of the picture has 3 inputs, two layers of 4 and 3 neurons, and 2 outputs. Layers are counted from 1; layer 0 is
# the inputs.
#
# - aˡⱼ is what neuron j of layer l gives, its *activation*. The inputs are a⁰ₖ.
# - wˡⱼₖ is the weight of neuron j of layer l, for neuron k of the layer before.
# - bˡⱼ is its bias, and zˡⱼ = Σₖ wˡⱼₖ aˡ⁻¹ₖ + bˡⱼ its sum. Then aˡⱼ = σ(zˡⱼ).
#
# The order of j and k looks reversed: to j, from k. But with it the weights of a layer are a matrix Wˡ, row j for neuron j, and
# the formulas need no indices any more: zˡ = Wˡ aˡ⁻¹ + bˡ. `nn` stores weights in this way too.

# %% The notation on a network rows="180"
# alt: Four columns of 3, 4, 3 and 2 circles. Each line has the name of its weight, such as w with layer 1, to 2, from 3; each
#   circle its bias.
net = nn.MLP((3, 4, 3, 2), nn.Sigmoid, output=nn.Sigmoid, rng=0)
W1, b1, W2, b2, W3, b3 = net.parameters()
a0 = np.array([0.2, 0.5, 0.9])

assert (W1.shape, W2.shape, W3.shape) == ((4, 3), (3, 4), (2, 3))
z = sum(W1.data[1, k] * a0[k] for k in range(3)) + b1.data[1]
assert np.isclose(sigmoid(z), net[:2](a0).data[1])
viz.graph(net, detail="neurons", symbols=True)

# %% [markdown]
# ## What should become small
#
# For an example the network should give y, and gives a = aᴸ, where L is the last layer. The *cost* over n examples is
#
# C = 1/2n Σ ‖y - a‖²
#
# The norm adds the squares of all outputs. So the cost is a mean over examples, not over outputs. `half_mse_loss` would divide
# by the outputs too; with `reduction="batchmean"` it divides by the examples only. The half is there for the slope: ∂C/∂a = a -
# y, for one example.

# %% The quadratic cost rows="183"
X, Y = np.array([a0, 1 - a0]), np.array([[1.0, 0.0], [0.0, 1.0]])
A = net(X).data
cost = sum(np.linalg.norm(y - a) ** 2 for a, y in zip(A, Y)) / (2 * len(X))

assert np.isclose(half_mse_loss(A, Y, reduction="batchmean"), cost)
assert np.isclose(half_mse_loss(A, Y), cost / 2)  # over two outputs as well

# %% [markdown]
# ## Four formulas
#
# Let δˡⱼ = ∂C/∂zˡⱼ: how much the cost changes if the sum of a neuron changes. It is called the *error* of the neuron. The sign
# ⊙ is the *Hadamard product*: entry times entry, which NumPy writes `*`.

# %% Entry times entry rows="195"
assert (np.array([1, 2, 3]) * np.array([4, 5, 6])).tolist() == [4, 10, 18]

# %% [markdown]
# The chain rule gives all errors, from the last layer to the first, and from each error the slopes of its neuron's weights and
# bias:
#
# - **BP1** δᴸ = (aᴸ - y) ⊙ σ′(zᴸ). The last neurons: the slope of the cost, times the slope of the activation.
# - **BP2** δˡ = (Wˡ⁺¹)ᵀ δˡ⁺¹ ⊙ σ′(zˡ). Neuron j of layer l changes all neurons of layer l + 1, each by its weight; so their
#   errors come back by the same weights, and are added. The transpose does it: its row j has the weights that lead away from j.
# - **BP3** ∂C/∂bˡⱼ = δˡⱼ. The bias is added to the sum: its local derivative is 1.
# - **BP4** ∂C/∂wˡⱼₖ = aˡ⁻¹ₖ δˡⱼ. The weight multiplies the activation of the layer before.
#
# The slope of the sigmoid is σ′(z) = σ(z)(1 - σ(z)) = a(1 - a), so nothing new has to be computed. Let us take them to the
# small network one by one. The engine computes the same network; a Value in the middle keeps its gradient, so `z2.grad` is δ².

# %% The four formulas beside the engine rows="184"
y = np.array([1.0, 0.0])
z1 = W1 @ a0 + b1
z2 = W2 @ sigmoid(z1) + b2
z3 = W3 @ sigmoid(z2) + b3
a1, a2, a3 = sigmoid(z1), sigmoid(z2), sigmoid(z3)
half_mse_loss(a3, y, reduction="sum").backward()

slope = derivative(sigmoid)
assert np.allclose(slope(z3.data), a3.data * (1 - a3.data))
assert np.allclose(z3.grad, (a3.data - y) * slope(z3.data))  # BP1
assert np.allclose(z2.grad, W3.data.T @ z3.grad * slope(z2.data))  # BP2
assert np.allclose(z1.grad, W2.data.T @ z2.grad * slope(z1.data))  # BP2 again
assert all(np.allclose(b.grad, z.grad) for b, z in ((b1, z1), (b2, z2), (b3, z3)))  # BP3
assert all(np.allclose(W.grad, np.outer(z.grad, a)) for W, z, a in ((W1, z1, a0), (W2, z2, a1.data), (W3, z3, a2.data)))

# %% [markdown]
# BP2 is the one to understand. In a row of single neurons there are no sums, and it is the product of chapter 5. With two
# neurons in each layer, the first one of layer 3 reaches the cost on two ways, by both neurons of layer 4. The errors on both
# ways add up.

# %% BP2 in a row of four neurons, and with two in each layer rows="185"
one, both = np.ones(1), np.ones(2)
row = nn.MLP((1, 1, 1, 1, 1), nn.Sigmoid, output=nn.Sigmoid, rng=1)
w2, w3, w4 = (row[k].weight.item() for k in (2, 4, 6))
s1, s2, s3, s4 = (
    a.item() * (1 - a.item()) for path, a in nn.activations(row, one).items() if path in ("1", "3", "5", "7")
)
half_mse_loss(row(one), [0.0], reduction="sum").backward()
assert np.isclose(row[0].bias.grad.item(), row(one).item() * s4 * w4 * s3 * w3 * s2 * w2 * s1)

pairs = nn.MLP((2, 2, 2, 2, 2), nn.Sigmoid, output=nn.Sigmoid, rng=1)
half_mse_loss(pairs(both), [0.0, 0.0], reduction="sum").backward()
w, delta3, delta4 = pairs[6].weight.data, pairs[4].bias.grad, pairs[6].bias.grad
a = nn.activations(pairs, both)["5"]
assert np.isclose(delta3[0], (w[0, 0] * delta4[0] + w[1, 0] * delta4[1]) * a[0] * (1 - a[0]))

# %% [markdown]
# The picture shows both directions for two layers of two neurons. Forward, above: weights times activations, plus biases, then
# σ. Backward, below: the error comes back by `@ weight`, which is the transposed product of BP2, and is multiplied by σ′ = v(1
# - v). The slope of each bias is the error itself.

# %% Forward and backward through two layers rows="186"
# alt: Above, boxes from x through two linear layers and sigmoids to the cost. Below, the gradients back, each with its formula.
two = nn.MLP((2, 2, 2), nn.Sigmoid, output=nn.Sigmoid, rng=0)
cost_of_two = lambda a: half_mse_loss(a, y, reduction="sum")
viz.graph(two, np.array([0.2, 0.9]), loss=cost_of_two, detail="backward", title="Forward above, backward below")

# %% [markdown]
# The page below steps through the network of three layers, forward and backward. Click a layer to open it, and its operations
# are steps as well.

# %% Step by step rows="186 191"
# alt: A page with the layers of the network as boxes, buttons to step forward and backward, and a panel that explains each
#   step.
viz.step(net, a0[None], loss=lambda a: half_mse_loss(a, y[None], reduction="batchmean"), title="A network 3-4-3-2")

# %% [markdown]
# ## Three levels of one network
#
# You have seen its neurons. Papers draw layers instead, as boxes from left to right, and leave the cost out.

# %% Layers rows="118"
# alt: From left to right: x with three numbers, then the layers Linear and Sigmoid three times, and the output with two
#   numbers.
net.zero_grad()
viz.graph(net, a0, flow="right", detail="layer", title="A network 3-4-3-2, layer by layer")

# %% [markdown]
# To train, the cost is attached to the end. Only now there is one number of which each parameter has a slope: the gradients are
# those that `backward()` left above.

# %% Tensors, with the cost rows="119"
# alt: A graph of array operations: three times a linear operation with its weight and bias, then the sigmoid; the cost at the
#   end.
cost = half_mse_loss(net(a0), y, reduction="sum")
cost.backward()
assert np.allclose(W1.grad, np.outer(z1.grad, a0))
viz.graph(cost, names=locals(), detail="tensor", ratio=16 / 9, title="Array by array, with the cost and all gradients")

# %% [markdown]
# ## Backpropagation in ten lines
#
# Now for any number of layers. `forward` keeps the activations of all layers. `backprop` starts from the error of the last one,
# and goes down: at each layer BP3 and BP4 give two gradients, and BP2 the error of the layer below.


# %% The function backprop
def forward(weights, biases, x):
    activations = [x]
    for W, b in zip(weights, biases):
        activations.append(sigmoid(W @ activations[-1] + b))
    return activations


def backprop(weights, biases, x, y):
    *before, a = forward(weights, biases, x)
    delta, gradients = (a - y) * a * (1 - a), []  # BP1
    for W, below in zip(weights[::-1], before[::-1]):
        gradients += [delta, np.outer(delta, below)]  # BP3, BP4
        delta = W.T @ delta * below * (1 - below)  # BP2
    return gradients[::-1]


# %% [markdown]
# The network for digits gets 28 × 28 = 784 pixels. It has hidden layers of 100 and 40 neurons, and 10 outputs, one for each
# digit. These are the shapes of its weights and biases. Their start is drawn from a normal distribution, with mean 0 and
# standard deviation 1.

# %% The shapes of 784-100-40-10 rows="187"
digits = nn.MLP((784, 100, 40, 10), nn.Sigmoid, output=nn.Sigmoid)
rng = np.random.default_rng(0)
for p in digits.parameters():
    p.data = rng.standard_normal(p.shape)

start = digits.state_dict()
weights, biases = [*start.values()][::2], [*start.values()][1::2]
assert [W.shape for W in weights] == [(100, 784), (40, 100), (10, 40)]
assert [b.shape for b in biases] == [(100,), (40,), (10,)]
assert sum(p.size for p in start.values()) == 82_950

# %% [markdown]
# Drawn with its neurons, only the largest weights fit on a page.

# %% The network, drawn rows="188"
# alt: Columns of circles for 784, 100, 40 and 10 neurons, most folded into a box that says how many more; lines for the
#   largest weights.
viz.graph(digits, detail="neurons", title="784-100-40-10")

# %% [markdown]
# Is `backprop` right? A wrong gradient still trains a little, so looking at the training does not tell. `check_vjp` compares it
# with slopes that it measures. It wants the gradient of g · C for a number g. All 82,950 numbers are checked, in many
# directions at once. We check at smaller weights than our start: there the sums of 784 products are so large that most sigmoids
# are flat, and many slopes too small to be measured. A `backprop` in which BP2 forgets the slope of the activation is refused.

# %% Checked by slopes rows="122 184 191"
x, y = rng.uniform(0.1, 1.0, 784), one_hot(3, 10)


def C(*parameters):
    return np.sum((forward(parameters[::2], parameters[1::2], x)[-1] - y) ** 2) / 2


def vjp(g, *parameters):
    return tuple(g * slope for slope in backprop(parameters[::2], parameters[1::2], x, y))


tame = [p.data for p in nn.MLP((784, 100, 40, 10), rng=0).parameters()]
report = check_vjp(C, vjp, *tame)
print(report)
assert (report.compared, len(report.wrong), report.inconclusive) == (82_950, 0, 0)


# %% A wrong BP2 is found rows="184"
def forgetful(g, *parameters):
    right = vjp(g, *parameters)
    a1 = forward(parameters[::2], parameters[1::2], x)[1]
    delta = parameters[4].T @ right[5]  # without ⊙ σ′
    return *right[:2], np.outer(delta, a1), delta, *right[4:]


try:
    check_vjp(C, forgetful, *tame, argnums=3)
    found = ""
except GradientError as error:
    found = str(error).splitlines()[0]
print(found)
assert "is wrong" in found or "but the slope there is" in found

# %% [markdown]
# ## The same lines, written by compile
#
# `compile` turns a function into NumPy source that one can read, and `value_and_grad` adds the backward pass. We write the
# forward pass only. Each line below `# backward` is one of the four formulas: find them.
#
# - `d_b3 = d_a3 * ...` is δ³, the slope of the cost times σ′: **BP1**. For σ′ = a(1 - a) it has a / (1 + eᶻ), which is the
#   same, without the rounding of 1 - a where a is almost 1.
# - `d_a2 = W3.T @ ...`, and in the next block `d_b2 = d_a2 * ...`, times σ′: **BP2**.
# - The error has the name of the bias, `d_b3`, as both are the same numbers: **BP3**.
# - `d_W3 = ... * a2` is a column times a row: **BP4**.
#
# The last lines guard against infinite numbers.


# %% Written by compile rows="122 191"
def cost_of(parameters, x, y):
    W1, b1, W2, b2, W3, b3 = parameters
    a1 = sigmoid(W1 @ x + b1)
    a2 = sigmoid(W2 @ a1 + b2)
    a3 = sigmoid(W3 @ a2 + b3)
    return np.sum((y - a3) ** 2) / 2


written = compile(value_and_grad(cost_of))
value, gradients = written([*start.values()], x, y)
print(written.source)
assert all(line in written.source for line in ("d_b3 = d_a3 * ", "W3.T @ ", "d_b2 = d_a2 * ", "d_W3 = "))
assert all(np.allclose(one, other, atol=1e-12) for one, other in zip(gradients, backprop(weights, biases, x, y)))

# %% [markdown]
# And the engine's own backward pass, on the model, agrees as well.

# %% The same by backward() rows="184 191"
half_mse_loss(digits(x), y, reduction="sum").backward()
assert all(np.allclose(p.grad, g, atol=1e-12) for p, g in zip(digits.parameters(), gradients))
assert value == C(*start.values())

# %% [markdown]
# ## Real digits
#
# MNIST has 60,000 digits to train on and 10,000 to test, written by hand, of 28 × 28 pixels, grey from 0 to 1. Its files do not
# belong to this package. If you have them in a folder, set the environment variable `MNIST` to its path, and this chapter uses
# them. If only the test half is there, it is divided.
#
# Otherwise, as on the page you may be reading, these are **not MNIST**: they are the 1,797 real digits of the UCI repository
# that scikit-learn brings along. They have 8 × 8 pixels. We enlarge each pixel to 3 × 3, and add a border of 2, which gives 28
# × 28.

# %% The digits rows="181"
# alt: Sixteen handwritten digits from 0 to 9 in coarse grey pixels, with their labels above.
assert 28 * 28 == 784
if folder := os.environ.get("MNIST"):
    parts = nn.data.mnist(folder)
    images, labels = map(np.concatenate, zip(*parts.values()))
    assert {name: len(part[0]) for name, part in parts.items()}.items() <= {"train": 60_000, "test": 10_000}.items()
    train, test = np.split(np.arange(len(images)), [60_000 if "train" in parts else 8_000])
else:
    data = load_digits()
    images, labels = np.pad(np.kron(data.images / 16, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2))), data.target
    train, test = nn.stratified_split(labels, (0.8,), np.random.default_rng(0))
assert images.shape[1:] == (28, 28)
assert (images.min(), images.max()) == (0, 1)
viz.images(images[train[:16]], labels[train[:16]], cmap="gray_r")

# %% [markdown]
# The network wants rows of 784 numbers. And it has ten outputs, so each label becomes ten numbers: 1 at the place of the digit,
# 0 elsewhere. This is called *one-hot*.

# %% One of ten rows="182"
inputs, targets = images.reshape(-1, 784).astype(float), one_hot(labels, 10)
assert one_hot(3, 10).tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
assert targets.shape == (len(labels), 10)
assert np.all(targets.sum(axis=1) == 1)
assert np.array_equal(targets.argmax(axis=1), labels)

# %% [markdown]
# ## Training
#
# *Stochastic gradient descent* shuffles the examples and takes them in mini-batches of 10. For each mini-batch it adds up the
# gradients of its examples, and steps against their mean. η is the learning rate. An *epoch* is over when all examples had
# their turn. Then the network is asked about the test digits, and the right answers are counted.


# %% The update of a mini-batch
def update_mini_batch(weights, biases, X, Y, eta):
    gradients = [sum(of_all) for of_all in zip(*(backprop(weights, biases, x, y) for x, y in zip(X, Y)))]
    weights = [W - eta / len(X) * g for W, g in zip(weights, gradients[::2])]
    biases = [b - eta / len(X) * g for b, g in zip(biases, gradients[1::2])]
    return weights, biases


# %% [markdown]
# The answer of the network is the digit with the largest output.


# %% An epoch by hand rows="189 192"
def right_answers(weights, biases):
    return sum(np.argmax(forward(weights, biases, x)[-1]) == label for x, label in zip(inputs[test], labels[test]))


def SGD(epochs, mini_batch_size, eta, rng):
    W, b = weights, biases
    for epoch in range(1, epochs + 1):
        for X, Y in nn.batches(inputs[train], targets[train], batch_size=mini_batch_size, rng=rng):
            W, b = update_mini_batch(W, b, X, Y, eta)
        print(f"Epoch {epoch}: {right_answers(W, b)} / {len(test)}")
    return W, b


by_hand = SGD(1, 10, 3.0, np.random.default_rng(0))
counted = right_answers(*by_hand)
assert counted > 0.5 * len(test)

# %% [markdown]
# `nn.fit` does the same, with matrices of ten examples in place of single ones. So it is faster, and here is the proof that it
# is no different: after an epoch from the same start, in the same order, the weights are those found by hand.


# %% The same by fit rows="189 190"
def fit(epochs):
    digits.load_state_dict(start)
    optimizer = nn.optim.SGD(digits.parameters(), lr=3.0)
    options = {"loss": nn.HalfMSELoss(reduction="batchmean"), "metrics": (nn.metrics.correct,), "progress": False}
    data, validation = (inputs[train], targets[train]), (inputs[test], targets[test])
    return nn.fit(digits, data, optimizer, epochs=epochs, batch_size=10, rng=0, validation=validation, **options)


history = fit(1)
assert all(np.allclose(p.data, W, atol=1e-8) for p, W in zip(digits.parameters()[::2], by_hand[0]))
assert history.curves["validation_correct"] == [counted]

# %% [markdown]
# Fifteen epochs follow, from the start again. The picture shows the cost, which falls, and the number of right answers, which
# rises, epoch by epoch. On another computer the last counts may differ by a few: with so large a rate the rounding errors grow
# about tenfold in each epoch, until they show.

# %% Fifteen epochs rows="192"
# alt: Two panels: the cost of training and test digits falls over 15 epochs; the number of right answers rises.
history = fit(15)
for epoch, right in enumerate(history.curves["validation_correct"], 1):
    print(f"Epoch {epoch}: {right:.0f} / {len(test)}")
best = max(history.curves["validation_correct"])
assert best > 0.9 * len(test)
viz.curves(history)

# %% [markdown]
# ## Reading ten outputs
#
# It is sometimes said that the outputs are probabilities, and that the one above 0.5 is the answer. Both fail. The ten outputs
# do not add up to 1, as each sigmoid decides for itself. And sometimes none of them is above 0.5, or two are. Then there is no
# answer, while the largest output still gives one, and is often right.

# %% Above 0.5, or the largest rows="193" claim="ten outputs are probabilities"
outputs = digits(inputs[test]).data
yes = outputs > 0.5
single = yes.sum(axis=1) == 1
by_threshold = np.mean(single & (yes.argmax(axis=1) == labels[test]))
by_largest = nn.metrics.accuracy(outputs, labels[test])

print(f"sums of outputs from {outputs.sum(axis=1).min():.2f} to {outputs.sum(axis=1).max():.2f}")
print(
    f"exactly one above 0.5: {np.mean(single):.1%}; right by 0.5: {by_threshold:.1%}, by the largest: {by_largest:.1%}"
)
assert not np.allclose(outputs.sum(axis=1), 1, atol=0.1)
assert np.mean(single) < 1
assert by_threshold < by_largest

# %% [markdown]
# For a question of yes or no, one output is enough, and 0.5 is the right threshold. Let us ask the first output alone: is it a
# zero? One number for an example, so nothing has to be compared with other outputs: `binary_accuracy`.

# %% A single output: is it a zero? rows="194"
zero, is_zero = outputs[:, :1], (labels[test] == 0)[:, None]
share = nn.metrics.binary_accuracy(zero, is_zero)
assert share == np.mean((zero > 0.5) == is_zero)
assert share > 0.97

# %% [markdown]
# Which digits are misread? Some would puzzle you too.

# %% The misread digits
# alt: A few digits in frames, each with the wrong answer of the network and the right one above it.
wrong = outputs.argmax(axis=1) != labels[test]
viz.images(images[test][wrong][:8], outputs[wrong][:8], labels[test][wrong][:8], cmap="gray_r")

# %% [markdown]
# ## Other ends, other bends
#
# The sigmoid at the end slows learning down: BP1 multiplies by σ′, which is almost 0 where the network is sure, even if it is
# wrong. The *softmax* gives ten numbers that do add up to 1. With the cross-entropy as the cost its error is as simple as can
# be: δᴸ = p - y.

# %% Softmax and cross-entropy rows="161"
scores = Value(np.array([[2.0, -1.0, 0.5]]))
cross_entropy(scores, np.array([2])).backward()
assert np.isclose(softmax(scores.data, axis=1).sum(), 1)
assert np.allclose(scores.grad, softmax(scores.data, axis=1) - one_hot([2], 3))

# %% [markdown]
# In hidden layers the *ReLU* is common: z where z is positive, else 0. Its slope is 1 or 0, so it does not shrink errors on
# their way back, and costs a comparison. At 0 it has a kink, and no slope; the engine takes 0.

# %% ReLU rows="126"
# alt: The ReLU, flat at 0 for negative numbers and rising with slope 1 from 0 on, with its slope as a dashed step.
assert relu(np.array([-2.0, 0.0, 3.0])).tolist() == [0, 0, 3]
assert derivative(relu)(np.array([-2.0, 0.0, 3.0])).tolist() == [0, 0, 1]
viz.curve(relu, (-2, 2), derivative=True)

# %% [markdown]
# ## Exercises
#
# Replace `...` by your answer, run the cell and the check below it. The check contains
# the answer: read it when you have yours.
#
# **Exercise 1.** A network for digits has a single hidden layer of 30 neurons: 784-30-10. How many weights and biases does it
# have?

# %% Exercise 1
count = ...

# %% Check 1
check(
    "Exercise 1",
    count,
    784 * 30 + 30 + 30 * 10 + 10,
    hint="Each neuron has a weight for each neuron before it, and a bias.",
)

# %% [markdown]
# **Exercise 2.** The last layer has errors δ³ = (0.1, -0.2). The weights are W³ = ((1, 2, 0), (3, 0, 1)), and the activations
# of layer 2 are a² = (0.5, 0.8, 0.5). What are the three errors δ²?

# %% Exercise 2
errors = (..., ..., ...)

# %% Check 2
expected = np.array([[1, 2, 0], [3, 0, 1]]).T @ [0.1, -0.2] * [0.25, 0.16, 0.25]
check(
    "Exercise 2",
    errors,
    expected,
    hint="BP2: the columns of W³ times the errors, then times a(1 - a) = (0.25, 0.16, 0.25).",
)

# %% [markdown]
# **Exercise 3.** Write BP2 for a layer of tanh: from the weights of the layer above, its errors, and the activations a =
# tanh(z) of this layer. The slope of tanh is 1 - a².


# %% Exercise 3
def errors_below(W, delta, a):
    return ...


# %% Check 3
def is_right(errors_below):
    z, W, delta = np.array([0.3, -1.0]), np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]]), np.array([0.1, -0.2, 0.3])
    check_vjp(lambda z: W @ np.tanh(z) @ delta, lambda g, z: g * errors_below(W, delta, np.tanh(z)), z)
    return True


check("Exercise 3", errors_below, is_right, hint="W.T @ delta, entry times entry with 1 - a**2.")
