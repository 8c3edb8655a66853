"""Read CloudTrail's texts: times, source addresses, ARNs, operation and service names."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

from nhi_evidence import partitions
from nhi_evidence.event import Endpoint
from nhi_evidence.reading.address import is_absent, is_address
from nhi_evidence.reading.bounded_cache import bounded_cache

_EVENT_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_API_DATE = re.compile(r"(?:20\d{6}(?:v\d+)?|20\d\d_\d\d_\d\d)$")
_DOMAINS = tuple(f".{suffix}" for suffix in partitions.DNS_SUFFIXES)
_CONSOLE = frozenset(f"signin{domain}" for domain in _DOMAINS)
_EXPIRY = re.compile(
    r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d\d):(\d\d)[ \u202f]([AP]M)", re.ASCII
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST_SESSION = 36 * 60 * 60 * 1000
"""Milliseconds, of any temporary credential (`GetSessionToken`, `GetFederationToken`)."""
_SECONDS = re.compile(r"\d{10}", re.ASCII)
_LONGEST = 256


@bounded_cache(results=4096, longest=_LONGEST)
def milliseconds(text: str | None) -> int | None:
    """Read a CloudTrail time (ISO 8601, UTC, `Z`) as milliseconds since the epoch.

    Returns None for anything else: a time without a zone states no instant.
    """
    if text is None or _EVENT_TIME.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment - _EPOCH) // _MILLISECOND


def expiry(value: object, after: int | None) -> int | None:
    """Read when a session expires, in milliseconds since the epoch; None if that is not clear.

    CloudTrail copies the text of the response (`Mar 2, 2026, 11:00:00 AM`), which has no zone.
    AWS writes UTC (docs/decisions/0051), but it is only believed if the result is within the
    longest lifetime of a session `after` the call. Some services write seconds since the epoch.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        value = str(int(value)) if 0 <= value < 10**10 else ""
    if not isinstance(value, str):
        return None
    if _SECONDS.fullmatch(value):
        return int(value) * 1000
    instant = milliseconds(value)
    match = _EXPIRY.fullmatch(value)
    if instant is not None or match is None or match[1] not in _MONTHS or after is None:
        return instant
    hour = int(match[4]) % 12 + (12 if match[7] == "PM" else 0)
    try:
        moment = datetime(
            int(match[3]),
            _MONTHS.index(match[1]) + 1,
            int(match[2]),
            hour,
            int(match[5]),
            int(match[6]),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    instant = (moment - _EPOCH) // _MILLISECOND
    return instant if 0 < instant - after <= _LONGEST_SESSION else None


@bounded_cache(results=4096, longest=_LONGEST)
def endpoint(source: str | None, vpc_endpoint: str | None = None) -> Endpoint | None:
    """Read `sourceIPAddress`: an address, an AWS service's name, or another text.

    Besides addresses there are service names (`cloudformation.amazonaws.com`) and texts such as
    `AWS Internal`; only an address goes into `ip`. `vpc_endpoint` is the VPC endpoint that the
    call came through, which is the endpoint's uid in OCSF.
    """
    uid = vpc_endpoint or None
    if source is None or is_absent(source):
        return Endpoint(uid=uid) if uid else None
    if is_address(source):
        return Endpoint(ip=source, uid=uid)
    if source.endswith(_DOMAINS):
        return Endpoint(svc_name=source, uid=uid)
    return Endpoint(name=source, uid=uid)


def is_aws_service(name: str | None) -> bool:
    """Whether a text names an AWS service (`secretsmanager.amazonaws.com`)."""
    return name is not None and name.endswith(_DOMAINS)


def is_console(name: str | None) -> bool:
    """Whether a service is the console's sign-in, which acts for whoever is signed in."""
    return name in _CONSOLE


@bounded_cache(results=1024, longest=_LONGEST)
def service_key(event_source: str) -> str:
    """Spell `eventSource` as in the catalog: without its partition's domain, lower case."""
    name = event_source.lower()
    domain = next((domain for domain in _DOMAINS if name.endswith(domain)), "")
    return name.removesuffix(domain)


@bounded_cache(results=4096, longest=_LONGEST)
def operation_key(event_name: str) -> str:
    """Spell `eventName` as in the catalog: without an API-date suffix.

    Lambda writes `GetFunction20150331v2`, CloudFront `CreateDistribution2020_05_31`.
    """
    if event_name[-1:].isdigit():
        return _API_DATE.sub("", event_name) or event_name
    return event_name


class Arn(msgspec.Struct, frozen=True):
    """The parts of an ARN (`arn:partition:service:region:account:resource`)."""

    partition: str
    service: str
    region: str
    account: str
    resource: str


def arn(text: str | None) -> Arn | None:
    """Split an ARN; None when the text is not one."""
    if text is None or not text.startswith("arn:"):
        return None
    pieces = text.split(":", 5)
    return Arn(*pieces[1:]) if len(pieces) == 6 else None  # noqa: PLR2004 the ARN's own six parts
