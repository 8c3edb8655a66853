"""The forms in which CloudTrail records occur outside their S3 files, for reading local files.

- EventBridge event: the record is `detail`.
  https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
- CloudWatch Logs subscription payload: each record is the text of a `logEvents[].message`.
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
- `lookup-events` export: each record is the text of an `Events[].CloudTrailEvent`.
  https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html

A record inside a text is the decoded text: those are the bytes that its sender encoded.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Decoded, Limits, Undecodable
from nhi_evidence.reading.inflate import GZIP_MAGIC, inflated
from nhi_evidence.sources.aws_cloudtrail.decode import split_records

_CONTROL = "CONTROL_MESSAGE"
_NO_DOCUMENT = frozenset({"malformed_json", "unexpected_envelope"})


class _LogEvent(msgspec.Struct, frozen=True):
    message: str


class _LookupEvent(msgspec.Struct, frozen=True):
    CloudTrailEvent: str


class _Logs(msgspec.Struct, frozen=True):
    data: str


class _Document(msgspec.Struct, frozen=True):
    """The members that tell the forms apart; a record itself has none of them."""

    Records: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    detail: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    awslogs: _Logs | msgspec.UnsetType = msgspec.UNSET
    messageType: str | msgspec.UnsetType = msgspec.UNSET
    logEvents: tuple[_LogEvent, ...] = ()
    Events: tuple[_LookupEvent, ...] | msgspec.UnsetType = msgspec.UNSET
    CloudTrailEvent: str | msgspec.UnsetType = msgspec.UNSET


def unwrap(document: bytes, limits: Limits) -> Decoded | Undecodable:
    """Return the records of a document in any of the forms, or the one record that it is."""
    data = inflated(document, limits)
    if isinstance(data, Undecodable):
        return data
    try:
        marks = msgspec.json.decode(data, type=_Document)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        split = split_records(data, limits)
        # Anything else is taken as a single record, whose rejection says what is wrong with it.
        unreadable = isinstance(split, Undecodable) and split.reason in _NO_DOCUMENT
        return _single_record(data.strip()) if unreadable else split
    if not isinstance(marks.Records, msgspec.UnsetType):
        return split_records(data, limits)
    if not isinstance(marks.awslogs, msgspec.UnsetType):
        return _subscription(marks.awslogs.data, limits)
    if not isinstance(marks.messageType, msgspec.UnsetType):
        messages = () if marks.messageType == _CONTROL else marks.logEvents
        return _joined(one.message for one in messages)
    if not isinstance(marks.Events, msgspec.UnsetType):
        return _joined(one.CloudTrailEvent for one in marks.Events)
    if not isinstance(marks.CloudTrailEvent, msgspec.UnsetType):
        return _joined((marks.CloudTrailEvent,))
    if not isinstance(marks.detail, msgspec.UnsetType):
        return _single_record(bytes(marks.detail))
    return _single_record(data.strip())


def _subscription(payload: str, limits: Limits) -> Decoded | Undecodable:
    try:
        packed = b64decode(payload, validate=True)
    except (Base64Error, ValueError) as error:
        return Undecodable("damaged_base64", str(error)[:LONGEST_DETAIL])
    if not packed.startswith(GZIP_MAGIC):
        return Undecodable("damaged_gzip", "awslogs.data is not gzip")
    return unwrap(packed, limits)


def _single_record(record: bytes) -> Decoded:
    return Decoded(record, ((0, len(record)),))


def _joined(texts: Iterable[str]) -> Decoded:
    pieces = [text.encode() for text in texts]
    spans = []
    position = 0
    for piece in pieces:
        spans.append((position, position + len(piece)))
        position += len(piece) + 1
    return Decoded(b"\n".join(pieces), tuple(spans))
