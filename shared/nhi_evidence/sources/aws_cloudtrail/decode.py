"""CloudTrail S3 file -> exact record slices.

A file is `{"Records":[...]}`, plain or gzip. Every byte outside the records must be that
envelope: anything else (a second `Records`, other keys, text after the end) makes the file a
rejection unit, so that nothing in a delivery goes unread and unsaid.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
"""

from __future__ import annotations

import re

import msgspec

from nhi_evidence.event import Decoded, Limits, Undecodable
from nhi_evidence.reading.inflate import GZIP_MAGIC, inflate

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DETAIL = 200

_OPENING = re.compile(rb'[ \t\r\n]*\{[ \t\r\n]*"Records"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*')
_BETWEEN = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
_CLOSING = re.compile(rb"[ \t\r\n]*\][ \t\r\n]*\}[ \t\r\n]*")
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)
_SPACE = b" \t\r\n"


class _File(msgspec.Struct):
    Records: list[msgspec.Raw]


_decode_file = msgspec.json.Decoder(_File).decode


def decode(body: bytes, limits: Limits) -> Decoded | Undecodable:
    """Return the exact slice of every record, or why the file holds no readable records."""
    data = inflate(body, limits) if body.startswith(GZIP_MAGIC) else body
    if isinstance(data, Undecodable):
        return data
    if len(data) > limits.inflated_bytes:
        return Undecodable("inflation_limit", f"holds more than {limits.inflated_bytes} bytes")
    return split_records(data, limits)


def split_records(data: bytes, limits: Limits) -> Decoded | Undecodable:
    """Split an inflated `{"Records":[...]}` document into its record slices."""
    if not data.strip(_SPACE):
        return Undecodable("empty_file", f"{len(data)} bytes, no content")
    if data.startswith(_BYTE_ORDER_MARK):
        return Undecodable("byte_order_mark", "RFC 8259 section 8.1 forbids it in JSON")
    try:
        raws = _decode_file(data).Records
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return _scan(data, limits, error)
    spans = _locate(data, [memoryview(raw).nbytes for raw in raws])
    if isinstance(spans, Undecodable):
        return spans
    return _bounded(data, spans, limits)


def _locate(data: bytes, lengths: list[int]) -> list[tuple[int, int]] | Undecodable:
    """Find the records by their lengths, checking that only the envelope lies between them."""
    opening = _OPENING.match(data)
    if opening is None:
        return _unexpected(data, 0)
    spans = []
    position = opening.end()
    for index, length in enumerate(lengths):
        if index:
            between = _BETWEEN.match(data, position)
            if between is None:
                return _unexpected(data, position)
            position = between.end()
        spans.append((position, position + length))
        position += length
    if _CLOSING.fullmatch(data, position) is None:
        return _unexpected(data, position)
    return spans


def _scan(data: bytes, limits: Limits, error: Exception) -> Decoded | Undecodable:
    """Split a document whose whole does not parse, so that one bad record spoils no other.

    Only strings and brackets are looked at; whether a slice is JSON is decided per record.
    """
    opening = _OPENING.match(data)
    if opening is None:
        return _not_records(data, error)
    spans: list[tuple[int, int]] = []
    depth = 0
    start = opening.end()
    for token in _TOKEN.finditer(data, start):
        mark = token[0]
        if mark in (b"{", b"["):
            depth += 1
        elif mark in (b"}", b"]"):
            depth -= 1
            if depth < 0:
                if _CLOSING.fullmatch(data, token.start()) is None:
                    break
                last = _trimmed(data, start, token.start())
                if spans or last[0] < last[1]:
                    spans.append(last)
                return _bounded(data, spans, limits)
        elif mark == b"," and depth == 0:
            spans.append(_trimmed(data, start, token.start()))
            start = token.end()
    return Undecodable("malformed_json", str(error)[:_DETAIL])


def _trimmed(data: bytes, start: int, end: int) -> tuple[int, int]:
    piece = data[start:end]
    return start + len(piece) - len(piece.lstrip(_SPACE)), end - len(piece) + len(
        piece.rstrip(_SPACE)
    )


def _bounded(data: bytes, spans: list[tuple[int, int]], limits: Limits) -> Decoded | Undecodable:
    for index, (start, end) in enumerate(spans):
        if end - start > limits.record_bytes:
            return Undecodable(
                "record_limit",
                f"record {index} holds {end - start} bytes, more than {limits.record_bytes}",
            )
    return Decoded(data, tuple(spans))


def _not_records(data: bytes, error: Exception) -> Undecodable:
    """Say which of the usual wrong shapes this is."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return Undecodable("malformed_json", str(error)[:_DETAIL])
    if isinstance(document, dict) and "Records" not in document:
        return Undecodable("records_missing", f"keys: {sorted(document)}"[:_DETAIL])
    if isinstance(document, dict) and not isinstance(document["Records"], list):
        return Undecodable("records_not_a_list", f"Records: {type(document['Records']).__name__}")
    return Undecodable("unexpected_envelope", str(error)[:_DETAIL])


def _unexpected(data: bytes, position: int) -> Undecodable:
    excerpt = data[position : position + 40].decode(errors="replace")
    return Undecodable(
        "unexpected_envelope", f"at byte {position}, outside the records: {excerpt!r}"
    )
