"""File of JSON lines -> exact record slices.

A Cloud Storage subscription writes the payload of each message as text, one per line; a log sink
writes one entry per line; the data of one Pub/Sub message is one entry. A file may also be a
single JSON list of entries, as `gcloud logging read --format=json` prints it. Every byte is in a
record or is white space between records: a line that is not JSON is a record, which is rejected.
https://cloud.google.com/pubsub/docs/cloudstorage
https://cloud.google.com/logging/docs/export/storage
"""

from __future__ import annotations

import re

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Decoded, Limits, Undecodable
from nhi_evidence.reading import json_slices
from nhi_evidence.reading.inflate import inflated

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_AVRO_MAGIC = b"Obj\x01"
_SPACE = b" \t\r\n"

_LINE = re.compile(rb"[^\n]+")

_BARE_LIST = json_slices.Envelope()
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def decode(body: bytes, limits: Limits) -> Decoded | Undecodable:
    """Return the exact slice of every record, or why the file has no readable records."""
    data = inflated(body, limits)
    return data if isinstance(data, Undecodable) else split_records(data, limits)


def split_records(data: bytes, limits: Limits) -> Decoded | Undecodable:
    """Split a decompressed file into its record slices."""
    start = len(data) - len(data.lstrip(_SPACE))
    if start == len(data):
        return Undecodable("empty_file", f"{len(data)} bytes, no content")
    if data.startswith(_BYTE_ORDER_MARK):
        return Undecodable("byte_order_mark", "RFC 8259 section 8.1 forbids it in JSON")
    if data.startswith(_AVRO_MAGIC):
        return Undecodable("avro_file", "the subscription writes Avro; its format must be text")
    if data[start : start + 1] == b"[":
        return _list(data, limits)
    spans = _lines(data)
    if not any(data[first : first + 1] == b"{" for first, _ in spans):
        excerpt = data[start : start + 40].decode(errors="replace")
        return Undecodable("malformed_json", f"no line is a JSON object; begins {excerpt!r}")
    if len(spans) > 1 and _is_one_object(data):
        spans = [(start, len(data.rstrip(_SPACE)))]
    return json_slices.bounded(data, spans, limits)


def _lines(data: bytes) -> list[tuple[int, int]]:
    """Return the span of each line that is not just white space."""
    spans = []
    for line in _LINE.finditer(data):
        start, end = line.span()
        # Hardly any line has white space at its ends: look before stripping.
        if data[start] in _SPACE or data[end - 1] in _SPACE:
            content = line[0]
            start += len(content) - len(content.lstrip(_SPACE))
            end -= len(content) - len(content.rstrip(_SPACE))
        if start < end:
            spans.append((start, end))
    return spans


def _is_one_object(data: bytes) -> bool:
    """Whether the lines are one object spread over several: then the first alone never parses."""
    first = data.lstrip(_SPACE).partition(b"\n")[0]
    try:
        msgspec.json.decode(first, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    else:
        return False
    try:
        msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return True


def _list(data: bytes, limits: Limits) -> Decoded | Undecodable:
    try:
        raws = _decode_list(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return Undecodable("malformed_json", str(error)[:LONGEST_DETAIL])
    spans = _BARE_LIST.locate(data, [memoryview(raw).nbytes for raw in raws])
    if isinstance(spans, int):
        return Undecodable("unexpected_envelope", f"at byte {spans}, outside the records")
    return json_slices.bounded(data, spans, limits)
