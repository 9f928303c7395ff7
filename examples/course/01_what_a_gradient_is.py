# %% [markdown]
# # 1. What a gradient is
#
# **You stand on a function and may take one small step: which way do you go, and how much does the value change?**
#
# A network asks this question again and again while it learns, and the gradient is the answer. After this chapter you can
#
# - read a slope off a tangent line, and two slopes off a tangent plane;
# - compute the slope in any direction, and find the steepest one;
# - tell a minimum from a maximum and from a saddle;
# - check a slope by differences, and say how far you may trust them.
#
# School calculus is enough. Each cell computes something and asserts the number that the text states.
# Change a number in a cell, run it, and see which assertion fails.

# %% [markdown]
# ## The slope of a curve
#
# Take f(x) = x² - 3x + 3, and stand at x = 3. A step h to the right changes the value by f(3 + h) - f(3).
# Divide by h, and you have the change for each unit of x.

# %% The change for a unit of x rows="3"
import numpy as np


def f(x):
    return x**2 - 3 * x + 3


steps = np.array([1.0, 0.1, 0.01, 0.001])
changes = (f(3 + steps) - f(3)) / steps
for step, change in zip(steps, changes, strict=True):
    print(f"a step of {step}: {change:.3f} for each unit")
assert np.allclose(changes, [4, 3.1, 3.01, 3.001])

# %% [markdown]
# The shorter the step, the closer the number is to 3. That limit is the slope of f at 3: the derivative f′(3).
#
# `grad` makes of a function the function that computes its slope. It does not take small steps: its answer is exact.
# The straight line through (3, 3) with this slope is the **tangent**. Its equation is y = 3 + 3(x - 3), which is y = 3x - 6.
# The picture shows why it matters: near the point you cannot tell the curve from its tangent.

# %% The tangent line rows="7"
# alt: The parabola x² - 3x + 3 and the straight line that touches it at (3, 3) with slope 3.
import viz
from tinygrad_edu import grad

slope = grad(f)(3.0)
tangent = f(3) + slope * (np.array([0.0, 2.0, 4.0]) - 3)
assert (f(3), slope) == (3, 3)
assert tangent.tolist() == [-6, 0, 6]  # 3x - 6
viz.curve(f, (-1, 5), tangents=[3.0])

# %% [markdown]
# How does it know? A `Value` remembers the operations that made it. `backward()` walks back through them, and multiplies by the
# slope of each. The drawing shows every operation, its value, and the slope of y with respect to it, its gradient.
# Read it from right to left: x is used twice, so its gradient is a sum, 6 from the square and -3 from the product.
#
# This is a calculator that differentiates. The command line has it too:
# `python -m tinygrad_edu grad "x**2 - 3*x + 3" x=3`.

# %% A calculator that differentiates rows="147"
# alt: The graph of x² - 3x + 3 at x = 3: operations as boxes with their results and gradients; the gradient of x is 3.
from tinygrad_edu import Value

x = Value(3.0, name="x")
y = f(x)
y.backward()
assert (y.data, x.grad) == (3, 3)
viz.graph(y)

# %% [markdown]
# ## The sign of a slope is a direction
#
# A negative slope says: the value falls to the right. A positive slope says: it falls to the left.
# So a walker who wants to go down steps against the sign. On (x - 1)² that leads to 1 from both sides.


# %% The sign tells the way down rows="55"
# alt: The parabola (x - 1)² with tangents of slope -2 at 0 and of slope 2 at 2; both lead down to its lowest point at 1.
def valley(x):
    return (x - 1) ** 2


left, right = grad(valley)(0.0), grad(valley)(2.0)
assert (left, right) == (-2, 2)
assert valley(0 - 0.1 * left) < valley(0)
assert valley(2 - 0.1 * right) < valley(2)
viz.curve(valley, (-1, 3), tangents=[0.0, 2.0])

# %% [markdown]
# Every point has its slope, so the slope is a function too. `derivative=True` draws it beside the curve.
# Where the dashed line crosses 0, the curve is level. x² has its lowest point there, and 1 + 2x - x² its highest.


# %% Curves with their slopes rows="164"
# alt: Two panels. x² with its slope 2x, which is 0 at 0; 1 + 2x - x² with its slope 2 - 2x, which is 0 at 1.
def hill(x):
    return 1 + 2 * x - x**2


assert grad(np.square)(1.5) == 3  # 2x
assert grad(hill)(1.5) == -1  # 2 - 2x
viz.side_by_side(viz.curve, {"x²": np.square, "1 + 2x − x²": hill}, (-2, 4), derivative=True)

# %% [markdown]
# Which of the two is it? Ask how the slope itself changes: the second derivative, `grad(grad(f))`.
# If it is positive, the slope goes from minus to plus, and the point is a minimum. If it is negative, a maximum.
# If it is 0, you learn nothing: x⁴ has a minimum at 0, and x³ has none. Points of slope 0 are called **critical points**.

# %% Minimum or maximum rows="94 146"
assert (grad(np.square)(0.0), grad(grad(np.square))(0.0)) == (0, 2)  # a minimum
assert (grad(hill)(1.0), grad(grad(hill))(1.0)) == (0, -2)  # a maximum

# %% [markdown]
# The rules that you learned by heart are the rules that `grad` uses. Here they are, tried at x = 0.7.

# %% The rules of derivatives rows="143"
u, v, at = np.sin, np.exp, 0.7
du, dv = grad(u)(at), grad(v)(at)
assert np.isclose(grad(lambda x: u(x) + v(x))(at), du + dv)  # the sum rule
assert np.isclose(grad(lambda x: u(x) * v(x))(at), du * v(at) + u(at) * dv)  # the product rule
assert np.isclose(grad(lambda x: x**5)(at), 5 * at**4)  # the power rule
assert np.isclose(grad(lambda x: u(v(x)))(at), grad(u)(v(at)) * dv)  # the chain rule
assert np.isclose(grad(grad(u))(at), -np.sin(at))  # the slope of the slope

# %% [markdown]
# A slope needs a curve that looks straight from near. |x| does not, at 0: it rises by 1 on the right and falls by 1 on the
# left. There is no slope. A program has to answer something, and the answer here is 0. `check_gradients` marks it as a
# **subgradient**: a slope between those of the two sides. [All such conventions](../../docs/kinks.md) are on one page.

# %% Where there is no slope rows="145"
from tinygrad_edu.testing import check_gradients

h = 1e-6
from_left, from_right = (abs(-h) - abs(0)) / -h, (abs(h) - abs(0)) / h
assert (from_left, from_right, grad(abs)(0.0)) == (-1, 1, 0)
assert check_gradients(abs, 0.0).subgradients == 1
assert check_gradients(abs, 2.0).subgradients == 0

# %% [markdown]
# ### One dimension is not that easy
#
# One article says that in one dimension each local minimum is the global one, that there is no descent, and that the second
# derivative is 0 only for a straight line. None of it holds. Follow the slope of sin(3x) + 0.1x² downwards from three places:
# the walks end in three minima, and only one of them is the lowest. And x³ and x⁴ have second derivative 0 at 0.

# %% Where you end depends on where you start rows="11" claim="one dimension is easy"
# alt: A wavy curve with several minima and three paths of descent, which end in three different minima.
from nn.optim import SGD, trace


def wavy(x):
    return np.sin(3 * x) + 0.1 * x**2


starts = {"left": -3.5, "middle": -1.0, "right": 0.8}
walks = {name: trace(wavy, start, lambda p: SGD(p, lr=0.05), 60) for name, start in starts.items()}
ends = [walk.values[-1] for walk in walks.values()]
assert np.allclose(ends, [-0.330, -0.973, -0.759], atol=0.001)
assert grad(grad(lambda x: x**3))(0.0) == grad(grad(lambda x: x**4))(0.0) == 0
viz.curve(wavy, (-4, 4), paths=walks)

# %% [markdown]
# ## Two numbers, two slopes
#
# A function of several numbers has a slope for each of them. Keep all but one fixed, and differentiate by that one:
# this is a **partial derivative**. The list of all of them is the **gradient**.
# `argnums=(0, 1)` asks for both; of x + y they are 1 and 1, of x² + y² at (1, 2) they are 2 and 4.


# %% Partial derivatives rows="1 4"
def plus(x, y):
    return x + y


def bowl(x, y):
    return x**2 + y**2


assert grad(plus, argnums=(0, 1))(1.0, 2.0) == (1, 1)
assert grad(bowl, argnums=(0, 1))(1.0, 2.0) == (2, 4)

# %% [markdown]
# Partial derivatives answer practical questions. A tin of radius 2 and height 3 has the volume πr²h.
# A bit more height adds πr² = 12.57 for each unit. A bit more radius adds 2πrh = 37.70: three times as much.
# The number of variables does not matter, as x⁴ - 3xyz at (1, 2, 3) shows.

# %% A tin, and three variables rows="144 165"
by_radius, by_height = grad(lambda r, h: np.pi * r**2 * h, argnums=(0, 1))(2.0, 3.0)
assert np.allclose([by_radius, by_height], [37.70, 12.57], atol=0.005)

three = grad(lambda x, y, z: x**4 - 3 * x * y * z, argnums=(0, 1, 2))(1.0, 2.0, 3.0)
assert np.allclose(three, [-14, -9, -6])  # 4x³ - 3yz, -3xz, -3xy

# %% [markdown]
# A function of two numbers is a landscape: x and y say where you are, the value says how high. To keep y fixed is to cut the
# landscape by an upright wall. Wall and landscape meet in a curve, and the partial derivative is the slope of that curve.
#
# From here on the landscape is x² + 2y², and you stand at (1.5, 1). The slopes there are 3 and 4.


# %% A cut through a landscape rows="33"
# alt: The surface x² + 2y² cut by an upright plane along x at (1.5, 1), and beside it the curve of the cut with a tangent of
#   slope 3.
def land(x, y):
    return x**2 + 2 * y**2


here = (1.5, 1.0)
gradient = grad(land, argnums=(0, 1))(*here)
assert gradient == (3, 4)
assert grad(lambda x: land(x, 1.0))(1.5) == 3  # the curve of the cut, as a function of x alone
viz.cut(land, (-3, 3), (-2, 2), here, angle=0)

# %% [markdown]
# The tangent line of a curve has one slope. A landscape has a tangent **plane**, with two. For z = -x² - y² at (0, 2) they
# are 0 and -4, so the plane is z = -4 - 4(y - 2). Walk along x, and it is level; walk along y, and it falls.


# %% The tangent plane rows="8"
# alt: The dome -x² - y² and the plane that touches it at (0, 2), level along x and falling along y.
def dome(x, y):
    return -(x**2) - y**2


a, b = grad(dome, argnums=(0, 1))(0.0, 2.0)
assert (dome(0, 2), a, b) == (-4, 0, -4)
viz.surface(dome, (-3, 3), (-3, 3), tangents=[(0, 2)])

# %% [markdown]
# At the top of the dome and at the bottom of the bowl the plane is level: both slopes are 0.

# %% Level planes rows="6 9"
# alt: Two surfaces. The dome -x² - y² with a level plane on its top, and the bowl x² + y² with a level plane under its bottom.
tops = {"maximum of −x² − y²": dome, "minimum of x² + y²": bowl}
level = [grad(f, argnums=(0, 1))(0.0, 0.0) for f in tops.values()]
assert level == [(0, 0), (0, 0)]
viz.side_by_side(viz.surface, tops, (-3, 3), (-3, 3), tangents=[(0, 0)])

# %% [markdown]
# Why must they be 0? One article says: because no single direction leads up there. Try it. At the bottom of the bowl
# **every** direction leads up. The reason is another one: if a slope were not 0, a small step against its sign would lead
# further down, and this would not be the bottom. The argument needs a slope: |x| has its minimum at a kink.

# %% At a minimum every direction leads up claim="no single direction of increase"
angles = np.radians(np.arange(360))
around = bowl(0.01 * np.cos(angles), 0.01 * np.sin(angles))
assert np.all(around > bowl(0, 0))

# %% [markdown]
# ## The slope in any direction
#
# You need not walk along x or y. Walk at the angle α: x changes by cos α for each unit of way, y by sin α.
# Each contributes its slope, so the slope in this direction, the **directional derivative**, is
#
# 3 cos α + 4 sin α.
#
# `jvp` computes it without the gradient. Of many points and directions it gives all slopes in one call.

# %% The directional derivative rows="34"
from tinygrad_edu import jvp

ways = np.cos(angles), np.sin(angles)
points = np.full(360, here[0]), np.full(360, here[1])
_, slopes = jvp(land, points, ways)
assert np.allclose(slopes, 3 * np.cos(angles) + 4 * np.sin(angles))
assert np.isclose(slopes[30], 4.598, atol=0.001)

# %% [markdown]
# Drawn over the angle, the slope is a wave. Its top is at 53.1°, the direction of (3, 4), and the top is 5 = √(3² + 4²), the
# length of (3, 4). At a right angle to it the slope is 0. In the opposite direction it is -5: the steepest way down. This is
# what makes the gradient worth having: **its direction is the steepest way up, and its length is how steep that is.**

# %% The slope by the angle rows="36 37"
# alt: A wave of slopes over the angle, from 5 at 53.1 degrees, the direction of the gradient, through 0 at right angles to
#   it, to -5.
steepest = np.degrees(np.arctan2(4, 3))
assert np.argmax(slopes) == round(steepest) == 53
assert np.isclose(np.max(slopes), np.hypot(3, 4), atol=0.001)
assert np.isclose(np.min(slopes), -5, atol=0.001)
assert np.argmin(np.abs(slopes)) in (143, 323)  # a right angle away from 53
viz.directional(land, here)

# %% [markdown]
# You need not believe the formula. Take a short step in each of the 360 directions, and look where you are highest.

# %% Try every direction rows="5"
step = 1e-4
heights = land(here[0] + step * ways[0], here[1] + step * ways[1])
assert np.argmax(heights) == 53
assert np.isclose((np.max(heights) - land(*here)) / step, 5, atol=0.01)

# %% [markdown]
# A bump across a road changes in one direction only. Ride along it, and nothing rises: the slope is exactly 0.
# Ride across it, and you feel all of it. Ride at an angle, and you feel a part.


# %% The bump in the road rows="35"
def bump(x, y):
    return np.exp(-(x**2))


_, along = jvp(bump, (0.5, 1.0), (0.0, 1.0))
_, across = jvp(bump, (0.5, 1.0), (1.0, 0.0))
_, between = jvp(bump, (0.5, 1.0), (np.cos(np.pi / 3), np.sin(np.pi / 3)))
assert along == 0
assert np.isclose(between, across / 2)  # cos 60° is a half

# %% [markdown]
# The slope is negative for exactly half of the directions: those that make more than a right angle with the gradient.
# So half of all random steps lead down, if they are short.
# This holds for any number of variables; here are a thousand random steps from a point in ten dimensions.


# %% Half of all directions lead down rows="56"
def cost(p):
    return np.sum(np.sin(p) ** 2)


rng = np.random.default_rng(0)
start, steps = rng.normal(size=10), 1e-4 * rng.normal(size=(1000, 10))
fell = np.array([cost(start + step) < cost(start) for step in steps])
assert np.array_equal(fell, steps @ grad(cost)(start) < 0)  # the gradient says which
assert 0.45 < np.mean(fell) < 0.55

# %% [markdown]
# Two statements of an article need a condition. The slope along the gradient is not always positive: where the gradient is 0,
# it is 0. And the angles between a direction and the two axes add up to 90° in the first quarter only. In the direction of
# 120° they are 120° and 30°. The formula 3 cos α + 4 sin α holds everywhere.

# %% Two conditions claim="always positive along the gradient"
assert np.hypot(*grad(land, argnums=(0, 1))(0.0, 0.0)) == 0
direction = np.cos(np.radians(120)), np.sin(np.radians(120))
to_axes = np.degrees(np.arccos(direction))
assert np.allclose(to_axes, [120, 30])

# %% [markdown]
# ## Slopes of 0: bottom, top, or saddle
#
# x² - y² is level at (0, 0), but it is no minimum and no maximum. Along x it rises, along y it falls: a **saddle**.
# The matrix of all second derivatives, the **Hessian**, knows it. Its eigenvalues are the second derivatives along
# its own axes: all positive for a minimum, all negative for a maximum, of both signs for a saddle.

# %% A saddle rows="93 95"
# alt: The surface x² - y², a saddle, with the level plane that touches it at (0, 0) and cuts through it.
from tinygrad_edu import hessian


def saddle(x, y):
    return x**2 - y**2


second = hessian(saddle, argnums=(0, 1))(0.0, 0.0)
assert grad(saddle, argnums=(0, 1))(0.0, 0.0) == (0, 0)
assert second == ((2, 0), (0, -2))
assert np.linalg.eigvalsh(second).tolist() == [-2, 2]
viz.surface(saddle, (-2, 2), (-2, 2), tangents=[(0, 0)])

# %% [markdown]
# One article looks at the diagonal of this matrix instead: equal signs, so an extremum. That is not enough.
# x² + 4xy + y² has 2 and 2 on the diagonal and rises along both axes, but along the line y = -x it falls.


# %% The diagonal is not enough claim="the Hessian's diagonal decides"
def hidden(x, y):
    return x**2 + 4 * x * y + y**2


second = hessian(hidden, argnums=(0, 1))(0.0, 0.0)
assert np.diag(second).tolist() == [2, 2]
assert np.allclose(np.linalg.eigvalsh(second), [-2, 6])
assert hidden(0.1, -0.1) < hidden(0, 0)

# %% [markdown]
# The same article says that a function of one number has no saddle. x³ has one at 0, in its way:
# the slope is 0, the left side is lower, and the right side is higher.

# %% A saddle in one dimension claim="no saddles in one dimension"
assert grad(lambda x: x**3)(0.0) == 0
assert (-0.1) ** 3 < 0 < 0.1**3

# %% [markdown]
# A function is **convex** if the straight line between two of its points, a chord, never runs below it. Then each minimum is
# the lowest there is. On the right is a function with a single minimum that is not convex: far out it flattens, its second
# derivative is negative, and the chord passes under it. The slope there is nearly 0, so a walker hardly moves.


# %% Chords above and below rows="88"
# alt: Two panels. The chord of x² lies above it; the chord of 1 - exp(-x²), which is flat far from 0, lies partly below it.
def funnel(x):
    return 1 - np.exp(-(x**2))


shapes = {"convex: x²": np.square, "not convex: 1 − exp(−x²)": funnel}
above = [(g(-2.5) + g(0.5)) / 2 - g(-1.0) for g in shapes.values()]  # the chord less the curve, in the middle
assert above[0] > 0 > above[1]
assert grad(grad(np.square))(-2.0) > 0 > grad(grad(funnel))(-2.0)
viz.side_by_side(viz.curve, shapes, (-3, 3), chords=[(-2.5, 0.5)])

# %% [markdown]
# An article says that a convex function has a single minimum, and that chords run completely above it.
# A flat bottom is convex as well: every point of it is a minimum, and a chord between two of them runs along it.
# What the article describes is **strictly** convex.


# %% A flat bottom claim="convex means one minimum"
def tub(x):
    return np.maximum(abs(x) - 1, 0)


assert tub(-0.5) == tub(0.5) == 0  # two minima
assert (tub(-0.5) + tub(0.5)) / 2 == tub(0)  # the chord touches
pairs = rng.uniform(-3, 3, (2, 1000))
assert np.all(tub(pairs).mean(axis=0) >= tub(pairs.mean(axis=0)) - 1e-12)  # no chord runs below

# %% [markdown]
# ## Is it right? Differences beside `backward()`
#
# Any program can be wrong, so check a gradient by what you can measure. Step to the right, and divide: the **forward**
# difference. Step to both sides, and divide by twice the step: the **central** difference. Then compare with `backward()`.


# %% Differences beside backward()
def wave(x):
    return np.exp(x) * np.sin(x)


x = Value(1.0)
wave(x).backward()
h = 1e-5
forward = (wave(1 + h) - wave(1)) / h
central = (wave(1 + h) - wave(1 - h)) / (2 * h)
print(f"backward() {x.grad:.12f}\nforward    {forward:.12f}\ncentral    {central:.12f}")
assert np.isclose(x.grad, np.exp(1) * (np.sin(1) + np.cos(1)), rtol=1e-15)
assert abs(forward - x.grad) < 1e-4
assert abs(central - x.grad) < 1e-9

# %% [markdown]
# How long should the step be? Draw the error of both against h, with powers of ten on both axes. Two errors pull against each
# other. On the right the step is too long for the curve to be straight: the error falls with h, and for the central
# difference with h². On the left the step is too short: wave(1 + h) and wave(1) agree in almost all of their 16 digits, and
# the difference keeps the rest. The best you can have is 8 digits with h = 1e-8, or 10 digits and more with h = 1e-5.
# `backward()` takes no step and has all of them.


# %% The error against the step
# alt: The errors of forward and central differences over the step h, both axes logarithmic: each a V, lowest near 1e-8 and
#   1e-5.
def error_forward(h):
    return abs((wave(1 + h) - wave(1)) / h - x.grad)


def error_central(h):
    return abs((wave(1 + h) - wave(1 - h)) / (2 * h) - x.grad)


assert np.isclose(error_forward(1e-3) / error_forward(1e-4), 10, rtol=0.01)  # with h
assert np.isclose(error_central(1e-2) / error_central(1e-3), 100, rtol=0.01)  # with h²
assert error_forward(1e-15) > 1e-3 > 1e-6 > error_forward(1e-8)
errors = {"error of the forward difference": error_forward, "error of the central difference": error_central}
viz.curve(errors, (1e-16, 1), xscale="log", yscale="log")

# %% [markdown]
# Differences have another fault: they take two runs for each number. A function of 100 numbers runs 200 times.
# `grad` runs it once, and walks back once. A network has millions of numbers.

# %% Two runs for each number rows="179"
runs = 0


def counted(p):
    global runs
    runs += 1
    return cost(p)


p, h = rng.normal(size=100), 1e-5 * np.eye(100)
measured = [(counted(p + side) - counted(p - side)) / 2e-5 for side in h]
assert runs == 200
assert np.allclose(grad(counted)(p), measured, atol=1e-9)
assert runs == 201

# %% [markdown]
# ## Exercises
#
# Replace `...` by your answer, run the cell and the check below it. The check contains
# the answer: read it when you have yours.
#
# **1.** What is the slope of -x² + 4x at x = 3? First by hand; then let `grad` confirm it.

# %% Exercise 1
slope_at_3 = ...

# %% Check 1
from exercises import check

check("Exercise 1", slope_at_3, -2.0, hint="the derivative is -2x + 4")

# %% [markdown]
# **2.** Write the tangent plane of x² + 2y² at (1.5, 1) as a function of x and y.


# %% Exercise 2
def plane(x, y):
    return ...


# %% Check 2
def is_the_plane(plane):
    return all(np.isclose(plane(1.5 + u, 1 + v), 4.25 + 3 * u + 4 * v) for u, v in ((0, 0), (1, 0), (0, 1), (-2, 3)))


check(
    "Exercise 2", plane, is_the_plane, hint="the height at the point, plus each slope times the way from 1.5 and from 1"
)

# %% [markdown]
# **3.** You stand at (1, -1) on x² + 2y². In which direction does it fall fastest? Give a pair of numbers of length 1.

# %% Exercise 3
downhill = ...

# %% Check 3
check(
    "Exercise 3",
    downhill,
    np.array([-2, 4]) / np.sqrt(20),
    hint="the gradient is (2, -4); turn it around, and divide it by its length",
)
