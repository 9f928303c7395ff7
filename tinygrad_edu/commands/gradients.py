"""check: the gradients of a function, against its values."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from ..errors import GradientError
from .app import CHECK_EXAMPLE, app
from .output import fail, in_encoding, on_one_line

CHECK_HELP = f"""Check a function's gradients against its values.

Draws normally distributed inputs of the shapes that you name, and compares the gradient there with slopes of the function.
MODULE is found from the current folder. The function takes Values; with --vjp it takes arrays, and may use any library.

Examples:

\b
{CHECK_EXAMPLE}
  python -m tinygrad_edu check mylayers:dense --shape x=8,4 --shape w=4,2 --order 2 --full
  python -m tinygrad_edu check mylayers:softmax --vjp mylayers:softmax_vjp --shape x=3,4 --seed 1

Exit codes: 0 all right, 1 a gradient is wrong or none can be compared, 2 an argument was refused or the function failed."""


@app.command(help=CHECK_HELP)
def check(
    target: Annotated[str, typer.Argument(metavar="MODULE:FUNCTION", help="Such as mylayers:softmax.")],
    shape: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SIZES", help="An argument's shape: x=3,4, or x= for a number. Once for each."),
    ] = None,
    vjp: Annotated[
        str | None,
        typer.Option(metavar="MODULE:FUNCTION", help="Check this hand-written gradient of (g, *inputs) instead."),
    ] = None,
    order: Annotated[int, typer.Option(min=1, help="2 checks the gradients of the gradients too.")] = 1,
    full: Annotated[bool, typer.Option("--full", help="Look at each number by itself.")] = False,
    dtype: Annotated[str, typer.Option(metavar="DTYPE", help="float64, float32 or float16.")] = "float64",
    seed: Annotated[int, typer.Option(min=0, help="Of the inputs, weights and directions.")] = 0,
) -> None:
    """Check a function's gradients; see CHECK_HELP."""
    from ..testing import check_gradients, check_vjp
    from ..testing.targets import TargetError, drawn, imported, told

    if vjp is not None and order != 1:
        fail("error: --order needs a function of Values; a gradient given by --vjp cannot be differentiated", code=2)
    try:
        function = imported(target)
        inputs = drawn(function, shape or (), dtype, seed)
        gradient = None if vjp is None else imported(vjp)
    except TargetError as error:
        fail(on_one_line(f"error: {error}"), code=2)
    mode: Literal["full", "screen"] = "full" if full else "screen"
    try:
        if gradient is None:
            report = check_gradients(function, *inputs, order=order, mode=mode, seed=seed)
        else:
            report = check_vjp(function, gradient, *inputs, mode=mode, seed=seed)
    except GradientError as error:
        fail(in_encoding(str(error), sys.stderr), code=1)
    except Exception as error:
        fail(in_encoding(on_one_line(f"error: {target}: {told(error)}"), sys.stderr), code=2)
    typer.echo(in_encoding(str(report), sys.stdout))
