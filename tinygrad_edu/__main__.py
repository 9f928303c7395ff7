"""The command line: `python -m tinygrad_edu grad "tanh(a*b + c)" a=2 b=-3 c=10`, as a table and as a drawing.

The only room that may import nn and viz; typer and rich are imported nowhere else in this package.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import numpy as np
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from .errors import ExpressionError, GradientError, TinygradError
from .expression import CONSTANTS, evaluate, functions
from .value import Value

CONTEXT = 35  # how many characters an error shows on either side of the offending one

EXAMPLES = """Examples:

\b
  python -m tinygrad_edu grad "tanh(a*b + c)" a=2 b=-3 c=10
  python -m tinygrad_edu grad "-x**2 / 2" x=3
  python -m tinygrad_edu grad "sin(2*pi*t)" t=0.25 --draw graph.svg"""

HELP = f"""Value and gradients of an arithmetic expression.

Prints the value of EXPRESSION and its derivative with respect to every variable.

{EXAMPLES}

Quote the expression, so that the shell leaves * and parentheses alone.
It is made of numbers, variables, + - * / ** for powers, parentheses, the constants {" and ".join(CONSTANTS)}, and functions:

{", ".join(functions())}.

Exit codes: 0 done, 1 the drawing could not be written, 2 the expression or an argument was refused."""

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback(help=f"Reverse-mode automatic differentiation over NumPy.\n\n{EXAMPLES}")
def main() -> None:
    """Hold the commands."""


# An expression may begin with a minus; options are long only, so that none is mistaken for one.
@app.command(help=HELP, context_settings={"ignore_unknown_options": True})
def grad(
    expression: Annotated[str, typer.Argument(metavar="EXPRESSION", help="Such as 'a*b + 1', in quotes.")],
    variables: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=NUMBER", help="A number for each of its variables.")
    ] = None,
    draw: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the graph with its values and gradients; .svg, .png or .dot."),
    ] = None,
) -> None:
    """Value and gradients of an arithmetic expression, as HELP says at length."""
    try:
        y, leaves = evaluate(expression, _numbers(variables or ()))
    except ExpressionError as error:
        _fail(f"{_pointed(expression, error.position)}error: {error}", code=2)
    if y.requires_grad:
        y.backward()
    _show(expression, y, leaves)
    if draw is not None:
        _draw(draw, expression, y, leaves)


@app.command()
def check(
    target: Annotated[
        str, typer.Argument(metavar="MODULE:FUNCTION", help="Such as mylayers:softmax, found from here.")
    ],
    shape: Annotated[list[str], typer.Option(metavar="NAME=SIZES", help="An argument's shape: x=3,4; a number: x=.")],
    vjp: Annotated[
        str | None,
        typer.Option(metavar="MODULE:FUNCTION", help="A hand-written gradient of (g, *inputs) to check instead."),
    ] = None,
    order: Annotated[int, typer.Option(help="2 checks the gradients of the gradients too.")] = 1,
    full: Annotated[bool, typer.Option("--full", help="Look at each number by itself.")] = False,
    dtype: Annotated[str, typer.Option(help="float64 or float32.")] = "float64",
    seed: Annotated[int, typer.Option(help="Of the inputs, weights and directions.")] = 0,
) -> None:
    """Check a function's gradients at random inputs, against its values.

    Exit codes: 0 all right, 1 a gradient is wrong, 2 an argument was refused.
    """
    from .testing import check_gradients, check_vjp

    function = _imported(target)
    inputs = _drawn(function, shape, dtype, seed)
    try:
        if vjp is None:
            mode = "full" if full else "screen"
            report = check_gradients(function, *inputs, order=order, mode=mode, seed=seed)  # type: ignore[arg-type]
        else:
            mode = "full" if full else "screen"
            report = check_vjp(function, _imported(vjp), *inputs, mode=mode, seed=seed)  # type: ignore[arg-type]
    except GradientError as error:
        _fail(str(error), code=1)
    typer.echo(str(report))


def _imported(target: str) -> Any:
    """The function that module:function names."""
    module, _, name = target.partition(":")
    if not module or not name:
        _fail(f"error: {target!a}: expected MODULE:FUNCTION, as in mylayers:softmax", code=2)
    sys.path.insert(0, os.getcwd())
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        _fail(f"error: {target!a}: {error}; run this where {module.partition('.')[0]}.py lies, or install it", code=2)
    except AttributeError:
        _fail(f"error: {target!a}: {module} has no function {name}", code=2)


def _drawn(function: Any, shapes: list[str], dtype: str, seed: int) -> list[Any]:
    """Normally distributed inputs, in the order of the function's parameters."""
    rng = np.random.default_rng(seed)
    sizes: dict[str, tuple[int, ...]] = {}
    for text in shapes:
        name, equals, numbers = text.partition("=")
        try:
            sizes[name] = tuple([int(n) for n in numbers.split(",") if n.strip()])
        except ValueError:
            equals = ""
        if not equals:
            _fail(f"error: --shape {text!a}: expected NAME=SIZES, as in x=3,4", code=2)
    names = list(inspect.signature(function).parameters)
    missing = [name for name in sizes if name not in names]
    if missing or list(sizes) != names[: len(sizes)]:
        got = f"--shape for {', '.join(sizes)}"
        _fail(f"error: {got}, but the function takes {', '.join(names)}; give its first arguments, in order", code=2)
    arrays = [rng.standard_normal(size).astype(dtype) for size in sizes.values()]
    return [x if x.ndim else x[()] for x in arrays]


def _numbers(variables: Iterable[str]) -> dict[str, float]:
    """The number of each variable, from texts such as a=2."""
    numbers: dict[str, float] = {}
    for variable in variables:
        name, _, number = variable.partition("=")
        if not name or not number:
            raise ExpressionError(f"{variable!a}: expected NAME=NUMBER without spaces, as in a=2")
        if name in numbers:
            raise ExpressionError(f"{variable!a}: this variable has a number already")
        try:
            numbers[name] = float(number)
        except ValueError:
            raise ExpressionError(f"{variable!a}: expected a number after the =, as in a=2") from None
    return numbers


def _show(expression: str, y: Value, leaves: dict[str, Value]) -> None:
    """Print the value, a table of the gradients, and which of them are 0 because nothing depends on the variable."""
    typer.echo(f"{expression.strip()} = {y.item()!r}")
    if not leaves:
        return
    table = Table(box=box.SIMPLE_HEAD, header_style="")
    table.add_column("variable", overflow="fold")
    table.add_column("value", justify="right", overflow="fold")
    table.add_column("gradient", justify="right", overflow="fold")
    for name, leaf in leaves.items():
        table.add_row(name, repr(leaf.item()), repr(0.0 if leaf.grad is None else leaf.grad))
    Console().print(table)
    unused = [name for name, leaf in leaves.items() if leaf.grad is None]
    if unused:
        typer.echo(f"note: the expression does not depend on {', '.join(unused)}")


def _draw(path: Path, expression: str, y: Value, leaves: dict[str, Value]) -> None:
    """Write a drawing of the graph, each variable under its name."""
    import viz

    try:
        viz.graph(y, names=leaves, title=expression.strip()).save(path)
    except (TinygradError, OSError) as error:
        _fail(f"error: --draw {path}: {error}", code=1)
    typer.echo(f"drawn: {_printable(str(path))}")


def _pointed(text: str, position: int | None) -> str:
    """The text around a position, and a caret under it on a line of its own; "" if there is no position."""
    if position is None:
        return ""
    start = max(0, position - CONTEXT)
    end = position + CONTEXT + 1
    before = ("..." if start else "") + _printable(text[start:position])
    after = _printable(text[position:end]) + ("..." if end < len(text) else "")
    return f"{before}{after}\n{' ' * len(before)}^\n"


def _printable(text: str) -> str:
    """The text on one line, with a ? for each control character and surrogate, which no terminal can show."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


if __name__ == "__main__":
    app(prog_name="python -m tinygrad_edu")
