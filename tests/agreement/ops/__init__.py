"""PyTorch's counterpart of every op, by family: a file has TORCH, name to function, and EXCEPTIONS, name to reason."""

from . import elementwise, linalg, more, neural, reduction, shape

FAMILIES = (elementwise, reduction, shape, linalg, neural, more)
TORCH = {name: counterpart for family in FAMILIES for name, counterpart in family.TORCH.items()}
EXCEPTIONS = {name: reason for family in FAMILIES for name, reason in family.EXCEPTIONS.items()}
