# %% [markdown]
# # 1. What a gradient is
#
# **If you move a little, how much does the result change, and where should you go to change it most?**

# %% The tangent line rows="7"
# alt: The parabola x squared minus 3 x plus 3 with its tangent line at (3, 3), whose slope is 3.
import viz
from tinygrad_edu import grad


def f(x):
    return x**2 - 3 * x + 3


slope = grad(f)(3.0)
assert (f(3.0), slope) == (3.0, 3.0)
viz.curve(f, (-1, 5), tangents=[3.0])

# %% [markdown]
# Exercise 1. What is the slope of f at 1?

# %% Exercise 1
slope_at_1 = ...

# %% Check 1
from exercises import check

check("Exercise 1", slope_at_1, -1.0, hint="f'(x) = 2x - 3.")

# %% Exercise 2
slope_at_1 = ...

# %% Check 2
check("Exercise 2", slope_at_1, -1.0, hint="f'(x) = 2x - 3.")

# %% Exercise 3
slope_at_1 = ...

# %% Check 3
check("Exercise 3", slope_at_1, -1.0, hint="f'(x) = 2x - 3.")
