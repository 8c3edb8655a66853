"""Detect the source of a document by its attributes: shown to the user, never used for evidence.

Each pack declares in `marks.toml` what only its own records have. Of the marks that match, one with
a text decides before one without, and one that is the name of an envelope, whose case matters, last
of all; then a pack's before a router's, then the one with more attributes. If two sources are
still left, the source is unknown.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

from nhi_evidence import sources

MARKS = "marks.toml"
"""Table of a pack; it decides no output, so it is not part of the mapper digest."""


class _Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    of: str
    """The attribute."""
    has: str
    """A text that occurs in the attribute's JSON."""


class _Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    attributes: frozenset[str]
    """All must be present; in lower case, unless their case matters."""
    is_exact: bool = False
    """Whether their case matters."""
    text: _Text | None = None

    def __post_init__(self) -> None:
        if self.text is not None and not (self.is_exact and self.text.of in self.attributes):
            raise ValueError("a text is of an attribute of its mark, in exact case")
        if not self.is_exact and any(name != name.lower() for name in self.attributes):
            raise ValueError("attributes are in lower case where is_exact is not set")


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    marks: tuple[_Mark, ...]


_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def source(document: bytes) -> str | None:
    """Return the source whose marks match a document or one of its records; None if unclear."""
    try:
        members = _object(document)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    exact = set(members)
    folded = {name.lower() for name in exact}
    for alike in _marks():
        names = {
            name
            for name, mark in alike
            if mark.attributes <= (exact if mark.is_exact else folded)
            and (mark.text is None or mark.text.has.encode() in bytes(members[mark.text.of]))
        }
        if names:
            return names.pop() if len(names) == 1 else None
    return None


@cache
def _marks() -> tuple[tuple[tuple[str, _Mark], ...], ...]:
    """Return the marks of all sources with their names, grouped by rank, the highest first."""
    ranked: dict[tuple[bool, bool, bool, int], list[tuple[str, _Mark]]] = {}
    for name in sources.names():
        is_pack = not _file(name, sources.ROUTES).is_file()
        for mark in _table(name):
            rank = (
                mark.text is not None,
                not mark.is_exact or mark.text is not None,
                is_pack,
                len(mark.attributes),
            )
            ranked.setdefault(rank, []).append((name, mark))
    return tuple(tuple(ranked[rank]) for rank in sorted(ranked, reverse=True))


def _table(name: str) -> tuple[_Mark, ...]:
    """Read a pack's table without importing its code; a pack that must be named has none."""
    table = sources.declared(name, MARKS, _Table)
    return () if table is None else table.marks


def _file(name: str, file: str) -> Traversable:
    return files(sources).joinpath(name, file)
