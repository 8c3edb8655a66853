"""Conditions of catalog overrides: data, not expressions.

A condition is a path into the event and a comparison from a closed list. All conditions of an
override must hold; alternatives are separate overrides. An absent path is the same as a JSON null:
neither has a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import msgspec

from nhi_evidence.errors import CatalogError
from nhi_evidence.event import Event, Target
from nhi_evidence.identity import IdentityKind

Comparison = Callable[[Any, "Facts"], bool]


def _first_target(event: Event) -> Target | None:
    return event.about.targets[0] if event.about.targets else None


def _target_account(event: Event) -> str | None:
    target = _first_target(event)
    return target.owner.account.uid if target and target.owner else None


_EVENT_PATHS: Mapping[str, Callable[[Event], Any]] = {
    "code": lambda event: event.outcome.code,
    "detail": lambda event: event.outcome.detail,
    "result": lambda event: event.outcome.result.value,
    "operation": lambda event: event.call.operation_name,
    "permissions": lambda event: list(event.call.permissions),
    "user_agent": lambda event: event.call.user_agent,
    "actor.name": lambda event: event.actor.identity.name,
    "actor.uid": lambda event: event.actor.identity.uid,
    "actor.kind": lambda event: IdentityKind(event.actor.identity.type_id).name.lower(),
    "actor.account": lambda event: (
        user.account.uid if (user := event.actor.user) and user.account else None
    ),
    "account": lambda event: event.logged.account,
    "region": lambda event: event.logged.region,
    "invoked_by": lambda event: event.actor.invoked_by,
    "source.ip": lambda event: source.ip if (source := event.call.source) else None,
    "source.svc_name": lambda event: source.svc_name if (source := event.call.source) else None,
    "source.name": lambda event: source.name if (source := event.call.source) else None,
    "event_code": lambda event: event.logged.event_code,
    "record_class": lambda event: event.logged.record_class,
    "target.uid": lambda event: target.uid if (target := _first_target(event)) else None,
    "target.name": lambda event: target.name if (target := _first_target(event)) else None,
    "target.account": _target_account,
}


class Facts:
    """Lookups in one event; request, response and record are decoded only when a path needs it."""

    def __init__(self, event: Event) -> None:
        self._event = event

    @cached_property
    def _request(self) -> Any:
        return msgspec.json.decode(self._event.request) if self._event.request else None

    @cached_property
    def _response(self) -> Any:
        return msgspec.json.decode(self._event.response) if self._event.response else None

    @cached_property
    def _record(self) -> Any:
        return msgspec.json.decode(self._event.record) if self._event.record else None

    def get(self, path: str) -> Any:
        """Return the value at a path; None when the record has none."""
        root, _, rest = path.partition(".")
        if root == "request":
            return _walk(self._request, rest)
        if root == "response":
            return _walk(self._response, rest)
        if root == "record":
            return _walk(self._record, rest)
        return _EVENT_PATHS[path](self._event)


def _walk(value: Any, path: str) -> Any:
    """Follow a path; `*` means every element of a list and yields the list of their values."""
    step, dot, rest = path.partition(".*.")
    if dot:
        elements = _walk(value, step)
        if not isinstance(elements, list):
            return None
        values = (_walk(element, rest) for element in elements)
        return [value for value in values if value is not None] or None
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _text(test: Callable[[str], bool]) -> Comparison:
    return lambda value, _: isinstance(value, str) and test(value)


def _same(other: str) -> Comparison:
    def holds(value: Any, facts: Facts) -> bool:
        return value is not None and value == facts.get(other)

    return holds


def _differs(other: str) -> Comparison:
    def holds(value: Any, facts: Facts) -> bool:
        right = facts.get(other)
        return value is not None and right is not None and value != right

    return holds


def _pattern(expression: str) -> Comparison:
    search = re.compile(expression).search
    return _text(lambda value: search(value) is not None)


_COMPARISONS: Mapping[str, Callable[[Any], Comparison]] = {
    "is": lambda wanted: lambda value, _: value == wanted and type(value) is type(wanted),
    "is_not": lambda wanted: lambda value, _: value is not None and value != wanted,
    "in": lambda wanted: lambda value, _: value in wanted,
    "not_in": lambda wanted: lambda value, _: value is not None and value not in wanted,
    "contains": lambda wanted: lambda value, _: isinstance(value, str | list) and wanted in value,
    "every": lambda wanted: (
        lambda value, _: (
            isinstance(value, list) and bool(value) and all(item == wanted for item in value)
        )
    ),
    "starts_with": lambda wanted: _text(lambda value: value.startswith(wanted)),
    "ends_with": lambda wanted: _text(lambda value: value.endswith(wanted)),
    "matches": _pattern,
    "present": lambda wanted: lambda value, _: (value is not None) is wanted,
    "same_as": _same,
    "differs_from": _differs,
}

_TAKES_LIST = {"in", "not_in"}
_TAKES_TEXT = {"starts_with", "ends_with", "matches"}
_TAKES_PATH = {"same_as", "differs_from"}


def compile_condition(row: Mapping[str, Any], *, where: str) -> Callable[[Facts], bool]:
    """Compile one condition row `{"path": ..., "<comparison>": ...}`.

    Raises `CatalogError` naming `where` for an unknown path or comparison, or an invalid operand.
    """
    path = row.get("path")
    comparisons = [key for key in row if key != "path"]
    if not isinstance(path, str) or len(comparisons) != 1:
        raise CatalogError(f"{where}: a condition is a path and one comparison, not {dict(row)}")
    _check_path(path, where)
    name, wanted = comparisons[0], row[comparisons[0]]
    if name not in _COMPARISONS:
        raise CatalogError(f"{where}: unknown comparison {name!r}")
    _check_operand(name, wanted, where)
    try:
        holds = _COMPARISONS[name](wanted)
    except re.error as error:
        raise CatalogError(f"{where}: {wanted!r} is not a pattern: {error}") from error
    return lambda facts: holds(facts.get(path), facts)


def _check_operand(name: str, wanted: Any, where: str) -> None:
    if name in _TAKES_LIST and not isinstance(wanted, list):
        raise CatalogError(f"{where}: {name} takes a list, not {wanted!r}")
    if name in _TAKES_TEXT and not isinstance(wanted, str):
        raise CatalogError(f"{where}: {name} takes a string, not {wanted!r}")
    if name == "present" and not isinstance(wanted, bool):
        raise CatalogError(f"{where}: present takes true or false, not {wanted!r}")
    if name in _TAKES_PATH:
        if not isinstance(wanted, str):
            raise CatalogError(f"{where}: {name} takes a path, not {wanted!r}")
        _check_path(wanted, where)


def _check_path(path: str, where: str) -> None:
    root, _, rest = path.partition(".")
    if root in {"request", "response", "record"} and rest:
        return
    if path not in _EVENT_PATHS:
        raise CatalogError(f"{where}: unknown path {path!r}")
