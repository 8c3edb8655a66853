"""The end-to-end profile: how what is deployed here differs from production, and in nothing else.

Every entry is something the emulator lacks, with the reason. A test makes the deployed templates
out of production's by exactly these changes; what no template needs any more fails it, too.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

Template = dict[str, Any]

ARCHITECTURE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Functions run here under the interpreter of the emulator, on this machine."""

TYPES = {
    "AWS::IAM::OIDCProvider": "not among the emulator's types; its trust policies stay",
    "AWS::Budgets::Budget": "not among the emulator's types",
    "AWS::CloudWatch::CompositeAlarm": "not among the emulator's types",
}
"""Types of resource left out."""

PROPERTIES = {
    ("AWS::CloudWatch::Alarm", "Metrics"): "the emulator's alarms know no metric math",
}
"""Resources left out for a property, by type and property."""

STATEMENTS = {
    "NotCreateOnly": "the emulator gives conditions no s3:if-none-match, so every PUT is refused",
    "OutsideTheOrganization": "accounts of the emulator are members of no organization",
}
"""Statements of policies left out, by Sid."""

CONDITIONS = {
    "aws:PrincipalOrgID": "accounts of the emulator are members of no organization",
    "kms:MessageType": "not given to conditions by the emulator",
    "kms:SigningAlgorithm": "not given to conditions by the emulator",
}
"""Condition keys left out of the statements that stay."""

SESSIONS = {
    "aws:PrincipalArn": "of a role's session, the emulator gives the session's ARN, AWS the role's",
}
"""Condition keys whose values name sessions of the roles they name in production."""

_ROLE = re.compile(r"arn:aws:iam::(\d{12}):role/(.+)")
_ARCHITECTURES = {"arm64": ARCHITECTURE}
_ASSET = re.compile(r"[0-9a-f]{64}\.zip")


def without(template: Template) -> tuple[Template, set[str]]:
    """Return a template without what the emulator lacks, and which entries that took."""
    reduced = deepcopy(template)
    used: set[str] = set()
    resources = reduced.get("Resources", {})
    for name, entry in [(name, _entry(one)) for name, one in resources.items()]:
        if entry is not None:
            used.add(entry)
            del resources[name]
    for resource in resources.values():
        depends = resource.get("DependsOn", [])
        if isinstance(depends, list):
            resource["DependsOn"] = [name for name in depends if name in resources]
            if not resource["DependsOn"]:
                del resource["DependsOn"]
    for statements in statement_lists(reduced):
        kept = [one for one in statements if one.get("Sid") not in STATEMENTS]
        used |= {one["Sid"] for one in statements if one.get("Sid") in STATEMENTS}
        statements[:] = kept
        for statement in kept:
            used |= _drop_conditions(statement) | _name_sessions(statement)
    return reduced, used


def entries() -> set[str]:
    """Return every entry of the profile that takes something out, or puts it otherwise."""
    return {*TYPES, *map(".".join, PROPERTIES), *STATEMENTS, *CONDITIONS, *SESSIONS}


def _entry(resource: dict[str, Any]) -> str | None:
    """Return the entry that takes a resource out, if one does."""
    kind = resource["Type"]
    if kind in TYPES:
        return str(kind)
    properties = resource.get("Properties", {})
    return next(
        (".".join(one) for one in PROPERTIES if one[0] == kind and one[1] in properties), None
    )


def as_deployed(template: Template) -> Template:
    """Return a production template as the profile deploys it, for another platform."""
    return _replaced(without(template)[0])  # type: ignore[no-any-return]


def _replaced(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one) for one in value]
    if isinstance(value, str):
        return _ASSET.sub("<bundle>.zip", _ARCHITECTURES.get(value, value))
    return value


def without_bundles(template: Template) -> Template:
    """Return a deployed template without the hashes of its bundles, which follow the platform."""
    return _bare(template)  # type: ignore[no-any-return]


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_bare(one) for one in value]
    return _ASSET.sub("<bundle>.zip", value) if isinstance(value, str) else value


def _drop_conditions(statement: dict[str, Any]) -> set[str]:
    used = set()
    conditions = statement.get("Condition", {})
    for operator in list(conditions):
        for key in [key for key in conditions[operator] if key in CONDITIONS]:
            used.add(key)
            del conditions[operator][key]
        if not conditions[operator]:
            del conditions[operator]
    if "Condition" in statement and not conditions:
        del statement["Condition"]
    return used


def _name_sessions(statement: dict[str, Any]) -> set[str]:
    used = set()
    for keys in statement.get("Condition", {}).values():
        for key in [key for key in keys if key in SESSIONS]:
            used.add(key)
            named = keys[key] if isinstance(keys[key], list) else [keys[key]]
            keys[key] = [_ROLE.sub(r"arn:aws:sts::\1:assumed-role/\2/*", one) for one in named]
    return used


def statement_lists(value: Any) -> Iterator[list[Any]]:
    """Yield the statements of every policy in a template."""
    if isinstance(value, dict):
        statements = value.get("Statement")
        if isinstance(statements, list):
            yield statements
        for item in value.values():
            yield from statement_lists(item)
    elif isinstance(value, list):
        for item in value:
            yield from statement_lists(item)
