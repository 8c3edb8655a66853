"""Every place in a record that declared fields cut, found in one walk along all their paths.

Most paths share their first steps, and most names declared are absent from a record: so each object
is read once, and entered only where a path continues.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from nhi_evidence.reading.cut_commas import with_comma
from nhi_evidence.reading.cut_off import leading_end
from nhi_evidence.reading.cut_table import ALL, ANY, Field, Steps, is_named, query_values
from nhi_evidence.reading.json_places import Member, Span, Text, Together, members

UNREADABLE = "unreadable"
"""Rule for what is cut because it cannot be read."""

_SPACE = b" \t\r\n"
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Piece(msgspec.Struct, frozen=True, order=True):
    """A piece cut from a text: where it was, and by which rule."""

    start: int
    end: int
    rule: str


Cuts = Iterator[tuple[Field, Piece]]
"""Pieces, each with the field that cuts it."""


class Tree:
    """Declared fields by the next step of their paths."""

    def __init__(self, paths: Iterable[tuple[Field, Steps]]) -> None:
        """Take fields with the steps from this place; without any, the value itself is cut."""
        self.ends: list[Field] = []
        """Fields that cut the value here."""
        self.below: list[Field] = []
        """Fields that cut every text below."""
        after: dict[str, list[tuple[Field, Steps]]] = defaultdict(list)
        for field, steps in paths:
            if not steps:
                self.ends.append(field)
            elif steps[0][0] == ALL:
                self.below.append(field)
            else:
                after[steps[0][0]].append((field, steps))
        self.named: dict[str, Tree] = {}
        self.like: dict[str, Tree] = {}
        """By steps that any name matches, or each with a prefix."""
        self.inside: dict[bool, tuple[list[Field], Tree]] = {}
        """What is declared of JSON inside the text here, by whether that may be truncated."""
        for name, own in after.items():
            tree = Tree((field, steps[1:]) for field, steps in own if not steps[0][1])
            inner: dict[bool, list[tuple[Field, Steps]]] = defaultdict(list)
            for field, steps in own:
                if steps[0][1]:
                    inner[field.cut_off].append((field, steps[1:]))
            for cut_off, each in inner.items():
                tree.inside[cut_off] = ([field for field, _ in each], Tree(each))
            (self.like if name.endswith(ANY) else self.named)[name] = tree

    def pieces(self, data: bytes) -> Cuts:
        """Return what is cut from a JSON object; raises `ValueError`, or as msgspec does."""
        # Where it begins and ends; the text is known to be just one object.
        span = len(data) - len(data.lstrip(_SPACE)), len(data.rstrip(_SPACE))
        return self.within(data, span)

    def within(self, data: bytes, span: Span) -> Cuts:
        """Yield what is cut from the object or list at a span."""
        for field in self.below:
            yield from _texts(data, span, field)
        yield from self.of_members(data, span)

    def of_members(self, data: bytes, span: Span) -> Cuts:
        """Yield what is cut from the members that a path names."""
        for member, tree in self._entered(data, span):
            value = member.value, member.end
            for field in tree.ends:
                yield from _of_value(data, member.start, value, field)
            for field in tree.below:
                yield from _texts_of(data, member, field, member.name)
            for cut_off, (fields, inner) in tree.inside.items():
                yield from _inside(data, value, fields, inner, is_cut_off_known=cut_off)
            if tree.named or tree.like:
                yield from tree.of_members(data, value)

    def _entered(self, data: bytes, span: Span) -> Iterator[tuple[Member, Tree]]:
        """Yield each member that a path continues with, and what is declared of it."""
        together = None if self.like else Together.of(data, *span)
        if together is not None:
            for member in together.named(self.named):
                yield member, self.named[member.name or ""]
            return
        for member in members(data, *span):
            tree = self.named.get(member.name) if member.name is not None else None
            if tree is not None:
                yield member, tree
            for step, each in self.like.items():
                if is_named(member.name, step):
                    yield member, each


def _inside(
    data: bytes, span: Span, fields: list[Field], tree: Tree, *, is_cut_off_known: bool
) -> Cuts:
    """Yield what is cut from the JSON in a text: all of it if that is not an object."""
    start, end = span
    if data[start : start + 1] != b'"':
        yield from tree.within(data, span)
        return
    text = Text(data, start, end)
    inner, complete = _object_in(text.content)
    is_cut_off = complete < len(text.content)
    if inner is None or (is_cut_off and not is_cut_off_known):
        if text.content:
            for field in fields:
                yield field, Piece(start + 1, end - 1, UNREADABLE)
        return
    if is_cut_off:
        for field in fields:
            yield field, Piece(*text.place(complete, len(text.content)), UNREADABLE)
    for field, piece in tree.pieces(inner):
        yield field, Piece(*text.place(piece.start, piece.end), piece.rule)


def _object_in(content: bytes) -> tuple[bytes | None, int]:
    """Return the object in a text, and where the text was truncated, or ends.

    None if it contains no object.
    """
    try:
        _object(content)
        return content, len(content)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        end = leading_end(content)
    return (None, 0) if end is None else (content[:end] + b"}", end)


def _texts(data: bytes, span: Span, field: Field, name: str | None = None) -> Cuts:
    """Yield every text below a value that is not excepted; `name` is the nearest name above."""
    for member in members(data, *span):
        yield from _texts_of(data, member, field, member.name or name)


def _texts_of(data: bytes, member: Member, field: Field, nearest: str | None) -> Cuts:
    """Yield every text below a member, or the member's own; `nearest` is its name, or a list's."""
    value = member.value, member.end
    first = data[member.value : member.value + 1]
    if first in {b"{", b"["}:
        yield from _texts(data, value, field, nearest)
    elif first == b'"':
        if nearest not in field.names_except:
            yield from _of_value(data, member.start, value, field)
    elif field.numbers_except is not None and nearest not in field.numbers_except:
        yield from _of_value(data, member.start, value, field)


def _of_value(data: bytes, name_at: int, span: Span, field: Field) -> Cuts:
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
            yield field, Piece(*text.place(*inner), field.rule)
    elif first in {b'"', b"{", b"["}:
        inside = data[start + 1 : end - 1]
        if inside if first == b'"' else inside.strip(_SPACE):
            yield field, Piece(start + 1, end - 1, field.rule)
    elif data[start:end] not in {b"null", b"true", b"false"}:
        yield field, Piece(*with_comma(data, name_at, end), field.rule)
