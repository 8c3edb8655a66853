"""The end of a help text: examples that fit the terminal, and a line for each exit code."""

from __future__ import annotations

import re
from typing import Any

_CONTINUED = re.compile(r"(?: *\\|(?<=\|))\n\s*")
_CODES = "Exit codes: "
_NEXT_CODE = re.compile(r";\s+(?=\d)")
_BREAKS = re.compile(r" (?=--?[a-zA-Z]|\| |> )")
"""Where a command may be continued on the next line: before an option, a pipe or a file."""


def write_epilog(text: str, formatter: Any) -> None:
    """Write examples and exit codes as sections, aligned like those of the options."""
    examples, _, codes = text.replace("\b", "").partition(_CODES)
    commands = _CONTINUED.sub(" ", examples.strip().removeprefix("Examples:")).strip("\n")
    if commands:
        with formatter.section("Examples"):
            for command in commands.splitlines():
                for line in broken(command.strip(), formatter.width - formatter.current_indent):
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
    with formatter.section(_CODES.rstrip(": ")):
        formatter.write_dl(exit_codes(codes))


def exit_codes(text: str) -> list[tuple[str, str]]:
    """Return each exit code with its meaning."""
    codes = _NEXT_CODE.split(" ".join(text.split()).removesuffix("."))
    return [(code, meaning) for code, _, meaning in (each.partition(" ") for each in codes)]


def broken(command: str, width: int) -> list[str]:
    """Return a command on lines that a shell joins again, none wider unless one option is."""
    lines: list[str] = []
    line = ""
    for part in _BREAKS.split(command):
        joined = f"{line} {part}" if line else part
        if line.strip() and len(joined) + len(" \\") > width and len(command) > width:
            lines.append(f"{line} \\")
            line = f"    {part}"
        else:
            line = joined
    return [*lines, line]
