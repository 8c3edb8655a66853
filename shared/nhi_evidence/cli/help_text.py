"""The end of a help text: examples that fit the terminal, and a line for each exit code."""

from __future__ import annotations

import re
from typing import Any

import typer

from nhi_evidence.terminal import fitting

_CONTINUED = re.compile(r"(?: *\\|(?<=\|))\n\s*")
_CODES = "Exit codes: "
_NEXT_CODE = re.compile(r";\s+(?=\d)")
_LIST = re.compile(r"<list\[(\w+)\]>")
_HYPHEN, _UNBROKEN = "-", "\N{NON-BREAKING HYPHEN}"


class Formatter(typer.Context.formatter_class):  # type: ignore[misc, valid-type]
    """Wraps help between words only: a path or an option is copied as a whole."""

    def write_text(self, text: str) -> None:
        """Write a paragraph."""
        super().write_text(text.replace(_HYPHEN, _UNBROKEN))

    def write_dl(self, rows: Any, **widths: int) -> None:
        """Write names with their descriptions."""
        unbroken = [(name, text.replace(_HYPHEN, _UNBROKEN)) for name, text in rows]
        super().write_dl(unbroken, **widths)

    def getvalue(self) -> str:
        """Return what was written."""
        return str(super().getvalue()).replace(_UNBROKEN, _HYPHEN)


class Context(typer.Context):
    """A context whose help is wrapped so."""

    formatter_class = Formatter


def name_type(parameter: Any) -> None:
    """Show what one value of a parameter is, not how Python keeps several; say that they may be."""
    displayed = parameter.display_type
    parameter.display_type = lambda ctx: _LIST.sub(lambda of: f"<{of[1].lower()}>", displayed(ctx))
    if getattr(parameter, "multiple", False):
        parameter.help = f"{parameter.help} Repeatable."


def write_epilog(text: str, formatter: Any) -> None:
    """Write examples and exit codes as sections, aligned like those of the options."""
    examples, _, codes = text.replace("\b", "").partition(_CODES)
    commands = _CONTINUED.sub(" ", examples.strip().removeprefix("Examples:")).strip("\n")
    width = formatter.width - formatter.current_indent
    if commands:
        with formatter.section("Examples"):
            for command in commands.splitlines():
                for line in fitting.continued(command.strip(), width):
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
    with formatter.section(_CODES.rstrip(": ")):
        formatter.write_dl(exit_codes(codes))


def exit_codes(text: str) -> list[tuple[str, str]]:
    """Return each exit code with its meaning."""
    codes = _NEXT_CODE.split(" ".join(text.split()).removesuffix("."))
    return [(code, meaning) for code, _, meaning in (each.partition(" ") for each in codes)]
