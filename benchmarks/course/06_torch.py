# %% The notation on a network
import matplotlib.pyplot as plt
import numpy as np
import torch

torch.set_default_dtype(torch.float64)
net = torch.nn.Sequential(
    *(layer for n, m in ((3, 4), (4, 3), (3, 2)) for layer in (torch.nn.Linear(n, m), torch.nn.Sigmoid()))
)
weights_of = {layer: net[2 * layer - 2].weight.detach() for layer in (1, 2, 3)}
places = {(layer, j): (3 * layer, -j - (4 - n) / 2) for layer, n in enumerate((3, 4, 3, 2)) for j in range(n)}
figure, ax = plt.subplots(figsize=(10, 6))
for layer, W in weights_of.items():
    for j in range(W.shape[0]):
        for k in range(W.shape[1]):
            (x0, y0), (x1, y1) = places[layer - 1, k], places[layer, j]
            colour = "C0" if W[j, k] > 0 else "C1"
            ax.plot((x0, x1), (y0, y1), color=colour, lw=4 * abs(W[j, k]), ls="-" if W[j, k] > 0 else "--", zorder=0)
            t = 0.25 + 0.12 * j
            ax.text(x0 + t * (x1 - x0), y0 + t * (y1 - y0), f"$w^{layer}_{{{j + 1}{k + 1}}}$", fontsize=8)
for (layer, j), place in places.items():
    ax.add_patch(plt.Circle(place, 0.35, fc="white", ec="black"))
    ax.text(*place, f"$a^{layer}_{j + 1}$" + (f"\n$b^{layer}_{j + 1}$" if layer else ""), ha="center", va="center")
ax.set_aspect("equal")
ax.axis("off")


# %% The function backprop
def forward(weights, biases, x):
    activations = [x]
    for W, b in zip(weights, biases, strict=True):
        activations.append(torch.sigmoid(W @ activations[-1] + b))
    return activations


def backprop(weights, biases, x, y):
    *before, a = forward(weights, biases, x)
    delta, gradients = (a - y) * a * (1 - a), []  # BP1
    for W, below in zip(weights[::-1], before[::-1], strict=True):
        gradients += [delta, torch.outer(delta, below)]  # BP3, BP4
        delta = W.T @ delta * below * (1 - below)  # BP2
    return gradients[::-1]


# %% The shapes of 784-100-40-10
digits = torch.nn.Sequential(
    *(layer for n, m in ((784, 100), (100, 40), (40, 10)) for layer in (torch.nn.Linear(n, m), torch.nn.Sigmoid()))
)
rng = np.random.default_rng(0)
with torch.no_grad():
    for p in digits.parameters():
        p.copy_(torch.tensor(rng.standard_normal(p.shape)))
start = {name: p.clone() for name, p in digits.state_dict().items()}
weights, biases = [*start.values()][::2], [*start.values()][1::2]

# %% Checked by slopes
x, y = torch.tensor(rng.uniform(0.1, 1.0, 784)), torch.eye(10)[3]


class C(torch.autograd.Function):
    @staticmethod
    def forward(ctx, *parameters):
        ctx.save_for_backward(*parameters)
        return torch.sum((forward(parameters[::2], parameters[1::2], x)[-1] - y) ** 2) / 2

    @staticmethod
    def backward(ctx, g):
        parameters = ctx.saved_tensors
        return tuple(g * slope for slope in backprop(parameters[::2], parameters[1::2], x, y))


tame = [(p / np.sqrt(p.shape[-1])).requires_grad_() for p in start.values()]
checked = torch.autograd.gradcheck(C.apply, tame, fast_mode=True)

# %% The same by backward()
value = torch.nn.functional.mse_loss(digits(x), y, reduction="sum") / 2
value.backward()
gradients = [p.grad for p in digits.parameters()]

# %% The digits
from sklearn.datasets import load_digits

import nn

data = load_digits()
images, labels = np.pad(np.kron(data.images / 16, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2))), data.target
train, test = nn.stratified_split(labels, (0.8,), np.random.default_rng(0))  # the same split, for the same numbers
figure, axes = plt.subplots(2, 8, figsize=(9, 2.6))
for ax, image, label in zip(axes.flat, images[train[:16]], labels[train[:16]], strict=True):
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
    ax.set_title(label, fontsize=9)
    ax.axis("off")

# %% One of ten
inputs = torch.tensor(images.reshape(-1, 784))
targets = torch.nn.functional.one_hot(torch.tensor(labels), 10).to(torch.float64)


# %% The update of a mini-batch
def update_mini_batch(weights, biases, X, Y, eta):
    of_each = zip(*(backprop(weights, biases, x, y) for x, y in zip(X, Y, strict=True)), strict=True)
    gradients = [sum(of_all) for of_all in of_each]
    weights = [W - eta / len(X) * g for W, g in zip(weights, gradients[::2], strict=True)]
    biases = [b - eta / len(X) * g for b, g in zip(biases, gradients[1::2], strict=True)]
    return weights, biases


# %% An epoch by hand
def right_answers(weights, biases):
    return sum(
        forward(weights, biases, x)[-1].argmax().item() == label
        for x, label in zip(inputs[test], labels[test], strict=True)
    )


def SGD(epochs, mini_batch_size, eta, rng):
    W, b = weights, biases
    for epoch in range(1, epochs + 1):
        order = torch.tensor(train[rng.permutation(len(train))])
        for batch in order.split(mini_batch_size):
            W, b = update_mini_batch(W, b, inputs[batch], targets[batch], eta)
        print(f"Epoch {epoch}: {right_answers(W, b)} / {len(test)}")
    return W, b


by_hand = SGD(1, 10, 3.0, np.random.default_rng(0))
counted = right_answers(*by_hand)


# %% The same by fit
def fit(epochs):
    digits.load_state_dict(start)
    optimizer = torch.optim.SGD(digits.parameters(), lr=3.0)
    rng = np.random.default_rng(0)
    curves = {"train_loss": [], "validation_loss": [], "validation_correct": []}
    cost = lambda A, Y: torch.sum((A - Y) ** 2) / (2 * len(Y))
    for _ in range(epochs):
        total = 0.0
        for batch in torch.tensor(train[rng.permutation(len(train))]).split(10):
            optimizer.zero_grad()
            loss = cost(digits(inputs[batch]), targets[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        curves["train_loss"].append(total / len(train))
        with torch.no_grad():
            A = digits(inputs[test])
        curves["validation_loss"].append(cost(A, targets[test]).item())
        curves["validation_correct"].append((A.argmax(dim=1).numpy() == labels[test]).sum())
    return curves


history = fit(1)

# %% Fifteen epochs
history = fit(15)
for epoch, right in enumerate(history["validation_correct"], 1):
    print(f"Epoch {epoch}: {right} / {len(test)}")
best = max(history["validation_correct"])
figure, (upper, lower) = plt.subplots(2, 1, figsize=(7.5, 6.4))
for name, style in (("train_loss", "o-"), ("validation_loss", "s--")):
    upper.plot(range(1, 16), history[name], style, label=name.replace("_", " "))
upper.set_ylabel("loss")
upper.legend()
lower.plot(range(1, 16), history["validation_correct"], "o-")
lower.set(xlabel="epoch", ylabel="correct")

# %% Above 0.5, or the largest
outputs = digits(inputs[test]).detach().numpy()
yes = outputs > 0.5
single = yes.sum(axis=1) == 1
by_threshold = np.mean(single & (yes.argmax(axis=1) == labels[test]))
by_largest = np.mean(outputs.argmax(axis=1) == labels[test])

# %% A single output: is it a zero?
zero, is_zero = outputs[:, :1], (labels[test] == 0)[:, None]
share = np.mean((zero > 0.5) == is_zero)

# %% The misread digits
wrong = outputs.argmax(axis=1) != labels[test]
figure, axes = plt.subplots(1, 8, figsize=(9, 1.6))
for ax in axes:
    ax.axis("off")
for ax, image, answer, label in zip(axes, images[test][wrong], outputs[wrong], labels[test][wrong], strict=False):
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
    ax.set_title(f"{answer.argmax()}, is {label}", fontsize=9)

# %% Softmax and cross-entropy
scores = torch.tensor([[2.0, -1.0, 0.5]], requires_grad=True)
torch.nn.functional.cross_entropy(scores, torch.tensor([2])).backward()

# %% ReLU
xs = torch.linspace(-2, 2, 401)
figure, ax = plt.subplots()
ax.plot(xs, torch.relu(xs), label="relu(x)")
ax.plot(xs, torch.func.vmap(torch.func.grad(torch.relu))(xs), "--", label="relu′(x)")
ax.set_xlabel("x")
ax.legend()

# %% Compared
agree = ["value", "counted", "inputs", "targets"]  # later epochs differ: rounding errors grow tenfold an epoch
