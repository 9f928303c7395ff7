"""grad, draw and step: the gradients of an arithmetic expression, its graph, and a page that steps through both passes."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from ..errors import ExpressionError, TinygradError
from ..parsing import CONSTANTS, evaluate, functions
from ..value import Value
from .app import DRAW_EXAMPLE, EXAMPLES, STEP_EXAMPLE, app
from .output import fail, on_one_line

FORMATS = ".svg, .png, .html, .pdf, .dot or .mmd"
CONTEXT = 35  # characters that an error shows on either side of the offending one

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

Expression = Annotated[str, typer.Argument(metavar="EXPRESSION", help="Such as 'a*b + 1', in quotes.")]
Variables = Annotated[
    list[str] | None, typer.Argument(metavar="NAME=NUMBER", help="A number for each of its variables.")
]


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
    out: Annotated[Path, typer.Option(metavar="FILE", help="Ends in .html; .svg for the graph alone.")] = Path(
        "step.html"
    ),
    open: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
) -> None:
    """Write a page that steps through an arithmetic expression; see STEP_HELP."""
    import viz

    y, leaves = _differentiated(expression, variables)
    if not y.requires_grad:
        fail("error: the expression does not depend on a variable; there is no gradient to step through", code=2)
    try:
        viz.step(y, names=leaves, title=expression.strip()).save(out)
    except (TinygradError, OSError) as error:
        fail(f"error: --out {on_one_line(str(out))}: {error}", code=1)
    typer.echo(f"written: {on_one_line(str(out))}")
    if open:
        webbrowser.open(out.resolve().as_uri())


def _differentiated(expression: str, variables: Iterable[str] | None) -> tuple[Value, dict[str, Value]]:
    """The result of the expression and its variables, with their gradients. Exits if the expression is refused."""
    try:
        y, leaves = evaluate(expression, _numbers(variables or ()))
    except ExpressionError as error:
        fail(f"{_pointed(expression, error.position)}error: {error}", code=2)
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
        fail(f"error: {option} {path}: {error}", code=1)
    typer.echo(f"drawn: {on_one_line(str(path))}")


def _pointed(text: str, position: int | None) -> str:
    """The text around a position, and a caret below it on a second line; "" if there is no position."""
    if position is None:
        return ""
    start = max(0, position - CONTEXT)
    end = position + CONTEXT + 1
    before = ("..." if start else "") + on_one_line(text[start:position])
    after = on_one_line(text[position:end]) + ("..." if end < len(text) else "")
    return f"{before}{after}\n{' ' * len(before)}^\n"
