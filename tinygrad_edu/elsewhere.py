"""Names of PyTorch, autograd, JAX and micrograd that this package does not have, each with what to write here.

A Value has a descriptor for each method that is missing, so that attributes which exist are looked up as fast as without.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

PACKAGE = {
    "Generator": "np.random.default_rng(0), given as rng=",
    "MLP": "nn.MLP((2, 16, 1), nn.Tanh, rng=0)",
    "Tensor": "Value",
    "Variable": "Value",
    "cat": "concatenate([a, b], axis=0)",
    "clamp": "clip(x, low, high)",
    "device": "nothing: everything is in the memory of the CPU",
    "elementwise_grad": "derivative(f)",
    "from_numpy": "Value(array), or the array itself where no gradient is needed",
    "functional": "nn.functional",
    "hessian_vector_product": "hvp(f, (x,), (v,))",
    "jacfwd": "jacobian(f)",
    "jacrev": "jacobian(f)",
    "jit": "compile(f)",
    "load": "nn.load(model, path)",
    "make_hvp": "hvp(f, (x,), (v,))",
    "make_jvp": "jvp(f, (x,), (v,))",
    "make_vjp": "vjp(f, x)",
    "manual_seed": "rng=0, or a generator, of each layer, of dropout and of nn.fit",
    "mm": "a @ b",
    "multigrad": "grad(f, argnums=(0, 1))",
    "nn": "import nn, a package beside tinygrad_edu",
    "numpy": "import numpy as np: its functions are recorded for Values",
    "optim": "nn.optim",
    "pow": "x ** y",
    "primitive": "@operation(rules=...), above the function",
    "randn": "Value(rng.standard_normal(shape))",
    "save": "nn.save(model, path)",
    "set_grad_enabled": "no_grad(), or enable_grad()",
    "tensor": "Value(x), or the array itself where no gradient is needed",
    "vmap": "a function of arrays with one more axis: NumPy broadcasts",
    "viz": "import viz, a package beside tinygrad_edu",
}
METHODS = {
    "clamp": "v.clip(low, high)",
    "clone": "v.copy()",
    "contiguous": "v: its memory order does not matter",
    "cpu": "v: it is in the memory of the CPU",
    "cuda": "v: it is in the memory of the CPU",
    "device": "nothing: every Value is in the memory of the CPU",
    "dim": "v.ndim",
    "double": "v.astype(np.float64)",
    "expand": "v.broadcast_to(shape)",
    "float": "v.astype(np.float32)",
    "gather": "tinygrad_edu.take_along_axis(v, index, axis)",
    "half": "v.astype(np.float16)",
    "is_leaf": "v.grad_fn is None",
    "label": "v.name",
    "masked_fill": "tinygrad_edu.where(mask, x, v)",
    "matmul": "v @ w",
    "mm": "v @ w",
    "numel": "v.size",
    "permute": "v.transpose(axes)",
    "pow": "v ** n",
    "requires_grad_": "v.requires_grad = True",
    "retain_grad": "v.backward(), which keeps the gradient of every Value",
    "rsqrt": "v ** -0.5",
    "t": "v.T",
    "to": "v, which is in the memory of the CPU; v.astype(np.float32) for a type",
    "type": "v.astype(dtype)",
    "unsqueeze": "v[None], or tinygrad_edu.expand_dims(v, axis)",
    "view": "v.reshape(2, -1)",
    "zero_": "v.zero_grad() for the gradient, v.data = np.zeros(v.shape) for the data",
    "_backward": "v.backward(), which goes through the whole graph; the rule of one operation is in v.grad_fn",
    "_children": "v.inputs",
    "_op": "v.grad_fn.symbol",
    "_prev": "v.inputs",
}
ARGUMENTS = {  # of Value, and of an operation
    "Value": {
        "_children": "nothing: operations record their inputs",
        "_op": "nothing: operations record themselves",
        "device": "nothing: every Value is in the memory of the CPU",
        "dtype": "Value(np.asarray(data, dtype))",
        "label": "name=",
    },
    "flatten": {"1": "v.reshape(len(v), -1)", "start_dim": "v.reshape(len(v), -1)"},
}


def remedy(name: str, arguments: Iterable[str]) -> str:
    """What to write in place of arguments that Value or an operation does not take; "" if that is not known."""
    known = ARGUMENTS.get(name, {})
    return next((f"; write {known[each]}" for each in arguments if each in known), "")


class Elsewhere:
    """A descriptor: an attribute that a Value lacks, for which it has another spelling; it cannot be assigned either."""

    def __init__(self, name: str, remedy: str) -> None:
        self.name, self.remedy = name, remedy

    def __get__(self, instance: Any, owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__}.{self.name} does not exist; write {self.remedy}")

    def __set__(self, instance: Any, given: Any) -> NoReturn:
        self.__get__(instance, type(instance))
