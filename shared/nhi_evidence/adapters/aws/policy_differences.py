"""What differs between policies that are deployed and those the stacks write, by statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nhi_evidence.adapters.aws.aws_checks import Judged
from nhi_evidence.config.documents import Statement


def judged(policy: Mapping[str, Any], expected: list[Statement]) -> Judged:
    """Whether a policy is what the stacks write, statement by statement."""
    listed = differences(policy, expected)
    return not listed, listed or f"{len(expected)} statements, as deployed"


def differences(policy: Mapping[str, Any], expected: list[Statement]) -> str:
    """Return which statements are missing, changed or added, by Sid; empty where none is."""
    statements = policy["Statement"]
    actual = _by_sid(statements if isinstance(statements, list) else [statements])
    wanted = _by_sid(expected)
    kinds = {
        "missing": wanted.keys() - actual.keys(),
        "changed": {sid for sid in wanted.keys() & actual.keys() if wanted[sid] != actual[sid]},
        "added": actual.keys() - wanted.keys(),
    }
    return "; ".join(f"{kind}: {', '.join(sorted(sids))}" for kind, sids in kinds.items() if sids)


def _by_sid(statements: Iterable[Statement]) -> dict[str, list[str]]:
    """Return statements by Sid, in whatever order, each as often as it is there."""
    listed: dict[str, list[str]] = {}
    for statement in statements:
        listed.setdefault(str(statement.get("Sid")), []).append(repr(_comparable(statement)))
    return {sid: sorted(same) for sid, same in listed.items()}


def _comparable(value: Any) -> Any:
    """Return a part of a policy without what AWS may write otherwise: order, and lists of one."""
    if isinstance(value, dict):
        if value.keys() == {"AWS"} and value["AWS"] == "*":
            return ["*"]
        return sorted((key, _comparable(part)) for key, part in value.items())
    parts = value if isinstance(value, list | tuple) else [value]
    return sorted(_text(part) for part in parts)


def _text(value: Any) -> str:
    """Return a value as JSON's policies compare it: `true` is "true"."""
    return str(value).lower() if isinstance(value, bool) else str(value)
