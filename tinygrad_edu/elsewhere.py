"""Names of PyTorch, autograd, JAX and micrograd that this package does not have, each with what to write here.

A Value has a descriptor for each method that is missing, so that attributes which exist are looked up as fast as without.
"""

from __future__ import annotations

from typing import Any, NoReturn

PACKAGE = {
    "Tensor": "Value",
    "Variable": "Value",
    "cat": "concatenate([a, b], axis=0)",
    "clamp": "clip(x, low, high)",
    "elementwise_grad": "derivative(f)",
    "from_numpy": "Value(array), or the array itself where no gradient is needed",
    "functional": "nn.functional",
    "hessian_vector_product": "hvp(f, (x,), (v,))",
    "jacfwd": "jacobian(f)",
    "jacrev": "jacobian(f)",
    "jit": "compile(f)",
    "make_hvp": "hvp(f, (x,), (v,))",
    "make_jvp": "jvp(f, (x,), (v,))",
    "make_vjp": "vjp(f, x)",
    "mm": "a @ b",
    "multigrad": "grad(f, argnums=(0, 1))",
    "nn": "import nn, a package beside tinygrad_edu",
    "numpy": "import numpy as np: its functions are recorded for Values",
    "optim": "nn.optim",
    "pow": "x ** y",
    "primitive": "@operation(rules=...), above the function",
    "randn": "Value(rng.standard_normal(shape))",
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
    "dim": "v.ndim",
    "double": "v.astype(np.float64)",
    "expand": "v.broadcast_to(shape)",
    "float": "v.astype(np.float32)",
    "gather": "tinygrad_edu.take_along_axis(v, index, axis)",
    "half": "v.astype(np.float16)",
    "is_leaf": "v.grad_fn is None",
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
    "to": "v.astype(np.float32) for a type; there is one device",
    "type": "v.astype(dtype)",
    "unsqueeze": "v[None], or tinygrad_edu.expand_dims(v, axis)",
    "view": "v.reshape(2, -1)",
    "zero_": "v.zero_grad() for the gradient, v.data = np.zeros(v.shape) for the data",
    "_backward": "the rules of v.grad_fn, which is an Op",
    "_op": "v.grad_fn.symbol",
    "_prev": "v.inputs",
}


class Elsewhere:
    """A descriptor: a method that a Value lacks, for which it has another spelling."""

    def __init__(self, name: str, remedy: str) -> None:
        self.name, self.remedy = name, remedy

    def __get__(self, instance: Any, owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__}.{self.name} does not exist; write {self.remedy}")
