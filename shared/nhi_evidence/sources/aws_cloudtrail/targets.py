"""What was acted on: `resources`, and the names a call states in its parameters.

A name is taken as the record has it, never completed into an ARN.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

import msgspec

from nhi_evidence.event import About, Account, Owner, Session, Target, User
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.aws_cloudtrail import naming
from nhi_evidence.sources.aws_cloudtrail.named_resources import MOST, named
from nhi_evidence.sources.aws_cloudtrail.record import Resource, TrailRecord
from nhi_evidence.sources.aws_cloudtrail.text import arn, expiry, milliseconds

_NOTHING = frozenset({b"", b"null"})
_NO_TARGETS: tuple[Target, ...] = ()


_ABOUT_NOTHING = About()


class _Plan(msgspec.Struct, frozen=True):
    """What to look for in the calls of one service."""

    parameters: tuple[tuple[str, str], ...]
    entities: tuple[tuple[str, tuple[str, ...], str], ...]
    logs: tuple[str, ...]
    has_subject: bool
    reads_response: bool


@bounded_cache(results=1024, longest=256)
def _plan(service: str) -> _Plan:
    parameters = naming.PARAMETERS.get(service, ())
    entities = naming.ENTITIES.get(service, ())
    logs = naming.LOGS.get(service, ())
    return _Plan(
        parameters,
        tuple((where, tuple(path.split(".")), kind) for where, path, kind in entities),
        logs,
        service in naming.SUBJECT_SERVICES,
        service in naming.ISSUERS or any(where == "response" for where, *_ in entities),
    )


def about(record: TrailRecord, service: str, operation: str) -> About:
    """Read what the record says it is about.

    Raises `msgspec.MsgspecError`, `RecursionError` or `UnicodeDecodeError` when a parameter slice
    cannot be decoded; the caller rejects the record.
    """
    if bytes(record.responseElements) in _NOTHING:
        return _about_asked(
            service,
            operation,
            bytes(record.requestParameters),
            tuple(record.resources) if record.resources else (),
        )
    return _about(record, service, operation)


@bounded_cache(results=4096, longest=1024)
def _about_asked(
    service: str, operation: str, request: bytes, resources: tuple[Resource, ...]
) -> About:
    """Read what a call without a response is about; cached, as pollers repeat the same call."""
    record = TrailRecord(requestParameters=msgspec.Raw(request), resources=list(resources))
    return _about(record, service, operation)


def _about(record: TrailRecord, service: str, operation: str) -> About:
    plan = _plan(service)
    parameters = _object(record.requestParameters)
    request = {
        name: value for name, value in parameters.items() if isinstance(value, str) and value
    }
    is_named_by_response = (service, operation) in naming.NAMED_BY_RESPONSE
    response = (
        _object(record.responseElements) if plan.reads_response or is_named_by_response else {}
    )
    targets = _targets(record, plan, parameters, request, response if is_named_by_response else {})
    if not targets and not plan.reads_response:
        targets = tuple(named(_object(record.responseElements)))
    if not request and not response and not targets:
        return _ABOUT_NOTHING
    entity = _entity(plan, request, response) if plan.entities else None
    issued = _issued(response) if response else ()
    types = {target.type: target for target in reversed(targets)}
    return About(
        targets=targets,
        is_nhi=bool(issued)
        or (service == "iam" and entity is not None)
        or not naming.NHI_TYPES.isdisjoint(types)
        or any(_is_principal(target.uid) for target in targets if target.uid),
        user=_subject(service, request, response) if plan.has_subject else None,
        entity=entity,
        group=types.get("AWS::IAM::Group"),
        privileges=(
            tuple(request[name] for name in naming.PRIVILEGES if name in request)
            if plan.has_subject
            else ()
        ),
        policies=(
            tuple(request[name] for name in naming.POLICIES if name in request)
            if service == "iam"
            else ()
        ),
        log_name=next((request[name] for name in plan.logs if name in request), None),
        databucket=types.get("AWS::S3::Bucket"),
        file=_stored_object(request, types) if service == "s3" else None,
        table=types.get("AWS::DynamoDB::Table"),
        issued_credentials=issued,
        issued_session=_session(response, milliseconds(record.eventTime)) if issued else None,
    )


def _stored_object(request: dict[str, str], types: dict[str | None, Target]) -> Target | None:
    key, known = request.get("key"), types.get("AWS::S3::Object")
    uid = known.uid if known else None
    if key is None:
        # An S3 ARN ends in the object's key: arn:<partition>:s3:::<bucket>/<key>.
        key = (uid or "").partition(":::")[2].partition("/")[2]
    return Target(uid=uid, name=key) if key else None


def _object(piece: msgspec.Raw) -> dict[str, Any]:
    slice_ = bytes(piece)
    if slice_ in _NOTHING:
        return {}
    value = msgspec.json.decode(slice_)
    return value if isinstance(value, dict) else {}


def _at(value: Any, *path: str) -> str | None:
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value if isinstance(value, str) and value else None


def _targets(
    record: TrailRecord,
    plan: _Plan,
    parameters: dict[str, Any],
    request: dict[str, str],
    response: dict[str, Any],
) -> tuple[Target, ...]:
    """Return `resources`, then what the tables and then parameter names add, without repeats."""
    resources = _resources(record) if record.resources else _NO_TARGETS
    if not parameters and not response:
        return resources
    seen = {text for target in resources for text in (target.uid, target.name) if text}
    seen |= {_last(target.uid) for target in resources if target.uid}
    targets = list(resources)
    listed = (
        _named(request[parameter], kind)
        for parameter, kind in plan.parameters
        if parameter in request
    )
    for target in chain(listed, named(parameters), named(response)):
        text = target.uid or target.name or ""
        if text not in seen and len(targets) < MOST:
            seen |= {text, _last(text)}
            targets.append(target)
    return tuple(targets)


def _is_principal(uid: str) -> bool:
    """Whether an ARN is of a principal: a role passed on, a user, an identity provider."""
    parts = arn(uid)
    return (
        parts is not None
        and parts.service in {"iam", "sts"}
        and parts.resource.startswith(naming.PRINCIPAL_RESOURCES)
    )


def _last(text: str) -> str:
    """Return what an ARN names within its account, so that a plain name can be matched with it."""
    parts = arn(text)
    if parts is None:
        return text
    if parts.service == "s3":
        return parts.resource.partition("/")[2] or parts.resource
    return re.split("[/:]", parts.resource)[-1]


def _resources(record: TrailRecord) -> tuple[Target, ...]:
    targets: list[Target] = []
    seen: set[str | None] = set()
    for resource in record.resources or ():
        uid, name = resource.ARN or resource.arn, resource.resourceName
        if not (uid or name) or (uid or name) in seen:
            continue
        seen.add(uid or name)
        owner = Owner(Account(resource.accountId)) if resource.accountId else None
        kind = resource.type or resource.resourceType
        targets.append(Target(uid=uid, name=name, type=kind, owner=owner))
    return tuple(targets)


def _named(value: str, kind: str) -> Target:
    parts = arn(value)
    if parts is None:
        return Target(name=value, type=kind)
    owner = Owner(Account(parts.account)) if parts.account else None
    return Target(uid=value, type=kind, owner=owner)


def _entity(plan: _Plan, request: dict[str, str], response: dict[str, Any]) -> Target | None:
    for where, path, kind in plan.entities:
        value = _at(request if where == "request" else response, *path)
        if value is not None:
            return Target(uid=value, type=kind)
    return None


def _issued(response: dict[str, Any]) -> tuple[str, ...]:
    return tuple(uid for path in naming.ISSUED if (uid := _at(response, *path)))


def _subject(service: str, request: dict[str, str], response: dict[str, Any]) -> User | None:
    """Return the principal that a call creates, changes, assumes or grants to."""
    if service == "sts":
        return _sts_subject(request, response)
    if service == "iam":
        for parameter, shape, uid, kind in naming.IAM_SUBJECTS:
            if name := request.get(parameter) or _at(response, shape, parameter):
                return User(uid=_at(response, shape, uid), name=name, type=kind)
        return None
    principal = next((request[name] for name in naming.PRINCIPALS if name in request), None)
    return User(uid=principal) if principal else None


def _sts_subject(request: dict[str, str], response: dict[str, Any]) -> User | None:
    role = request.get("roleArn")
    if role is not None:
        session = _at(response, "assumedRoleUser", "assumedRoleId")
        return User(uid=session or role, name=role.rpartition("/")[2], type="AssumedRole")
    federated = _at(response, "federatedUser", "federatedUserId")
    if federated is not None:
        return User(uid=federated, name=request.get("name"), type="FederatedUser")
    return None


def _session(response: dict[str, Any], called: int | None) -> Session | None:
    credential = _at(response, "credentials", "accessKeyId")
    if credential is None:
        return None
    return Session(
        uid=_at(response, "assumedRoleUser", "arn") or _at(response, "federatedUser", "arn"),
        credential_uid=credential,
        expiration_time=expiry(response["credentials"].get("expiration"), called),
    )
