"""Parse `userIdentity` as Athena and CloudTrail Lake print structs: `{type=AssumedRole, arn=...}`.

The format quotes nothing. Only names that CloudTrail uses begin a new member, so that a comma or
an equals sign inside a value stays in it; a text that does not parse is left unchanged.
https://docs.aws.amazon.com/athena/latest/ug/rows-and-structs.html
"""

from __future__ import annotations

import re
from typing import Any

_CAMEL = (
    *("type", "principalId", "arn", "accountId", "invokedBy", "accessKeyId", "userName"),
    *("sessionContext", "attributes", "mfaAuthenticated", "creationDate", "sessionIssuer"),
    *("ec2RoleDelivery", "webIdFederationData", "federatedProvider", "sourceIdentity"),
    *("identityProvider", "onBehalfOf", "userId", "identityStoreArn", "credentialId"),
    *("inScopeOf", "issuerType", "credentialsIssuedTo", "sourceArn", "sourceAccount"),
    *("tlsVersion", "cipherSuite", "clientProvidedHostHeader", "assumedRoot"),
)
_NAMES = {name.lower(): name for name in _CAMEL}
_MEMBER = re.compile(rf"({'|'.join(_NAMES)})=", re.IGNORECASE)
_ENDS = re.compile(rf"(?:, (?=(?:{'|'.join(_NAMES)})=)|(?=\}}))", re.IGNORECASE)
_DEPTH = 5


def struct(text: str) -> dict[str, Any] | None:
    """Return the members of a struct that are not null; None if it is not a struct."""
    parsed = _struct(text.strip(), 0, 0)
    return parsed[0] if parsed is not None and parsed[1] == len(text.strip()) else None


def _struct(text: str, position: int, depth: int) -> tuple[dict[str, Any], int] | None:
    if text[position : position + 1] != "{" or depth == _DEPTH:
        return None
    position += 1
    content: dict[str, Any] = {}
    while text[position : position + 1] != "}":
        member = _MEMBER.match(text, position)
        if member is None:
            return None
        name, position = _NAMES[member[1].lower()], member.end()
        if text[position : position + 1] == "{":
            inner = _struct(text, position, depth + 1)
            if inner is None:
                return None
            content[name], position = inner
        else:
            end = _ENDS.search(text, position)
            if end is None:
                return None
            if (value := text[position : end.start()]) != "null":
                content[name] = value
            position = end.start()
        position += 2 if text[position : position + 2] == ", " else 0
    return content, position + 1
