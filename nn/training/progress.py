"""Progress: the output of training while it runs. A live bar on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

from time import monotonic
from typing import Any

INTERVAL = 0.5  # seconds between two drawings of the bar, each of which takes about a millisecond


class Progress:
    """A rich progress bar over the steps of all epochs; where the output is no terminal, a line every so often.

    Args:
        epochs, steps: the largest number of epochs, and of steps in each.
        wanted: False draws nothing.
        start: the number of epochs that are over already.
    """

    def __init__(self, epochs: int, steps: int, wanted: bool, start: int = 0) -> None:
        self.epochs, self.steps, self.wanted, self.start = epochs, steps, wanted, start
        self.done, self.due = start * steps, 0.0
        self.bar: Any = None

    def __enter__(self) -> Progress:
        if self.wanted:
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self.console = Console()
            if self.console.is_terminal:
                columns = (
                    TextColumn("epoch {task.fields[epoch]}"),
                    BarColumn(),
                    "{task.description}",
                    TimeElapsedColumn(),
                )
                self.bar = Bar(*columns, console=self.console, auto_refresh=False)  # no thread beside the computation
                self.task = self.bar.add_task(
                    "", total=self.epochs * self.steps, completed=self.done, epoch=f"{self.start}/{self.epochs}"
                )
                self.bar.start()
        return self

    def step(self, count: int = 1) -> None:
        """Count steps that are over."""
        self.done += count
        if self.bar is not None and monotonic() > self.due:
            self._draw()

    def epoch(self, epoch: int, numbers: dict[str, float]) -> None:
        """Show the numbers of an epoch that is over."""
        if not self.wanted:
            return
        text = "  ".join(f"{name.replace('_', ' ')} {number:.4g}" for name, number in numbers.items())
        if self.bar is not None:
            self.bar.update(self.task, description=text, epoch=f"{epoch}/{self.epochs}")
            if monotonic() > self.due:
                self._draw()
        elif epoch % 10 == 0 or epoch in (self.start + 1, self.epochs):
            self.console.print(f"epoch {epoch}/{self.epochs}  {text}", highlight=False, soft_wrap=True)

    def _draw(self) -> None:
        self.due = monotonic() + INTERVAL
        self.bar.update(self.task, completed=self.done)
        self.bar.refresh()

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self._draw()
            self.bar.stop()
