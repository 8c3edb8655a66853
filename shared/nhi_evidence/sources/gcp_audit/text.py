"""Read the texts of an audit log entry: times, addresses, log names, locations."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from nhi_evidence.event import Endpoint
from nhi_evidence.reading.address import is_absent, is_address
from nhi_evidence.reading.bounded_cache import bounded_cache

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LONGEST = 256
_ZONE = re.compile(r"([a-z]+(?:-[a-z]+)+\d+)-[a-z]", re.ASCII)
_AUDIT_LOG = re.compile(r"(.+)/logs/cloudaudit\.googleapis\.com(?:%2F|/)([a-z_]+)", re.ASCII)
_PROJECT = "projects/"


def milliseconds(text: str | None) -> int | None:
    """Read an RFC 3339 time with up to nine decimals as milliseconds since the epoch.

    Returns None for anything else: a time without a zone states no instant. Not cached: with
    nanoseconds hardly any two are alike.
    """
    if text is None or _TIME.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None


@bounded_cache(results=4096, longest=_LONGEST)
def endpoint(caller: str | None, network: str | None) -> Endpoint | None:
    """Read `callerIp` and `callerNetwork`.

    `callerIp` may also be `private` or `gce-internal-ip`; only an address goes into `ip`.
    https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog#RequestMetadata
    """
    if caller is None or is_absent(caller):
        return Endpoint(vpc_uid=network) if network else None
    if is_address(caller):
        return Endpoint(ip=caller, vpc_uid=network or None)
    return Endpoint(name=caller, vpc_uid=network or None)


class LogName(NamedTuple):
    """What the name of an audit log says."""

    scope: str
    """Project id, or resource name of an organization, folder or billing account."""
    record_class: str
    """`activity`, `data_access`, `system_event`, `policy`, ..."""


@bounded_cache(results=1024, longest=_LONGEST)
def audit_log(name: str | None) -> LogName | None:
    """Parse `logName`; None if it is not that of an audit log."""
    match = _AUDIT_LOG.fullmatch(name) if name else None
    return LogName(match[1].removeprefix(_PROJECT), match[2]) if match else None


@bounded_cache(results=1024, longest=_LONGEST)
def region(location: str | None) -> str | None:
    """Return the region of a location; for a zone (`us-central1-a`), the region in its name."""
    zone = _ZONE.fullmatch(location) if location else None
    return zone[1] if zone else location or None


def service_key(name: str) -> str:
    """Spell `serviceName` as in the catalog: in lower case."""
    return name.lower()
