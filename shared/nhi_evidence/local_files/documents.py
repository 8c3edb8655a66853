"""Split a text into JSON documents, as a stream: one per line, indented, or concatenated.

Only one document is kept in memory. A broken line does not affect others and is yielded unchanged:
the mapper says what is wrong with it.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import cast

import msgspec

from nhi_evidence.local_files.unreadable import Unreadable
from nhi_evidence.reading import json_slices

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}"]')
_SEPARATORS = b" \t\r\n,\x1e"
"""Between values: white space, a leftover comma, RFC 7464's record separator."""

_HOLE = b"\x00"
"""Where a log was truncated while it was written to, NUL bytes precede the next record."""


class Document(msgspec.Struct, frozen=True):
    """One JSON value, or a line that is not one."""

    line: int
    """Number of its first line, from 1."""
    data: bytes
    is_json: bool = True
    problem: Unreadable | None = None
    """Why it was not read at all."""


class _Utf8(io.RawIOBase):
    """Transcodes a text to UTF-8. Raises `UnicodeDecodeError` if it is not in the encoding."""

    def __init__(self, inner: io.BufferedReader, encoding: str) -> None:
        self._inner = inner
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        while not self._rest:
            data = self._inner.read1(1 << 16)
            self._rest = self._decoder.decode(data, final=not data).encode()
            if not data and not self._rest:
                return 0
        size = min(len(view), len(self._rest))
        view[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def as_utf8(stream: io.BufferedReader) -> io.BufferedReader:
    """Return a text as UTF-8 without a byte order mark: PowerShell's `>` writes UTF-16."""
    head = stream.peek(4)[:4]
    if head.startswith(_UTF8_MARK):
        stream.read(len(_UTF8_MARK))
    encoding = _UTF16.get(head[:2])
    if encoding is not None:
        stream.read(2)
    elif len(head) == 4 and head[1] == head[3] == 0 != head[0]:  # noqa: PLR2004 two units
        encoding = "utf-16-le"
    elif len(head) == 4 and head[0] == head[2] == 0 != head[1]:  # noqa: PLR2004 two units
        encoding = "utf-16-be"
    return stream if encoding is None else io.BufferedReader(_Utf8(stream, encoding), 1 << 16)


def split(stream: io.BufferedReader, limit: int) -> Iterator[Document]:
    """Yield every document of a UTF-8 text; `limit` is the most bytes in one."""
    return _Splitter(limit).documents(stream)


class _Splitter:
    """Collects the lines of an incomplete value, and tracks its nesting depth."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines: list[tuple[int, bytes]] = []
        self._size = self._depth = 0
        self._saw_line = False
        """Whether any line was a complete value."""

    def documents(self, stream: io.BufferedReader) -> Iterator[Document]:
        number = 0
        while line := stream.readline(self._limit + 1):
            number += 1
            if len(line) > self._limit:
                yield from self._incomplete()
                while line and not line.endswith(b"\n"):
                    line = stream.readline(self._limit)
                yield Document(number, b"", is_json=False, problem=_too_large(self._limit))
                continue
            line = line.removeprefix(_UTF8_MARK)
            if not self._lines and line.startswith(_HOLE):
                after = line.lstrip(_HOLE)
                yield Document(number, line.removesuffix(after), is_json=False)
                line = after
            yield from self._line(number, line)
        yield from self._incomplete()

    def _line(self, number: int, line: bytes) -> Iterator[Document]:
        text = line.strip(_SEPARATORS)
        if not text and not self._lines:
            return
        if not self._lines or (self._saw_line and len(self._lines) == 1):
            if _is_json(text):
                # If values come one per line, an incomplete one is a truncated line.
                yield from self._incomplete()
                self._saw_line = self._saw_line or text[:1] == b"{"
                yield Document(number, text)
                return
            if not self._lines and text[:1] not in (b"{", b"["):
                yield Document(number, text, is_json=False)
                return
        yield from self._grow(number, line)

    def _grow(self, number: int, text: bytes) -> Iterator[Document]:
        start = 0
        for token in json_slices.tokens(_TOKEN, text):
            mark = token[0]
            if mark in (b"{", b"["):
                if self._depth == 0 and not self._lines:
                    if between := text[start : token.start()].strip(_SEPARATORS):
                        yield Document(number, between, is_json=False)
                    start = token.start()
                self._depth += 1
            elif mark in (b"}", b"]"):
                self._depth -= 1
                if self._depth <= 0:
                    self._lines.append((number, text[start : token.end()]))
                    yield self._complete()
                    start = token.end()
        rest = text[start:]
        if self._depth > 0:
            self._lines.append((number, rest))
            self._size += len(rest)
            if self._size > self._limit:
                yield from self._incomplete()
        elif left := rest.strip(_SEPARATORS):
            yield Document(number, left, is_json=False)

    def _complete(self) -> Document:
        first = self._lines[0][0]
        data = b"".join(text for _, text in self._lines)
        self._forget()
        return Document(first, data)

    def _incomplete(self) -> Iterator[Document]:
        """Yield an incomplete value: line by line if any of its lines is a value, else whole."""
        entire = b"".join(text for _, text in self._lines).strip(_SEPARATORS)
        stripped = ((number, text.strip(_SEPARATORS)) for number, text in self._lines)
        lines = [(number, text) for number, text in stripped if text]
        is_too_large = self._size > self._limit
        self._forget()
        if not lines:
            return
        if is_too_large or any(text[:1] == b"{" and _is_json(text) for _, text in lines):
            for number, text in lines:
                yield Document(number, text, is_json=_is_json(text))
        else:
            yield Document(lines[0][0], entire, is_json=False)

    def _forget(self) -> None:
        self._lines, self._size, self._depth = [], 0, 0


def _too_large(limit: int) -> Unreadable:
    return Unreadable(
        "inflation_limit",
        f"a document of more than {limit} bytes",
        "write a record per line, or split it",
    )


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return True
