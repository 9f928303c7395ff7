"""The group of commands, and its help."""

from __future__ import annotations

import typer

EXAMPLES = """Examples:

\b
  python -m tinygrad_edu grad "tanh(a*b + c)" a=2 b=-3 c=10
  python -m tinygrad_edu grad "-x**2 / 2" x=3
  python -m tinygrad_edu grad "sin(2*pi*t)" t=0.25 --draw graph.svg"""

STEP_EXAMPLE = '  python -m tinygrad_edu step "tanh(a*b + c)" a=2 b=-3 c=10 --open'

DRAW_EXAMPLE = '  python -m tinygrad_edu draw "tanh(a*b + c)" a=2 b=-3 c=10 --out graph.png'

CHECK_EXAMPLE = "  python -m tinygrad_edu check mylayers:softmax --shape x=3,4"

TRAIN_EXAMPLE = "  python -m tinygrad_edu train --data digits --hidden 100 40 --run runs/digits"

EVALUATE_EXAMPLE = "  python -m tinygrad_edu evaluate runs/digits"

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback(
    help="\n".join(
        [
            "Reverse-mode automatic differentiation over NumPy.\n",
            EXAMPLES,
            *(STEP_EXAMPLE, DRAW_EXAMPLE, CHECK_EXAMPLE, TRAIN_EXAMPLE, EVALUATE_EXAMPLE),
        ]
    )
)
def main() -> None:
    """The group of commands."""
