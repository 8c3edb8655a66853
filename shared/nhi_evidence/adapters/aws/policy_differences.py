"""Differences between deployed policies and those the stacks write, by statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nhi_evidence.adapters.aws.aws_checks import Judged
from nhi_evidence.config.documents import Statement


def judged(policy: Mapping[str, Any], expected: list[Statement]) -> Judged:
    """Judge whether a policy is what the stacks write, statement by statement."""
    listed = differences(policy, expected)
    return not listed, listed or f"{len(expected)} statements, as deployed"


def differences(policy: Mapping[str, Any], expected: list[Statement]) -> str:
    """Return which statements are missing, changed or added, by Sid; empty if none."""
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
    """Return statements by Sid, regardless of order, each as often as it occurs."""
    listed: dict[str, list[str]] = {}
    for statement in statements:
        listed.setdefault(str(statement.get("Sid")), []).append(repr(_comparable(statement)))
    return {sid: sorted(same) for sid, same in listed.items()}


def _comparable(value: Any) -> Any:
    """Return part of a policy without what AWS may write differently: order, and lists of one."""
    if isinstance(value, dict):
        if value.keys() == {"AWS"} and value["AWS"] == "*":
            return ["*"]
        return sorted((key, _comparable(part)) for key, part in value.items())
    parts = value if isinstance(value, list | tuple) else [value]
    return sorted(_text(part) for part in parts)


def _text(value: Any) -> str:
    """Return a value as policies compare it: `true` is the same as "true"."""
    return str(value).lower() if isinstance(value, bool) else str(value)
