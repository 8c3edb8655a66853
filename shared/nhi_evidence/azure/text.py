"""Read texts that Azure's logs share: times, callers' addresses, resource ids, file names.

https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs-schema
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from nhi_evidence.event import LONGEST_DETAIL, Endpoint, Rejection
from nhi_evidence.reading.address import is_absent, is_address
from nhi_evidence.reading.bounded_cache import bounded_cache

_LONGEST = 256
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_IPV4_AND_PORT = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?", re.ASCII)
_IPV6_AND_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?")
_HOUR = re.compile(
    r"(?:^|/)y=(\d{4})/m=(\d\d)/d=(\d\d)/h=(\d\d)/m=\d\d/[^/]+$", re.ASCII | re.IGNORECASE
)
_ZERO_ID = "00000000-0000-0000-0000-000000000000"
_PROVIDER = re.compile(r"/providers/([^/]+)", re.IGNORECASE)
_TENANT = re.compile(r"/tenants/([^/]+)", re.IGNORECASE)
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)


@bounded_cache(results=4096, longest=_LONGEST)
def milliseconds(text: str | None) -> int | None:
    """Read a time (ISO 8601 with `Z` or an offset) as milliseconds since the epoch.

    Returns None for anything else: a time without a zone states no instant.
    """
    if text is None or _TIME.fullmatch(text) is None:
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None


def first_instant(
    candidates: Sequence[str | None], *, is_unusable: bool
) -> tuple[int, str] | Rejection:
    """Return the first text that states an instant, in milliseconds and unchanged.

    A rejection if none does: the time is missing, or malformed if any was present.
    """
    for text in candidates:
        instant = milliseconds(text)
        if text is not None and instant is not None:
            return instant, text
    unreadable = next((text for text in candidates if text is not None), None)
    if unreadable is None and not is_unusable:
        return Rejection("event_time_missing")
    return Rejection("event_time_malformed", repr(unreadable)[:LONGEST_DETAIL])


@bounded_cache(results=4096, longest=_LONGEST)
def endpoint(caller: str | None) -> Endpoint | None:
    """Read a caller's address, with or without a port; any other text is kept as a name."""
    if caller is None or is_absent(caller):
        return None
    with_port = _IPV4_AND_PORT.fullmatch(caller) or _IPV6_AND_PORT.fullmatch(caller)
    address = with_port[1] if with_port else caller
    return Endpoint(ip=address) if is_address(address) else Endpoint(name=caller)


@bounded_cache(results=4096, longest=_LONGEST)
def non_empty(text: str | None) -> str | None:
    """Return a text unless it is empty, a word for nothing, or the zero id."""
    if text is None or is_absent(text) or text == _ZERO_ID:
        return None
    return text


@bounded_cache(results=4096, longest=1024)
def provider_of(resource_id: str | None) -> str | None:
    """Return the last resource provider in a resource id, as spelled there."""
    providers = _PROVIDER.findall(resource_id) if resource_id else ()
    return providers[-1] if providers else None


@bounded_cache(results=4096, longest=1024)
def tenant_of(resource_id: str | None) -> str | None:
    """Return the tenant in a resource id."""
    match = _TENANT.search(resource_id) if resource_id else None
    return match[1] if match else None


@bounded_cache(results=4096, longest=1024)
def subscription_of(resource_id: str | None) -> str | None:
    """Return the subscription in a resource id."""
    match = _SUBSCRIPTION.search(resource_id) if resource_id else None
    return match[1] if match else None


def directory_uid(tenant: str | None, kind: str, uid: str | None) -> str | None:
    """Return the canonical id of a principal, `nhi:entra:<tenant>:<kind>/<object id>`.

    In lower case: logs differ in the case of an id, and both spellings mean the same principal
    (RFC 9562, section 4). None if a part is absent.
    """
    return f"nhi:entra:{tenant}:{kind}/{uid}".lower() if tenant and uid else None


def hour_of(object_key: str) -> str | None:
    """Return the UTC hour `YYYYMMDDHH` in the name of a diagnostic settings file, or None.

    https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs#send-to-azure-storage
    """
    match = _HOUR.search(object_key)
    return "".join(match.groups()) if match else None
