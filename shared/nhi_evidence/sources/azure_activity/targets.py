"""What was acted on: the resource, and what a request names inside it.

A name is taken as the record has it, never completed.
https://learn.microsoft.com/azure/role-based-access-control/change-history-report
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from nhi_evidence.azure.text import subscription_of
from nhi_evidence.event import About, Account, Owner, Target, User
from nhi_evidence.reading.bounded_cache import bounded_cache

_PROVIDERS = re.compile(r".*/providers/([^/]+)((?:/[^/]+/[^/]+)*)(/[^/]+)?/?", re.IGNORECASE)
_IDENTITIES = "microsoft.managedidentity/userassignedidentities"
_FEDERATED = f"{_IDENTITIES}/federatedidentitycredentials"
_ASSIGNMENTS = "microsoft.authorization/roleassignments"
_LOGS = frozenset(
    {
        "microsoft.insights/diagnosticsettings",
        "microsoft.insights/logprofiles",
        "microsoft.insights/datacollectionrules",
        "microsoft.operationalinsights/workspaces",
        "microsoft.network/networkwatchers",
        "microsoft.network/networkwatchers/flowlogs",
    }
)
_MINTING = re.compile(r"/regenerate(?:keys?|credentials?|accesskeys?)/action$")
_KEY_NAMES = ("keyname", "keykind", "keytype", "name")
_NOT_USERS = frozenset({"serviceprincipal", "foreigngroup"})


@bounded_cache(results=4096, longest=2048)
def resource(resource_id: str) -> Target:
    """Split a resource id into its own name and its provider's type.

    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    """
    owner = subscription_of(resource_id)
    owned = Owner(Account(owner)) if owner else None
    match = _PROVIDERS.fullmatch(resource_id)
    if match is None:
        return Target(uid=resource_id, owner=owned)
    pieces = match[2].split("/")[1:]
    kind = "/".join((match[1], *pieces[::2]))
    if match[3]:
        return Target(uid=resource_id, type=kind + match[3], owner=owned)
    return Target(uid=resource_id, name=pieces[-1] if pieces else None, type=kind, owner=owned)


def about(resource_id: str | None, operation: str, request: Any, response: Any) -> About:
    """Read what a record is about; names in `request` and `response` are in lower case."""
    if not resource_id:
        return About()
    target = resource(resource_id)
    kind = (target.type or "").lower()
    user, privileges = _granted(request, response) if kind == _ASSIGNMENTS else (None, ())
    if kind == _IDENTITIES:
        user = User(uid=target.uid, name=target.name, type=target.type)
    entity = _entity(target, kind, operation.lower(), request)
    return About(
        targets=(target,),
        is_nhi=kind in {_IDENTITIES, _FEDERATED}
        or entity is not None
        or (user is not None and (user.type or "").lower() in _NOT_USERS),
        user=user,
        entity=entity,
        privileges=privileges,
        log_name=(target.name or target.uid) if kind in _LOGS else None,
    )


def _entity(target: Target, kind: str, operation: str, request: Any) -> Target | None:
    """Return the durable credential that a call creates, changes or removes."""
    if kind == _FEDERATED:
        return target
    if _MINTING.search(operation) is None:
        return None
    names = request if isinstance(request, dict) else {}
    name = next((names[one] for one in _KEY_NAMES if isinstance(names.get(one), str)), None)
    return msgspec.structs.replace(target, name=name)


def _granted(request: Any, response: Any) -> tuple[User | None, tuple[str, ...]]:
    """Return to whom a role is assigned, and which role; for a removal, from the response."""
    for body in (request, response):
        if not isinstance(body, dict):
            continue
        inner = body.get("properties", body)
        if not isinstance(inner, dict):
            continue
        uid, kind = inner.get("principalid"), inner.get("principaltype")
        role = inner.get("roledefinitionid")
        if isinstance(uid, str) and uid:
            return (
                User(uid=uid, type=kind if isinstance(kind, str) and kind else None),
                (role,) if isinstance(role, str) and role else (),
            )
    return None, ()
