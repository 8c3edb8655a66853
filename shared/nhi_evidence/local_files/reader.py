"""Read the documents of any input, each with file and line, or why it cannot be read."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import IO

import msgspec

from nhi_evidence.local_files import (
    containers,
    documents,
    pages,
    rows,
    unreadable,
    yaml_documents,
)
from nhi_evidence.local_files.unreadable import HEAD_BYTES, Unreadable

_SPACE = b" \t\r\n\x1e"
_JSON_LINE = re.compile(rb"^[\s\x00]*\{\"", re.MULTILINE)
"""NUL bytes precede the first record of a log that was truncated while it was written to."""


class Piece(msgspec.Struct, frozen=True):
    """A document for a source to read, or something that could not be read."""

    name: str
    """The file, including its path in any archives: `logs.zip:2026/trail.json`."""
    line: int
    """The line on which its document begins, from 1; 0 for a file as a whole."""
    data: bytes
    problem: Unreadable | None = None


def pieces(name: str, stream: IO[bytes], limit: int) -> Iterator[Piece]:
    """Yield every document of an input; `limit` is the most bytes in one.

    What cannot be read is a piece with a problem, once for each file or line, and never affects
    others. An empty file is such a problem too.
    """
    for member in containers.members(name, stream):
        if isinstance(member.content, Unreadable):
            yield Piece(member.name, 0, b"", member.content)
            continue
        line = 0
        try:
            for piece in _of_file(member.name, member.content, limit):
                line = piece.line
                yield piece
            member.content.read(1)  # raises what ended the content early
        except UnicodeDecodeError as error:
            problem = Unreadable(
                "encoding", f"text that is not {error.encoding}", "save it as UTF-8"
            )
            yield Piece(member.name, line, b"", problem)
        except containers.DAMAGED as error:
            yield Piece(member.name, line, b"", containers.damaged(error))


def _of_file(name: str, content: io.BufferedReader, limit: int) -> Iterator[Piece]:
    text = documents.as_utf8(content)
    head = text.peek(HEAD_BYTES)[:HEAD_BYTES]
    opening = head.lstrip(_SPACE)[:1]
    is_json = opening in (b"{", b"[", b"") or _JSON_LINE.search(head) is not None
    problem = None if is_json and opening else unreadable.binary(head)
    if not head:
        problem = Unreadable("empty_file", "an empty file", "nothing was logged, or nothing saved")
    is_rows = problem is None and opening not in (b"{", b"[") and rows.is_known(head)
    is_yaml = problem is None and not is_json and yaml_documents.is_known(head)
    if problem is None and not (is_json or is_rows or is_yaml):
        problem = unreadable.text(head)
    if problem is not None:
        yield Piece(name, 0, b"", problem)
        return
    split = yaml_documents.documents if is_yaml else documents.split
    is_first = True
    for document in (rows.documents if is_rows else split)(text, limit):
        if document.problem is not None:
            yield Piece(name, document.line, document.data, document.problem)
        elif is_first and document.data == b"[]":
            continue  # an empty list: the query found nothing; several, where several were asked
        else:
            for record in pages.records(document.data):
                yield Piece(name, document.line, record)
        is_first = False
