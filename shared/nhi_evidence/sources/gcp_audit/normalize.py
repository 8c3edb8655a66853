"""One audit log entry -> Event or Rejection, from the record alone.

Only an audit log that states when and what is an event: any other entry, or one without
`timestamp`, `methodName` or `serviceName`, is rejected and kept raw. Anything else that is
absent stays absent.
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import (
    LONGEST_DETAIL,
    Actor,
    Call,
    Event,
    Logged,
    Rejection,
    Result,
    Session,
    User,
)
from nhi_evidence.identity import with_unusable
from nhi_evidence.kubernetes.operation import Operation, of_method
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.gcp_audit import naming, principals
from nhi_evidence.sources.gcp_audit.delegation import hops
from nhi_evidence.sources.gcp_audit.identity import RecordContext, identify
from nhi_evidence.sources.gcp_audit.kube_call import of_kubernetes
from nhi_evidence.sources.gcp_audit.outcome import outcome
from nhi_evidence.sources.gcp_audit.record import (
    AuditLog,
    Authentication,
    LogEntry,
    authentications,
    entries,
    present,
)
from nhi_evidence.sources.gcp_audit.targets import about
from nhi_evidence.sources.gcp_audit.text import (
    LogName,
    audit_log,
    endpoint,
    milliseconds,
    region,
    service_key,
)

_AUDIT_LOG = "type.googleapis.com/google.cloud.audit.AuditLog"
_REFUSED = frozenset({Result.DENIED, Result.UNAUTHENTICATED})
_TOKEN_SERVICE = "sts.googleapis.com"  # noqa: S105 the name of a service
_MINT_SERVICE = "iamcredentials.googleapis.com"
_USER_TYPE_USER, _USER_TYPE_SERVICE = 1, 4


class _Metadata(msgspec.Struct, frozen=True):
    """What the services that issue tokens say in `metadata`."""

    mapped_principal: str | None = None
    mappedPrincipal: str | None = None  # noqa: N815 the same, as workforce exchanges spell it
    identityDelegationChain: list[str] | None = None  # noqa: N815


def normalize(raw: bytes) -> Event | Rejection:
    """Normalize one record; one that cannot be read becomes a `Rejection`, never a guess."""
    decoded = entries.record(raw)
    if isinstance(decoded, Rejection):
        return decoded
    entry, unusable = decoded
    audit, log = entry.proto_payload, audit_log(entry.log_name)
    if audit is None or not _is_audit(audit, log):
        return Rejection("not_an_audit_entry", _what(entry))
    time = milliseconds(entry.timestamp)
    if entry.timestamp is None or time is None:
        if entry.timestamp is None and "timestamp" not in unusable:
            return Rejection("event_time_missing")
        return Rejection("event_time_malformed", repr(entry.timestamp)[:LONGEST_DETAIL])
    if not audit.method_name:
        return Rejection("event_name_missing")
    if not audit.service_name:
        return Rejection("event_source_missing")
    try:
        event = _event(entry, log, (time, entry.timestamp), raw, unusable)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])
    if unusable:
        named = with_unusable(event.actor.identity, unusable)
        actor = msgspec.structs.replace(event.actor, identity=named)
        return msgspec.structs.replace(event, actor=actor)
    return event


def _is_audit(audit: AuditLog, log: LogName | None) -> bool:
    return audit.type == _AUDIT_LOG or (audit.type is None and log is not None)


def _what(entry: LogEntry) -> str:
    audit = entry.proto_payload
    payload = "no protoPayload" if audit is None else audit.type or "protoPayload without @type"
    return f"log {entry.log_name!r}: {payload}"[:LONGEST_DETAIL]


def _event(
    entry: LogEntry,
    log: LogName | None,
    time: tuple[int, str],
    raw: bytes,
    unusable: tuple[str, ...],
) -> Event:
    audit = entry.proto_payload or AuditLog()
    name, service_name = audit.method_name or "", audit.service_name or ""
    service = service_key(service_name)
    record_class = log.record_class if log else None
    result = outcome(audit, entry.operation, record_class, unusable)
    mapped, chain = _metadata(audit, service)
    refused = result.result in _REFUSED
    context = RecordContext(refused, mapped, audit.resource_name if mapped else None)
    minted = chain if not refused else ()
    metadata = audit.request_metadata
    permissions, level = _permissions(audit)
    kubernetes = _kubernetes_operation(audit, service)
    # By position: for every record, keywords would cost more than reading it does.
    logged = Logged(
        "GCP",
        "Cloud Audit Logs",
        record_class,
        None,
        None,
        _uid(entry),
        (entry.split.uid if entry.split else None)
        or (entry.operation.id if entry.operation else None),
        log.scope if log else None,
        _region(entry, audit),
        _split_labels(entry) if entry.split else (),
    )
    call = Call(
        kubernetes.group if kubernetes else service,
        service_name,
        kubernetes.text if kubernetes else name,
        name,
        None,
        None,
        endpoint(metadata.caller_ip, metadata.caller_network) if metadata else None,
        (metadata.caller_supplied_user_agent if metadata else None) or None,
        permissions,
        # Google's level would classify a Kubernetes call differently from other clusters' calls.
        None if kubernetes else level,
    )
    return Event(
        time=time[0],
        original_time=time[1],
        logged=logged,
        call=call,
        actor=_actor(bytes(audit.authentication_info), context, minted),
        about=(
            of_kubernetes(entry, audit, kubernetes)
            if kubernetes
            else about(entry, audit, service, chain)
        ),
        outcome=result,
        request=present(audit.request),
        response=present(audit.response),
        record=msgspec.Raw(raw),
    )


def _kubernetes_operation(audit: AuditLog, service: str) -> Operation | None:
    """Return a call to a cluster's API that GKE logged, in that API's own terms."""
    if service != naming.KUBERNETES or not audit.method_name:
        return None
    return of_method(audit.method_name, audit.resource_name)


def _split_labels(entry: LogEntry) -> tuple[str, ...]:
    """Return the labels of an entry that is one piece of a call, `split:<piece>/<pieces>` from 1.

    https://cloud.google.com/logging/docs/audit/understanding-audit-logs#split-log-entries
    """
    split = entry.split
    if split is None or split.uid is None:
        return ()
    piece = "?" if split.index is None else str(split.index + 1)
    label = f"split:{piece}/{split.total_splits or '?'}"
    operation = entry.operation.id if entry.operation else None
    return (label, f"operation:{operation}") if operation else (label,)


@bounded_cache(results=4096, longest=8192)
def _actor(piece: bytes, context: RecordContext, minted: tuple[str, ...]) -> Actor:
    """Read an `authenticationInfo` slice and decide who acted, once per distinct slice.

    Raises `msgspec.DecodeError`, `RecursionError` or `UnicodeDecodeError` when the slice cannot
    be decoded.
    """
    who: Authentication | None = None
    unusable: tuple[str, ...] = ()
    if piece not in {b"", b"null"}:
        try:
            who, unusable = authentications.part(piece, "protoPayload.authenticationInfo")
        except msgspec.ValidationError:
            unusable = ("protoPayload.authenticationInfo",)
    verdict = identify(who, context)
    key = verdict.credential_uid
    return Actor(
        identity=with_unusable(verdict, unusable),
        user=_user(who),
        session=Session(credential_uid=key) if key else None,
        hops=hops(who, verdict, context, minted=minted),
        app_uid=who.oauth_info.oauth_client_id if who and who.oauth_info else None,
    )


def _user(who: Authentication | None) -> User | None:
    if who is None:
        return None
    email = principals.email_of(who.principal_email, who.principal_subject)
    uid = who.principal_subject or email
    if not uid:
        return None
    type_id = None
    if email:
        of_service = principals.is_service_account(email)
        type_id = _USER_TYPE_SERVICE if of_service else _USER_TYPE_USER if "@" in email else None
    is_address = email is not None and "@" in email
    return User(
        uid=uid, name=email or uid, type_id=type_id, email_addr=email if is_address else None
    )


def _metadata(audit: AuditLog, service: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the principal that a token was mapped to, and the accounts that it goes through."""
    if service not in {_TOKEN_SERVICE, _MINT_SERVICE}:
        return None, ()
    slice_ = present(audit.metadata)
    if slice_ is None:
        return None, ()
    try:
        described = msgspec.json.decode(slice_, type=_Metadata)
    except msgspec.ValidationError:
        return None, ()
    if service == _MINT_SERVICE:
        return None, tuple(described.identityDelegationChain or ())
    return described.mapped_principal or described.mappedPrincipal, ()


def _permissions(audit: AuditLog) -> tuple[tuple[str, ...], str | None]:
    """Return the permissions asked for, and the type of the first that states one."""
    infos = audit.authorization_info
    if not infos:
        return (), None
    if len(infos) == 1:
        permission = infos[0].permission
        return (permission,) if permission else (), infos[0].permission_type
    permissions = dict.fromkeys(one.permission for one in infos if one.permission)
    level = next((one.permission_type for one in infos if one.permission_type), None)
    return tuple(permissions), level


def _uid(entry: LogEntry) -> str | None:
    """Return the id of an entry, which is unique only together with its time and log.

    https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry
    """
    if not entry.insert_id or not entry.timestamp or not entry.log_name:
        return None
    return f"{entry.insert_id}|{entry.timestamp}|{entry.log_name}"


def _region(entry: LogEntry, audit: AuditLog) -> str | None:
    locations = audit.resource_location.current_locations if audit.resource_location else None
    if locations is not None and len(locations) == 1:
        return region(locations[0])
    labels = entry.resource.labels if entry.resource else None
    return region(labels.location or labels.region or labels.zone) if labels else None
