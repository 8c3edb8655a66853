"""Files of JSON as log pipelines deliver them: one value per line, concatenated, or enveloped.

- Lines of JSON, one record each; gzip or not.
- Firehose concatenates what it gets: values follow each other with nothing in between.
  https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion-concepts.html
- A CloudWatch Logs subscription sends envelopes, each compressed separately; its log events are the
  records. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
- One JSON list, as tools print it.

Every byte is in a record or between records, so that the file can be rebuilt from them. No reason
quotes the file: some logs contain what may not be quoted.
"""

from __future__ import annotations

import re
from itertools import accumulate, repeat

import msgspec

from nhi_evidence.event import Decoded, Limits, Undecodable
from nhi_evidence.reading import json_slices
from nhi_evidence.reading.inflate import GZIP_MAGIC, inflated
from nhi_evidence.reading.json_places import Span, members, value_end

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_BLANK = re.compile(rb"[ \t\r\n]*")
_LINE = re.compile(rb"[^\r\n]+")
_LOG_EVENTS, _MESSAGE_TYPE = "logEvents", "messageType"
_CONTROL = b'"CONTROL_MESSAGE"'
_MARK = b'"logEvents"'
_BARE_LIST = json_slices.Envelope()


def decode(body: bytes, limits: Limits) -> Decoded | Undecodable:
    """Return the exact slice of every record, or why the file has no readable records."""
    data = inflated(body, limits)
    if isinstance(data, bytes) and data.startswith(GZIP_MAGIC):
        data = inflated(data, limits)  # compressed by the log, and again by its delivery
    if isinstance(data, Undecodable):
        return data
    first = data.lstrip(_SPACE)[:1]
    if not first:
        return Undecodable("empty_file", f"{len(data)} bytes, no content")
    if data.startswith(_BYTE_ORDER_MARK):
        return Undecodable("byte_order_mark", "RFC 8259 section 8.1 forbids it in JSON")
    if first == b"[":
        elements = _BARE_LIST.elements(data)
        if elements is None:
            return Undecodable("malformed_json", "begins as a list, and is none")
        return json_slices.bounded(data, elements, limits)
    lines = _one_a_line(data)
    spans = _values(data) if lines is None else lines
    if not any(data[start : start + 1] == b"{" for start, _ in spans):
        return Undecodable("malformed_json", "holds no JSON object")
    if _MARK in data:
        lines = None
        spans = [inner for span in spans for inner in _log_events(data, span)]
    return json_slices.bounded(data, spans, limits, are_json=lines is not None)


def _values(data: bytes) -> list[Span]:
    """Return the span of every value: the lines that are values, and the values in others."""
    spans = []
    for number, line in enumerate(_LINE.finditer(data)):
        start, end = json_slices.trimmed(data, *line.span())
        if start == end:
            continue
        if _is_json(data[start:end]):
            spans.append((start, end))
            continue
        joined = _joined(data, start, end)
        if joined is None and not number:
            # The first line is the beginning of a value that is spread over several lines.
            every = _joined(data, start, len(data))
            if every is not None:
                return every
        spans += joined or [(start, end)]
    return spans


def _one_a_line(data: bytes) -> list[Span] | None:
    """Return the lines if each is exactly one value; None if any is not.

    All are decoded in one call, which is all that most files need.
    """
    if b"\r" in data:
        return None
    try:
        values = _all_values(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    lengths = map(len, map(bytes, values))
    ends = [end + before for before, end in enumerate(accumulate(lengths))]
    starts = [0, *(end + 1 for end in ends[:-1])]
    breaks = list(map(data.find, repeat(b"\n"), starts))
    if breaks[-1] < 0:
        breaks[-1] = len(data)
    # Where each value ends is the first line break after its beginning: so none is inside a value,
    # and no other byte is between two of them.
    if breaks != ends or ends[-1] + data.endswith(b"\n") != len(data):
        return None
    return list(zip(starts, ends, strict=True))


_all_values = msgspec.json.Decoder(msgspec.Raw).decode_lines


def _joined(data: bytes, start: int, end: int) -> list[Span] | None:
    """Return the values that fill a range; None if anything else is in it."""
    spans = []
    at = start
    while at < end:
        try:
            after = value_end(data, at)
        except ValueError:
            return None
        if after > end or not _is_json(data[at:after]):
            return None
        spans.append((at, after))
        blank = _BLANK.match(data, after, end)
        at = blank.end() if blank else after
    return spans


def _log_events(data: bytes, span: Span) -> list[Span]:
    """Return the log events of an envelope, or the value itself if it is not one.

    A control message only tests the connection; nothing in it is a record.
    """
    start, end = span
    if _MARK not in data[start:end]:
        return [span]
    try:
        by_name = {member.name: (member.value, member.end) for member in members(data, start, end)}
        kind = data[slice(*by_name.get(_MESSAGE_TYPE, (0, 0)))]
        events = by_name.get(_LOG_EVENTS)
        if kind == _CONTROL:
            return []
        if events is not None and data[events[0] : events[0] + 1] == b"[":
            return [(element.value, element.end) for element in members(data, *events)]
    except (ValueError, msgspec.MsgspecError):
        pass
    return [span]


def _is_json(value: bytes) -> bool:
    try:
        msgspec.json.decode(value, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return True
