"""The parts of an Activity Log record that this pack reads, in each of its spellings.

The hub's schema is decoded directly. If it does not fit, the record is read attribute by attribute
under the names of the other schemas, ignoring case: REST (`eventTimestamp`, `{"value":...}`), the
Python SDK (`event_timestamp`) and Log Analytics (`OperationNameValue`). An attribute that cannot
be used reads as absent and is named.
https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
"""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Rejection

_EMPTY = msgspec.Raw(b"")
_NOTHING = frozenset({b"", b"null"})


class ActivityRecord(msgspec.Struct, frozen=True, gc=False):
    """One record; objects stay exact JSON slices until they are needed."""

    time: str | None = None
    resourceId: str | None = None
    operationName: str | None = None
    operationVersion: str | None = None
    category: str | None = None
    resultType: str | None = None
    resultSignature: str | None = None
    resultDescription: str | None = None
    callerIpAddress: str | None = None
    correlationId: str | None = None
    eventDataId: str | None = None
    eventName: str | None = None
    tenantId: str | None = None
    subscriptionId: str | None = None
    caller: str | None = None
    identity: msgspec.Raw = _EMPTY
    claims: msgspec.Raw = _EMPTY
    authorization: msgspec.Raw = _EMPTY
    httpRequest: msgspec.Raw = _EMPTY
    properties: msgspec.Raw = _EMPTY


_ALSO = {
    "time": ("eventtimestamp",),
    "resourceId": ("resourceuri",),
    "operationName": ("operationnamevalue",),
    "category": ("categoryvalue",),
    "resultType": ("status", "activitystatusvalue", "activitystatus"),
    "resultSignature": ("substatus", "activitysubstatusvalue", "activitysubstatus"),
    "resultDescription": ("description",),
}
"""Further names of an attribute, in lower case without underscores; the first present counts."""

_NAMES = {name: (name.lower(), *_ALSO.get(name, ())) for name in ActivityRecord.__struct_fields__}
_SLICES = frozenset({"identity", "claims", "authorization", "httpRequest", "properties"})

_decode = msgspec.json.Decoder(ActivityRecord).decode
_slices = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read(raw: bytes) -> tuple[ActivityRecord, tuple[str, ...]] | Rejection:
    """Read one record; the second value names attributes that could not be used."""
    try:
        record = _decode(raw)
    except msgspec.ValidationError:
        return _read_leniently(raw)
    except RecursionError:
        return Rejection("nesting_too_deep", "more levels than the JSON reader takes")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])
    if record.time is None or record.operationName is None or record.category is None:
        return _read_leniently(raw)
    return record, ()


def _read_leniently(raw: bytes) -> tuple[ActivityRecord, tuple[str, ...]] | Rejection:
    try:
        slices = _slices(raw)
    except msgspec.ValidationError:
        return Rejection("record_not_an_object", raw[:40].decode(errors="replace"))
    folded = {name.lower().replace("_", ""): slice_ for name, slice_ in reversed(slices.items())}
    values: dict[str, Any] = {}
    unusable = []
    for field, names in _NAMES.items():
        value = next((folded[name] for name in names if _present(folded.get(name))), None)
        if value is None:
            continue
        if field in _SLICES:
            values[field] = value
            continue
        content = msgspec.json.decode(value)
        text = _text(content)
        if text is None and not _is_localized_null(content):
            unusable.append(field)
        values[field] = text
    return ActivityRecord(**values), tuple(unusable)


def _present(slice_: msgspec.Raw | None) -> bool:
    return slice_ is not None and bytes(slice_) not in _NOTHING


def _is_localized_null(value: Any) -> bool:
    """Whether a localized text has no text: that is a null, and not malformed."""
    return isinstance(value, dict) and value.get("value", value.get("Value", "")) is None


def _text(value: Any) -> str | None:
    """Return a text, a localized text's value, or an integer's digits; None for anything else."""
    if isinstance(value, dict):
        value = value.get("value", value.get("Value"))
        return value if isinstance(value, str) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def parsed(slice_: msgspec.Raw | bytes) -> Any:
    """Decode a slice, unpacking JSON inside a text; None if it is empty or null.

    Raises `msgspec.DecodeError` or `RecursionError` when the slice itself cannot be decoded.
    """
    data = bytes(slice_)
    if data in _NOTHING:
        return None
    return unpacked(msgspec.json.decode(data))


def unpacked(value: Any) -> Any:
    """Decode JSON that was put into a text; return any other value unchanged."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return value
    return value


def folded(value: Any) -> Any:
    """Return a value with the names of its objects in lower case."""
    if isinstance(value, dict):
        return {name.lower(): folded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [folded(item) for item in value]
    return value
