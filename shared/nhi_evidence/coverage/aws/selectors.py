"""What CloudTrail's event selectors record, basic and advanced.

Semantics, from the CloudTrail user guide ("Filtering data events by using advanced event
selectors", "Logging management events") and the API reference (EventSelector,
AdvancedEventSelector, AdvancedFieldSelector):

- A trail records an event that matches any of its selectors; selectors add up.
- Every field of an advanced selector must match. On one field, `Equals`, `StartsWith` and
  `EndsWith` add up; each `Not...` excludes; both groups must match.
- A trail has basic or advanced selectors, never both: setting one kind replaces all of the other.
- A trail without selectors records all management events and nothing else.
- A field that no selector filters does not matter: a kind that leaves `readOnly` open is judged
  as a read and as a write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from nhi_evidence.coverage.aws.event_kind import (
    ARN,
    CATEGORY,
    READ_ONLY,
    SOURCE,
    TYPE,
    Event,
    Listed,
)

_BASIC_FLAGS = {"All": ("true", "false"), "ReadOnly": ("true",), "WriteOnly": ("false",)}
_PREFIXED = frozenset({"AWS::S3::Object"})
"""Types whose basic `Values` are prefixes of an ARN; for all others they are whole ARNs."""
_WHOLE_SERVICE = 3
"""Number of parts in `arn:aws:lambda`, which means every resource of the service."""


class Condition(msgspec.Struct, frozen=True, rename="pascal"):
    """One field of an advanced selector, as GetEventSelectors returns it."""

    field: str
    equals: tuple[str, ...] = ()
    starts_with: tuple[str, ...] = ()
    ends_with: tuple[str, ...] = ()
    not_equals: tuple[str, ...] = ()
    not_starts_with: tuple[str, ...] = ()
    not_ends_with: tuple[str, ...] = ()

    def holds(self, value: str) -> bool:
        """Whether a value of the field passes."""
        selecting = self.equals or self.starts_with or self.ends_with
        selected = (
            value in self.equals
            or value.startswith(self.starts_with)
            or value.endswith(self.ends_with)
        )
        taken_away = (
            value in self.not_equals
            or value.startswith(self.not_starts_with)
            or value.endswith(self.not_ends_with)
        )
        return (selected or not selecting) and not taken_away


class Selector(msgspec.Struct, frozen=True):
    """Events that pass every condition."""

    conditions: tuple[Condition, ...]

    def records(self, event: Event) -> bool:
        """Whether an event passes; `event` must have every field named here."""
        return all(condition.holds(event[condition.field]) for condition in self.conditions)

    def may_record(self, category: str) -> bool:
        """Whether any event of a category could pass."""
        return all(one.holds(category) for one in self.conditions if one.field == CATEGORY)


DEFAULT = (Selector((Condition(CATEGORY, equals=("Management",)),)),)
"""The selectors of a trail for which none were set."""


def of_answer(answer: Mapping[str, Any]) -> tuple[Selector, ...]:
    """Decode what GetEventSelectors returns. Raises `msgspec.ValidationError` if malformed."""
    advanced = answer.get("AdvancedEventSelectors") or ()
    if advanced:
        return tuple(_advanced(selector) for selector in advanced)
    basic = answer.get("EventSelectors") or ()
    if not basic:
        return DEFAULT
    return tuple(part for selector in basic for part in _basic(selector))


def listed(selectors: Iterable[Selector]) -> dict[str, Listed]:
    """Return what the conditions of selectors list, by field."""
    values: dict[str, set[str]] = {}
    prefixes: dict[str, set[str]] = {}
    suffixes: dict[str, set[str]] = {}
    for condition in (one for selector in selectors for one in selector.conditions):
        field = condition.field
        values.setdefault(field, set()).update(condition.equals, condition.not_equals)
        prefixes.setdefault(field, set()).update(condition.starts_with, condition.not_starts_with)
        suffixes.setdefault(field, set()).update(condition.ends_with, condition.not_ends_with)
    return {
        field: Listed(
            frozenset(values[field]), frozenset(prefixes[field]), frozenset(suffixes[field])
        )
        for field in values
    }


def _advanced(selector: Mapping[str, Any]) -> Selector:
    conditions = msgspec.convert(selector.get("FieldSelectors", ()), tuple[Condition, ...])
    return Selector(conditions)


class _DataResource(msgspec.Struct, rename="pascal"):
    type: str
    values: tuple[str, ...] = ()


class _Basic(msgspec.Struct, rename="pascal"):
    read_write_type: str = "All"
    include_management_events: bool = True
    data_resources: tuple[_DataResource, ...] = ()
    exclude_management_event_sources: tuple[str, ...] = ()


def _basic(selector: Mapping[str, Any]) -> Iterable[Selector]:
    """Yield the advanced selectors that record the same as a basic one."""
    basic = msgspec.convert(selector, _Basic)
    flags = _BASIC_FLAGS.get(basic.read_write_type)
    if flags is None:
        raise msgspec.ValidationError(f"ReadWriteType {basic.read_write_type!r}")
    read_write = Condition(READ_ONLY, equals=flags)
    if basic.include_management_events:
        excluded = basic.exclude_management_event_sources
        yield Selector(
            (
                Condition(CATEGORY, equals=("Management",)),
                read_write,
                Condition(SOURCE, not_equals=excluded),
            )
        )
    for resource in basic.data_resources:
        for value in resource.values:
            category = Condition(CATEGORY, equals=("Data",))
            kind = Condition(TYPE, equals=(resource.type,))
            yield Selector((category, read_write, kind, *_arn(resource.type, value)))


def _arn(type_: str, value: str) -> Sequence[Condition]:
    if len(value.split(":")) <= _WHOLE_SERVICE or value.endswith(":::"):
        return ()
    if type_ in _PREFIXED:
        return (Condition(ARN, starts_with=(value,)),)
    return (Condition(ARN, equals=(value,)),)
