"""The options of `train`: those of a Plan, read from its fields when the command is called, as nn takes a while to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, fields
from functools import cache
from inspect import Parameter, Signature
from typing import Annotated, Any

import typer
from typer.core import TyperCommand


def described(group: str, text: str, value: str, *names: str) -> Any:
    """An option with its help, under the heading of a group, and the name of its value."""
    return typer.Option(*names, help=text, metavar=value, rich_help_panel=group, show_default=True)


class TrainCommand(TyperCommand):
    """`train`, with the options of a Plan, and `--hidden 100 40`: one option, several numbers."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters of `train`, and a Plan's, by groups."""
        from nn.jobs.plan import GROUPS

        place = {group: i for i, group in enumerate(GROUPS)}
        return sorted(
            [*super().get_params(ctx), *_planned()], key=lambda each: place.get(each.rich_help_panel, len(place))
        )

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Rewrite as `--hidden 100 --hidden 40`; if the option is repeated, the last one counts, as for other options."""
        others, sizes, taking = list[str](), list[str](), False
        for arg in args:
            name, _, size = arg.partition("=")
            if name == "--hidden":
                sizes, taking = [size] * bool(size), True
            elif taking and not arg.startswith("-"):
                sizes.append(arg)
            else:
                others, taking = [*others, arg], False
        return super().parse_args(ctx, others + [part for size in sizes for part in ("--hidden", size)])

    def invoke(self, ctx: Any) -> Any:
        """Call `train`, with a Plan's options in the context."""
        ctx.obj = {option.name: ctx.params.pop(option.name) for option in _planned()}
        return super().invoke(ctx)


def sizes(hidden: Sequence[str]) -> list[Any]:
    """The sizes of hidden layers. Text that is not a number stays, and Plan refuses it."""
    return [] if list(hidden) == ["0"] else [int(size) if size.isdecimal() else size for size in hidden]


@cache
def _planned() -> list[Any]:
    """The fields of a Plan as options: those of a command with such a signature."""
    from nn.jobs.plan import Plan

    def plan(**given: Any) -> None: ...

    parameters = list(map(_parameter, fields(Plan)))
    vars(plan)["__signature__"] = Signature(parameters)
    plan.__annotations__ = {each.name: each.annotation for each in parameters}
    command = typer.Typer(add_completion=False)
    command.command()(plan)
    return [each for each in typer.main.get_command(command).params if each.name != "help"]


def _parameter(field: Field[Any]) -> Parameter:
    option, default = field.metadata["option"], field.default
    kind: Any = float | None if default is None else type(default)
    if isinstance(default, tuple):
        kind, default = list[str], [str(item) for item in default]
    help_of = described(option.group, option.text, option.value, f"--{field.name.replace('_', '-')}", *option.also)
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, help_of])
