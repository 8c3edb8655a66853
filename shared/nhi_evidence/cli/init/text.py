"""Writes a configuration file from answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

Value = str | int | bool | list[str] | None

_OPENING = """\
# Written by `nhi-evidence init`. nhi-evidence.example.toml describes all other settings.
"""


class Part(msgspec.Struct, frozen=True):
    """One table with its keys, in order; a key without a value is left out."""

    header: str
    """`[name]` or `[[name]]`; empty for the keys at the top."""
    keys: Mapping[str, Value]
    note: str = ""
    """A comment to write before it."""


def text(parts: list[Part]) -> str:
    """Return the file."""
    return _OPENING + "".join(f"\n{line}\n" for line in map(_part, parts) if line)


def _part(part: Part) -> str:
    return "\n".join(_lines(part))


def _lines(part: Part) -> Iterator[str]:
    if part.note:
        yield f"# {part.note}"
    if part.header:
        yield part.header
    for name, value in part.keys.items():
        if value is not None:
            # TOML's basic strings and lists are written like JSON's.
            yield f"{name} = {msgspec.json.format(msgspec.json.encode(value), indent=0).decode()}"
