# %% [markdown]
# # 2. Contour maps
#
# **How can a flat map tell how high you stand, which way is up, and how steep it is?**
#
# Pictures of landscapes in space look good, but they hide half of what they show. Most pictures of learning are contour maps
# instead. After this chapter you can
#
# - make a contour map out of a landscape, and see the landscape in a map;
# - read the steepness off the distance between lines, as a number;
# - draw the gradient on a map, and say why it crosses each line at a right angle;
# - read the path of a descent.
#
# You need [chapter 1](01_what_a_gradient_is.py): partial derivatives, and the gradient as the steepest way up.

# %% [markdown]
# ## From a landscape to a map
#
# Here is z = x² + y² in space. How high is it at (2, -1)? Where is it 10 high? The picture does not tell: its front hides its
# back, and to read a height you have to follow lines that lean.

# %% A landscape in space rows="2"
# alt: The surface z = x² + y² in space, a round bowl with its lowest point at (0, 0).
import numpy as np

import viz


def bowl(x, y):
    return x**2 + y**2


assert bowl(2, -1) == 5
viz.surface(bowl, (-3, 3), (-3, 3))

# %% [markdown]
# So do what makers of maps do.
#
# 1. Choose heights at equal distances.
# 2. Slice the landscape with a level plane at each height.
# 3. Mark where plane and landscape meet.
# 4. Press the marks flat onto the ground, and write its height on each.
#
# The picture has all four. Each mark is a **level set**: all points of one height. Here they are circles, as x² + y² = c is a
# circle of radius √c. At height 4 its radius is 2, and at height 16 it is 4.

# %% Slice, mark, flatten rows="13"
# alt: On the left the bowl x² + y² sliced by level planes, with the cuts drawn on the ground; on the right these cuts as a
#   map of circles.
heights = np.array([2, 4, 6, 8, 10, 12, 14, 16])
turn = np.linspace(0, 2 * np.pi, 100)
for height in heights:
    circle = np.sqrt(height) * np.array([np.cos(turn), np.sin(turn)])
    assert np.allclose(bowl(*circle), height)
viz.slices(bowl, (-3, 3), (-3, 3), levels=heights)

# %% [markdown]
# Now a landscape that is not so plain: two hills, one twice as high as the other, in a flat country.
# Read the map. Rings with numbers that grow inwards are a hill. Between the hills is a pass, where two lines of one
# height nearly touch: from there it goes up to the hills on both sides, and down on the two others.
# The numbers let you say how high you are anywhere: (1, 0.5) lies between the lines of 1.4 and 1.6.


# %% A map with its heights rows="14"
# alt: A contour map of two hills with the height on each line: the right one reaches 2, the left one 1, with a pass between
#   them.
def hills(x, y):
    return 2 * np.exp(-((x - 1) ** 2) - y**2) + np.exp(-((x + 1) ** 2) - y**2)


assert 1.4 < hills(1, 0.5) < 1.6
assert np.isclose(hills(1, 0), 2.02, atol=0.005)
assert np.isclose(hills(-1, 0), 1.04, atol=0.005)
viz.contour(hills, (-3, 3), (-2, 2))

# %% [markdown]
# ## Close lines are steep
#
# From one line to the next the height grows by the same amount. On a steep slope you climb that in a short walk, so the lines
# are close. On a gentle slope they are far apart. As a number:
#
# distance between lines ≈ difference in height / slope.
#
# On x² + 3y² with a line for each unit of height, look at two points. At (2, 0) the slope is 4, so the next line should be
# 1/4 = 0.25 away. At (0, 2) it is 12, so it should be 1/12 = 0.083 away.

# %% Distance and steepness rows="15"
# alt: Contour lines of x² + 3y², one for each unit of height: ellipses that are three times closer above the centre than
#   beside it.
from tinygrad_edu import grad


def oval(x, y):
    return x**2 + 3 * y**2


beside, above = grad(oval, argnums=(0, 1))(2.0, 0.0), grad(oval, argnums=(0, 1))(0.0, 2.0)
assert (beside, above) == ((4, 0), (0, 12))
to_5, to_13 = np.sqrt(5) - 2, np.sqrt(13 / 3) - 2  # from height 4 to 5, from height 12 to 13
print(f"the next line: {to_5:.3f} beside the centre, {to_13:.3f} above it")
assert np.isclose(to_5, 0.25, rtol=0.06)
assert np.isclose(to_13, 0.083, rtol=0.06)
viz.contour(oval, (-3.8, 3.8), (-2.3, 2.3), levels=range(1, 14))

# %% [markdown]
# Why only "about"? The slope grows on the way, so the next line is a little closer than the slope at the start says.
# Draw ten times as many lines, and the rule is ten times as good. It becomes exact for lines without distance,
# as a tangent does for a step without length.

# %% More lines, a better rule
off = []
for step in (1, 0.1, 0.01):
    distance = np.sqrt(4 + step) - 2
    off.append(abs(distance - step / 4) / (step / 4))
    print(f"lines every {step}: {distance:.5f} apart, the rule says {step / 4:.5f}")
assert np.allclose(off, [0.056, 0.0062, 0.00062], rtol=0.02)

# %% [markdown]
# ## The gradient crosses each line at a right angle
#
# Walk along a contour line, and your height does not change: the slope in that direction is 0. Chapter 1 found the directions
# of slope 0. They are at a right angle to the gradient. So the gradient crosses every line at a right angle, and so does its
# opposite, the way of descent.
#
# Try it on the ellipse x² + 3y² = 4. Its points are (2 cos t, 2/√3 sin t). The direction along it at t is the
# derivative by t, and its product with the gradient is 0 everywhere.

# %% Along a line, and across it rows="90"
# alt: Three level sets of x² + 3y², each with its tangent and the gradient at one point; a small square marks the right angle.
from tinygrad_edu import derivative, jvp


def ellipse(t):
    return 2 * np.cos(t), 2 / np.sqrt(3) * np.sin(t)


_, along = jvp(ellipse, (turn,), (np.ones(100),))
uphill = derivative(oval, argnums=(0, 1))(*ellipse(turn))
assert np.allclose(oval(*ellipse(turn)), 4)
assert np.allclose(along[0] * uphill[0] + along[1] * uphill[1], 0)  # a right angle, 90°
viz.level_set(oval, (-3.5, 3.5), (-2.5, 2.5), [(1.0, 1.0), (-2.0, 0.5), (0.5, -1.0)])

# %% [markdown]
# `derivative` computed the gradient at a hundred points in one call. Do that for a whole grid, draw each gradient as an
# arrow, and you have the **gradient field**. The arrows are long where lines are close, cross them at right angles, and
# vanish at the tops and at the pass. The assertions use x² + 3y², whose gradient (2x, 6y) you know by heart; the picture uses
# the two hills, whose gradient you would not want to write down.

# %% The gradient field rows="17"
# alt: The map of the two hills with arrows: each points uphill across the lines, long on steep slopes, tiny at the tops and
#   at the pass.
X, Y = np.meshgrid(np.linspace(-2, 2, 9), np.linspace(-1, 1, 5))
dx, dy = derivative(oval, argnums=(0, 1))(X, Y)
assert dx.shape == dy.shape == X.shape
assert np.allclose(dx, 2 * X)
assert np.allclose(dy, 6 * Y)
viz.contour(hills, (-3, 3), (-2, 2), arrows=True)

# %% [markdown]
# ## The path of a descent
#
# To go down, step against the gradient, look again, and step again. That is gradient descent, the subject of the next chapters.
# On a map its path is a chain of segments, one for each step. Each starts at a right angle to the line that it leaves.

# %% Each segment is a step rows="87"
# alt: A path of six straight segments over elliptic contour lines, from (-2.5, 1) towards the centre; each leaves its line at
#   a right angle.
from nn.optim import SGD, trace

rate = 0.12
path = trace(oval, (-2.5, 1.0), lambda p: SGD(p, lr=rate), steps=6)
segments = np.diff(np.array(path.parameters))
assert np.allclose(segments, -rate * np.array(path.gradients)[:, :-1])
assert np.all(np.diff(path.values) < 0)
viz.contour(oval, (-3, 3), (-2, 2), paths=path)

# %% [markdown]
# The steepest way down is not the way to the lowest point. In a long valley the two differ much.
# From (-4, 2) on x² + 8y² the first step is 49° away from the direction of the minimum, and the path swings from side to side.
# All the same it arrives: this landscape is convex, so there is no other place to end. The steps must not be too long, though.
# The rate here is 0.11; with 0.13 each swing is wider than the one before.


# %% The first step points elsewhere rows="89"
# alt: A zigzag path over long elliptic contour lines: the first step crosses the valley instead of going along it to the
#   minimum.
def long_valley(x, y):
    return x**2 + 8 * y**2


path = trace(long_valley, (-4.0, 2.0), lambda p: SGD(p, lr=0.11), steps=40)
first, home = -np.array(grad(long_valley, argnums=(0, 1))(-4.0, 2.0)), np.array([4.0, -2.0])
cosine = first @ home / np.linalg.norm(first) / np.linalg.norm(home)
assert np.isclose(np.degrees(np.arccos(cosine)), 49.4, atol=0.05)
assert path.values[0] == 48
assert path.values[-1] < 1e-5
assert trace(long_valley, (-4.0, 2.0), lambda p: SGD(p, lr=0.13), steps=40).values[-1] > 48
viz.contour(long_valley, (-5, 5), (-3, 3), arrows=True, paths=path)

# %% [markdown]
# ## The quiz
#
# Six maps. Which landscape is which? One is a **bowl**, one a **dome**, one a **saddle**, and one is **two hills**. One is a
# **slope** as flat as a board, and one a **valley** that is level along its length.
# Look at the shapes of the lines, at their distances, and at the numbers. Exercise 1 asks for your guesses,
# and shows the landscapes once you have them right. The formulas are in the cell; try without.

# %% Guess the landscape rows="16"
# alt: Six contour maps, A to F, with numbers on their lines: rings, straight lines, hyperbolas and a figure of two rings.
quiz = {
    "A": lambda x, y: x**2 - y**2,
    "B": lambda x, y: 4 - x**2 - y**2,
    "C": lambda x, y: x + y,
    "D": hills,
    "E": lambda x, y: (x - y) ** 2,
    "F": lambda x, y: x**2 + 2 * y**2,
}
at_origin = [np.sign(grad(f, argnums=(0, 1))(0.0, 0.0)).tolist() for f in (quiz["A"], quiz["C"])]
assert at_origin == [[0, 0], [1, 1]]  # A is level there, C rises along both axes
viz.side_by_side(viz.contour, quiz, (-2, 2), (-2, 2))

# %% [markdown]
# ## Exercises
#
# Replace `...` by your answer, run the cell and the check below it. The check contains
# the answer: read it when you have yours.
#
# **1.** Which landscape belongs to which map of the quiz? Write "bowl", "dome", "saddle", "slope", "valley" or "two hills".

# %% Exercise 1
guesses = {"A": ..., "B": ..., "C": ..., "D": ..., "E": ..., "F": ...}

# %% Check 1
# alt: The six landscapes of the quiz in space: a saddle, a dome, a slope, two hills, a valley and a bowl.
from exercises import check

answers = {"A": "saddle", "B": "dome", "C": "slope", "D": "two hills", "E": "valley", "F": "bowl"}
hint = "rings are tops or bottoms, which the numbers tell apart; straight lines at equal distances are a slope"
known = check("Exercise 1", guesses, answers, hint=hint)
viz.side_by_side(viz.surface, quiz, (-2, 2), (-2, 2)) if known else None

# %% [markdown]
# **2.** On x² + 3y² stand at (3, 1), at height 12. About how far away is the line of height 13, straight uphill?

# %% Exercise 2
distance = ...

# %% Check 2
check(
    "Exercise 2",
    distance,
    0.118,
    hint="the difference in height over the length of the gradient (6, 6)",
    tolerance=0.006,
)

# %% [markdown]
# **3.** Write a function that says for any place on x² + 3y² in which direction to walk so that the height stays the same:
# a pair of numbers of length 1.


# %% Exercise 3
def level_way(x, y):
    return ...


# %% Check 3
def keeps_its_height(way):
    places = [(1.0, 1.0), (-2.0, 0.5), (0.3, -1.5)]
    return all(
        np.isclose(np.hypot(*way(*p)), 1) and abs(np.dot(way(*p), grad(oval, argnums=(0, 1))(*p))) < 1e-6
        for p in places
    )


check(
    "Exercise 3",
    level_way,
    keeps_its_height,
    hint="turn the gradient (a, b) by a right angle, to (-b, a); divide by its length",
)
