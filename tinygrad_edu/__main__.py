"""The command line: `python -m tinygrad_edu grad "tanh(a*b + c)" a=2 b=-3 c=10`, and likewise `draw` and `step`; `check`
for the gradients of a function.

Only this module may import nn, viz, typer and rich.
"""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, NoReturn, TextIO

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from .errors import ExpressionError, GradientError, TinygradError
from .parsing import CONSTANTS, evaluate, functions
from .value import Value

FORMATS = ".svg, .png, .html, .pdf, .dot or .mmd"
CONTEXT = 35  # characters that an error shows on either side of the offending one

EXAMPLES = """Examples:

\b
  python -m tinygrad_edu grad "tanh(a*b + c)" a=2 b=-3 c=10
  python -m tinygrad_edu grad "-x**2 / 2" x=3
  python -m tinygrad_edu grad "sin(2*pi*t)" t=0.25 --draw graph.svg"""

STEP_EXAMPLE = '  python -m tinygrad_edu step "tanh(a*b + c)" a=2 b=-3 c=10 --open'

DRAW_EXAMPLE = '  python -m tinygrad_edu draw "tanh(a*b + c)" a=2 b=-3 c=10 --out graph.png'

CHECK_EXAMPLE = "  python -m tinygrad_edu check mylayers:softmax --shape x=3,4"

HELP = f"""Value and gradients of an arithmetic expression.

Prints the value of EXPRESSION and its derivative with respect to every variable.

{EXAMPLES}

Quote the expression, so that the shell leaves * and parentheses alone.
It is made of numbers, variables, + - * / ** for powers, parentheses, the constants {" and ".join(CONSTANTS)}, and functions:

{", ".join(functions())}.

Exit codes: 0 done, 1 the drawing could not be written, 2 the expression or an argument was refused."""

DRAW_HELP = f"""Draw an arithmetic expression as a graph, with its values and gradients.

EXPRESSION is written as for grad.

Examples:

\b
{DRAW_EXAMPLE}

Exit codes: 0 done, 1 the drawing could not be written, 2 the expression or an argument was refused."""

STEP_HELP = f"""Write a web page that steps through forward and backward pass of an arithmetic expression.

The page works offline, in any browser. EXPRESSION is written as for grad.

Examples:

\b
{STEP_EXAMPLE}
  python -m tinygrad_edu step "a*b + a" a=2 b=-3 --out sum.html

Exit codes: 0 done, 1 the page could not be written, 2 the expression or an argument was refused."""

CHECK_HELP = f"""Check a function's gradients against its values.

Draws normally distributed inputs of the shapes that you name, and compares the gradient there with slopes of the function.
MODULE is found from the current folder. The function takes Values; with --vjp it takes arrays, and may use any library.

Examples:

\b
{CHECK_EXAMPLE}
  python -m tinygrad_edu check mylayers:dense --shape x=8,4 --shape w=4,2 --order 2 --full
  python -m tinygrad_edu check mylayers:softmax --vjp mylayers:softmax_vjp --shape x=3,4 --seed 1

Exit codes: 0 all right, 1 a gradient is wrong or none can be compared, 2 an argument was refused or the function failed."""

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


Expression = Annotated[str, typer.Argument(metavar="EXPRESSION", help="Such as 'a*b + 1', in quotes.")]
Variables = Annotated[
    list[str] | None, typer.Argument(metavar="NAME=NUMBER", help="A number for each of its variables.")
]


@app.callback(
    help="\n".join(
        ["Reverse-mode automatic differentiation over NumPy.\n", EXAMPLES, STEP_EXAMPLE, DRAW_EXAMPLE, CHECK_EXAMPLE]
    )
)
def main() -> None:
    """The group of commands."""


# An expression may begin with a minus sign, so options have long names only.
@app.command(help=HELP, context_settings={"ignore_unknown_options": True})
def grad(
    expression: Expression,
    variables: Variables = None,
    draw: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=f"Draw the graph with its values and gradients; {FORMATS}."),
    ] = None,
) -> None:
    """Value and gradients of an arithmetic expression; see HELP."""
    y, leaves = _differentiated(expression, variables)
    _show(expression, y, leaves)
    if draw is not None:
        _draw("--draw", draw, expression, y, leaves)


@app.command(help=DRAW_HELP, context_settings={"ignore_unknown_options": True})
def draw(
    expression: Expression,
    variables: Variables = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help=f"Ends in {FORMATS}.")] = Path("graph.svg"),
) -> None:
    """Draw an arithmetic expression; see DRAW_HELP."""
    _draw("--out", out, expression, *_differentiated(expression, variables))


@app.command(help=STEP_HELP, context_settings={"ignore_unknown_options": True})
def step(
    expression: Expression,
    variables: Variables = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Ends in .html.")] = Path("step.html"),
    open: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
) -> None:
    """Write a page that steps through an arithmetic expression; see STEP_HELP."""
    import viz

    y, leaves = _differentiated(expression, variables)
    if not y.requires_grad:
        _fail("error: the expression does not depend on a variable; there is no gradient to step through", code=2)
    try:
        viz.step(y, out, names=leaves, title=expression.strip())
    except (TinygradError, OSError) as error:
        _fail(f"error: --out {_printable(str(out))}: {error}", code=1)
    typer.echo(f"written: {_printable(str(out))}")
    if open:
        webbrowser.open(out.resolve().as_uri())


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
    from .testing import check_gradients, check_vjp
    from .testing.targets import TargetError, drawn, imported, told

    if vjp is not None and order != 1:
        _fail("error: --order needs a function of Values; a gradient given by --vjp cannot be differentiated", code=2)
    try:
        function = imported(target)
        inputs = drawn(function, shape or (), dtype, seed)
        gradient = None if vjp is None else imported(vjp)
    except TargetError as error:
        _fail(_printable(f"error: {error}"), code=2)
    mode: Literal["full", "screen"] = "full" if full else "screen"
    try:
        if gradient is None:
            report = check_gradients(function, *inputs, order=order, mode=mode, seed=seed)
        else:
            report = check_vjp(function, gradient, *inputs, mode=mode, seed=seed)
    except GradientError as error:
        _fail(_in_encoding(str(error), sys.stderr), code=1)
    except Exception as error:
        _fail(_in_encoding(_printable(f"error: {target}: {told(error)}"), sys.stderr), code=2)
    typer.echo(_in_encoding(str(report), sys.stdout))


def _differentiated(expression: str, variables: Iterable[str] | None) -> tuple[Value, dict[str, Value]]:
    """The result of the expression and its variables, with their gradients. Exits if the expression is refused."""
    try:
        y, leaves = evaluate(expression, _numbers(variables or ()))
    except ExpressionError as error:
        _fail(f"{_pointed(expression, error.position)}error: {error}", code=2)
    if y.requires_grad:
        y.backward()
    return y, leaves


def _numbers(variables: Iterable[str]) -> dict[str, float]:
    """The number of each variable, from arguments such as a=2."""
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
    """Print the value, a table of the gradients, and the names of unused variables."""
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


def _draw(option: str, path: Path, expression: str, y: Value, leaves: dict[str, Value]) -> None:
    """Write a drawing of the graph, with the variables' names."""
    import viz

    try:
        viz.graph(y, names=leaves, title=expression.strip()).save(path)
    except (TinygradError, OSError) as error:
        _fail(f"error: {option} {path}: {error}", code=1)
    typer.echo(f"drawn: {_printable(str(path))}")


def _pointed(text: str, position: int | None) -> str:
    """The text around a position, and a caret below it on a second line; "" if there is no position."""
    if position is None:
        return ""
    start = max(0, position - CONTEXT)
    end = position + CONTEXT + 1
    before = ("..." if start else "") + _printable(text[start:position])
    after = _printable(text[position:end]) + ("..." if end < len(text) else "")
    return f"{before}{after}\n{' ' * len(before)}^\n"


def _printable(text: str) -> str:
    """The text on one line, with "?" in place of control characters and surrogates, which terminals cannot show."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def _in_encoding(text: str, stream: TextIO) -> str:
    """The text without characters that the stream cannot show."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.replace("±", "+-").encode(encoding, "replace").decode(encoding)
    return text


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


if __name__ == "__main__":
    app(prog_name="python -m tinygrad_edu")
