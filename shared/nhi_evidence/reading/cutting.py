"""Taking declared fields out of a raw text, before anything of it is written.

Some logs carry what must never be locked: arguments of a command, a key, a prompt. Their source
declares the fields, in a table; here they are found at every place they stand at and cut. What is
cut is stated, never shown. Of a text that cannot be read nobody knows what it holds: all of it is
cut (docs/evidence-format.md, "Cuts").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from nhi_evidence.reading import cut_check
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
from nhi_evidence.reading.json_places import Member, Span, Text, members, value_end

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
"""Rule of what is cut since nobody can read it."""

REFUSED = "refused"
"""Rule of a record of a category that its source refuses."""


class Piece(msgspec.Struct, frozen=True, order=True):
    """What is taken out of a text: where it stood, and by which rule."""

    start: int
    end: int
    rule: str


class Kept(msgspec.Struct, frozen=True):
    """A text without what was cut."""

    text: bytes
    pieces: tuple[Piece, ...] = ()
    """In order, none within another."""
    refused: str | None = None
    """Category the record is of, where the source refuses it."""

    def offsets(self) -> Iterator[tuple[Piece, int]]:
        """Yield each piece with the place in the kept text it stood at."""
        gone = 0
        for piece in self.pieces:
            yield piece, piece.start - gone
            gone += piece.end - piece.start


class _Declared:
    """One field, ready to be looked for."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.steps = steps_of(field.path)
        self._marks = tuple(_marks(self.steps))
        self._is_query = field.query_except is not None

    def may_be_in(self, raw: bytes) -> bool:
        """Whether a text whose names are spelt plainly may hold the field."""
        for mark in self._marks:
            if mark not in raw:
                return False
        return not self._is_query or b"?" in raw or b"\\u" in raw


class Cutter:
    """Cuts what one table declares."""

    def __init__(self, table: CutTable) -> None:
        """Prepare the paths of the table."""
        self._fields = tuple(map(_Declared, table.fields))
        self._names = cut_check.Names(
            name
            for declared in self._fields
            for name, _ in declared.steps
            if not name.endswith(ANY)
        )
        self._refused = tuple(
            (category, tuple(_marks_of_all(category.when))) for category in table.refused
        )

    def cut(self, raw: bytes) -> Kept:
        """Return a record without what is declared.

        Of one that is no JSON object in UTF-8 everything is cut; of one of a refused category,
        too.
        """
        try:
            _object(raw)
            raw.decode()
            is_plain = _ESCAPED_NAME.search(raw) is None
            fields = [each for each in self._fields if not is_plain or each.may_be_in(raw)]
            refused = self._refusal(raw, is_plain=is_plain)
            if refused is not None:
                return Kept(b"", (Piece(0, len(raw), REFUSED),), refused)
            if not fields or (is_plain and not self._may_cut(raw, fields)):
                return Kept(raw)
            pieces = _pieces(raw, fields)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return everything(raw)
        return _without(raw, pieces) if pieces else Kept(raw)

    def _may_cut(self, raw: bytes, fields: list[_Declared]) -> bool:
        """Whether any field cuts something, as far as the decoded record tells."""
        record = msgspec.json.decode(raw)
        if not self._names.are_told(raw, record):
            return True
        return any(
            cut_check.cuts(record, each.field, each.steps, self._names)
            for each in fields
            if each.field.unless is None or not each.field.unless.holds(record)
        )

    def _refusal(self, raw: bytes, *, is_plain: bool) -> str | None:
        for category, marks in self._refused:
            if (not is_plain or all(mark in raw for mark in marks)) and category.holds(
                msgspec.json.decode(raw)
            ):
                return category.name
        return None


_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_ESCAPED_NAME = re.compile(rb'\\u[^"]*"[ \t\r\n]*:')
"""A name that may be spelt with escapes; a value that ends so is taken for one, to be sure."""


def _pieces(raw: bytes, fields: list[_Declared]) -> list[Piece]:
    document = _Document(raw)
    conditional = any(declared.field.unless for declared in fields)
    record = msgspec.json.decode(raw) if conditional else None
    span = document.span()
    return sorted(
        piece
        for declared in fields
        if declared.field.unless is None or not declared.field.unless.holds(record)
        for piece in _find(document, span, declared.field, declared.steps)
    )


def _marks(steps: Steps) -> Iterator[bytes]:
    """Yield what a text holds where it holds a path: its names, up to a text that may be JSON."""
    for name, is_text in steps:
        if not name.endswith(ANY):
            yield b'"%b"' % name.encode()
        if is_text:
            return


def _marks_of_all(conditions: tuple[Condition, ...]) -> Iterator[bytes]:
    for condition in conditions:
        if condition.present is not False:
            yield from _marks(steps_of(condition.path))


class _Document:
    """A text whose members are looked up once, however many fields are looked for in it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._known: dict[Span, tuple[Member, ...]] = {}
        self._inside: dict[Span, tuple[Text, _Document | None]] = {}

    def members(self, span: Span) -> tuple[Member, ...]:
        known = self._known.get(span)
        if known is None:
            known = self._known[span] = tuple(members(self.data, *span))
        return known

    def text(self, span: Span) -> tuple[Text, _Document | None]:
        """Return the text at a place, and the object it holds; None where it holds none."""
        known = self._inside.get(span)
        if known is None:
            text = Text(self.data, *span)
            try:
                _object(text.content)
                known = (text, _Document(text.content))
            except (msgspec.MsgspecError, RecursionError, ValueError):
                known = (text, None)
            self._inside[span] = known
        return known

    def span(self) -> Span:
        """Return where the object begins and ends."""
        first = len(self.data) - len(self.data.lstrip(b" \t\r\n"))
        return first, value_end(self.data, first)


def everything(raw: bytes) -> Kept:
    """Return nothing of a text that cannot be read."""
    return Kept(b"", (Piece(0, len(raw), UNREADABLE),) if raw else ())


def _find(document: _Document, span: Span, field: Field, steps: Steps) -> Iterator[Piece]:
    """Yield what a field's rule cuts of the value at `span`."""
    (name, is_text), rest = steps[0], steps[1:]
    if name == ALL:
        yield from _texts(document, span, field)
        return
    for member in document.members(span):
        if not is_named(member.name, name):
            continue
        if is_text:
            yield from _inside(document, (member.value, member.end), field, rest)
        elif rest:
            yield from _find(document, (member.value, member.end), field, rest)
        else:
            yield from _of_value(document.data, member.start, (member.value, member.end), field)


def _texts(
    document: _Document, span: Span, field: Field, name: str | None = None
) -> Iterator[Piece]:
    """Yield every text below a value that is not excepted; `name` is the nearest one above."""
    data = document.data
    for member in document.members(span):
        nearest = member.name or name
        if data[member.value : member.value + 1] != b'"':
            yield from _texts(document, (member.value, member.end), field, nearest)
        elif nearest not in field.names_except:
            yield from _of_value(data, member.start, (member.value, member.end), field)


def _inside(document: _Document, span: Span, field: Field, steps: Steps) -> Iterator[Piece]:
    """Yield what is cut of the JSON a text holds; all of a text that holds no object."""
    start, end = span
    if document.data[start : start + 1] != b'"':
        yield from _find(document, span, field, steps)
        return
    text, inner = document.text(span)
    if inner is None:
        if text.content:
            yield Piece(start + 1, end - 1, UNREADABLE)
        return
    for piece in _find(inner, inner.span(), field, steps):
        yield Piece(*text.place(piece.start, piece.end), piece.rule)


def _of_value(data: bytes, name_at: int, span: Span, field: Field) -> Iterator[Piece]:
    """Yield the cuts of one value: what is between quotes or brackets, or the member as a whole.

    So what is left is JSON. `null`, `true` and `false` are no secret.
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
        if end - start > len(b'""'):
            yield Piece(start + 1, end - 1, field.rule)
    elif data[start:end] not in {b"null", b"true", b"false"}:
        yield Piece(*_with_comma(data, name_at, end), field.rule)


def _with_comma(data: bytes, start: int, end: int) -> Span:
    """Take the comma after a member, or the one before the last, along with it."""
    after = end + len(data[end:]) - len(data[end:].lstrip(b" \t\r\n"))
    if data[after : after + 1] == b",":
        return start, after + 1
    before = data[:start].rstrip(b" \t\r\n")
    return (len(before) - 1, end) if before.endswith(b",") else (start, end)


def _without(raw: bytes, overlapping: list[Piece]) -> Kept:
    """Return a text without the pieces; of two that overlap the outer is taken."""
    pieces: list[Piece] = []
    for piece in overlapping:
        if pieces and piece.start < pieces[-1].end:
            last = pieces[-1]
            pieces[-1] = Piece(last.start, max(last.end, piece.end), last.rule)
        else:
            pieces.append(piece)
    kept = []
    at = 0
    for piece in pieces:
        kept.append(raw[at : piece.start])
        at = piece.end
    return Kept(b"".join((*kept, raw[at:])), tuple(pieces))
