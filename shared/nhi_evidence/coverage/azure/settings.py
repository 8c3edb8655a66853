"""Diagnostic settings: which log categories of a resource go where.

A setting names categories or category groups. A group exists for some resource types only; for
any other it silently enables nothing, so groups are resolved by the categories that the resource
itself lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from nhi_evidence.coverage.answers import Answer, Reading
from nhi_evidence.coverage.verdict import Judgment, Verdict, unknown

SETTINGS = "Microsoft.Insights/diagnosticSettings"
CATEGORIES = "Microsoft.Insights/diagnosticSettingsCategories"
SOURCE = "azure_monitor"


class _Log(msgspec.Struct, rename="camel"):
    enabled: bool
    category: str | None = None
    category_group: str | None = None


class _Properties(msgspec.Struct, rename="camel"):
    logs: tuple[_Log, ...] = ()
    event_hub_authorization_rule_id: str | None = None


class _Setting(msgspec.Struct):
    name: str
    properties: _Properties


class _Settings(msgspec.Struct):
    value: tuple[_Setting, ...] = ()


class _CategoryProperties(msgspec.Struct, rename="camel", frozen=True):
    category_type: str = "Logs"
    category_groups: tuple[str, ...] = ()


class _Category(msgspec.Struct):
    name: str
    properties: _CategoryProperties = _CategoryProperties()


class _Categories(msgspec.Struct):
    value: tuple[_Category, ...] = ()


class _Switched(msgspec.Struct):
    """What the diagnostic settings of a scope and those above it enable, in lower case."""

    here: set[str]
    """Categories that are ingested here."""
    elsewhere: set[str]
    void: list[str]
    """Settings that name a group the resource does not have."""
    unresolved: list[str]
    """What could not be read."""


def judge(reading: Reading, scopes: Sequence[str], wanted: Sequence[str]) -> Judgment:
    """Judge whether these categories of the first scope are ingested; the others are above it.

    A category may be written `a|b`: either will do.
    Raises `msgspec.ValidationError` for a malformed answer.
    """
    answers = [(scope, _answer(reading, SETTINGS, scope)) for scope in scopes]
    names = tuple(answer.name for _, answer in answers if answer is not None)
    deployment = reading.deployment()
    if deployment is None:
        return unknown("what this deployment ingests is not known", answers=names)
    source = deployment.source(SOURCE)
    switched = _Switched(set(), set(), [], [])
    for scope, answer in answers:
        if answer is None or answer.status not in {"ok", "absent"}:
            switched.unresolved.append(f"the diagnostic settings of {scope} could not be read")
            continue
        for setting in msgspec.convert(answer.answer or {}, _Settings).value:
            _add(switched, reading, scopes[0], setting, source.event_hubs if source else ())
    return msgspec.structs.replace(_weighed(scopes[0], wanted, switched), answers=names)


def _add(
    switched: _Switched, reading: Reading, subject: str, setting: _Setting, hubs: Sequence[str]
) -> None:
    rule = (setting.properties.event_hub_authorization_rule_id or "").lower()
    is_ours = any(rule.startswith(f"{hub.lower()}/") for hub in hubs)
    for log in setting.properties.logs:
        if not log.enabled:
            continue
        categories = _resolved(reading, subject, log)
        group = f"category group {log.category_group}"
        if categories is None:
            switched.unresolved.append(f"{subject}: what {group} contains is not known")
        elif not categories:
            switched.void.append(f"{setting.name}: {subject} has no {group}")
        else:
            (switched.here if is_ours else switched.elsewhere).update(categories)


def _weighed(subject: str, wanted: Sequence[str], switched: _Switched) -> Judgment:
    missing = [one for one in wanted if not _alternatives(one) & switched.here]
    if not missing:
        reason = f"{subject}: {', '.join(wanted)} to this deployment"
        return Judgment(Verdict.CONFIGURED, (reason,))
    if switched.unresolved:
        return unknown(*switched.unresolved)
    lost = tuple(f"{category} of {subject}" for category in missing)
    if all(_alternatives(category) & switched.elsewhere for category in missing):
        reason = f"{subject}: {', '.join(missing)} goes to another destination"
        return Judgment(Verdict.ELSEWHERE, (reason,), lost)
    reason = f"{subject}: no diagnostic setting switches {', '.join(missing)} on"
    return Judgment(Verdict.GAP, (reason, *switched.void), lost)


def _alternatives(wanted: str) -> set[str]:
    """Return the categories of which any will do: `a|b` names two."""
    return set(wanted.lower().split("|"))


def _lowered(names: Sequence[str]) -> Iterator[str]:
    return (name.lower() for name in names)


def _answer(reading: Reading, call: str, scope: str) -> Answer | None:
    wanted = scope.lower()
    return next((one for one in reading.all(call) if one.scope.lower() == wanted), None)


def _resolved(reading: Reading, subject: str, log: _Log) -> set[str] | None:
    """Return the categories an entry enables, in lower case; None where that is not known."""
    if log.category:
        return {log.category.lower()}
    if not log.category_group:
        return set()
    answer = _answer(reading, CATEGORIES, subject)
    if answer is None or answer.status != "ok":
        return None
    return {
        category.name.lower()
        for category in msgspec.convert(answer.answer, _Categories).value
        if category.properties.category_type == "Logs"
        and log.category_group.lower() in _lowered(category.properties.category_groups)
    }
