"""Resources that parameters name, for services and parameters that no table lists.

AWS names an identifying parameter with one of a few endings (`snapshotId`, `documentName`,
`roleArn`), at the top of a request or inside its sets. The type of a target found in this way is
the parameter's name without the ending: the record's word, not a CloudFormation resource type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from nhi_evidence.event import Account, Owner, Target
from nhi_evidence.sources.aws_cloudtrail.text import arn

MOST = 16
"""How many targets are read from one call; the raw record has the rest of a larger set."""

_DEEPEST = 5
_LONGEST = 2048
_ENDING = re.compile(r"(.*?)(?:Ids?|IDs?|Arns?|ARNs?|Names?|Identifiers?|Ur[li]s?)", re.DOTALL)
_HIDDEN = frozenset({"HIDDEN_DUE_TO_SECURITY_REASONS", "HIDDEN_FOR_SECURITY_REASONS", "***"})
"""What AWS writes instead of a value it does not log."""
_BARE = frozenset({"arn", "id", "identifier", "name", "url"})
"""Names that say what they identify only together with the object they are in."""
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
"""Parameters without such an ending that name a thing, or whom it is shared with."""
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
"""Members that qualify a call: what they name is not what the call acts on."""


class _Role(NamedTuple):
    """The role of a member in a request."""

    word: str | None
    """The kind of thing it names; None if it names none."""
    is_bare: bool = False
    """Whether it names the object it is in."""


_QUALIFIES = _Role(None)
"""The role of a member that is not descended into."""
_SETS = frozenset({"items", "member"})
_ROLES_KEPT, _LONGEST_NAME = 4096, 128
_known: dict[str, _Role] = {}
"""Roles by name, bounded in number and length because names come from records."""


def named(parameters: Any) -> Iterator[Target]:
    """Yield the targets that decoded parameters name, in order, each once, at most `MOST`."""
    seen: set[str] = set()
    for name, value in _values(parameters, "", 0):
        if value in seen:
            continue
        seen.add(value)
        yield _target(name, value)
        if len(seen) >= MOST:
            return


def _values(value: Any, parent: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield (word, value) for every member that names a thing."""
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
            # Deep inside a set, a bare name belongs to an option or a rule.
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
    """Return the role of a member with this name, cached within bounds."""
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
