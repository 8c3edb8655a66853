"""A small evaluator of IAM policies, for documents as they stand in a template.

It follows "Policy evaluation logic" of the IAM user guide for the operators the stacks use; any
other operator is an error, so that nothing is passed over. All conditions must hold, each for one
of its values (a negated one: for none); a missing key makes a positive operator false and a
negated one true.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

Document = Mapping[str, Any]


class Request(msgspec.Struct, frozen=True):
    """One call: by whom, for what, on what, with which condition keys."""

    principal: str
    """ARN of a role, user or root; `service:<name>` and `federated:<provider>` for the others."""
    action: str
    resource: str
    context: Mapping[str, str] = {}

    @property
    def account(self) -> str:
        """Account of the principal; empty for services and web identities."""
        return self.principal.split(":")[4] if self.principal.startswith("arn:") else ""


def allows(
    request: Request,
    *,
    identity: Sequence[Document] = (),
    resource: Sequence[Document] = (),
    owner: str,
    boundaries: Sequence[Document] = (),
    resource_must_allow: bool = False,
) -> bool:
    """Decide one request against identity policies, resource policies and organization policies.

    `owner` is the account of the resource. `boundaries` are service and resource control
    policies, of which only the denies count here. A resource policy that names an account's root
    hands the decision to that account's identity policies. `resource_must_allow` is how KMS
    works: an identity policy alone is never enough.
    """
    if any(_effect(one, request, "Deny") for one in (*identity, *resource, *boundaries)):
        return False
    by_identity = any(_effect(one, request, "Allow") for one in identity)
    named, delegated = _resource_allows(resource, request)
    if request.account != owner or resource_must_allow:
        return named or (delegated and by_identity)
    return named or by_identity


def trusts(document: Document, request: Request) -> bool:
    """Decide whether a trust policy lets the principal take the role.

    The principal's own account is taken to allow it everything: what is asked is the role's side.
    """
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    statements = [{**one, "Resource": "*"} for one in _listed(document["Statement"])]
    trust = {"Statement": statements}
    if _effect(trust, request, "Deny"):
        return False
    named, delegated = _resource_allows([trust], request)
    return named or (delegated and _effect(everything, request, "Allow"))


def refuses(documents: Iterable[Document], request: Request) -> bool:
    """Decide whether any of these policies denies the request."""
    return any(_effect(one, request, "Deny") for one in documents)


def statements(document: Document, effect: str = "Allow") -> list[Mapping[str, Any]]:
    """Return the statements of one effect."""
    return [one for one in _listed(document["Statement"]) if one["Effect"] == effect]


def actions(document: Document) -> set[str]:
    """Return every action a document allows."""
    return {action for one in statements(document) for action in _listed(one["Action"])}


def _resource_allows(documents: Iterable[Document], request: Request) -> tuple[bool, bool]:
    named = delegated = False
    for document in documents:
        for statement in statements(document):
            if _applies(statement, request):
                match = _principal(statement["Principal"], request)
                named |= match == "named"
                delegated |= match == "delegated"
    return named, delegated


def _effect(document: Document, request: Request, effect: str) -> bool:
    return any(
        _applies(one, request)
        and ("Principal" not in one or _principal(one["Principal"], request) is not None)
        for one in statements(document, effect)
    )


def _principal(principal: Any, request: Request) -> str | None:
    if principal == "*":
        return "named"
    for kind, values in principal.items():
        for value in _listed(values):
            if value in {"*", request.principal} and kind == "AWS":
                return "named"
            if kind == "AWS" and value == f"arn:aws:iam::{request.account}:root":
                return "delegated"
            if request.principal == f"{kind.lower()}:{value}":
                return "named"
    return None


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        any(_glob(request.action.lower(), one.lower()) for one in _listed(statement["Action"]))
        and _covers(statement, request.resource)
        and all(
            _condition(operator, key, _listed(values), _context(request))
            for operator, tests in statement.get("Condition", {}).items()
            for key, values in tests.items()
        )
    )


def _covers(statement: Mapping[str, Any], resource: str) -> bool:
    if "NotResource" in statement:
        return not any(_glob(resource, one) for one in _listed(statement["NotResource"]))
    return any(_glob(resource, one) for one in _listed(statement["Resource"]))


def _context(request: Request) -> Mapping[str, str]:
    own = {"aws:PrincipalArn": request.principal} if request.principal.startswith("arn:") else {}
    return {**own, **request.context}


def _condition(operator: str, key: str, values: list[str], context: Mapping[str, str]) -> bool:
    actual = context.get(key)
    if operator == "Null":
        return (actual is None) == (values == ["true"])
    if operator.endswith("IfExists"):
        if actual is None:
            return True
        operator = operator.removesuffix("IfExists")
    if operator in _NEGATED:
        return actual is None or not any(_NEGATED[operator](actual, one) for one in values)
    return actual is not None and any(_OPERATORS[operator](actual, one) for one in values)


def _glob(text: str, pattern: str) -> bool:
    """IAM knows `*` and `?` alone."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda actual, wanted: actual == wanted,
    "StringLike": _glob,
    "ArnEquals": _glob,
    "ArnLike": _glob,
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
    "NumericLessThan": lambda actual, wanted: float(actual) < float(wanted),
    "NumericGreaterThan": lambda actual, wanted: float(actual) > float(wanted),
}
_NEGATED: Mapping[str, Callable[[str, str], bool]] = {
    "StringNotEquals": _OPERATORS["StringEquals"],
    "ArnNotEquals": _glob,
    "ArnNotLike": _glob,
}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
