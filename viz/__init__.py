"""viz: pictures of recorded expressions, of functions and descent, of models and their training.

>>> from tinygrad_edu import Value, tanh
>>> from viz import graph
>>> a, b = Value(2.0, name="a"), Value(-3.0, name="b")
>>> y = tanh(a * b + 5.5)
>>> y.backward()
>>> path = graph(y, names=locals()).save("expression.svg")  # doctest: +SKIP
"""

import opcode as _opcode
import sys as _sys

from . import notebook as _notebook
from .animated import Animation
from .drawing import Drawing, DrawnNode, Edge, Group, Kind, RenderError
from .picture import Picture, graph
from .plots.activations import activations
from .plots.confusion import confusion_matrix
from .plots.contour import contour
from .plots.curve import curve
from .plots.curves import curves
from .plots.cut import cut
from .plots.decision import decision_boundary
from .plots.descent import descent
from .plots.directional import directional
from .plots.fitted import fitted
from .plots.gradients import gradient_flow
from .plots.histograms import histograms
from .plots.images import images
from .plots.landscape import landscape
from .plots.level_set import level_set
from .plots.live import live
from .plots.loss import loss_over
from .plots.losses import losses
from .plots.side_by_side import side_by_side
from .plots.slices import slices
from .plots.surface import surface, surface_and_contour
from .plots.weights import weights
from .stepping import Walkthrough, step
from .stepping.animation import animate
from .table import table

__all__ = [
    "Animation",
    "Drawing",
    "DrawnNode",
    "Edge",
    "Group",
    "Kind",
    "Picture",
    "RenderError",
    "Walkthrough",
    "activations",
    "animate",
    "confusion_matrix",
    "contour",
    "curve",
    "curves",
    "cut",
    "decision_boundary",
    "descent",
    "directional",
    "fitted",
    "gradient_flow",
    "graph",
    "histograms",
    "images",
    "landscape",
    "level_set",
    "live",
    "loss_over",
    "losses",
    "side_by_side",
    "slices",
    "step",
    "surface",
    "surface_and_contour",
    "table",
    "weights",
]

_notebook.register()

_REMOVED = {"learning_curves": "viz.curves(history).figure.savefig(path)"}  # public until 0.1, and the replacement
_ELSEWHERE = {  # names of micrograd's notebook, torchviz and matplotlib
    "draw": "viz.graph(y).save('graph.svg')",
    "draw_dot": "viz.graph(y).save('graph.svg')",
    "draw_graph": "viz.graph(model, x).save('model.svg')",
    "make_dot": "viz.graph(y).save('graph.svg')",
    "plot": "viz.curve(f, (-1, 1)), or viz.curves(history)",
    "show": "viz.graph(y) as the last line of a notebook's cell, or .save('graph.html')",
}


def __getattr__(name: str) -> object:
    """Raise an error that names what replaces a name of an earlier version or another library."""
    if name in _REMOVED:
        message = f"viz.{name} is not public since 0.2; use {_REMOVED[name]}"
    elif name in _ELSEWHERE:
        message = f"viz.{name} does not exist; write {_ELSEWHERE[name]}"
    else:
        raise AttributeError(f"module 'viz' has no attribute {name!r}")
    asker = _sys._getframe(1)
    if asker.f_code.co_code[asker.f_lasti] == _opcode.opmap["IMPORT_FROM"]:  # it drops an AttributeError's message
        raise ImportError(message)
    raise AttributeError(message)
