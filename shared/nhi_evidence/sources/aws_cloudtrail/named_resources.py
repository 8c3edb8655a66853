"""Resources that parameters name, for services and parameters no table lists.

AWS calls what identifies a thing by one of few endings (`snapshotId`, `documentName`, `roleArn`),
at the top of a request or inside its sets. The type of a target found so is the parameter's own
name without its ending: the record's word, not a resource type of CloudFormation's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from nhi_evidence.event import Account, Owner, Target
from nhi_evidence.sources.aws_cloudtrail.text import arn

MOST = 16
"""Targets read from one call: what names more names a set, whose size the raw record has."""

_DEEPEST = 5
_LONGEST = 2048
_ENDING = re.compile(r"(.*?)(?:Ids?|IDs?|Arns?|ARNs?|Names?|Identifiers?|Ur[li]s?)", re.DOTALL)
_HIDDEN = frozenset({"HIDDEN_DUE_TO_SECURITY_REASONS", "HIDDEN_FOR_SECURITY_REASONS", "***"})
"""What AWS writes in place of a value it does not log."""
_BARE = frozenset({"arn", "id", "identifier", "name", "url"})
"""Names that say what they name only together with the object they stand in."""
_THINGS = frozenset(
    {
        "account",
        "accounts",
        "bucket",
        "cluster",
        "function",
        "grantee",
        "key",
        "principal",
        "principals",
        "resource",
        "role",
        "service",
        "stack",
        "table",
        "task",
        "user",
        "valuesToAdd",
        "valuesToRemove",
    }
)
"""Parameters that name a thing, or whom it is shared with, without such an ending."""
_NOT_THINGS = frozenset(
    {
        "attributeName",
        "availabilityZoneId",
        "callerReference",
        "clientRequestId",
        "deviceName",
        "displayName",
        "engineName",
        "eventName",
        "externalId",
        "familyName",
        "fieldName",
        "fieldNames",
        "givenName",
        "headerName",
        "hostName",
        "idempotencyId",
        "indexName",
        "insightName",
        "lookupName",
        "metricName",
        "operationName",
        "parentId",
        "platformName",
        "privateDnsName",
        "productName",
        "publicDnsName",
        "queryName",
        "regionName",
        "regionNames",
        "requestId",
        "roleSessionName",
        "rootDeviceName",
        "serialNumber",
        "sessionName",
        "tagKeyName",
        "versionId",
    }
)
_NOT_ENTERED = re.compile(
    r"filters?$|filterSet|.+Filters?$|tag|environment|metadata|instanceState|placement"
    r"|inlinePolicy|policyDocument|attributes$|expressionAttribute|parameters$|labels$"
    r"|credentials$|sessionContext",
    re.IGNORECASE,
)
"""Members that qualify a call: what they name is not what it acts on."""


class _Role(NamedTuple):
    """What a member of a request is for."""

    word: str | None
    """What it names; None where it names no thing."""
    is_bare: bool = False
    """Whether it names whatever it stands in."""


_QUALIFIES = _Role(None)
"""Of a member that is not entered."""
_SETS = frozenset({"items", "member"})
_ROLES_KEPT, _LONGEST_NAME = 4096, 128
_known: dict[str, _Role] = {}
"""Roles by name, bounded in number and length: names come from records."""


def named(parameters: Any) -> Iterator[Target]:
    """Yield the targets decoded parameters name, in their order, each once, at most `MOST`."""
    seen: set[str] = set()
    for name, value in _values(parameters, "", 0):
        if value in seen:
            continue
        seen.add(value)
        yield _target(name, value)
        if len(seen) >= MOST:
            return


def _values(value: Any, parent: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield (word, value) of every member that names a thing."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for element in value[:MOST]:
            yield from _values(element, parent, depth + 1)
        return
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        role = _known.get(name) or _role(name)
        if role is _QUALIFIES:
            continue
        word = role.word
        if role.is_bare:
            # Deep inside a set, a bare name is that of an option or a rule.
            word = (parent if depth else "") if parent not in _SETS else None
        if word is not None:
            for text in _texts(member):
                yield word, text
        if isinstance(member, dict | list):
            yield from _values(member, name, depth + 1)


def _texts(member: Any) -> Iterator[str]:
    """Yield the texts of a member: itself, a list of them, or EC2's `{"content": ...}`."""
    for element in member[:MOST] if isinstance(member, list) else (member,):
        text = element.get("content") if isinstance(element, dict) else element
        if isinstance(text, str) and 0 < len(text) <= _LONGEST and text not in _HIDDEN:
            yield text


def _role(name: str) -> _Role:
    """Return what a member with a name is for, remembered within bounds."""
    match = _ENDING.fullmatch(name)
    if _NOT_ENTERED.match(name):
        role = _QUALIFIES
    elif name in _NOT_THINGS:
        role = _Role(None)
    elif name in _THINGS:
        role = _Role(name)
    elif name.lower() in _BARE:
        role = _Role(None, is_bare=True)
    else:
        role = _Role(match[1] if match and match[1] else None)
    if len(_known) < _ROLES_KEPT and len(name) <= _LONGEST_NAME:
        _known[name] = role
    return role


def _target(word: str, value: str) -> Target:
    parts = arn(value)
    if parts is None:
        return Target(name=value, type=word or None)
    owner = Owner(Account(parts.account)) if parts.account else None
    return Target(uid=value, type=word or None, owner=owner)
