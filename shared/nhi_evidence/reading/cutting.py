"""Taking declared fields out of a raw text, before anything of it is written.

Some logs carry what must never be locked: arguments of a command, a key, a prompt. Their source
declares the fields, in a table; here they are found at every place they stand at and cut. What is
cut is stated, never shown. Of a text that cannot be read nobody knows what it holds: all of it is
cut (docs/evidence-format.md, "Cuts").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from nhi_evidence.reading.json_places import Span, Text, members, value_end

UNREADABLE = "unreadable"
"""Rule of what is cut since nobody can read it."""

REFUSED = "refused"
"""Rule of a record of a category that its source refuses."""

_STEP = re.compile(r"([^.>]+)([.>]?)")
_SEPARATOR = re.compile(rb"[&;#]")
_ANY, _ALL = "*", "**"


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value of the record, and which it has to be."""

    path: str
    any_of: tuple[str, ...] = msgspec.field(name="in", default=())
    starts_with: str | None = None
    present: bool | None = None
    """Where given, that the value is there, whatever it is, or is not."""

    def holds(self, record: Any) -> bool:
        """Whether the record has such a value; one that is no text is none of a list."""
        value = _at(record, self.path)
        if self.present is not None:
            return (value is not None) is self.present
        if not isinstance(value, str):
            return False
        return value in self.any_of or (
            self.starts_with is not None and value.startswith(self.starts_with)
        )


def _at(record: Any, path: str) -> Any:
    """Return the value at a path, in JSON inside a text, too; None without any.

    Raises what the JSON reader raises where such a text is no JSON.
    """
    value = record
    for step in _STEP.finditer(path):
        value = value.get(step[1]) if isinstance(value, dict) else None
        if step[2] == ">" and isinstance(value, str):
            value = msgspec.json.decode(value)
    return value


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A declared field: the rule's name, its path, and why it may not be locked."""

    rule: str
    path: str
    """Names with a dot between; `*` is any member or element, `name*` each whose name begins so,
    `**` as the last step every text below; `>` enters JSON inside a text."""
    why: str
    query_except: tuple[str, ...] | None = None
    """Where given, the field is a URI: the values of its query are cut, but for these names."""
    unless: Condition | None = None
    """Where it holds, nothing is cut."""
    unless_begins: str | None = None
    """A text that begins so is not cut: what the log itself has hashed."""
    names_except: tuple[str, ...] = ()
    """Of every text below: those under these names are not cut."""


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Records that are not kept at all, only counted."""

    name: str
    when: tuple[Condition, ...]
    """All of them hold."""
    why: str

    def holds(self, record: Any) -> bool:
        """Whether a record is of the category."""
        return all(condition.holds(record) for condition in self.when)


class CutTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a source declares."""

    version: int
    fields: tuple[Field, ...] = ()
    refused: tuple[Category, ...] = ()


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


_Steps = tuple[tuple[str, bool], ...]
"""Name of each step, and whether its value is JSON inside a text."""


class Cutter:
    """Cuts what one table declares."""

    def __init__(self, table: CutTable) -> None:
        """Prepare the paths of the table."""
        self._fields = [(field, _steps(field.path)) for field in table.fields]
        self._refused = table.refused
        conditional = any(field.unless for field in table.fields)
        self._asks = bool(table.refused) or conditional

    def cut(self, raw: bytes) -> Kept:
        """Return a record without what is declared.

        Of one that is no JSON object in UTF-8 everything is cut; of one of a refused category,
        too.
        """
        try:
            record = msgspec.json.decode(raw, type=dict if self._asks else dict[str, msgspec.Raw])
            raw.decode()
            refused = next((one.name for one in self._refused if one.holds(record)), None)
            if refused is not None:
                return Kept(b"", (Piece(0, len(raw), REFUSED),), refused)
            start = len(raw) - len(raw.lstrip(b" \t\r\n"))
            pieces = sorted(
                piece
                for field, steps in self._fields
                if field.unless is None or not field.unless.holds(record)
                for piece in _find(raw, (start, value_end(raw, start)), field, steps)
            )
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return everything(raw)
        return _without(raw, pieces) if pieces else Kept(raw)


def everything(raw: bytes) -> Kept:
    """Return nothing of a text that cannot be read."""
    return Kept(b"", (Piece(0, len(raw), UNREADABLE),) if raw else ())


def _steps(path: str) -> _Steps:
    return tuple((match[1], match[2] == ">") for match in _STEP.finditer(path))


def _find(data: bytes, span: Span, field: Field, steps: _Steps) -> Iterator[Piece]:
    """Yield what a field's rule cuts of the value at `span`."""
    (name, is_text), rest = steps[0], steps[1:]
    if name == _ALL:
        yield from _texts(data, span, field)
        return
    for member in members(data, *span):
        if not _is_named(member.name, name):
            continue
        if is_text:
            yield from _inside(data, member.value, member.end, field, rest)
        elif rest:
            yield from _find(data, (member.value, member.end), field, rest)
        else:
            yield from _of_value(data, member.start, (member.value, member.end), field)


def _is_named(name: str | None, step: str) -> bool:
    return step == _ANY or (
        name is not None and (name == step or (step.endswith(_ANY) and name.startswith(step[:-1])))
    )


def _texts(data: bytes, span: Span, field: Field, name: str | None = None) -> Iterator[Piece]:
    """Yield every text below a value that is not excepted; `name` is the nearest one above."""
    for member in members(data, *span):
        nearest = member.name or name
        if data[member.value : member.value + 1] != b'"':
            yield from _texts(data, (member.value, member.end), field, nearest)
        elif nearest not in field.names_except:
            yield from _of_value(data, member.start, (member.value, member.end), field)


def _inside(data: bytes, start: int, end: int, field: Field, steps: _Steps) -> Iterator[Piece]:
    """Yield what is cut of the JSON a text holds; all of a text that holds no object."""
    if data[start : start + 1] != b'"':
        yield from _find(data, (start, end), field, steps)
        return
    text = Text(data, start, end)
    inner = text.content
    try:
        msgspec.json.decode(inner, type=dict[str, msgspec.Raw])
        first = len(inner) - len(inner.lstrip(b" \t\r\n"))
        nested = list(_find(inner, (first, value_end(inner, first)), field, steps))
    except (msgspec.MsgspecError, RecursionError, ValueError):
        nested = []
        if len(inner):
            yield Piece(start + 1, end - 1, UNREADABLE)
    for piece in nested:
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
        for inner in _query_values(text.content, field.query_except):
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


def _query_values(uri: bytes, known: tuple[str, ...]) -> Iterator[Span]:
    """Yield the values of a URI's query whose names are not `known`; a bare word is one."""
    at = uri.find(b"?") + 1
    while 0 < at <= len(uri):
        stop = _SEPARATOR.search(uri, at)
        end = stop.start() if stop else len(uri)
        name, equals, _ = uri[at:end].partition(b"=")
        if unquote_to_bytes(name).decode(errors="replace") not in known:
            start = at + len(name) + len(equals) if equals else at
            if start < end:
                yield start, end
        at = end + 1


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
