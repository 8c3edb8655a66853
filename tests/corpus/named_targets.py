"""Does a raw record name what was acted on, and does its normalized form?

A judge of its own: it reads raw records by the provider's documentation and knows no source pack.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_ENDINGS = ("arn", "arns", "id", "ids", "identifier", "identifiers", "name", "names")
"""How the parameters end by which AWS names things; lower case."""
_QUALIFIES = {
    "attributename",
    "availabilityzoneid",
    "clientrequestid",
    "externalid",
    "familyname",
    "givenname",
    "displayname",
    "operationname",
    "parentid",
    "regionname",
    "requestid",
    "rolesessionname",
    "versionid",
}
"""Parameters that end so and say how, by whom or what of it: they name no thing."""
_QUALIFIERS = ("filter", "tag", "environment", "metadata")
"""Beginnings of members that narrow or decorate a call."""
_DEEPEST = 4


def names_target(raw: dict[str, Any]) -> bool:
    """Whether a raw record names what was acted on."""
    folded = {name.lower(): value for name, value in raw.items()}
    if "eventsource" in folded:
        return any(_aws(folded))
    if "protopayload" in folded:
        audit = folded["protopayload"]
        infos = audit.get("authorizationInfo") or () if isinstance(audit, dict) else ()
        return bool(audit.get("resourceName")) or any(info.get("resource") for info in infos)
    return any(_azure(folded)) or any(_by_attribute(folded))


def is_named(record: dict[str, Any]) -> bool:
    """Whether a normalized record names what was acted on."""
    elsewhere = record.get("unmapped") or {}
    if record.get("resources") or elsewhere.get("resources"):
        return True
    if any(record.get(name) for name in ("databucket", "table", "entity", "group", "log_name")):
        return True
    if any(record.get(name) for name in ("privileges", "policies")):
        return True
    user, actor = record.get("user"), (record.get("actor") or {}).get("user")
    if user is not None and user != actor:
        return True
    service = record.get("service") or {}
    return bool(service) and service.get("name") != record["api"]["service"]["name"]


def _aws(record: dict[str, Any]) -> Iterator[bool]:
    for resource in _objects(record.get("resources")):
        yield any(resource.get(name) for name in ("ARN", "arn", "resourceName"))
    yield any(_names(record.get("requestparameters"), 0))


def _names(value: Any, depth: int) -> Iterator[bool]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for element in value:
            yield from _names(element, depth + 1)
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        word = name.lower()
        if word.startswith(_QUALIFIERS):
            continue
        texts = member if isinstance(member, list) else [member]
        if word.endswith(_ENDINGS) and word not in _QUALIFIES:
            yield any(isinstance(text, str) and text for text in texts)
        yield from _names(member, depth + 1)


def _azure(record: dict[str, Any]) -> Iterator[bool]:
    properties = _object(record.get("properties")) or record
    folded = {name.lower(): value for name, value in properties.items()}
    for target in _objects(folded.get("targetresources")):
        yield any(target.get(name) for name in ("id", "displayName", "userPrincipalName"))
    yield bool(folded.get("objectkey") or folded.get("requesturi"))
    yield bool(folded.get("resourcedisplayname") or folded.get("resourceserviceprincipalid"))
    resource = str(record.get("resourceid") or record.get("resourceuri") or "")
    yield "/subscriptions/" in resource.lower()


def _by_attribute(record: dict[str, Any]) -> Iterator[bool]:
    """Of logs that name their target in one place."""
    yield "action" in record and any(record.get(name) for name in ("repo", "repository", "org"))
    reference = _object(record.get("objectref"))
    yield any(reference.get(name) for name in ("name", "namespace"))
    yield "eventtype" in record and any(
        target.get(name)
        for target in _objects(record.get("target"))
        for name in ("id", "alternateId")
    )
    yield "auth" in record and bool(_object(record.get("request")).get("path"))
    yield bool(record.get("apiid"))


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str) and value[:1] == "{":
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, str) and value[:1] == "[":
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
