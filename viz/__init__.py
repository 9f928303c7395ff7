"""viz: pictures of recorded expressions and of training.

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
    "graph",
    "learning_curves",
    "step",
]

_notebook.register()
