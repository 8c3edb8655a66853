"""The forms in which audit entries occur outside their files, for reading local files.

- `entries.list` response: `{"entries": [...]}`.
  https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
- Pub/Sub push body or CloudEvent data: the entry is base64 in `message.data`; a pulled list
  (`gcloud pubsub subscriptions pull --format=json`) has several.
  https://cloud.google.com/pubsub/docs/push#receive_push
- JSON lines, a JSON list, one entry: as delivered.

A record inside base64 is the decoded text: those are the bytes that its sender encoded.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Decoded, Limits, Undecodable
from nhi_evidence.reading.inflate import inflated
from nhi_evidence.sources.gcp_audit.decode import split_records

_SPACE = b" \t\r\n"


class _Message(msgspec.Struct, frozen=True):
    data: str


class _Document(msgspec.Struct, frozen=True):
    """The members that tell the forms apart; an entry itself has none of them."""

    entries: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    message: _Message | msgspec.UnsetType = msgspec.UNSET


def unwrap(document: bytes, limits: Limits) -> Decoded | Undecodable:
    """Return the records of a document in any of the forms, or the one record that it is."""
    data = inflated(document, limits)
    if isinstance(data, Undecodable):
        return data
    try:
        marks = msgspec.json.decode(data, type=_Document | list[_Document])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return _split_or_whole(data, limits)
    if isinstance(marks, list):
        return _messages(marks, data, limits)
    if not isinstance(marks.entries, msgspec.UnsetType):
        return split_records(bytes(marks.entries), limits)
    if not isinstance(marks.message, msgspec.UnsetType):
        return _messages([marks], data, limits)
    return _single_entry(data)


def _messages(marks: list[_Document], data: bytes, limits: Limits) -> Decoded | Undecodable:
    texts = [one.message.data for one in marks if not isinstance(one.message, msgspec.UnsetType)]
    if not marks or len(texts) != len(marks):
        return split_records(data, limits)
    try:
        pieces = [b64decode(text, validate=True) for text in texts]
    except (Base64Error, ValueError) as error:
        return Undecodable("damaged_base64", str(error)[:LONGEST_DETAIL])
    spans = []
    position = 0
    for piece in pieces:
        spans.append((position, position + len(piece)))
        position += len(piece) + 1
    return Decoded(b"\n".join(pieces), tuple(spans))


def _split_or_whole(data: bytes, limits: Limits) -> Decoded | Undecodable:
    """Split into records; without any object, take it as one, which is then rejected."""
    split = split_records(data, limits)
    is_text = isinstance(split, Undecodable) and split.reason == "malformed_json"
    return _single_entry(data) if is_text else split


def _single_entry(data: bytes) -> Decoded:
    record = data.strip(_SPACE)
    return Decoded(record, ((0, len(record)),))
