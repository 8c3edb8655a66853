"""One Activity Log record -> Event or Rejection, from the record alone.

Only a record that states its category, when and what is an event. Anything else that is absent
stays absent. `location` is not read: it says where the record was written, not where the resource
is.
"""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.azure.text import endpoint, milliseconds, subscription_of
from nhi_evidence.event import LONGEST_DETAIL, Call, Event, Logged, Rejection
from nhi_evidence.identity import with_unusable
from nhi_evidence.sources.azure_activity.actor import actor
from nhi_evidence.sources.azure_activity.outcome import outcome
from nhi_evidence.sources.azure_activity.record import (
    ActivityRecord,
    folded,
    parsed,
    read,
    unpacked,
)
from nhi_evidence.sources.azure_activity.targets import about

_LEGACY = frozenset({"write", "delete", "action"})
"""What log profiles wrote as the category of administrative records."""


def normalize(raw: bytes) -> Event | Rejection:
    """Normalize one record; one that cannot be read becomes a `Rejection`, never a guess."""
    try:
        decoded = read(raw)
        return decoded if isinstance(decoded, Rejection) else _event(*decoded)
    except RecursionError:
        return Rejection("nesting_too_deep", "more levels than the JSON reader takes")
    except (msgspec.MsgspecError, UnicodeError) as error:
        return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])


def _event(record: ActivityRecord, unusable: tuple[str, ...]) -> Event | Rejection:
    if not record.category:
        return Rejection("category_malformed" if "category" in unusable else "category_missing")
    time = milliseconds(record.time)
    if record.time is None or time is None:
        if record.time is None and "time" not in unusable:
            return Rejection("event_time_missing")
        return Rejection("event_time_malformed", repr(record.time)[:LONGEST_DETAIL])
    if not record.operationName:
        return Rejection("event_name_missing")
    service, slash, _ = record.operationName.partition("/")
    if not slash or not service:
        return Rejection(
            "event_source_missing", f"{record.operationName!r} names no provider"[:LONGEST_DETAIL]
        )
    properties = folded(parsed(record.properties))
    if not isinstance(properties, dict):
        unusable += () if properties is None else ("properties",)
        properties = {}
    request = folded(unpacked(properties.get("requestbody")))
    response = folded(unpacked(properties.get("responsebody")))
    who, misshapen = actor(record)
    return Event(
        time=time,
        original_time=record.time,
        logged=_logged(record),
        call=_call(record, service, properties),
        actor=msgspec.structs.replace(
            who, identity=with_unusable(who.identity, unusable + misshapen)
        ),
        about=about(record.resourceId, record.operationName, request, response),
        outcome=outcome(record, properties),
        request=_slice(request),
    )


def _logged(record: ActivityRecord) -> Logged:
    category = (record.category or "").lower()
    return Logged(
        "Azure",
        "Activity Log",
        "administrative" if category in _LEGACY else category,
        record.eventName or None,
        None,
        record.eventDataId or None,
        record.correlationId or None,
        subscription_of(record.resourceId) or record.subscriptionId or record.tenantId or None,
    )


def _call(record: ActivityRecord, service: str, properties: dict[str, Any]) -> Call:
    name = record.operationName or ""
    request = properties.get("servicerequestid")
    return Call(
        service.lower(),
        service,
        name,
        name,
        record.operationVersion or None,
        request if isinstance(request, str) and request else None,
        endpoint(_address(record)),
    )


def _address(record: ActivityRecord) -> str | None:
    """Return the caller's address, which the REST form has in the HTTP request."""
    if record.callerIpAddress:
        return record.callerIpAddress
    http = parsed(record.httpRequest)
    if not isinstance(http, dict):
        return None
    address = http.get("clientIpAddress", http.get("client_ip_address"))
    return address if isinstance(address, str) and address else None


def _slice(request: Any) -> msgspec.Raw | None:
    """Encode the request for the catalog's conditions; its names are in lower case."""
    return None if request is None else msgspec.Raw(msgspec.json.encode(request))
