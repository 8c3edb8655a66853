"""CloudTrail S3 file -> exact record slices.

A file is `{"Records":[...]}`, plain or gzip. Every byte outside the records must be that
envelope: anything else (a second `Records`, other keys, trailing text) makes the whole file a
rejection, so that nothing in a delivery is skipped silently.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Decoded, Limits, Undecodable
from nhi_evidence.reading import json_slices
from nhi_evidence.reading.inflate import inflated

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_ENVELOPE = json_slices.Envelope("Records")


class _File(msgspec.Struct):
    Records: list[msgspec.Raw]


_decode_file = msgspec.json.Decoder(_File).decode


def decode(body: bytes, limits: Limits) -> Decoded | Undecodable:
    """Return the exact slice of every record, or why the file has no readable records."""
    data = inflated(body, limits)
    return data if isinstance(data, Undecodable) else split_records(data, limits)


def split_records(data: bytes, limits: Limits) -> Decoded | Undecodable:
    """Split a decompressed `{"Records":[...]}` document into its record slices."""
    if not data.strip(_SPACE):
        return Undecodable("empty_file", f"{len(data)} bytes, no content")
    if data.startswith(_BYTE_ORDER_MARK):
        return Undecodable("byte_order_mark", "RFC 8259 section 8.1 forbids it in JSON")
    try:
        raws = _decode_file(data).Records
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        if not _ENVELOPE.opens(data):
            return _not_records(data, error)
        scanned = _ENVELOPE.scan(data)
        if scanned is None:
            return Undecodable("malformed_json", str(error)[:LONGEST_DETAIL])
        return json_slices.bounded(data, scanned, limits)
    spans = _ENVELOPE.locate(data, [memoryview(raw).nbytes for raw in raws])
    if isinstance(spans, int):
        return _unexpected(data, spans)
    return json_slices.bounded(data, spans, limits)


def _not_records(data: bytes, error: Exception) -> Undecodable:
    """Return which of the usual malformations this is."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return Undecodable("malformed_json", str(error)[:LONGEST_DETAIL])
    if isinstance(document, dict) and "Records" not in document:
        return Undecodable("records_missing", f"keys: {sorted(document)}"[:LONGEST_DETAIL])
    if isinstance(document, dict) and not isinstance(document["Records"], list):
        return Undecodable("records_not_a_list", f"Records: {type(document['Records']).__name__}")
    return Undecodable("unexpected_envelope", str(error)[:LONGEST_DETAIL])


def _unexpected(data: bytes, position: int) -> Undecodable:
    excerpt = data[position : position + 40].decode(errors="replace")
    return Undecodable(
        "unexpected_envelope", f"at byte {position}, outside the records: {excerpt!r}"
    )
