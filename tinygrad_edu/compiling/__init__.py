"""compile: a function's run as NumPy source that a person would have written, and that source run in its place.

traced.py and operators.py let a function compute on Traced terms, which carry the numbers of the run (runs.py), and again on
others (again.py); lines.py finds the user's line, simpler.py calls that are the same, refused.py what no program may do.
expressions.py and source.py write the terms that are needed (needed.py) as a program to be read; memory.py and fast.py as one
that computes in place; levels.py a large graph of numbers. arguments.py and captures.py know what a program is compiled for,
with quick tests (fits.py, quick.py); compiled.py runs it wherever arguments of the same kind come again.
"""

from . import operators as operators  # of Traced terms
from .compiled import Compiled, CompileWarning, compile
from .program import GuardError

__all__ = ["CompileWarning", "Compiled", "GuardError", "compile"]
