"""Read a truncated JSON object: the members that are complete before the cut.

Log pipelines truncate records at a fixed size; padding an object beyond it must not hide who acted.
Nothing is completed: a member that the cut runs through is absent.
"""

from __future__ import annotations

import re

import msgspec

_SPACE = re.compile(rb"[ \t\r\n]*")
_INSIDE = rb'[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+'
_STRING = re.compile(rb'"%b"' % _INSIDE, re.DOTALL)
_LITERAL = re.compile(rb"(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=[ \t\r\n,}])")
_NESTING = re.compile(rb'[][{}]|"%b"?' % _INSIDE, re.DOTALL)


def leading_members(text: bytes) -> bytes | None:
    """Return an object of the members that are complete before the cut, as exact slices.

    None if the text is not a truncated object: not an object, complete, or malformed before its
    end.
    """
    spans = _complete(text)
    return None if spans is None else _object([text[start:end] for start, end in spans])


def leading_end(text: bytes) -> int | None:
    """Return the end of the last member that is complete before the cut, else of the bracket.

    None as for `leading_members`. What is before that, with a closing bracket added, is JSON.
    """
    spans = _complete(text)
    if spans is None:
        return None
    return spans[-1][1] if spans else _space(text, 0) + 1


def _complete(text: bytes) -> list[tuple[int, int]] | None:
    position = _space(text, 0)
    if text[position : position + 1] != b"{":
        return None
    position += 1
    members: list[tuple[int, int]] = []
    while True:
        start = _space(text, position)
        key = _STRING.match(text, start)
        if key is None:
            # Cut in or before a name; anything but the beginning of one is not JSON.
            is_cut = start == len(text) or text[start : start + 1] == b'"'
            return members if is_cut else None
        colon = _space(text, key.end())
        if colon == len(text):
            return members
        if text[colon : colon + 1] != b":":
            return None
        begin = _space(text, colon + 1)
        end = _end(text, begin)
        if end is None:
            return members
        if not _is_json(text[begin:end]):
            return None
        members.append((start, end))
        comma = _space(text, end)
        if comma == len(text):
            return members
        if text[comma : comma + 1] != b",":
            return None
        position = comma + 1


def _object(members: list[bytes]) -> bytes:
    return b"{" + b",".join(members) + b"}"


def _space(text: bytes, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _end(text: bytes, begin: int) -> int | None:
    """Return where a value ends; None if the text ends first."""
    first = text[begin : begin + 1]
    if first == b'"':
        string = _STRING.match(text, begin)
        return string.end() if string else None
    if first not in (b"{", b"["):
        literal = _LITERAL.match(text, begin)
        return literal.end() if literal else None
    depth = 0
    for token in _NESTING.finditer(text, begin):
        if token[0] in (b"{", b"["):
            depth += 1
        elif token[0] in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return token.end()
    return None


def _is_json(value: bytes) -> bool:
    try:
        msgspec.json.decode(value, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True
