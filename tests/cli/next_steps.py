"""Commands that a program prints for somebody to run next: each must be one that there is.

Collected from whatever tests have it print, so a new hint is looked at without being listed.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import typer

from nhi_evidence.cli.commands import COMMANDS, find

MAKEFILE = Path(__file__).parents[2] / "Makefile"
_OURS = re.compile(r"nhi-evidence ((?:(?!nhi-evidence )[^\n`])*)")
_MAKE = re.compile(r"(?:`|\$ |: |, |; |(?:run|say|then|first|or) )make ([a-z][a-z0-9-]*)")
_OPTION = re.compile(r"(?:^| )(--?[a-zA-Z][\w-]*)(?=[ =,;:.)'\"]|$)")
_PROSE = {"a", "it", "sure", "the", "them"}
"""Words after `make` that are no targets."""
_NAMED = {"of", "with"}
"""Words after what bears the program's name, such as a sink, or after the package's."""


def unknown(text: str) -> list[str]:
    """Return the commands, options and targets a text names and that do not exist."""
    return [*_unknown_commands(text), *_unknown_targets(text)]


def _unknown_commands(text: str) -> Iterator[str]:
    for line in _OURS.findall(text):
        words = re.findall(r"[a-z][a-z-]*|\S+", line)
        if not words or not re.fullmatch(r"[a-z][a-z-]*", line.split(" ")[0].rstrip(",.;:)'\"")):
            continue  # an option of the program, or its version
        name = next(
            (two for two in (" ".join(words[:2]), words[0]) if find(two) is not None), words[0]
        )
        row = find(name)
        if row is None and name in _NAMED:
            continue
        if row is None:
            yield f"nhi-evidence {name}"
        elif not row.is_group:
            known = options(name)
            yield from (
                f"nhi-evidence {name} {option}"
                for option in _OPTION.findall(line)
                if option not in known
            )


@cache
def options(name: str) -> frozenset[str]:
    """Return the options of a command, as typed."""
    (row,) = (each for each in COMMANDS if each.name == name)
    app = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})
    app.command()(importlib.import_module(row.module).command)
    parameters = typer.main.get_command(app).params
    flags = {word for each in parameters for word in (*each.opts, *each.secondary_opts)}
    return frozenset({*flags, "-h", "--help", "--debug"})


@cache
def _targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z0-9-]+):", MAKEFILE.read_text(encoding="utf-8"), re.M))


def _unknown_targets(text: str) -> Iterator[str]:
    for target in _MAKE.findall(text):
        if target not in _targets() and target not in _PROSE:
            yield f"make {target}"
