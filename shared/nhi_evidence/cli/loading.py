"""Command groups that load a command when it or its help is run, and none to list them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from nhi_evidence.cli import commands, help_text
from nhi_evidence.cli.commands import Command, Panel

SETTINGS: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
"""Settings of every application and command."""


class Loaded(MutableMapping[str, Any]):
    """The commands of a group by their last word; getting one loads it, counting them does not."""

    def __init__(self, group: str) -> None:
        """Name the group; the empty name is the top level."""
        self._rows = {row.word: row for row in commands.below(group)}
        self.names_only = False
        """While set, a command is only its name and summary."""

    def __getitem__(self, word: str) -> Any:
        row = self._rows[word]
        if self.names_only:
            return TyperCommand(row.word, help=row.summary)
        return _group(row) if row.is_group else _command(row)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __setitem__(self, word: str, command: Any) -> None:
        raise TypeError(f"{word}: a command is a row of {commands.__name__}")

    def __delitem__(self, word: str) -> None:
        raise TypeError(f"{word}: a command is a row of {commands.__name__}")


class Group(TyperGroup):
    """A group whose commands are rows of the table."""

    context_class = help_text.Context
    group = ""

    def __init__(self, **attributes: Any) -> None:
        """Accept what `typer` passes to a group, except commands."""
        super().__init__(**{**attributes, "commands": None})
        self._loaded = Loaded(self.group)
        self.commands = self._loaded

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 typer's signature
        """Write the commands of each panel, reading only the table."""
        rows = commands.below(self.group)
        width = max(len(row.word) for row in rows)
        for panel in Panel:
            listed = [(row.word.ljust(width), row.summary) for row in rows if row.panel is panel]
            if listed:
                with formatter.section(panel if not self.group else "Commands"):
                    formatter.write_dl(listed)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 typer's signature
        """Write the exit codes; groups below the top have none."""
        if self.epilog:
            help_text.write_epilog(self.epilog, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Complete names, reading only the table."""
        self._loaded.names_only = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self._loaded.names_only = False


class Leaf(TyperCommand):
    """A command; its epilog has examples and exit codes."""

    context_class = help_text.Context

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 typer's signature
        """Write both, each as a section."""
        if self.epilog:
            help_text.write_epilog(self.epilog, formatter)


def _command(row: Command) -> Any:
    module = importlib.import_module(row.module)
    leaf = typer.Typer(**SETTINGS)
    leaf.command(row.word, cls=Leaf, epilog=module.EXAMPLES)(module.command)
    command = typer.main.get_command(leaf)
    for parameter in command.params:
        help_text.name_type(parameter)
    return command


def _group(row: Command) -> Any:
    cls = type("_Group", (Group,), {"group": row.name})
    inner = typer.Typer(name=row.word, help=row.summary, cls=cls, no_args_is_help=True, **SETTINGS)
    inner.callback()(_nothing)
    return typer.main.get_command(inner)


def _nothing() -> None:
    """A group of itself does nothing."""
