"""One audit entry -> Event or Rejection, from the record alone.

A request and its response are two entries with one id, and neither is a duplicate of the other.
Only a response, or an error, says how the request ended.
"""

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
    Session,
    Target,
)
from nhi_evidence.identity import with_unusable
from nhi_evidence.reading import instant
from nhi_evidence.reading.address import is_absent, is_address
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.vault_audit.identity import actor, principal
from nhi_evidence.sources.vault_audit.record import (
    Auth,
    Entry,
    Request,
    entries,
    read_auth,
    text_in,
)

_TYPES = frozenset({"request", "response"})
_SYSTEM, _TOKEN = ("sys/", "system"), ("auth/token/", "token")
_HASHED = "hmac-sha256:"
_NHI_MOUNTS = frozenset(
    {"approle", "token", "kubernetes", "aws", "gcp", "azure", "jwt", "cert", "database", "identity"}
)
_AUDIT = "audit/"
_RENEWALS = {"token": ("renew",), "system": ("leases/renew", "renew")}
"""Where a token or lease lives longer: the response names it, but it is not a new one."""
_ROLE = re.compile(r"^role/[^/]+")
"""The role in a path within a mount: the catalog has one row for all role names."""
_ERRORS: tuple[tuple[str, Result], ...] = (
    ("permission denied", Result.DENIED),
    ("invalid role or secret id", Result.UNAUTHENTICATED),
    ("invalid secret id", Result.UNAUTHENTICATED),
    ("invalid role id", Result.UNAUTHENTICATED),
    ("missing client token", Result.UNAUTHENTICATED),
    ("invalid token", Result.UNAUTHENTICATED),
    ("bad token", Result.UNAUTHENTICATED),
    ("invalid username or password", Result.UNAUTHENTICATED),
    ("login unauthorized", Result.UNAUTHENTICATED),
    ("error validating token", Result.UNAUTHENTICATED),
    ("rate limit", Result.THROTTLED),
    ("quota exceeded", Result.THROTTLED),
    ("no handler for route", Result.NOT_FOUND),
    ("unsupported path", Result.NOT_FOUND),
    ("unsupported operation", Result.INVALID),
    ("invalid request", Result.INVALID),
)
"""What an error says, in Vault's words; the first that occurs in it decides."""


def normalize(raw: bytes) -> Event | Rejection:
    """Normalize one record; one that cannot be read becomes a `Rejection`, never a guess."""
    decoded = entries.record(raw)
    if isinstance(decoded, Rejection):
        return decoded
    entry, unusable = decoded
    time = instant.milliseconds(entry.time)
    if entry.time is None or time is None:
        if entry.time is None and "time" not in unusable:
            return Rejection("event_time_missing")
        return Rejection("event_time_malformed", repr(entry.time)[:LONGEST_DETAIL])
    try:
        auth, misshapen = read_auth(bytes(entry.auth))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])
    request = entry.request
    if entry.type not in _TYPES or (request is None and auth is None):
        return Rejection("not_an_audit_entry", f"type {entry.type!r}"[:LONGEST_DETAIL])
    if request is None or not request.operation or not request.path:
        return Rejection("event_name_missing")
    stated = (time, entry.time)
    return _event(entry, request, auth, stated, raw, unusable=(*misshapen, *unusable))


def _event(
    entry: Entry,
    request: Request,
    auth: Auth | None,
    time: tuple[int, str],
    raw: bytes,
    *,
    unusable: tuple[str, ...],
) -> Event:
    service, path = mount(request)
    stated = request.mount_type or request.path.partition("/")[0] if request.path else service
    whose = principal(entry, auth)
    who = actor(entry, request, auth, whose)
    if unusable:
        who = msgspec.structs.replace(who, identity=with_unusable(who.identity, unusable))
    agents = (request.headers or {}).get("user-agent") or ()
    return Event(
        time=time[0],
        original_time=time[1],
        logged=Logged(
            "Vault",
            "Audit Device",
            entry.type,
            entry.type,
            uid=f"{request.id} {entry.type}" if request.id else None,
            correlation_uid=request.id or None,
        ),
        call=Call(
            service,
            stated,
            f"{request.operation} {_of_any_role(path)}",
            f"{request.operation} {request.path}",
            None,
            request.id or None,
            _source(request.remote_address),
            agents[0] if agents else None,
            details=_details(entry, request, whose),
        ),
        actor=who,
        about=_about(entry, request, service, path),
        outcome=_outcome(entry, auth),
        request=request.data,
        record=msgspec.Raw(raw),
    )


@bounded_cache(results=2048, longest=512)
def _of_any_role(path: str) -> str:
    return _ROLE.sub("role/*", path)


def mount(request: Request) -> tuple[str, str]:
    """Return the type of the mount a path leads to, and the path within it.

    Operators name mounts as they like; only the system backend and the token store have fixed
    places. Entries from before release 1.8 name no mount: then the whole path is the operation.
    """
    path = request.path or ""
    namespace = (request.namespace.path if request.namespace else None) or ""
    inside = path.removeprefix(namespace)
    for prefix, kind in (_SYSTEM, _TOKEN):
        if inside.startswith(prefix):
            return kind, inside.removeprefix(prefix)
    point = (request.mount_point or "").removeprefix(namespace)
    if request.mount_type and point and inside.startswith(point):
        kind = "system" if request.mount_type == "ns_system" else request.mount_type
        return kind, inside.removeprefix(point)
    return request.mount_type or "unknown", inside


@bounded_cache(results=2048, longest=256)
def _source(address: str | None) -> Endpoint | None:
    if address is None or is_absent(address):
        return None
    return Endpoint(ip=address) if is_address(address) else Endpoint(name=address)


def _outcome(entry: Entry, auth: Auth | None) -> Outcome:
    """Derive the outcome; a request has none yet, unless it has an error."""
    results = auth.policy_results if auth else None
    if entry.error:
        text = entry.error.lower()
        result = next((result for words, result in _ERRORS if words in text), Result.FAILED)
        return Outcome(result, None, entry.error)
    if results is not None and results.allowed is False:
        return Outcome(Result.DENIED)
    return _SUCCESS if entry.type == "response" else _UNKNOWN


_SUCCESS, _UNKNOWN = Outcome(Result.SUCCESS), Outcome(Result.UNKNOWN)


def _about(entry: Entry, request: Request, service: str, path: str) -> About:
    response = entry.response
    is_renewal = path.startswith(_RENEWALS.get(service, ()))
    targets = _targets(request.path, service, request.mount_accessor)
    issued: list[str] = []
    session = None
    if response is not None:
        auth = response.auth
        if auth is not None and auth.accessor:
            if not is_renewal:
                issued.append(auth.accessor)
            created = instant.milliseconds(auth.token_issue_time)
            session = Session(credential_uid=auth.accessor, created_time=created)
        lease = response.secret.lease_id if response.secret is not None else None
        if lease and is_renewal:
            targets = (*targets, Target(uid=lease, type="lease"))
        elif lease:
            issued.append(lease)
        key = text_in(response.data, "access_key", "serial_number")
        if key and not key.startswith(_HASHED):
            issued.append(key)
        if response.wrap_info is not None and response.wrap_info.accessor:
            issued.append(response.wrap_info.accessor)
    is_audit = service == "system" and path.startswith(_AUDIT)
    return About(
        targets=targets,
        is_nhi=service in _NHI_MOUNTS or is_renewal or bool(issued),
        log_name=path.removeprefix(_AUDIT) or None if is_audit else None,
        issued_credentials=tuple(dict.fromkeys(issued)) if issued else (),
        issued_session=session,
    )


@bounded_cache(results=2048, longest=1024)
def _targets(path: str | None, service: str, mount_accessor: str | None) -> tuple[Target, ...]:
    named = Target(uid=path, type=service)
    return (named, Target(uid=mount_accessor, type="mount")) if mount_accessor else (named,)


def _details(entry: Entry, request: Request, whose: Auth | None) -> tuple[tuple[str, str], ...]:
    """Return facts that OCSF has no attribute for."""
    namespace = request.namespace.path if request.namespace else None
    token_type = whose.token_type if whose else None
    details = []
    if namespace:
        details.append(("namespace", namespace))
    if token_type:
        details.append(("token_type", token_type))
    if entry.forwarded_from:
        details.append(("forwarded_from", entry.forwarded_from))
    return tuple(details)
