"""compile: a function's run as NumPy source that a person would have written, and that source run in its place.

traced.py lets a function compute on Traced terms, which carry the numbers of the run; source.py writes their expressions as a
program; captures.py knows what a function uses besides its arguments; compiled.py runs the program wherever arguments of the
same kind come again.
"""

from .compiled import Compiled, CompileWarning, GuardError, compile

__all__ = ["CompileWarning", "Compiled", "GuardError", "compile"]
