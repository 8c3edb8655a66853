"""Removing declared fields from a raw text before any of it is written.

Some logs contain data that must never be locked: command arguments, keys, prompts. Their source
declares the fields in a table; here they are found wherever they occur and cut. Cuts are stated,
but their contents never shown. A text that cannot be read may contain anything, so all of it is cut
(docs/evidence-format.md, "Cuts").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from nhi_evidence.reading.cut_commas import earlier_starts
from nhi_evidence.reading.cut_scan import Scan
from nhi_evidence.reading.cut_table import Category, Condition, CutTable, Field, steps_of
from nhi_evidence.reading.cut_tree import UNREADABLE, Piece, Tree
from nhi_evidence.reading.cut_unread import Words

__all__ = [
    "REFUSED",
    "UNREADABLE",
    "Category",
    "Condition",
    "CutTable",
    "Cutter",
    "Field",
    "Kept",
    "Piece",
    "everything",
]

REFUSED = "refused"
"""Rule for a record of a category that its source refuses."""


class Kept(msgspec.Struct, frozen=True, gc=False):
    """A text without what was cut."""

    text: bytes
    pieces: tuple[Piece, ...] = ()
    """In order and disjoint."""
    refused: str | None = None
    """The record's category, if the source refuses it."""

    def offsets(self) -> Iterator[tuple[Piece, int]]:
        """Yield each piece with its position in the kept text."""
        gone = 0
        for piece in self.pieces:
            yield piece, piece.start - gone
            gone += piece.end - piece.start


class Cutter:
    """Cuts what one table declares."""

    def __init__(self, table: CutTable) -> None:
        """Prepare the paths of the table."""
        self._scan = Scan.of(table.fields, table.refused)
        self._tree = Tree((field, steps_of(field.path)) for field in table.fields)
        self._refused = table.refused
        self._words = Words(table.unread_with)

    def cut(self, raw: bytes) -> Kept:
        """Return a record without what is declared.

        Everything is cut from a record of a refused category. Anything but a JSON object in UTF-8
        is treated as `unread`.
        """
        try:
            raw.decode()
            if self._scan.is_certain(raw):
                return Kept(raw)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return self.unread(raw)
        return self._cut_of(raw)

    def _cut_of(self, raw: bytes) -> Kept:
        """Return what is left of a JSON object in UTF-8 that may hold what is declared."""
        try:
            if self._refused:
                record = _record(raw)
                for category in self._refused:
                    if category.holds(record):
                        return Kept(b"", (Piece(0, len(raw), REFUSED),), category.name)
            pieces = _pieces(raw, self._tree)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return self.unread(raw)
        return _without(raw, pieces) if pieces else Kept(raw)

    def cut_all(self, raws: Sequence[bytes], *, are_json: bool = False) -> list[Kept]:
        """Return what `cut` returns for each of many records, all of them UTF-8.

        `are_json` if each is known to be one JSON value: it is not decoded again to find that out.
        """
        doubtful = self._scan.doubtful(raws, are_json=are_json)
        if doubtful is None:
            return list(map(self.cut, raws))
        kept = list(map(Kept, raws))
        for at in doubtful:
            kept[at] = self._cut_of(raws[at])
        return kept

    def unread(self, raw: bytes) -> Kept:
        """Return what is kept of an unreadable text: all or nothing."""
        return everything(raw) if self.may_need_cuts(raw) else Kept(raw)

    def may_need_cuts(self, raw: bytes) -> bool:
        """Whether an unreadable text may contain what is declared."""
        return self._words.may_stand_in(raw)


def _pieces(raw: bytes, tree: Tree) -> list[Piece]:
    pieces: list[Piece] = []
    excepted: dict[Condition, bool] = {}
    for field, piece in tree.pieces(raw):
        # Conditions are only checked if there is something to cut: they may look into bad JSON.
        if field.unless is not None:
            if field.unless not in excepted:
                excepted[field.unless] = field.unless.holds(_record(raw))
            if excepted[field.unless]:
                continue
        pieces.append(piece)
    return sorted(pieces)


_record = msgspec.json.Decoder(dict[str, Any]).decode


def everything(raw: bytes) -> Kept:
    """Cut all of a text that cannot be read."""
    return Kept(b"", (Piece(0, len(raw), UNREADABLE),) if raw else ())


def _without(raw: bytes, overlapping: list[Piece]) -> Kept:
    """Return a text without the pieces; overlapping ones are merged, under the first's rule."""
    pieces: list[Piece] = []
    for piece in overlapping:
        if pieces and piece.start < pieces[-1].end:
            last = pieces[-1]
            pieces[-1] = Piece(last.start, max(last.end, piece.end), last.rule)
        else:
            pieces.append(piece)
    for at, start in earlier_starts(raw, [(piece.start, piece.end) for piece in pieces]):
        pieces[at] = msgspec.structs.replace(pieces[at], start=start)
    kept = []
    at = 0
    for piece in pieces:
        kept.append(raw[at : piece.start])
        at = piece.end
    return Kept(b"".join((*kept, raw[at:])), tuple(pieces))
