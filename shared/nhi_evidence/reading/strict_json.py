"""JSON as exact slices: the members of an object, the elements of a list, the text of a string.

The three checkers of a proof read JSON by exactly these rules (docs/verification.md, "What the
checkers read"), so that they never disagree about a text: only strings and brackets are examined,
names are never duplicated, and a value that matters has one canonical form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPACE = re.compile(rb"[ \t\r\n]*")
_NAME = re.compile(rb'"([^"\\]*)"')
_INSIDE = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'  # possessive: no place of a long text is remembered
_STRING = re.compile(rb'"%b"' % _INSIDE, re.DOTALL)
_BARE = re.compile(rb"[0-9A-Za-z.+-]+")
_MARK = re.compile(rb'"%b"|["\[\]{}]' % _INSIDE, re.DOTALL)
_TEXT = re.compile(rb'"((?:[^"\\\x00-\x1f]++|\\["\\bfnrt]|\\u00(?:0[1-9a-f]|1[0-9a-f]))*+)"')
_FOREIGN = re.compile(
    rb'"((?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u00(?:0[1-9a-f]|[1-7][0-9a-f]))*+)"'
)
_ESCAPE = re.compile(rb"\\(?:u00([0-7][0-9a-f])|(.))", re.DOTALL)
_PIECES = re.compile(rb"(?:[^\\]++|\\.){1,4096}+", re.DOTALL)
_ESCAPED = re.compile(rb'["\\\x00-\x1f]')
_BY_LETTER = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_LETTERS = {text: letter for letter, text in _BY_LETTER.items()}

MAX_ELEMENTS = 1_000_000
"""The most elements in a list; a delivered file in a proof has fewer records."""


class JsonError(ValueError):
    """Bytes are not the JSON they should be: says what was expected, and where."""


def members(data: bytes, *, spaces: bool = False) -> dict[bytes, bytes]:
    """Return the members of an object by name, each value as its exact slice.

    `spaces` allows white space between tokens. Raises `JsonError`, also for a duplicate name.
    """
    slices: dict[bytes, bytes] = {}
    for name, value in _items(data, b"{", b"}", spaces=spaces):
        if name in slices:
            raise JsonError(f"{name[:80]!r} occurs twice")
        slices[name] = value
    return slices


def elements(data: bytes, *, spaces: bool = False) -> list[bytes]:
    """Return the elements of a list as exact slices. Raises `JsonError` if it is not one."""
    return [value for _, value in _items(data, b"[", b"]", spaces=spaces)]


def text(value: bytes, *, foreign: bool = False) -> bytes:
    """Return the bytes that a string in canonical form stands for.

    `foreign` allows unnecessary escapes of ASCII, as other writers use. Raises `JsonError` for any
    other form, and for anything but a string.
    """
    string = (_FOREIGN if foreign else _TEXT).fullmatch(value)
    if string is None:
        raise JsonError(f"not a string in canonical form: {value[:80]!r}")
    return b"".join(_ESCAPE.sub(_unescape, piece) for piece in _PIECES.findall(string[1]))


def quoted(content: bytes) -> bytes:
    """Return the canonical form of the string that stands for these bytes."""
    return b'"' + _ESCAPED.sub(_escape, content) + b'"'


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return bytes.fromhex(match[1].decode())
    return _BY_LETTER.get(match[2], match[2])


def _escape(match: re.Match[bytes]) -> bytes:
    char = match[0]
    if char in b'"\\':
        return b"\\" + char
    letter = _LETTERS.get(char)
    return b"\\u%04x" % char[0] if letter is None else b"\\" + letter


def _items(
    data: bytes, opening: bytes, closing: bytes, *, spaces: bool
) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and value of each item between two brackets that make up all of `data`.

    The items of a list have an empty name.
    """
    at = _expect(data, opening, _skip(data, 0, spaces=spaces), spaces=spaces)
    if data[at : at + 1] != closing:
        for _ in range(MAX_ELEMENTS):
            name = b""
            if opening == b"{":
                name, at = _name(data, at, spaces=spaces)
            end = _value(data, at)
            yield name, data[at:end]
            at = _skip(data, end, spaces=spaces)
            if data[at : at + 1] != b",":
                break
            at = _skip(data, at + 1, spaces=spaces)
    if _expect(data, closing, at, spaces=spaces) != len(data):
        raise JsonError(f"byte {at + 1}: trailing data")


def _name(data: bytes, at: int, *, spaces: bool) -> tuple[bytes, int]:
    """Return the name of the member that begins at `at`, and where its value begins."""
    name = _NAME.match(data, at)
    if name is None:
        raise JsonError(f"byte {at}: not the name of a member")
    return name[1], _expect(data, b":", _skip(data, name.end(), spaces=spaces), spaces=spaces)


def _expect(data: bytes, mark: bytes, at: int, *, spaces: bool) -> int:
    if data[at : at + 1] != mark:
        raise JsonError(f"byte {at}: not {mark.decode()}")
    return _skip(data, at + 1, spaces=spaces)


def _value(data: bytes, at: int) -> int:
    """Return where the value that begins at `at` ends."""
    first = data[at : at + 1]
    if first in {b"{", b"["}:
        return _bracketed(data, at)
    match = (_STRING if first == b'"' else _BARE).match(data, at)
    if match is None:
        raise JsonError(f"byte {at}: not a value")
    return match.end()


def _bracketed(data: bytes, at: int) -> int:
    depth = 0
    for mark in _MARK.finditer(data, at):
        if mark[0] in {b"{", b"["}:
            depth += 1
        elif mark[0] in {b"}", b"]"}:
            depth -= 1
            if depth == 0:
                return mark.end()
        elif mark[0] == b'"':
            break
    raise JsonError(f"byte {at}: a bracket that is not closed")


def _skip(data: bytes, at: int, *, spaces: bool) -> int:
    if not spaces:
        return at
    match = _SPACE.match(data, at)
    return at if match is None else match.end()
