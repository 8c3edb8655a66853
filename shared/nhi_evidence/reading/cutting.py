"""Removing declared fields from a raw text before any of it is written.

Some logs contain data that must never be locked: command arguments, keys, prompts. Their source
declares the fields in a table; here they are found wherever they occur and cut. Cuts are stated,
but their contents never shown. A text that cannot be read may contain anything, so all of it is cut
(docs/evidence-format.md, "Cuts").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec

from nhi_evidence.reading.cut_commas import earlier_starts, with_comma
from nhi_evidence.reading.cut_off import leading_end
from nhi_evidence.reading.cut_scan import Scan
from nhi_evidence.reading.cut_table import (
    ALL,
    ANY,
    Category,
    Condition,
    CutTable,
    Field,
    Steps,
    is_named,
    query_values,
    steps_of,
)
from nhi_evidence.reading.cut_unread import Words
from nhi_evidence.reading.json_places import Member, Span, Text, Together, members

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

UNREADABLE = "unreadable"
"""Rule for what is cut because it cannot be read."""

REFUSED = "refused"
"""Rule for a record of a category that its source refuses."""


class Piece(msgspec.Struct, frozen=True, order=True):
    """A piece cut from a text: where it was, and by which rule."""

    start: int
    end: int
    rule: str


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
        self._fields = [(field, steps_of(field.path)) for field in table.fields]
        self._refused = table.refused
        self._words = Words(table.unread_with)
        self._has_conditions = bool(table.refused) or any(each.unless for each in table.fields)

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
            record = _record(raw) if self._has_conditions else None
            for category in self._refused:
                if category.holds(record):
                    return Kept(b"", (Piece(0, len(raw), REFUSED),), category.name)
            pieces = _pieces(raw, record, self._fields)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return self.unread(raw)
        return _without(raw, pieces) if pieces else Kept(raw)

    def cut_all(self, raws: Sequence[bytes]) -> list[Kept]:
        """Return what `cut` returns for each of many records, all of them UTF-8."""
        certain = self._scan.certain_at_once(raws)
        if certain is None:
            return list(map(self.cut, raws))
        return [Kept(raw) if certain[at] else self._cut_of(raw) for at, raw in enumerate(raws)]

    def unread(self, raw: bytes) -> Kept:
        """Return what is kept of an unreadable text: all or nothing."""
        return everything(raw) if self.may_need_cuts(raw) else Kept(raw)

    def may_need_cuts(self, raw: bytes) -> bool:
        """Whether an unreadable text may contain what is declared."""
        return self._words.may_stand_in(raw)


def _pieces(raw: bytes, record: Any, fields: Sequence[tuple[Field, Steps]]) -> list[Piece]:
    document = _Document(raw)
    span = document.span()
    pieces: list[Piece] = []
    for field, steps in fields:
        if steps[0][0] != ALL and not document.named(span, steps[0][0]):
            continue
        own = list(_find(document, span, field, steps))
        # Conditions are only checked if there is something to cut: they may look into bad JSON.
        if own and (field.unless is None or not field.unless.holds(record)):
            pieces += own
    return sorted(pieces)


_SPACE = b" \t\r\n"
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_record = msgspec.json.Decoder(dict[str, Any]).decode


class _Document:
    """A text whose members are looked up once, however many fields are searched for in it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._known: dict[Span, dict[str | None, list[Member]]] = {}
        self._named: dict[tuple[Span, str], tuple[Member, ...]] = {}
        self._together: dict[Span, Together | None] = {}
        self._inside: dict[Span, tuple[Text, _Document | None, int]] = {}

    def members(self, span: Span) -> Iterator[Member]:
        """Yield the members of the object, or the elements of the list, at a span."""
        return chain.from_iterable(self._by_name(span).values())

    def named(self, span: Span, step: str) -> Sequence[Member]:
        """Return the members that a step matches; cached, as many paths share their first steps."""
        known = self._named.get((span, step))
        if known is None:
            known = self._named[span, step] = tuple(self._find(span, step))
        return known

    def _find(self, span: Span, step: str) -> Iterable[Member]:
        if step.endswith(ANY):
            by_name = self._by_name(span)
            return chain.from_iterable(own for name, own in by_name.items() if is_named(name, step))
        if span not in self._together:
            self._together[span] = Together.of(self.data, *span)
        together = self._together[span]
        # Most names searched for are absent, and need no positions of other members.
        return self._by_name(span).get(step, ()) if together is None else together.named(step)

    def _by_name(self, span: Span) -> dict[str | None, list[Member]]:
        known = self._known.get(span)
        if known is None:
            known = self._known[span] = defaultdict(list)
            for member in members(self.data, *span):
                known[member.name].append(member)
        return known

    def text(self, span: Span) -> tuple[Text, _Document | None, int]:
        """Return the text at a span, the object in it, and where that was truncated.

        None if it contains no object; the end of the text if the object is complete.
        """
        known = self._inside.get(span)
        if known is None:
            text = Text(self.data, *span)
            known = self._inside[span] = (text, *_object_in(text.content))
        return known

    def span(self) -> Span:
        """Return where the object begins and ends; the text is known to be just one object."""
        return len(self.data) - len(self.data.lstrip(_SPACE)), len(self.data.rstrip(_SPACE))


def _object_in(content: bytes) -> tuple[_Document | None, int]:
    try:
        _object(content)
        return _Document(content), len(content)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        end = leading_end(content)
    return (None, 0) if end is None else (_Document(content[:end] + b"}"), end)


def everything(raw: bytes) -> Kept:
    """Cut all of a text that cannot be read."""
    return Kept(b"", (Piece(0, len(raw), UNREADABLE),) if raw else ())


def _find(document: _Document, span: Span, field: Field, steps: Steps) -> Iterator[Piece]:
    """Yield what a field's rule cuts from the value at `span`."""
    (name, is_text), rest = steps[0], steps[1:]
    if name == ALL:
        yield from _texts(document, span, field)
        return
    for member in document.named(span, name):
        if is_text:
            yield from _inside(document, (member.value, member.end), field, rest)
        elif rest and rest[0][0] == ALL:
            yield from _texts_of(document, member, field, member.name)
        elif rest:
            yield from _find(document, (member.value, member.end), field, rest)
        else:
            yield from _of_value(document.data, member.start, (member.value, member.end), field)


def _texts(
    document: _Document, span: Span, field: Field, name: str | None = None
) -> Iterator[Piece]:
    """Yield every text below a value that is not excepted; `name` is the nearest name above."""
    for member in document.members(span):
        yield from _texts_of(document, member, field, member.name or name)


def _texts_of(
    document: _Document, member: Member, field: Field, nearest: str | None
) -> Iterator[Piece]:
    """Yield every text below a member, or the member's own; `nearest` is its name, or a list's."""
    data, value = document.data, (member.value, member.end)
    first = data[member.value : member.value + 1]
    if first in {b"{", b"["}:
        yield from _texts(document, value, field, nearest)
    elif first == b'"':
        if nearest not in field.names_except:
            yield from _of_value(data, member.start, value, field)
    elif field.numbers_except is not None and nearest not in field.numbers_except:
        yield from _of_value(data, member.start, value, field)


def _inside(document: _Document, span: Span, field: Field, steps: Steps) -> Iterator[Piece]:
    """Yield what is cut from the JSON in a text: all of it if that is not an object."""
    start, end = span
    if document.data[start : start + 1] != b'"':
        yield from _find(document, span, field, steps)
        return
    text, inner, complete = document.text(span)
    is_cut_off = complete < len(text.content)
    if inner is None or (is_cut_off and not field.cut_off):
        if text.content:
            yield Piece(start + 1, end - 1, UNREADABLE)
        return
    if is_cut_off:
        yield Piece(*text.place(complete, len(text.content)), UNREADABLE)
    for piece in _find(inner, inner.span(), field, steps):
        yield Piece(*text.place(piece.start, piece.end), piece.rule)


def _of_value(data: bytes, name_at: int, span: Span, field: Field) -> Iterator[Piece]:
    """Yield the cuts of one value: what is between quotes or brackets, or the member as a whole.

    That way the rest is still JSON. `null`, `true` and `false` are not secret.
    """
    start, end = span
    first = data[start : start + 1]
    begins = field.unless_begins
    if begins is not None and data.startswith(b'"' + begins.encode(), start, end):
        return
    if first == b'"' and field.query_except is not None:
        text = Text(data, start, end)
        for inner in query_values(text.content, field.query_except):
            yield Piece(*text.place(*inner), field.rule)
    elif first in {b'"', b"{", b"["}:
        inside = data[start + 1 : end - 1]
        if inside if first == b'"' else inside.strip(_SPACE):
            yield Piece(start + 1, end - 1, field.rule)
    elif data[start:end] not in {b"null", b"true", b"false"}:
        yield Piece(*with_comma(data, name_at, end), field.rule)


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
