"""A Kubernetes audit event -> Event, for every pack whose records contain such events."""

from __future__ import annotations

import msgspec

from nhi_evidence.event import About, Actor, Call, Endpoint, Event, Logged, Outcome, Result, Target
from nhi_evidence.identity import with_unusable
from nhi_evidence.kubernetes.about import Named, about
from nhi_evidence.kubernetes.audit_event import AuditEvent, ObjectReference, ResponseStatus
from nhi_evidence.kubernetes.identity import actor
from nhi_evidence.kubernetes.operation import CORE, Operation
from nhi_evidence.reading import http_status
from nhi_evidence.reading.address import is_absent, is_address
from nhi_evidence.reading.bounded_cache import bounded_cache

_DECISION = "authorization.k8s.io/decision"
_REASON = "authorization.k8s.io/reason"
_ISSUED = "authentication.kubernetes.io/issued-credential-id"
_FORBIDDEN = "forbid"
_ANSWERED = frozenset({"ResponseStarted", "ResponseComplete", "Panic"})


def event(
    audit: AuditEvent,
    called: Operation,
    time: tuple[int, str],
    logged: Logged,
    *,
    service_name: str,
    cluster: Target | None,
    unusable: tuple[str, ...] = (),
    who: Actor | None = None,
    record: msgspec.Raw | None = None,
) -> Event:
    """Return the event that an audit event states.

    `called` is its operation, `time` in milliseconds and as stated, `service_name` the record's
    name for the API group, `cluster` the cluster as the provider names it: its uid is part of
    canonical ids. `unusable` names attributes that could not be used; pass `who` if the provider
    says more about the caller, `record` if conditions look at all of it. Raises as
    `msgspec.json.decode` does when the request's object cannot be decoded.
    """
    reference = audit.objectRef or _NO_REFERENCE
    who = who or actor(audit, cluster.uid if cluster else None)
    if unusable:
        who = msgspec.structs.replace(who, identity=with_unusable(who.identity, unusable))
    return Event(
        time=time[0],
        original_time=time[1],
        logged=logged,
        call=Call(
            service=called.group,
            service_name=service_name,
            operation=called.text,
            operation_name=called.text,
            api_version=reference.apiVersion,
            request_uid=None if is_absent(audit.auditID) else audit.auditID,
            source=_source(tuple(audit.sourceIPs)) if audit.sourceIPs else None,
            user_agent=stated(audit.userAgent),
        ),
        actor=who,
        about=_about(audit, reference, cluster),
        outcome=_outcome(audit),
        record=record,
    )


def operation(audit: AuditEvent) -> Operation | None:
    """Return the operation of an audit event; None without a verb, a resource or a path."""
    reference = audit.objectRef or _NO_REFERENCE
    resource = reference.resource or None
    path = None if resource else _path(audit)
    return _operation(audit.verb, reference.apiGroup or CORE, resource, reference.subresource, path)


_NO_REFERENCE = ObjectReference()


@bounded_cache(results=4096, longest=512)
def _operation(
    verb: str | None,
    group: str,
    resource: str | None,
    subresource: str | None,
    path: str | None,
) -> Operation | None:
    if resource and subresource:
        resource = f"{resource}/{subresource}"
    verb = stated(verb)
    if verb is None or not (resource or path):
        return None
    return Operation(group, verb, resource or path or "")


def uid(audit: AuditEvent) -> str | None:
    """Return the id of a request with its stage, as each stage is a record of its own."""
    request = None if is_absent(audit.auditID) else audit.auditID
    return f"{request} {audit.stage}" if request and audit.stage else request


@bounded_cache(results=4096, longest=128)
def stated(text: str | None) -> str | None:
    """Return a text unless it is a word for nothing."""
    return None if is_absent(text) else text


def _path(audit: AuditEvent) -> str:
    return (audit.requestURI or "").partition("?")[0]


@bounded_cache(results=2048, longest=512)
def _source(addresses: tuple[str, ...]) -> Endpoint | None:
    """Return the connection's address, which is the last; a caller may forge those before it.

    https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Event
    """
    last = stated(addresses[-1])
    if last is None:
        return None
    claimed = tuple(text for text in addresses[:-1] if is_address(text))
    if is_address(last):
        return Endpoint(ip=last, intermediate_ips=claimed)
    return Endpoint(name=last, intermediate_ips=claimed)


def _outcome(audit: AuditEvent) -> Outcome:
    """Derive the outcome; a stage before the response has none, unless access was forbidden."""
    status, annotations = audit.responseStatus, audit.annotations or {}
    decision, reason = annotations.get(_DECISION), annotations.get(_REASON)
    return _known_outcome(
        status,
        decision == _FORBIDDEN,
        reason if isinstance(reason, str) and reason else None,
        audit.stage is None or audit.stage in _ANSWERED,
    )


@bounded_cache(results=2048, longest=1024)
def _known_outcome(
    status: ResponseStatus | None, is_forbidden: bool, reason: str | None, is_answered: bool
) -> Outcome:
    code = http_status.number(status.code) if status else None
    detail = (stated(status.message) or stated(status.reason)) if status else None
    if is_forbidden:
        return Outcome(Result.DENIED, str(code) if code else _FORBIDDEN, detail or reason)
    if code is None or not is_answered:
        return Outcome(Result.UNKNOWN)
    result = http_status.result(code)
    return Outcome(result) if result is Result.SUCCESS else Outcome(result, str(code), detail)


def _about(audit: AuditEvent, reference: ObjectReference, cluster: Target | None) -> About:
    issued = (audit.annotations or {}).get(_ISSUED)
    path = _path(audit) or None
    named = None
    if reference.resource:
        named = Named(
            resource=reference.resource,
            name=stated(reference.name),
            namespace=stated(reference.namespace),
            uid=stated(reference.uid),
            path=path,
        )
    return about(
        named,
        path,
        audit.requestObject,
        cluster=cluster,
        issued=(issued,) if isinstance(issued, str) and issued else (),
    )
