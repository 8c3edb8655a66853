"""Reading CloudTrail's texts: times, source addresses, ARNs, operation and service names."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import msgspec

from nhi_evidence.event import Endpoint
from nhi_evidence.reading.bounded_cache import bounded_cache

_EVENT_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}")
_API_DATE = re.compile(r"(?:20\d{6}(?:v\d+)?|20\d\d_\d\d_\d\d)$")
_AWS_DOMAIN = ".amazonaws.com"
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


@bounded_cache(results=4096, longest=_LONGEST)
def endpoint(source: str | None) -> Endpoint | None:
    """Read `sourceIPAddress`: an address, an AWS service's name, or another text.

    The field also holds service names (`cloudformation.amazonaws.com`) and texts such as
    `AWS Internal`; only an address goes into `ip`.
    """
    if not source:
        return None
    if _is_address(source):
        return Endpoint(ip=source)
    if source.endswith(_AWS_DOMAIN):
        return Endpoint(svc_name=source)
    return Endpoint(name=source)


def _is_address(text: str) -> bool:
    if _IPV4.fullmatch(text):
        return True
    if ":" not in text:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_aws_service(name: str | None) -> bool:
    """Whether a text names an AWS service (`secretsmanager.amazonaws.com`)."""
    return name is not None and name.endswith(_AWS_DOMAIN)


@bounded_cache(results=1024, longest=_LONGEST)
def service_key(event_source: str) -> str:
    """`eventSource` as the catalog spells it: without `.amazonaws.com`, lower case."""
    return event_source.lower().removesuffix(_AWS_DOMAIN)


@bounded_cache(results=4096, longest=_LONGEST)
def operation_key(event_name: str) -> str:
    """`eventName` as the catalog spells it: without an API-date suffix.

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
