"""Policy documents as plain values, which can be read, compared and evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

Statement = dict[str, Any]
Condition = Mapping[str, Mapping[str, str | Sequence[str]]]

NONE: Condition = MappingProxyType({})
"""No condition."""


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[str] | str, condition: Condition = NONE
) -> Statement:
    """Return an Allow statement of an identity policy."""
    return _with(condition, {"Sid": sid, "Effect": "Allow", "Action": list(actions)}) | {
        "Resource": resources if isinstance(resources, str) else list(resources)
    }


def trust(
    sid: str, principal: Mapping[str, str], action: str, condition: Condition = NONE
) -> Statement:
    """Return an Allow statement of a role's trust policy."""
    return _with(
        condition,
        {"Sid": sid, "Effect": "Allow", "Principal": dict(principal), "Action": action},
    )


def deny(
    sid: str, actions: Sequence[str], resources: Sequence[str] | str, condition: Condition = NONE
) -> Statement:
    """Return a Deny statement for everyone, for a resource policy."""
    return _with(
        condition,
        {
            "Sid": sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": list(actions),
            "Resource": resources if isinstance(resources, str) else list(resources),
        },
    )


def deny_outside(
    sid: str, actions: Sequence[str], resources: Sequence[str] | str, condition: Condition = NONE
) -> Statement:
    """Return a Deny statement for everyone, on everything but these resources."""
    statement = deny(sid, actions, resources, condition)
    statement["NotResource"] = statement.pop("Resource")
    return statement


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """Return the policy document with these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def service_statement(service: str, condition: Condition = NONE) -> Statement:
    """Return trust in an AWS service."""
    return trust("Service", {"Service": service}, "sts:AssumeRole", condition)


def role_trust(sid: str, arns: Sequence[str], condition: Condition) -> Statement:
    """Return trust in exactly these roles or users, which need not exist yet.

    The principal is the account; the condition names the exact ARNs. A role named as principal
    would be resolved to its internal id: it would have to exist beforehand, and the trust would
    silently stop working when it is recreated (docs/decisions/0036-roles-by-name.md).
    """
    accounts = sorted({f"{arn.rsplit(':', 1)[0]}:root" for arn in arns})
    principal: dict[str, Any] = {"AWS": accounts if len(accounts) > 1 else accounts[0]}
    exact = {"aws:PrincipalArn": list(arns) if len(arns) > 1 else arns[0]}
    merged = {**condition, "ArnEquals": {**condition.get("ArnEquals", {}), **exact}}
    return trust(sid, principal, "sts:AssumeRole", merged)


def _with(condition: Condition, statement: Statement) -> Statement:
    return {**statement, "Condition": dict(condition)} if condition else statement
