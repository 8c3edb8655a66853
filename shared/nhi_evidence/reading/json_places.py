"""Find where the values of a JSON document are in its bytes, including under duplicate names.

To remove a value from a text, one has to find every place where it is, however its name or string
is spelled. The document is assumed to be valid JSON: the caller has parsed it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

Span = tuple[int, int]

_NAME = re.compile(
    rb'[ \t\r\n]*("[^"\\]*(?:\\.[^"\\]*)*")[ \t\r\n]*:[ \t\r\n]*'
    rb'("[^"\\]*(?:\\.[^"\\]*)*"|[^ \t\r\n,\]}{\["]+)?',
    re.DOTALL,
)
"""A name, and its value if that is neither an object nor a list."""
_NEXT = re.compile(rb"[ \t\r\n]*,?[ \t\r\n]*")
_INSIDE = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
_STRING = re.compile(rb'"%b"' % _INSIDE, re.DOTALL)
_BARE = re.compile(rb"[^ \t\r\n,\]}]+")
_MARK = re.compile(rb'"%b"|[\[\]{}]' % _INSIDE, re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|.)", re.DOTALL)
_SHORT_ESCAPE = len(rb"\n")
"""The length of an escape that stands for one ASCII character."""


class Member(NamedTuple):
    """One member of an object, or one element of a list."""

    name: str | None
    """None for an element."""
    start: int
    """Where the name begins."""
    value: int
    """Where the value begins."""
    end: int
    """Where the value ends."""


def members(data: bytes, start: int, end: int) -> Iterator[Member]:
    """Yield the members of the object, or the elements of the list, at `data[start:end]`.

    None for any other value. Raises `ValueError` if the bytes are not JSON.
    """
    opening = data[start : start + 1]
    if opening not in {b"{", b"["}:
        return
    is_object = opening == b"{"
    together = Together.of(data, start, end) if is_object else None
    if together is not None:
        yield from together.members()
        return
    at = _after(data, start + 1)
    while at < end - 1:
        if not is_object:
            after = value_end(data, at)
            yield Member(None, at, at, after)
            at = _after(data, after)
            continue
        match = _NAME.match(data, at)
        if match is None:
            raise ValueError(f"byte {at}: not the name of a member")
        spelt = match[1]
        name = spelt[1:-1].decode() if b"\\" not in spelt else msgspec.json.decode(spelt)
        value, after = match.span(2)
        if value < 0:
            value = match.end()
            after = value_end(data, value)
        yield Member(name, match.start(1), value, after)
        at = _after(data, after)


_slices = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_BESIDE = len(b'"":,')
"""How many bytes a member has besides its name and value, without white space."""


class Together(NamedTuple):
    """The members of an object that contains nothing else, decoded in one call."""

    start: int
    lengths: dict[str, int]
    """Each name, in order, to the length of its value."""

    @classmethod
    def of(cls, data: bytes, start: int, end: int) -> Together | None:
        """Read the object at `data[start:end]`.

        None if a name occurs twice, has an escape or is not ASCII, if there is any white space
        between members, and if it is not an object.
        """
        try:
            slices = _slices(data[start:end])
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return None
        lengths = {name: len(bytes(value)) for name, value in slices.items()}
        beside = len(lengths) * _BESIDE + 1
        if end - start != len("".join(lengths)) + sum(lengths.values()) + beside:
            return None
        return cls(start, lengths)

    def members(self) -> Iterator[Member]:
        """Yield all members."""
        at = self.start + 1
        for name, length in self.lengths.items():
            value_at = at + len(name) + len(b'"":')
            yield Member(name, at, value_at, value_at + length)
            at = value_at + length + len(b",")

    def named(self, names: Mapping[str, object]) -> Iterator[Member]:
        """Yield the members of these names."""
        if names.keys().isdisjoint(self.lengths):
            return
        at = self.start + 1
        for name, length in self.lengths.items():
            value_at = at + len(name) + len(b'"":')
            if name in names:
                yield Member(name, at, value_at, value_at + length)
            at = value_at + length + len(b",")


def value_end(data: bytes, at: int) -> int:
    """Return where the value that begins at `at` ends. Raises `ValueError` if there is none."""
    first = data[at : at + 1]
    if first in {b"{", b"["}:
        depth = 0
        for mark in _MARK.finditer(data, at):
            token = mark[0]
            if token in {b"{", b"["}:
                depth += 1
            elif token in {b"}", b"]"}:
                depth -= 1
                if depth == 0:
                    return mark.end()
        raise ValueError(f"byte {at}: a bracket that is not closed")
    match = (_STRING if first == b'"' else _BARE).match(data, at)
    if match is None:
        raise ValueError(f"byte {at}: not a value")
    return match.end()


class Text:
    """The text of a string literal, and where each of its bytes is in the document."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        """Read the literal at `data[start:end]`. Raises `ValueError` if it is not a text."""
        literal = data[start:end]
        try:
            self.content: bytes = msgspec.json.decode(literal, type=str).encode()
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise ValueError(f"byte {start}: {error}") from error
        self._literal = literal
        self._start = start
        self._from: list[int] = []
        self._to: list[int] = []

    def place(self, start: int, end: int) -> Span:
        """Return where the bytes `content[start:end]` are in the document."""
        if not self._from:
            self._align()
        return self._outer(start), self._outer(end)

    def _outer(self, position: int) -> int:
        index = bisect_right(self._from, position) - 1
        return self._to[index] + position - self._from[index]

    def _align(self) -> None:
        """Record the offsets at which text and literal diverge: after every escape."""
        inner, outer, last = 0, self._start + 1, 1
        self._from.append(inner)
        self._to.append(outer)
        for escape in _ESCAPE.finditer(self._literal, 1):
            between = escape.start() - last
            inner += between
            outer += between
            # An escape is indivisible: the bytes it stands for have no places of their own in it.
            self._from.append(inner)
            self._to.append(outer)
            spelt = escape[0]
            is_one_byte = len(spelt) == _SHORT_ESCAPE
            inner += 1 if is_one_byte else len(msgspec.json.decode(b'"' + spelt + b'"').encode())
            outer += len(spelt)
            self._from.append(inner)
            self._to.append(outer)
            last = escape.end()


def _after(data: bytes, at: int) -> int:
    """Return where the next member begins: past white space and a comma in it."""
    match = _NEXT.match(data, at)
    return at if match is None else match.end()
