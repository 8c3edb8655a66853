"""Changes of settings that sealed records state, applied to a reading.

A change says what a setting is *afterwards*, as far as the record states it, and nothing about what
it was before. Where a record shows that a setting changed but not how, the answer about it becomes
`failed`, so that every cell resting on it is UNKNOWN until it is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from nhi_evidence.coverage.answers import Answer, Reading
from nhi_evidence.coverage.aws import trails
from nhi_evidence.coverage.azure import settings as diagnostic
from nhi_evidence.coverage.gcp import sinks, tree

NOT_STATED = "changed, and no record states how"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change, stated by one record."""

    at: int
    """Time of the event, milliseconds since the epoch."""
    platform: str
    what: str
    """The operation and its target, in words."""
    uid: str
    """Native id of the record."""
    edits: tuple[Edit, ...]
    """How it changes the answers."""
    is_stated: bool
    """Whether the record states what the setting is afterwards."""


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """How the answers to a call change."""

    call: str
    matches: Callable[[Answer], bool]
    body: Callable[[Any], Any] | None
    """Makes the new body from the old one; None where the record does not state it."""


def applied(reading: Reading, change: Change) -> Reading:
    """Return a reading as it would be after a change."""
    for edit in change.edits:
        for answer in [one for one in reading.all(edit.call) if edit.matches(one)]:
            reading = reading.replaced(answer, _edited(answer, edit))
    return reading


def _edited(answer: Answer, edit: Edit) -> Answer:
    if edit.body is not None and answer.status in {"ok", "absent"}:
        try:
            body = edit.body(msgspec.json.decode(msgspec.json.encode(answer.answer)))
            return msgspec.structs.replace(answer, status="ok", answer=body)
        except (KeyError, TypeError, AttributeError):
            pass  # the old answer is not as documented, so the new one is unknown
    return msgspec.structs.replace(answer, status="failed", error=NOT_STATED, answer=None)


def of_record(pack: str, raw: bytes, *, at: int, uid: str, outcome: str) -> Iterator[Change]:
    """Yield the changes a record states; none for a record that changed no setting we judge by.

    `pack` is the source pack that mapped it, `outcome` its normalized outcome. A refused operation
    changed nothing; where the outcome is unknown, so is the setting afterwards.
    """
    reader = _READERS.get(pack)
    if reader is None or outcome not in {"success", "unknown"}:
        return
    try:
        record = msgspec.json.decode(raw)
        parsed = list(reader(record))
    except _OTHER_SHAPE:
        return  # a malformed record states nothing; it is in the evidence all the same
    for platform, what, stated in parsed:
        edits = stated
        if outcome == "unknown":
            edits = tuple(msgspec.structs.replace(edit, body=None) for edit in stated)
        is_stated = all(edit.body is not None for edit in edits)
        yield Change(at=at, platform=platform, what=what, uid=uid, edits=edits, is_stated=is_stated)


_OTHER_SHAPE = (
    msgspec.MsgspecError,
    KeyError,
    TypeError,
    AttributeError,
    UnicodeDecodeError,
    RecursionError,
)
_Parsed = tuple[str, str, tuple[Edit, ...]]


def _cloudtrail(record: dict[str, Any]) -> Iterator[_Parsed]:
    if record.get("eventSource") != "cloudtrail.amazonaws.com":
        return
    name, parameters = record["eventName"], record.get("requestParameters") or {}
    trail = parameters.get("name") or parameters.get("trailName")
    if name not in _TRAIL or not trail:
        return
    account = str(record.get("recipientAccountId") or "")
    meant = trails.TrailName(str(trail), account, str(record.get("awsRegion") or ""))
    yield "aws", f"{name} of {trail}", tuple(_TRAIL[name](meant, parameters))


def _is_request(member: str, trail: trails.TrailName) -> Callable[[Answer], bool]:
    return lambda answer: trail.is_at(answer.request.get(member, ""))


def _any(_answer: Answer) -> bool:
    return True


def _logging(*, is_on: bool) -> Callable[[trails.TrailName, dict[str, Any]], Iterator[Edit]]:
    def edits(trail: trails.TrailName, _parameters: dict[str, Any]) -> Iterator[Edit]:
        yield Edit(
            call=trails.STATUS,
            matches=_is_request("Name", trail),
            body=lambda body: {**body, "IsLogging": is_on},
        )

    return edits


def _selectors(trail: trails.TrailName, parameters: dict[str, Any]) -> Iterator[Edit]:
    """Yield the edit; CloudTrail records members in camelCase, answers have them in PascalCase."""
    stated = {
        _capital(name): _capitals(parameters[name])
        for name in ("eventSelectors", "advancedEventSelectors")
        if parameters.get(name)
    }
    yield Edit(
        call=trails.SELECTORS,
        matches=_is_request("TrailName", trail),
        body=(lambda _body: stated) if stated else None,
    )


def _deleted(trail: trails.TrailName, _parameters: dict[str, Any]) -> Iterator[Edit]:
    def without(body: Any) -> Any:
        kept = [one for one in body["trailList"] if not trail.is_at(one["TrailARN"])]
        return {"trailList": kept}

    yield Edit(call=trails.DESCRIBE, matches=_any, body=without)


_UPDATED = {
    "s3BucketName": "S3BucketName",
    "isMultiRegionTrail": "IsMultiRegionTrail",
    "isOrganizationTrail": "IsOrganizationTrail",
    "includeGlobalServiceEvents": "IncludeGlobalServiceEvents",
}


def _updated(trail: trails.TrailName, parameters: dict[str, Any]) -> Iterator[Edit]:
    stated = {answer: parameters[name] for name, answer in _UPDATED.items() if name in parameters}

    def with_stated(body: Any) -> Any:
        return {
            "trailList": [
                {**one, **stated} if trail.is_at(one["TrailARN"]) else one
                for one in body["trailList"]
            ]
        }

    if stated:
        yield Edit(call=trails.DESCRIBE, matches=_any, body=with_stated)


_TRAIL: dict[str, Callable[[trails.TrailName, dict[str, Any]], Iterator[Edit]]] = {
    "StopLogging": _logging(is_on=False),
    "StartLogging": _logging(is_on=True),
    "PutEventSelectors": _selectors,
    "DeleteTrail": _deleted,
    "UpdateTrail": _updated,
}


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _capitals(value: Any) -> Any:
    if isinstance(value, dict):
        return {_capital(name): _capitals(one) for name, one in value.items()}
    return [_capitals(one) for one in value] if isinstance(value, list) else value


def _google(entry: dict[str, Any]) -> Iterator[_Parsed]:
    payload = entry["protoPayload"]
    method = str(payload["methodName"]).rpartition(".")[2].lower()
    resource = str(payload.get("resourceName", "")).removeprefix("//")
    if method == "setiampolicy":
        yield from _policy(entry, payload, resource)
    elif method in {"updatesink", "createsink", "deletesink"}:
        scope, _, name = resource.partition("/sinks/")
        if name:
            request = payload.get("request") or {}
            yield "gcp", f"{method} {resource}", (_sink(scope, name, method, request),)


def _policy(entry: dict[str, Any], payload: dict[str, Any], resource: str) -> Iterator[_Parsed]:
    kind = str(entry.get("resource", {}).get("type", ""))
    if kind not in {"project", "folder", "organization"}:
        return
    name = resource.removeprefix("cloudresourcemanager.googleapis.com/")
    scope = name if "/" in name else f"{kind}s/{name}"
    delta = (payload.get("serviceData") or payload.get("metadata") or {}).get("policyDelta")
    if delta is None:
        body: Callable[[Any], Any] | None = None  # the log may have left the delta out
    elif not delta.get("auditConfigDeltas"):
        return
    else:
        deltas = delta["auditConfigDeltas"]
        body = lambda before: _with_deltas(before, deltas)  # noqa: E731 - a value of the row
    edit = Edit(call=tree.POLICY, matches=lambda answer: answer.scope == scope, body=body)
    yield "gcp", f"SetIamPolicy of {scope}", (edit,)


def _with_deltas(policy: dict[str, Any], deltas: list[dict[str, Any]]) -> dict[str, Any]:
    """Apply audit config deltas: one with a member changes exemptions, others toggle the log."""
    configs: dict[str, dict[str, set[str]]] = {
        one["service"]: {
            log["logType"]: set(log.get("exemptedMembers", ()))
            for log in one.get("auditLogConfigs", ())
        }
        for one in policy.get("auditConfigs", ())
    }
    for delta in deltas:
        logs = configs.setdefault(delta["service"], {})
        log_type, member = delta["logType"], delta.get("exemptedMember")
        if delta["action"] == "ADD":
            logs.setdefault(log_type, set()).update([member] if member else ())
        elif member:
            logs.get(log_type, set()).discard(member)
        else:
            logs.pop(log_type, None)
    audit = [
        {
            "service": service,
            "auditLogConfigs": [
                {"logType": name, "exemptedMembers": sorted(members)}
                for name, members in logs.items()
            ],
        }
        for service, logs in configs.items()
        if logs
    ]
    return {**policy, "auditConfigs": audit}


def _sink(scope: str, name: str, method: str, request: dict[str, Any]) -> Edit:
    stated: dict[str, Any] = request.get("sink") or {}

    def changed(body: Any) -> Any:
        others = [one for one in (body or {}).get("sinks", ()) if one["name"] != name]
        if method == "deletesink":
            return {"sinks": others}
        before = [one for one in (body or {}).get("sinks", ()) if one["name"] == name]
        mask = [one for one in str(request.get("updateMask", "")).split(",") if one]
        if mask and before:
            new = {**before[0], **{field: stated[field] for field in mask if field in stated}}
        else:
            new = {"name": name, **stated}
        return {"sinks": [*others, new]}

    is_stated = method == "deletesink" or bool(stated)
    return Edit(
        call=sinks.SINKS,
        matches=lambda answer: answer.scope == scope,
        body=changed if is_stated else None,
    )


_SETTINGS = "/providers/microsoft.insights/diagnosticsettings/"


def _activity(record: dict[str, Any]) -> Iterator[_Parsed]:
    operation = str(record["operationName"]).lower()
    resource = str(record["resourceId"])
    before, separator, name = _split(resource)
    if not separator or not operation.startswith("microsoft.insights/diagnosticsettings/"):
        return
    stated = _request_body(record) if operation.endswith("/write") else None

    def changed(body: Any) -> Any:
        others = [
            one for one in (body or {}).get("value", ()) if one["name"].lower() != name.lower()
        ]
        if operation.endswith("/delete"):
            return {"value": others}
        return {"value": [*others, {"name": name, "properties": stated}]}

    is_stated = operation.endswith("/delete") or stated is not None
    edit = Edit(
        call=diagnostic.SETTINGS,
        matches=lambda answer: answer.scope.lower() == before.lower(),
        body=changed if is_stated else None,
    )
    yield "azure", f"{operation} of {resource}", (edit,)


def _split(resource: str) -> tuple[str, bool, str]:
    place = resource.lower().find(_SETTINGS)
    if place < 0:
        return resource, False, ""
    return resource[:place], True, resource[place + len(_SETTINGS) :]


def _request_body(record: dict[str, Any]) -> dict[str, Any] | None:
    """Return the properties a write states; None where the log omitted or garbled its body."""
    text = (record.get("properties") or {}).get("requestbody")
    if not text:
        return None
    try:
        body = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None
    properties = body.get("properties")
    return properties if isinstance(properties, dict) else None


_READERS: dict[str, Callable[[dict[str, Any]], Iterator[_Parsed]]] = {
    "aws_cloudtrail": _cloudtrail,
    "gcp_audit": _google,
    "azure_activity": _activity,
}
