"""A web page that steps through the forward and the backward pass of an expression.

trace.py takes the expression apart, notation.py writes it as people do, formulas.py has the rules as text, javascript.py the
operations as the page computes them,
grid.py draws what is too large for Graphviz, page.py puts the page together from page.html, page.css and the scripts.
"""

from .page import Walkthrough, step

__all__ = ["Walkthrough", "step"]
