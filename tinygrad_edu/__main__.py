"""The command line: `python -m tinygrad_edu grad "tanh(a*b + c)" a=2 b=-3 c=10`, and so on; see commands/."""

from .commands import expressions, gradients, training
from .commands.app import app

FAMILIES = (expressions, gradients, training)  # each has added its commands to the app

if __name__ == "__main__":
    app(prog_name="python -m tinygrad_edu")
