"""Load and check a source's catalog table, and classify events with it.

Tables decide, code extracts. A new classification takes one row and one golden case.
Format: docs/catalog.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from nhi_evidence.catalog import table as table_form
from nhi_evidence.catalog.conditions import Facts, compile_condition
from nhi_evidence.catalog.lexicon import lexicon
from nhi_evidence.catalog.rows import Fallbacks, Rows
from nhi_evidence.catalog.table import ANY, Override
from nhi_evidence.event import Call, Event, Outcome, Result
from nhi_evidence.phases import Classification, Phase

OUTCOME_OVERLAY = "O01"
"""Refused operations are failed attempts; the base phase keeps what was tried."""

_CACHE_SIZE = 10_000
_MAX_NAME_LENGTH = 256
_MAX_PERMISSIONS = 8

_Key = tuple[str, str, str | None, bool, str | None, tuple[str, ...]]
"""Everything a classification depends on if no override looks further into the record."""


class _Compiled(msgspec.Struct, frozen=True):
    override: Override
    conditions: tuple[Callable[[Facts], bool], ...]
    needs_code: bool
    """Whether it can only hold if the record has an error code."""
    record_class: str | None
    """The only record class it can hold for; None for any."""

    def holds(self, facts: Facts) -> bool:
        return all(condition(facts) for condition in self.conditions)

    def may_hold(self, has_code: bool, record_class: str | None) -> bool:
        return (has_code or not self.needs_code) and (
            self.record_class is None or self.record_class == record_class
        )


class Catalog:
    """One source's catalog table, validated and indexed."""

    def __init__(self, table: bytes, *, name: str, access_levels: bytes | None = None) -> None:
        """Load a table, and the provider's access levels for operations without a row.

        `name` identifies the table in errors. Raises `CatalogError` naming the row when a table is
        inconsistent.
        """
        parsed, levels = table_form.read(table, access_levels, name=name)
        self._name = name
        self._names = parsed.names
        self._rows = Rows(parsed.rows, parsed.names, name=name)
        self._fallbacks = Fallbacks(
            parsed.fallback, levels, parsed.names, lexicon=lexicon(), name=name
        )
        self._overrides: dict[tuple[str, str], list[_Compiled]] = {}
        self._by_prefix: dict[str, list[tuple[str, _Compiled]]] = {}
        self._candidates_of: dict[tuple[str, str, bool, str | None], tuple[_Compiled, ...]] = {}
        self._decided: dict[_Key, Classification] = {}
        self._based: dict[_Key, Classification] = {}
        for override in parsed.overrides:
            self._add_override(override)

    def classify(self, event: Event) -> Classification:
        """Classify an event: its row, then overrides in table order, then its outcome."""
        call, outcome = event.call, event.outcome
        record_class = event.logged.record_class
        overrides = self._candidates(call, outcome.code is not None, record_class)
        if overrides:
            return self._decide(event, overrides)
        key = (
            call.service,
            call.operation,
            record_class,
            _refused(outcome),
            call.access_level,
            call.permissions,
        )
        classification = self._decided.get(key)
        if classification is None:
            classification = self._decide(event, ())
            if _cacheable(call, len(self._decided)):
                self._decided[key] = classification
        return classification

    def _decide(self, event: Event, overrides: tuple[_Compiled, ...]) -> Classification:
        classification = self.classify_operation(event.call, event.logged.record_class)
        if overrides:
            facts = Facts(event)
            for compiled in overrides:
                if compiled.holds(facts):
                    classification = _overridden(classification, compiled.override)
                    break
        if _refused(event.outcome) and classification.phase is not Phase.FAILED_ATTEMPT:
            classification = msgspec.structs.replace(
                classification,
                phase=Phase.FAILED_ATTEMPT,
                rules=(*classification.rules, OUTCOME_OVERLAY),
            )
        return classification

    def classify_operation(self, call: Call, record_class: str | None = None) -> Classification:
        """Return what an operation means before any override or outcome, cached."""
        key = (
            call.service,
            call.operation,
            record_class,
            False,
            call.access_level,
            call.permissions,
        )
        classification = self._based.get(key)
        if classification is None:
            classification = (
                self._rows.find(call, record_class) or self._fallbacks.find(call) or _UNCLASSIFIED
            )
            if _cacheable(call, len(self._based)):
                self._based[key] = classification
        return classification

    def _candidates(
        self, call: Call, has_code: bool, record_class: str | None
    ) -> tuple[_Compiled, ...]:
        """Return the overrides that could hold: the operation's, its service's, any operation's."""
        key = (call.service, call.operation, has_code, record_class)
        candidates = self._candidates_of.get(key)
        if candidates is None:
            named = (one for service in (call.service, ANY) for one in self._of(service, call))
            candidates = tuple(one for one in named if one.may_hold(has_code, record_class))
            if _cacheable(call, len(self._candidates_of)):
                self._candidates_of[key] = candidates
        return candidates

    def _of(self, service: str, call: Call) -> Iterator[_Compiled]:
        """Yield the overrides of a service for an operation, the most specific first."""
        spellings = self._names.spellings(call.operation)
        for spelling in spellings:
            yield from self._overrides.get((service, spelling), ())
        for beginning, compiled in self._by_prefix.get(service, ()):
            if spellings[0].startswith(beginning):
                yield compiled
        yield from self._overrides.get((service, ANY), ())

    def _add_override(self, override: Override) -> None:
        where = f"{self._name}: override {override.id}"
        table_form.phase(override.phase, where)
        if override.uid is not None and override.activity is not None:
            table_form.known_class(override.uid, override.activity, where)
        compiled = _Compiled(
            override,
            tuple(compile_condition(row, where=where) for row in override.when),
            needs_code=any(
                row["path"] == "code" and (row.get("is") is not None or "in" in row)
                for row in override.when
            ),
            record_class=next(
                (
                    row["is"]
                    for row in override.when
                    if row["path"] == "record_class" and "is" in row
                ),
                None,
            ),
        )
        for operation in map(self._names.folded, override.operations):
            if override.match == "prefix":
                self._by_prefix.setdefault(override.service, []).append((operation, compiled))
            else:
                self._overrides.setdefault((override.service, operation), []).append(compiled)


_UNCLASSIFIED = Classification(
    base_phase=Phase.UNKNOWN,
    phase=Phase.UNKNOWN,
    sub_phase=None,
    rules=("fallback:none",),
    class_uid=6003,
    activity_id=99,
)


def _cacheable(call: Call, cached: int) -> bool:
    """Whether to cache: caches are bounded in size and key length, as names come from records."""
    return (
        cached < _CACHE_SIZE
        and len(call.service) + len(call.operation) < _MAX_NAME_LENGTH
        and len(call.permissions) <= _MAX_PERMISSIONS
        and all(len(one) < _MAX_NAME_LENGTH for one in call.permissions)
    )


def _refused(outcome: Outcome) -> bool:
    return outcome.result is Result.DENIED or outcome.result is Result.UNAUTHENTICATED


def _overridden(base: Classification, override: Override) -> Classification:
    return Classification(
        base_phase=base.base_phase,
        phase=Phase[override.phase.upper()],
        sub_phase=override.sub_phase,
        rules=(*base.rules, override.id),
        class_uid=base.class_uid if override.uid is None else override.uid,
        activity_id=base.activity_id if override.activity is None else override.activity,
        refinable_by=base.refinable_by,
    )
