"""YAML documents, one after another, as JSON: what gcloud prints unless told otherwise.

https://cloud.google.com/sdk/gcloud/reference/topic/formats (yaml)
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from nhi_evidence.local_files.documents import Document
from nhi_evidence.local_files.unreadable import Unreadable

_BEGINS = re.compile(
    rb"\s*(?:---[ \t]*\r?\n)?([\"']?)(?:insertId|logName|protoPayload|timestamp)\1[ \t]*:"
)
_SEPARATOR = b"---"
_MANY_VALUES = 1_000_000


class _Loader(yaml.CSafeLoader):
    """Loads plain values only: a text that looks like a date stays a text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


class _TooLargeError(ValueError):
    """Aliases expand a document to too many values."""


def is_known(head: bytes) -> bool:
    """Whether a text begins like a log entry in YAML."""
    return _BEGINS.match(head) is not None


def documents(stream: io.BufferedReader, limit: int) -> Iterator[Document]:
    """Yield every document as JSON; `limit` is the most bytes in one. Bad ones affect no other."""
    lines: list[bytes] = []
    begins = size = number = 0
    for number, line in enumerate(_lines(stream, limit), start=1):
        if line.rstrip() == _SEPARATOR:
            yield from _document(begins, lines, size, limit)
            lines, begins, size = [], 0, 0
            continue
        if not lines and not line.strip():
            continue
        begins = begins or number
        size += len(line)
        if size <= limit:
            lines.append(line)
    yield from _document(begins, lines, size, limit)


def _lines(stream: io.BufferedReader, limit: int) -> Iterator[bytes]:
    while line := stream.readline(limit + 1):
        yield line


def _document(begins: int, lines: list[bytes], size: int, limit: int) -> Iterator[Document]:
    if not lines:
        return
    if size > limit:
        problem = Unreadable(
            "inflation_limit", f"a document of more than {limit} bytes", "split it"
        )
        yield Document(begins, b"", is_json=False, problem=problem)
        return
    text = b"".join(lines)
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 a loader of plain values
        _count(value, {})
        yield Document(begins, msgspec.json.encode(value))
    except (yaml.YAMLError, _TooLargeError, UnicodeDecodeError, RecursionError, TypeError) as error:
        detail = " ".join(str(error).split())[:120]
        problem = Unreadable("malformed_yaml", f"damaged YAML ({detail})", "fetch it again")
        yield Document(begins, text[:4096], is_json=False, problem=problem)


def _count(value: Any, known: dict[int, int]) -> int:
    """Count the values of a document with its aliases expanded. Raises `_TooLargeError`."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = _MANY_VALUES  # a value that contains itself never ends
        inside = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_count(each, known) for each in inside)
    if known[id(value)] > _MANY_VALUES:
        raise _TooLargeError("its aliases expand to too many values")
    return known[id(value)]
