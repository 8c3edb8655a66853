"""The category a record states, spelled as in `routes.json`: with its provider, or alone.

A category belongs to the service that writes it: `AuditLogs` of Microsoft Entra and of a health
care service have only the name in common. Activity Log categories are shared by all providers.
https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs-schema
https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
"""

from __future__ import annotations

import pkgutil

import msgspec

from nhi_evidence.azure.text import non_empty, provider_of, subscription_of
from nhi_evidence.event import Rejection
from nhi_evidence.reading.lenient_decoder import LenientDecoder

_ABSENT = msgspec.Raw(b"")


class _Localized(msgspec.Struct, frozen=True):
    """A category in the REST form of the Activity Log."""

    value: str | None = None


class _Record(msgspec.Struct, frozen=True):
    category: str | _Localized | None = None
    type: str | None = None
    """The table of a Log Analytics row."""
    resource_id: str | None = msgspec.field(name="resourceId", default=None)
    records: msgspec.Raw = _ABSENT


class _Table(msgspec.Struct, frozen=True):
    routes: dict[str, str]


_record = LenientDecoder(_Record, fold_case=True)
_routes = msgspec.json.decode(
    pkgutil.get_data(__package__, "routes.json") or b"{}", type=_Table
).routes
_OF_ONE_PROVIDER = frozenset(key.partition("/")[2] for key in _routes if "/" in key)


def category(raw: bytes) -> str | Rejection:
    """Return the category of a record, in lower case, or why it states none.

    A category that the table lists by provider is returned as `provider/category` if the record
    is about a subscription's resource.
    """
    if not raw.strip():
        return Rejection("empty_message")
    decoded = _record.record(raw)
    if isinstance(decoded, Rejection):
        return decoded
    record, unusable = decoded
    if record.category is None and "category" not in unusable:
        decoded = _record.record_leniently(raw)
        if isinstance(decoded, Rejection):
            return decoded
        record, unusable = decoded
    if "category" in unusable:
        return Rejection("category_malformed", "a category is a text")
    spelling = record.category
    name = spelling.value if isinstance(spelling, _Localized) else spelling
    name = non_empty(name) or non_empty(record.type)
    if name is not None:
        key, provider = name.strip().lower(), provider_of(record.resource_id)
        # A tenant's own logs name various providers (role assignments, elevated access).
        is_of_tenant = subscription_of(record.resource_id) is None
        if provider is None or is_of_tenant or key not in _OF_ONE_PROVIDER:
            return key
        return f"{provider}/{key}".lower()
    if bytes(record.records):
        return Rejection("unexpected_envelope", "more in the message than its list of records")
    return Rejection("category_missing")
