"""viz: pictures of recorded expressions, of functions and descent, and of training.

>>> from tinygrad_edu import Value, tanh
>>> from viz import graph
>>> a, b = Value(2.0, name="a"), Value(-3.0, name="b")
>>> y = tanh(a * b + 5.5)
>>> y.backward()
>>> path = graph(y, names=locals()).save("expression.svg")  # doctest: +SKIP
"""

from . import notebook as _notebook
from .drawing import Drawing, DrawnNode, Edge, Group, Kind, RenderError
from .picture import Picture, graph
from .plots.contour import contour
from .plots.curve import curve
from .plots.cut import cut
from .plots.descent import descent
from .plots.directional import directional
from .plots.level_set import level_set
from .plots.loss import loss_over
from .plots.slices import slices
from .plots.surface import surface, surface_and_contour
from .stepping import step
from .training import learning_curves

__all__ = [
    "Drawing",
    "DrawnNode",
    "Edge",
    "Group",
    "Kind",
    "Picture",
    "RenderError",
    "contour",
    "curve",
    "cut",
    "descent",
    "directional",
    "graph",
    "learning_curves",
    "level_set",
    "loss_over",
    "slices",
    "step",
    "surface",
    "surface_and_contour",
]

_notebook.register()
