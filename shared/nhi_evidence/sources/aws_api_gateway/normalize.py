"""One entry of an access log -> Event or Rejection, from the record alone."""

from __future__ import annotations

import re

import msgspec

from nhi_evidence.event import (
    LONGEST_DETAIL,
    About,
    Call,
    Endpoint,
    Event,
    Logged,
    Outcome,
    Rejection,
    Result,
    Target,
)
from nhi_evidence.identity import with_unusable
from nhi_evidence.reading import http_status, instant
from nhi_evidence.reading.address import is_address
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.aws_api_gateway.identity import actor
from nhi_evidence.sources.aws_api_gateway.record import Entry, known, read

_SERVICE = "execute-api"
_DOMAIN = re.compile(r"[a-z0-9-]+\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_DIGITS = re.compile(r"\d{1,15}", re.ASCII)


def normalize(raw: bytes) -> Event | Rejection:
    """Normalize one record; one that cannot be read becomes a `Rejection`, never a guess."""
    decoded = read(raw)
    if isinstance(decoded, Rejection):
        return decoded
    entry, unusable, document = decoded
    stated = known(entry.request_time_epoch)
    if stated is None:
        missing = "requestTimeEpoch" not in unusable
        return Rejection("event_time_missing" if missing else "event_time_malformed")
    time = _time(stated)
    if time is None:
        return Rejection("event_time_malformed", repr(stated)[:LONGEST_DETAIL])
    operation = _operation(entry)
    if operation is None:
        return Rejection("event_name_missing")
    api = known(entry.api_id)
    if api is None:
        return Rejection("event_source_missing")
    event = _event(entry, operation, api, (time, stated), document)
    if not unusable:
        return event
    named = with_unusable(event.actor.identity, unusable)
    return msgspec.structs.replace(
        event, actor=msgspec.structs.replace(event.actor, identity=named)
    )


def _time(text: str) -> int | None:
    if _DIGITS.fullmatch(text) is None:
        return None
    return instant.of_count(int(text))


def _operation(entry: Entry) -> str | None:
    """Return the route key of an HTTP API, or method and path template of a REST API."""
    route, method, path = (
        known(entry.route_key),
        known(entry.http_method),
        known(entry.resource_path),
    )
    if route is not None:
        return route
    if method is None:
        return None
    return f"{method} {path}" if path else f"{method} "


def _event(
    entry: Entry,
    operation: str,
    api: str,
    time: tuple[int, str],
    document: bytes,
) -> Event:
    domain, request = known(entry.domain_name), known(entry.request_id)
    return Event(
        time=time[0],
        original_time=time[1],
        logged=Logged(
            "AWS",
            "API Gateway",
            "api_access",
            uid=request,
            correlation_uid=known(entry.extended_request_id),
            account=known(entry.account_id),
            region=_region(domain),
        ),
        call=Call(
            _SERVICE,
            api,
            operation,
            operation,
            None,
            request,
            _source(entry.source_ip, entry.vpce_id, entry.vpc_id),
            known(entry.user_agent),
            endpoint=domain,
            details=_details(entry),
        ),
        actor=actor(entry),
        about=_about(api, known(entry.resource_path)),
        outcome=_outcome(entry.status, known(entry.error_response_type)),
        record=msgspec.Raw(document),
    )


@bounded_cache(results=256, longest=256)
def _region(domain: str | None) -> str | None:
    match = _DOMAIN.fullmatch(domain or "")
    return match[1] if match else None


@bounded_cache(results=2048, longest=1024)
def _about(api: str, path: str | None) -> About:
    if path is None:
        return About(targets=(Target(uid=api, type="AWS::ApiGatewayV2::Api"),))
    gateway = Target(uid=api, type="AWS::ApiGateway::RestApi")
    return About(targets=(gateway, Target(name=path, type="path")))


@bounded_cache(results=4096, longest=256)
def _source(source_ip: str | None, vpce_id: str | None, vpc_id: str | None) -> Endpoint | None:
    address, endpoint, vpc = known(source_ip), known(vpce_id), known(vpc_id)
    if address is None:
        return Endpoint(uid=endpoint, vpc_uid=vpc) if endpoint or vpc else None
    if is_address(address):
        return Endpoint(ip=address, uid=endpoint, vpc_uid=vpc)
    return Endpoint(name=address, uid=endpoint, vpc_uid=vpc)


@bounded_cache(results=1024, longest=128)
def _outcome(status: str | int | None, error: str | None) -> Outcome:
    code = http_status.number(known(status))
    if code is None:
        return Outcome(Result.UNKNOWN)
    result = http_status.result(code)
    if result is Result.SUCCESS:
        return Outcome(result)
    return Outcome(result, str(code), error)


def _details(entry: Entry) -> tuple[tuple[str, str], ...]:
    """Return facts that OCSF has no attribute for: what each step of the gateway decided."""
    return _known_details(
        entry.stage,
        (
            entry.authorizer_status,
            entry.authorize_status,
            entry.authenticate_status,
            entry.waf_status,
        ),
        entry.principal_org_id,
        entry.cognito_identity_id,
    )


@bounded_cache(results=2048, longest=512)
def _known_details(
    stage: str | None,
    statuses: tuple[str | int | None, ...],
    principal_org_id: str | None,
    cognito_identity_id: str | None,
) -> tuple[tuple[str, str], ...]:
    values = (stage, *statuses, principal_org_id, cognito_identity_id)
    named = zip(_DETAILS, values, strict=True)
    return tuple((name, text) for name, value in named if (text := known(value)))


_DETAILS = (
    "stage",
    "authorizer_status",
    "authorize_status",
    "authenticate_status",
    "waf_status",
    "principal_org_id",
    "cognito_identity_id",
)
