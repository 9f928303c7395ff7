"""summary: what a model is made of, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_edu import no_grad

from .running import mode_of, observing
from .tables import Table


@dataclass(frozen=True)
class Row:
    """One module of a model.

    Attributes:
        path: where it is, such as "encoder.0"; "" for the model itself.
        name: the path from the module around it.
        depth: how many modules are around it.
        layer: its type and arguments.
        shape: of its last output; None if it did not run.
        parameters: how many numbers its own parameters have, those of modules inside it, and those counted before, left out.
    """

    path: str
    name: str
    depth: int
    layer: str
    shape: Any
    parameters: int


@dataclass(frozen=True)
class Summary:
    """A table of modules; str() is plain text, a notebook shows HTML, and rich draws it.

    Attributes:
        rows: the modules, outermost first.
        trainable: how many of the parameters are not frozen.
    """

    rows: tuple[Row, ...]
    trainable: int

    @property
    def parameters(self) -> int:
        """How many numbers all parameters have."""
        return sum(row.parameters for row in self.rows)

    def table(self) -> Table:
        """The table itself."""
        rows = []
        for row in self.rows:
            name = f"{'  ' * row.depth}{row.name}: " if row.name else ""
            share = f"{row.parameters / self.parameters:.1%}" if row.parameters else ""
            shape = "" if row.shape is None else str(row.shape)
            rows.append((f"{name}{row.layer}", shape, f"{row.parameters:,}" if row.parameters else "", share))
        frozen = self.parameters - self.trainable
        return Table(
            ("layer", "output", "parameters", "share"),
            rows,
            footer=("", "", f"{self.parameters:,}", ""),
            caption=f"{frozen:,} of the parameters are frozen" if frozen else "",
            numeric=(2, 3),
        )

    def __rich__(self) -> Any:
        return self.table().__rich__()

    def __str__(self) -> str:
        return str(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def summarize(model: Any, inputs: tuple[Any, ...]) -> Summary:
    """Run a model on inputs, in use and without recording, and note the shape of each module's output."""
    shapes: dict[int, Any] = {}

    def look(module: Any, _: Any, output: Any) -> None:
        shapes[id(module)] = _shape(output)

    if inputs:
        with no_grad(), mode_of(model, training=False), observing(look):
            model(*inputs)
    seen: set[int] = set()
    rows: list[Row] = []
    trainable = 0
    for path, module in model.named_modules():
        inner = {id(value) for _, child in module.children() for value in child.parameters()}
        own = [p for p in module.parameters() if id(p) not in inner and id(p) not in seen]
        seen |= {id(p) for p in own}
        trainable += sum(p.size for p in own if p.requires_grad)
        around = [row.path for row in rows if row.path and path.startswith(f"{row.path}.")]
        name = path.removeprefix(f"{around[-1]}." if around else "")
        layer = f"{type(module).__name__}({module.describe()})"
        count = sum(p.size for p in own)
        rows.append(Row(path, name, len(around) + bool(path), layer, shapes.get(id(module)), count))
    return Summary(tuple(rows), trainable)


def _shape(output: Any) -> Any:
    """The shape of an output, or of each of several."""
    if isinstance(output, (tuple, list)):
        return tuple([_shape(part) for part in output])
    return None if output is None else np.shape(output)
