"""Functions of some arrays and of constant tables around them: compiled, with the bits of the run on other numbers, without falling back."""

import warnings

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import compile, registry, value_and_grad
from tinygrad_edu.compiling.results import equal
from tinygrad_edu.testing.compiling import GUARDED, REFUSED, first_order, moved
from tinygrad_edu.testing.strategies import fixed_calls

SEVERAL = [name for name, f in registry.items() if len(f.op.arrays) != 1 and name not in REFUSED]


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.filterwarnings("ignore")
def test_every_op_of_one_array_and_constants(name):
    for call in fixed_calls(registry[name].op, 8):
        for i in range(len(call.inputs) if len(call.inputs) > 1 else 0):
            f = first_order(call, only=i)
            compiled = compile(f)
            for inputs in (call.inputs, moved(call)):
                expected = f(inputs[i])
                for _ in range(2):
                    assert equal(compiled(inputs[i]), expected), compiled.source
            assert not compiled.eager or name in GUARDED


rng = np.random.default_rng(0)
PLACES, HEIGHTS = np.linspace(0.0, 10.0, 11), np.sin(np.arange(11.0))
POINTS = {
    "number": [2.5, 7.3, 3.0, 10.0, 0.0, -1.0, 11.0],
    "vector": [*rng.uniform(-2, 12, (4, 9)), np.full(9, -3.0), np.full(9, 5.0)],
    "matrix": [*rng.uniform(-2, 12, (4, 3, 4)), np.full((3, 4), 12.0)],
}


@pytest.mark.parametrize("ends", [{}, {"left": -2.0, "right": 0.5}, {"period": 7.0}], ids=str)
@pytest.mark.parametrize("kind", POINTS)
def test_interp_in_a_table_from_outside(kind, ends):
    """Points move into the table and out of it, which changes no shape of the program."""
    first = POINTS[kind][0]
    functions = [
        lambda x, xp, fp: np.interp(x, PLACES, HEIGHTS, **ends).sum(),
        lambda x, xp, fp: np.interp(x, [0.0, 4.0, 10.0], [1.0, -1.0, 2.0], **ends).sum(),
        lambda x, xp, fp: np.interp(x, PLACES, fp, **ends).sum(),
        lambda x, xp, fp: np.interp(x, xp, HEIGHTS, **ends).sum(),
        lambda x, xp, fp: np.interp(first, xp, HEIGHTS, **ends).sum(),
        lambda x, xp, fp: np.interp(first, PLACES, fp, **ends).sum(),
    ]
    for f in functions:
        both = value_and_grad(f, argnums=(0, 1, 2))
        compiled = compile(both)
        for j, x in enumerate(POINTS[kind]):
            given = x, PLACES + 0.1 * j, HEIGHTS - j
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", tg.GradientWarning)
                expected = both(*given)
                for _ in range(2):
                    assert equal(compiled(*given), expected), compiled.source
        assert not compiled.eager
        assert compiled.compilations == 1


def test_a_table_that_changes_in_place():
    places, heights = PLACES.copy(), HEIGHTS.copy()
    both = value_and_grad(lambda x: np.interp(x, places, heights))
    compiled = compile(both)
    compiled(2.5)
    for i, number in ((3, 5.0), (0, 7.0), (-1, 4.0)):
        heights[i] = number
        places[i] += 0.25
        for x in (2.5, -1.0, 0.1, 11.0):
            assert compiled(x) == both(x)


C, TABLE = rng.normal(size=4), rng.normal(size=(6, 4))
EDGES = np.sort(rng.normal(size=5))
STRIDED = TABLE[::2, ::2]
IDIOMS = {
    "searchsorted": lambda x: (x * tg.take(C, np.minimum(np.searchsorted(EDGES, x), 3))).sum(),
    "digitize": lambda x: (x * tg.take(TABLE[:, 0], np.digitize(x, EDGES))).sum(),
    "argmax": lambda x: (x * tg.take(TABLE, np.argmax(x), axis=0)).sum(),
    "take_along_axis": lambda x: (x * np.take_along_axis(C, np.argsort(x), 0)).sum(),
    "where": lambda x: np.where(x > C, x * x, C).sum(),
    "select": lambda x: np.select([x > 0.5, x > 0], [x * x, C], C * x).sum(),
    "concatenate": lambda x: (np.concatenate([C, x, C]) ** 2).sum(),
    "stack": lambda x: (np.stack([x, C, x * C], axis=1) ** 2).sum(),
    "array": lambda x: (tg.array([x[0], C[0], x[1]]) ** 2).sum(),
    "einsum": lambda x: np.einsum("ij,j->", TABLE, x * x),
    "a strided einsum": lambda x: np.einsum("ij,j->", STRIDED, x[:2] * x[1:3]),
    "a strided product": lambda x: (STRIDED @ x[:2] ** 2).sum(),
    "a strided product of rows": lambda x: (np.stack([x[:2], x[2:], x[1:3]]) @ TABLE[:4:2, ::2]).sum(),
    "convolve": lambda x: (np.convolve(C, x) ** 2).sum(),
    "trapezoid": lambda x: np.trapezoid(x * x, C),
    "at": lambda x: (tg.at(TABLE, 0).add(x) ** 2).sum(),
    "solve": lambda x: np.linalg.solve(TABLE[:4], x * x).sum(),
    "clip": lambda x: np.clip(x, EDGES[:4], EDGES[:4] + 0.3).sum(),
}  # fmt: skip


@pytest.mark.parametrize("name", IDIOMS)
def test_a_table_in_an_idiom(name):
    both = value_and_grad(IDIOMS[name])
    compiled = compile(both)
    for x in (*rng.normal(size=(4, 4)), np.arange(9.0, 13.0), np.arange(-12.0, -8.0)):
        for _ in range(2):
            assert equal(compiled(x), both(x)), compiled.source
    assert not compiled.eager
    assert compiled.compilations == 1
