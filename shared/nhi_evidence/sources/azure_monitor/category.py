"""Which category a record states, as `routes.json` spells it.

https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs-schema
https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import Rejection

_DETAIL = 200


class _Localized(msgspec.Struct, frozen=True):
    """How the REST form of the Activity Log spells a category."""

    value: str | None = None


class _Record(msgspec.Struct, frozen=True):
    category: str | _Localized | None = None
    records: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_decode = msgspec.json.Decoder(_Record).decode


def category(raw: bytes) -> str | Rejection:
    """Return the category of a record, lower case, or why it states none."""
    if not raw.strip():
        return Rejection("empty_message")
    try:
        record = _decode(raw)
    except msgspec.ValidationError as error:
        if raw.lstrip()[:1] == b"{":
            return Rejection("category_malformed", str(error)[:_DETAIL])
        return Rejection("record_not_an_object", raw[:40].decode(errors="replace"))
    except RecursionError:
        return Rejection("nesting_too_deep", "more levels than the JSON reader takes")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Rejection("malformed_json", str(error)[:_DETAIL])
    localized = record.category
    name = localized.value if isinstance(localized, _Localized) else localized
    if name and name.strip():
        return name.strip().lower()
    if record.records is not msgspec.UNSET:
        return Rejection("unexpected_envelope", "more in the message than its list of records")
    return Rejection("category_missing")
