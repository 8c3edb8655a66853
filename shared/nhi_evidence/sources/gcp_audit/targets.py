"""What was acted on: the resource, the permissions' resources, and whom a policy names.

A name is taken as the record has it, never completed.
"""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.event import About, Target, User
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.gcp_audit import naming
from nhi_evidence.sources.gcp_audit.record import AuditLog, LogEntry, Resource, present

_SERVICE = 4
"""OCSF `user.type_id`: Service."""
_POLICY_DELTA = b'"bindingDeltas"'
_LAST = "/"


class _Binding(msgspec.Struct, frozen=True, gc=False):
    action: str | None = None
    role: str | None = None
    member: str | None = None


class _Delta(msgspec.Struct, frozen=True):
    binding_deltas: tuple[_Binding, ...] = msgspec.field(name="bindingDeltas", default=())


class _PolicyChange(msgspec.Struct, frozen=True):
    policy_delta: _Delta | None = msgspec.field(name="policyDelta", default=None)


class _Named(msgspec.Struct, frozen=True):
    """The attributes of a request or response that name a principal or a credential."""

    name: Any = None
    email: Any = None
    unique_id: Any = None
    uniqueId: Any = None  # noqa: N815 the other spelling of the same
    account_id: Any = None
    accountId: Any = None  # noqa: N815


def about(entry: LogEntry, audit: AuditLog, service: str, minted: tuple[str, ...]) -> About:
    """Read what the record says it is about; `minted` are the accounts that a token goes through.

    Raises `msgspec.MsgspecError` or `UnicodeDecodeError` when a slice cannot be decoded; the
    caller rejects the record.
    """
    resource = entry.resource
    name = audit.resource_name
    is_account = resource is not None and resource.type == naming.SERVICE_ACCOUNT
    bindings = _bindings(audit)
    targets = _targets(audit, resource, bindings, minted)
    request = response = _NOTHING
    if service in naming.ENTITIES:
        request, response = _named(audit.request), _named(audit.response)
    entity, issued = _entity(service, name, request, response)
    user, privileges = _granted(bindings) if bindings else (None, ())
    if user is None and not bindings and (is_account or service == naming.IAM):
        user = _account(resource, request, response)
    bucket = naming.BUCKET.fullmatch(name) if name else None
    return About(
        targets=targets,
        is_nhi=is_account or bool(issued) or bool(minted) or _names_nhi(targets),
        user=user,
        entity=entity,
        privileges=privileges,
        log_name=name if service == naming.LOGGING and name else None,
        databucket=_bucket(bucket[1], bucket[2]) if bucket else None,
        file=_file(name) if name and bucket else None,
        table=_table(name) if name else None,
        issued_credentials=issued,
    )


_NOTHING = _Named()


@bounded_cache(results=1024, longest=512)
def _bucket(uid: str, name: str) -> Target:
    return Target(uid=uid, name=name, type=naming.BUCKET_TYPE)


def _file(name: str) -> Target | None:
    match = naming.OBJECT.fullmatch(name)
    return Target(uid=name, name=match[1]) if match else None


def _table(name: str) -> Target | None:
    match = naming.TABLE.fullmatch(name)
    return (
        Target(uid=name, name=name.rpartition(_LAST)[2], type=naming.TABLE_TYPE) if match else None
    )


def _targets(
    audit: AuditLog,
    resource: Resource | None,
    bindings: tuple[_Binding, ...],
    minted: tuple[str, ...],
) -> tuple[Target, ...]:
    """Return the resource, then whatever else needed permission, then whom a policy names."""
    kinds: dict[str, str | None] = {}
    if audit.resource_name:
        kinds[audit.resource_name] = None
    for authorization in audit.authorization_info or ():
        attributes = authorization.resource_attributes
        uid = authorization.resource or (attributes.name if attributes else None)
        kind = (attributes.type if attributes else None) or None
        if uid and (uid not in kinds or kinds[uid] is None):
            kinds[uid] = kind
    if audit.resource_name and kinds[audit.resource_name] is None and resource is not None:
        kinds[audit.resource_name] = resource.type
    for name in minted:
        kinds.setdefault(name, None)
    for binding in bindings:
        if binding.member:
            kinds.setdefault(binding.member, naming.MEMBER_TYPE)
    return tuple(Target(uid=uid, type=kind) for uid, kind in kinds.items())


def _names_nhi(targets: tuple[Target, ...]) -> bool:
    for target in targets:
        uid = target.uid or ""
        if uid.startswith(naming.NHI_MEMBERS) or any(part in uid for part in naming.NHI_NAMES):
            return True
    return False


def _named(piece: msgspec.Raw) -> _Named:
    slice_ = present(piece)
    if slice_ is None:
        return _NOTHING
    try:
        return msgspec.json.decode(slice_, type=_Named)
    except msgspec.ValidationError:
        return _NOTHING


def _bindings(audit: AuditLog) -> tuple[_Binding, ...]:
    """Return which members a policy change gives or takes which roles."""
    for piece in (audit.service_data, audit.metadata):
        if _POLICY_DELTA not in bytes(piece):
            continue
        try:
            change = msgspec.json.decode(piece, type=_PolicyChange)
        except msgspec.ValidationError:
            continue
        if change.policy_delta is not None:
            return change.policy_delta.binding_deltas
    return ()


def _granted(bindings: tuple[_Binding, ...]) -> tuple[User | None, tuple[str, ...]]:
    """Return the principal a policy change is about and the roles, if it is about only one."""
    members = {one.member for one in bindings}
    if len(members) != 1:
        return None, ()
    (member,) = members
    if not member:
        return None, ()
    name = member.partition(":")[2] or None
    return User(uid=member, name=name), tuple(one.role for one in bindings if one.role)


def _account(resource: Resource | None, request: _Named, response: _Named) -> User | None:
    """Return the service account that a call is about."""
    labels = resource.labels if resource else None
    email = _text(response.email) or (labels.email_id if labels else None)
    uid = _text(response.unique_id, response.uniqueId) or (labels.unique_id if labels else None)
    name = email or _text(request.account_id, request.accountId)
    if not name and not uid:
        return None
    return User(uid=uid or None, name=name, type_id=_SERVICE, email_addr=email or None)


def _entity(
    service: str, resource: str | None, request: _Named, response: _Named
) -> tuple[Target | None, tuple[str, ...]]:
    """Return the durable credential that a call is about, and its id if the call created it."""
    known = naming.ENTITIES.get(service)
    if known is None:
        return None, ()
    pattern, kind = known
    created = _text(response.name)
    if created and pattern.fullmatch(created):
        is_new = (
            service in naming.ISSUERS and created != resource and created != _text(request.name)
        )
        return Target(uid=created, type=kind), (created,) if is_new else ()
    for name in (resource, _text(request.name)):
        if name and pattern.fullmatch(name):
            return Target(uid=name, type=kind), ()
    return None, ()


def _text(*values: Any) -> str | None:
    return next((one for one in values if isinstance(one, str) and one), None)
