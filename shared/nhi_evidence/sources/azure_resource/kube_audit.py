"""A Kubernetes audit record (kube-audit, kube-audit-admin) -> Event: one stage of one request.

https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
"""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.azure.text import endpoint, non_empty
from nhi_evidence.event import (
    About,
    Call,
    Endpoint,
    Event,
    Outcome,
    Rejection,
    Result,
    Target,
    User,
)
from nhi_evidence.identity import with_unusable
from nhi_evidence.reading.address import is_address
from nhi_evidence.reading.lenient_decoder import nested
from nhi_evidence.sources.azure_resource import http_status, kube_record
from nhi_evidence.sources.azure_resource.envelope import EnvelopeView, Unreadable
from nhi_evidence.sources.azure_resource.kube_identity import actor
from nhi_evidence.sources.azure_resource.kube_record import KubeEvent, ObjectRef
from nhi_evidence.sources.azure_resource.record import is_absent

_PRODUCT = "Azure Kubernetes Service"
_CORE = "core"
_DECISION = "authorization.k8s.io/decision"
_REASON = "authorization.k8s.io/reason"
_ISSUED = "authentication.kubernetes.io/issued-credential-id"
_FORBIDDEN = "forbid"
_ANSWERED = frozenset({"ResponseStarted", "ResponseComplete", "Panic"})
_OF_NHI = frozenset(
    {
        "certificatesigningrequests",
        "clusterrolebindings",
        "clusterroles",
        "rolebindings",
        "roles",
        "secrets",
        "serviceaccounts",
    }
)
"""Resources that are, hold or empower non-human identities."""
_BINDINGS = frozenset({"clusterrolebindings", "rolebindings"})
_ENTITIES = {"certificatesigningrequests": "Certificate Signing Request"}
_SUBJECT_ACCOUNT = "ServiceAccount"
_USER_TYPE_SERVICE = 4


def event(view: EnvelopeView) -> Event | Rejection:
    """Return the event an audit record states, or why its log cannot be read.

    Raises what the JSON reader raises when a slice does not decode, and `Unreadable`.
    """
    decoded = kube_record.read(view)
    if isinstance(decoded, Rejection):
        return decoded
    audit, unusable = decoded
    time, original = view.time(audit.requestReceivedTimestamp, audit.stageTimestamp)
    operation, name = _operation(audit)
    reference = audit.objectRef or ObjectRef()
    who = actor(audit, non_empty(view.envelope.resourceId))
    identity = with_unusable(who.identity, (*view.unusable, *unusable))
    service = reference.apiGroup or _CORE
    service_name = reference.apiGroup or view.envelope.category
    if service_name is None:
        raise Unreadable("event_source_missing", "")
    return Event(
        time=time,
        original_time=original,
        logged=view.logged(
            _PRODUCT,
            "kubernetes_audit",
            uid=_uid(audit),
            event_code=audit.stage,
            correlation_uid=non_empty(audit.auditID),
            version=audit.apiVersion,
        ),
        call=Call(
            service=service,
            service_name=service_name,
            operation=operation,
            operation_name=name,
            api_version=reference.apiVersion,
            request_uid=non_empty(audit.auditID),
            source=_source(audit.sourceIPs),
            user_agent=non_empty(audit.userAgent),
        ),
        actor=msgspec.structs.replace(who, identity=identity),
        about=_about(audit, reference),
        outcome=_outcome(audit),
    )


def _source(addresses: list[str] | None) -> Endpoint | None:
    """Return the address of the connection, the last; the caller may have set all before it.

    https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Event
    """
    if not addresses:
        return None
    source = endpoint(addresses[-1])
    claimed = tuple(text for text in addresses[:-1] if is_address(text))
    if source is None or not claimed:
        return source
    return msgspec.structs.replace(source, intermediate_ips=claimed)


def _operation(audit: KubeEvent) -> tuple[str, str]:
    """Return `verb resource[/subresource]`, or `verb path` of a call that names no resource."""
    verb, path = non_empty(audit.verb), (audit.requestURI or "").partition("?")[0]
    resource = audit.objectRef.resource if audit.objectRef else None
    if verb is None or not (resource or path):
        raise Unreadable("event_name_missing", "")
    if not resource:
        return f"{verb} {path}", f"{verb} {path}"
    subresource = audit.objectRef.subresource if audit.objectRef else None
    full_resource = f"{resource}/{subresource}" if subresource else resource
    return f"{verb} {full_resource}", f"{verb} {full_resource}"


def _uid(audit: KubeEvent) -> str | None:
    """Return the id of a request and its stage: each stage is a record of its own."""
    request = non_empty(audit.auditID)
    return f"{request} {audit.stage}" if request and audit.stage else request


def _outcome(audit: KubeEvent) -> Outcome:
    """Derive the outcome; a stage before the response has none, unless access was forbidden."""
    status = audit.responseStatus
    code = http_status.number(status.code) if status else None
    detail = (non_empty(status.message) or non_empty(status.reason)) if status else None
    annotations = audit.annotations or {}
    if annotations.get(_DECISION) == _FORBIDDEN:
        reason = annotations.get(_REASON)
        explanation = detail or (reason if isinstance(reason, str) and reason else None)
        return Outcome(Result.DENIED, str(code) if code else _FORBIDDEN, explanation)
    if code is None or (audit.stage is not None and audit.stage not in _ANSWERED):
        return Outcome(Result.UNKNOWN)
    result = http_status.result(code)
    return Outcome(result) if result is Result.SUCCESS else Outcome(result, str(code), detail)


def _about(audit: KubeEvent, reference: ObjectRef) -> About:
    resource, name = reference.resource, non_empty(reference.name)
    issued = (audit.annotations or {}).get(_ISSUED)
    user, privileges = _granted(audit) if resource in _BINDINGS else (None, ())
    if resource == "serviceaccounts" and name:
        user = User(uid=non_empty(reference.uid), name=name, type_id=_USER_TYPE_SERVICE)
    kind = _ENTITIES.get(resource or "")
    return About(
        targets=_targets(audit, reference),
        is_nhi=resource in _OF_NHI,
        user=user,
        entity=Target(uid=non_empty(reference.uid), name=name, type=kind)
        if kind and name
        else None,
        privileges=privileges,
        issued_credentials=(issued,) if isinstance(issued, str) and issued else (),
    )


def _targets(audit: KubeEvent, reference: ObjectRef) -> tuple[Target, ...]:
    path = (audit.requestURI or "").partition("?")[0]
    uid, name = non_empty(reference.uid), non_empty(reference.name)
    targets = []
    if reference.resource and (uid or name or path):
        targets.append(Target(uid=uid or path or None, name=name, type=reference.resource))
    if reference.namespace:
        targets.append(Target(name=reference.namespace, type="namespaces"))
    return tuple(targets)


def _granted(audit: KubeEvent) -> tuple[User | None, tuple[str, ...]]:
    """Return who a binding names first, and the role it gives; only some records hold it."""
    if is_absent(audit.requestObject):
        return None, ()
    binding: Any = msgspec.json.decode(nested(audit.requestObject))
    if not isinstance(binding, dict):
        return None, ()
    role, subjects = binding.get("roleRef"), binding.get("subjects")
    first: Any = subjects[0] if isinstance(subjects, list) and subjects else None
    privilege = _text_at(role, "name")
    return _subject(first), (privilege,) if privilege else ()


def _subject(first: Any) -> User | None:
    name = _text_at(first, "name")
    if name is None:
        return None
    kind = _text_at(first, "kind")
    return User(name=name, type_id=_USER_TYPE_SERVICE if kind == _SUBJECT_ACCOUNT else None)


def _text_at(value: Any, name: str) -> str | None:
    text = value.get(name) if isinstance(value, dict) else None
    return text if isinstance(text, str) and text else None
