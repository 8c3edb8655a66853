"""Which operation means what: loads and checks a source's catalog table, and classifies.

The table decides, code extracts. A new classification is one row and one golden case.
Format: docs/catalog.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from nhi_evidence.conditions import Facts, compile_condition
from nhi_evidence.errors import CatalogError
from nhi_evidence.event import Event, Outcome, Result
from nhi_evidence.ocsf_classes import CLASSES
from nhi_evidence.phases import Classification, Phase

OUTCOME_OVERLAY = "O01"
"""Refused operations are failed attempts; the base phase keeps what was tried."""

_NO_LEVELS = b'{"version":1,"services":{}}'
_ANY = "*"
_REMEMBERED = 10_000
_LONGEST_NAMES = 256


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    service: str
    operation: str
    phase: str
    sub_phase: str | None = None
    uid: int = msgspec.field(name="class")
    activity: int
    record_class: str | None = None
    match: str = "exact"
    refinable_by: tuple[str, ...] = ()
    attack: str | None = None
    confidence: str = "high"
    why: str = ""
    ref: str = ""


class _Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    service: str
    operations: tuple[str, ...]
    when: list[dict[str, Any]]
    phase: str
    sub_phase: str | None = None
    uid: int | None = msgspec.field(name="class", default=None)
    activity: int | None = None
    why: str
    ref: str = ""


class _Fallback(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    prefix: str | None = None
    """Applies to operations that begin with this verb ..."""
    level: str | None = None
    """... or that the access-level table puts at this level."""
    phase: str
    sub_phase: str | None = None
    uid: int = msgspec.field(name="class")
    activity: int
    why: str = ""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    version: int
    attack_version: str = ""
    rows: list[_Row]
    overrides: list[_Override] = []
    fallback: list[_Fallback] = []


class _AccessLevels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    services: dict[str, dict[str, list[str]]]
    """Service to level to operations."""


class _Compiled(msgspec.Struct, frozen=True):
    override: _Override
    conditions: tuple[Callable[[Facts], bool], ...]
    needs_code: bool
    """Whether it can hold only where the provider states an error code."""

    def holds(self, facts: Facts) -> bool:
        return all(condition(facts) for condition in self.conditions)


class Catalog:
    """One source's table, checked and ready for look-ups."""

    def __init__(self, table: bytes, *, name: str, access_levels: bytes | None = None) -> None:
        """Load a table, and the provider's access levels for operations without a row.

        `name` is how errors call it. Raises `CatalogError` naming the row when a table does
        not hold together.
        """
        try:
            parsed = msgspec.json.decode(table, type=_Table)
            levels = msgspec.json.decode(access_levels or _NO_LEVELS, type=_AccessLevels)
        except msgspec.MsgspecError as error:
            raise CatalogError(f"{name}: {error}") from error
        self._name = name
        self._exact: dict[tuple[str, str], list[tuple[str | None, Classification]]] = {}
        self._prefixes: list[tuple[str, str, Classification]] = []
        self._overrides: dict[tuple[str, str], list[_Compiled]] = {}
        self._candidates_of: dict[tuple[str, str, bool], tuple[_Compiled, ...]] = {}
        self._decided: dict[tuple[str, str, str | None, bool], Classification] = {}
        self._fallback: list[tuple[str, Classification]] = []
        self._by_level: dict[tuple[str, str], Classification] = {}
        for row in parsed.rows:
            self._add_row(row)
        for override in parsed.overrides:
            self._add_override(override)
        for fallback in parsed.fallback:
            self._add_fallback(fallback, levels)
        self._fallback.sort(key=lambda one: -len(one[0]))
        self._prefixes.sort(key=lambda one: -len(one[1]))

    def classify(self, event: Event) -> Classification:
        """Say what an event means: row, then overrides in table order, then its outcome."""
        call, outcome = event.call, event.outcome
        overrides = self._candidates(call.service, call.operation, outcome.code is not None)
        if overrides:
            return self._decide(event, overrides)
        known = (call.service, call.operation, event.logged.record_class, _refused(outcome))
        found = self._decided.get(known)
        if found is None:
            found = self._decide(event, ())
            if self._may_remember(call.service, call.operation, len(self._decided)):
                self._decided[known] = found
        return found

    def _decide(self, event: Event, overrides: tuple[_Compiled, ...]) -> Classification:
        found = self._row(event)
        if overrides:
            facts = Facts(event)
            for compiled in overrides:
                if compiled.holds(facts):
                    found = _overridden(found, compiled.override)
                    break
        if _refused(event.outcome) and found.phase is not Phase.FAILED_ATTEMPT:
            found = msgspec.structs.replace(
                found,
                phase=Phase.FAILED_ATTEMPT,
                rules=(*found.rules, OUTCOME_OVERLAY),
            )
        return found

    def _row(self, event: Event) -> Classification:
        service, operation = event.call.service, event.call.operation
        for record_class, meaning in self._exact.get((service, operation), ()):
            if record_class is None or record_class == event.logged.record_class:
                return meaning
        for of_service, prefix, meaning in self._prefixes:
            if of_service == service and operation.startswith(prefix):
                return meaning
        by_level = self._by_level.get((service, operation))
        if by_level is not None:
            return by_level
        for prefix, meaning in self._fallback:
            if operation.startswith(prefix):
                return meaning
        return _UNCLASSIFIED

    def _candidates(self, service: str, operation: str, has_code: bool) -> tuple[_Compiled, ...]:
        """Overrides that could hold: the operation's, its service's, every operation's."""
        known = self._candidates_of.get((service, operation, has_code))
        if known is None:
            names = ((service, operation), (service, _ANY), (_ANY, operation), (_ANY, _ANY))
            named = (one for name in names for one in self._overrides.get(name, ()))
            known = tuple(one for one in named if has_code or not one.needs_code)
            if self._may_remember(service, operation, len(self._candidates_of)):
                self._candidates_of[service, operation, has_code] = known
        return known

    @staticmethod
    def _may_remember(service: str, operation: str, held: int) -> bool:
        """Bound what is remembered in number and in length: the names come from records."""
        return held < _REMEMBERED and len(service) + len(operation) < _LONGEST_NAMES

    def _add_row(self, row: _Row) -> None:
        where = f"{self._name}: {row.service}:{row.operation}"
        meaning = Classification(
            base_phase=_phase(row.phase, where),
            phase=_phase(row.phase, where),
            sub_phase=row.sub_phase,
            rules=(f"{row.service}:{row.operation}",),
            class_uid=_class(row.uid, row.activity, where),
            activity_id=row.activity,
            refinable_by=row.refinable_by,
        )
        if row.match == "prefix":
            self._prefixes.append((row.service, row.operation, meaning))
            return
        if row.match != "exact":
            raise CatalogError(f"{where}: unknown match {row.match!r}")
        known = self._exact.setdefault((row.service, row.operation), [])
        if any(record_class == row.record_class for record_class, _ in known):
            raise CatalogError(f"{where}: two rows")
        known.append((row.record_class, meaning))
        known.sort(key=lambda one: one[0] is None)

    def _add_override(self, override: _Override) -> None:
        where = f"{self._name}: override {override.id}"
        _phase(override.phase, where)
        if override.uid is not None and override.activity is not None:
            _class(override.uid, override.activity, where)
        compiled = _Compiled(
            override,
            tuple(compile_condition(row, where=where) for row in override.when),
            needs_code=any(
                row["path"] == "code" and (row.get("is") is not None or "in" in row)
                for row in override.when
            ),
        )
        for operation in override.operations:
            self._overrides.setdefault((override.service, operation), []).append(compiled)

    def _add_fallback(self, fallback: _Fallback, levels: _AccessLevels) -> None:
        where = f"{self._name}: fallback {fallback.id}"
        phase = _phase(fallback.phase, where)
        meaning = Classification(
            base_phase=phase,
            phase=phase,
            sub_phase=fallback.sub_phase,
            rules=(f"fallback:{fallback.id}",),
            class_uid=_class(fallback.uid, fallback.activity, where),
            activity_id=fallback.activity,
        )
        if (fallback.prefix is None) == (fallback.level is None):
            raise CatalogError(f"{where}: a fallback has a prefix or a level")
        if fallback.prefix is not None:
            self._fallback.append((fallback.prefix, meaning))
            return
        for service, by_level in levels.services.items():
            for operation in by_level.get(fallback.level or "", ()):
                self._by_level[service, operation] = meaning


_UNCLASSIFIED = Classification(
    base_phase=Phase.UNKNOWN,
    phase=Phase.UNKNOWN,
    sub_phase=None,
    rules=("fallback:none",),
    class_uid=6003,
    activity_id=99,
)


def _refused(outcome: Outcome) -> bool:
    return outcome.result is Result.DENIED or outcome.result is Result.UNAUTHENTICATED


def _overridden(found: Classification, override: _Override) -> Classification:
    return Classification(
        base_phase=found.base_phase,
        phase=Phase[override.phase.upper()],
        sub_phase=override.sub_phase,
        rules=(*found.rules, override.id),
        class_uid=found.class_uid if override.uid is None else override.uid,
        activity_id=found.activity_id if override.activity is None else override.activity,
        refinable_by=found.refinable_by,
    )


def _phase(name: str, where: str) -> Phase:
    try:
        return Phase[name.upper()]
    except KeyError:
        raise CatalogError(f"{where}: unknown phase {name!r}") from None


def _class(uid: int, activity: int, where: str) -> int:
    known: Mapping[int, Any] = CLASSES
    if uid not in known or activity not in known[uid].activities:
        raise CatalogError(f"{where}: no OCSF class {uid} with activity {activity}")
    return uid
