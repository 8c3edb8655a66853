"""The end of a help text: examples that fit the terminal, and a line for each exit code."""

from __future__ import annotations

import re
from typing import Any

from nhi_evidence.terminal import fitting

_CONTINUED = re.compile(r"(?: *\\|(?<=\|))\n\s*")
_CODES = "Exit codes: "
_NEXT_CODE = re.compile(r";\s+(?=\d)")


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
