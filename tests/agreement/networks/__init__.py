"""Cases of nn beside PyTorch, by family: a file has cases(), and EXCEPTIONS, what is not compared or differs on purpose, and why."""

from . import functions, initialisers, layers, losses, optimisers, schedules, sequences, windows

FAMILIES = (functions, windows, layers, sequences, losses, initialisers, optimisers, schedules)
CASES = [case for family in FAMILIES for case in family.cases()]
EXCEPTIONS = {name: reason for family in FAMILIES for name, reason in family.EXCEPTIONS.items()}
