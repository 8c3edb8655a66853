"""Exact slices of JSON values: the elements of a list, in an envelope or bare; the lines of a file.

A slice is what was received, never re-serialized. A bad element affects no other: if the whole
does not parse, only strings and brackets are examined, and each slice is judged by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from nhi_evidence.event import Decoded, Limits, Undecodable

Span = tuple[int, int]

_SPACE = b" \t\r\n"
_WHITE = rb"[ \t\r\n]*"
_BETWEEN = re.compile(_WHITE + rb"," + _WHITE)
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{},]', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{},]")
_LINE = re.compile(rb"[^\r\n]+")

_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Envelope:
    """An object whose only attribute is a list or, without a name, a bare list."""

    def __init__(self, attribute: str | None = None) -> None:
        """Take the name of the attribute with the list; None for a bare list."""
        name = re.escape(f'"{attribute}"'.encode()) if attribute else b""
        before = rb"\{" + _WHITE + name + _WHITE + rb":" + _WHITE if attribute else b""
        after = _WHITE + rb"\}" if attribute else b""
        self._opening = re.compile(_WHITE + before + rb"\[" + _WHITE)
        self._closing = re.compile(_WHITE + rb"\]" + after + _WHITE)
        self._fields: Any = (
            msgspec.json.Decoder(
                msgspec.defstruct(
                    "_Document", [("held", list[msgspec.Raw])], rename={"held": attribute}
                )
            )
            if attribute
            else None
        )

    def elements(self, data: bytes) -> list[Span] | None:
        """Return the span of every element; None if `data` is not exactly this envelope."""
        if self._opening.match(data) is None:
            return None
        try:
            raws = self._fields.decode(data).held if self._fields else _list(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return self.scan(data)
        spans = self.locate(data, [memoryview(raw).nbytes for raw in raws])
        return None if isinstance(spans, int) else spans

    def opens(self, data: bytes) -> bool:
        """Whether `data` begins like this envelope."""
        return self._opening.match(data) is not None

    def locate(self, data: bytes, lengths: Sequence[int]) -> list[Span] | int:
        """Find the elements by their lengths, checking that only the envelope is around them.

        Returns the position of the first byte that is anything else, if there is one.
        """
        opening = self._opening.match(data)
        if opening is None:
            return 0
        spans = []
        position = opening.end()
        for index, length in enumerate(lengths):
            if index:
                between = _BETWEEN.match(data, position)
                if between is None:
                    return position
                position = between.end()
            spans.append((position, position + length))
            position += length
        return position if self._closing.fullmatch(data, position) is None else spans

    def scan(self, data: bytes) -> list[Span] | None:
        """Find the elements of a document that does not parse; None if it is not the envelope.

        Only strings and brackets are examined; whether a slice is JSON is for its reader to say.
        """
        opening = self._opening.match(data)
        if opening is None:
            return None
        spans: list[Span] = []
        depth = 0
        start = opening.end()
        for token in tokens(_TOKEN, data, start):
            mark = token[0]
            if mark in (b"{", b"["):
                depth += 1
            elif mark in (b"}", b"]"):
                depth -= 1
                if depth < 0:
                    if self._closing.fullmatch(data, token.start()) is None:
                        return None
                    last = trimmed(data, start, token.start())
                    return [*spans, last] if spans or last[0] < last[1] else []
            elif mark == b"," and depth == 0:
                spans.append(trimmed(data, start, token.start()))
                start = token.end()
        return None


def tokens(pattern: re.Pattern[bytes], data: bytes, start: int = 0) -> Iterator[re.Match[bytes]]:
    """Yield matches of `pattern`: strings, single quotes, brackets and perhaps commas.

    A single quote is a string that is not closed: what follows are the brackets and commas in it.
    No quote in it begins one that is closed, and to try each would take quadratic time.
    """
    for token in pattern.finditer(data, start):
        if token[0] == b'"':
            yield from _BRACKET.finditer(data, token.end())
            return
        yield token


def elements(data: bytes, envelopes: Sequence[Envelope]) -> list[Span] | None:
    """Return the elements of the first envelope that matches `data`; None if none does."""
    for envelope in envelopes:
        spans = envelope.elements(data)
        if spans is not None:
            return spans
    return None


def document(data: bytes, envelopes: Sequence[Envelope], limits: Limits) -> Decoded | Undecodable:
    """Return the records of a file: elements of an envelope, one object, or one value per line."""
    if len(data) > limits.inflated_bytes:
        return Undecodable("inflation_limit", f"holds more than {limits.inflated_bytes} bytes")
    if not data.strip(_SPACE):
        return Undecodable("empty_file", f"{len(data)} bytes, no content")
    spans = elements(data, envelopes)
    if spans is None:
        spans = [trimmed(data, 0, len(data))] if _is_json(data) else _lines(data)
    return bounded(data, spans, limits)


def bounded(
    data: bytes, spans: Sequence[Span], limits: Limits, *, are_json: bool = False
) -> Decoded | Undecodable:
    """Return the records, unless one exceeds the limit."""
    for index, (start, end) in enumerate(spans):
        if end - start > limits.record_bytes:
            return Undecodable(
                "record_limit",
                f"record {index} holds {end - start} bytes, more than {limits.record_bytes}",
            )
    return Decoded(data, tuple(spans), are_json=are_json)


def _lines(data: bytes) -> list[Span]:
    spans = (trimmed(data, one.start(), one.end()) for one in _LINE.finditer(data))
    return [(start, end) for start, end in spans if start < end]


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return True


def trimmed(data: bytes, start: int, end: int) -> Span:
    """Return a span without the white space around what is in it; of white space alone, its end."""
    piece = data[start:end].lstrip(_SPACE)
    return end - len(piece), end - len(piece) + len(piece.rstrip(_SPACE))
