"""Which source a document is from, by its attributes: shown, and never used for evidence.

Each pack says in its `marks.toml` what its records have and no other's. Of the marks that fit, one
with a text decides before one without, and one that is the name of an envelope, whose case matters,
last of all; then a pack's before a router's, then the one with more attributes. Where two sources
are still left, the source is unknown.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

from nhi_evidence import sources

MARKS = "marks.toml"
"""Table of a pack; it decides nothing that is written, so it is no part of the mapper digest."""


class _Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    of: str
    """The attribute."""
    has: str
    """What stands somewhere in its JSON."""


class _Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    attributes: frozenset[str]
    """All of them have to be there; in lower case, unless their case matters."""
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
    """Return the source a document, or one of its records, has the attributes of."""
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
    """Return the marks of all sources with their names; those that weigh the same are together."""
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
    """Read a pack's table, without importing its code; a pack that needs a name has none."""
    table = sources.declared(name, MARKS, _Table)
    return () if table is None else table.marks


def _file(name: str, file: str) -> Traversable:
    return files(sources).joinpath(name, file)
