"""The format of a catalog table (docs/catalog.md): rows, overrides, fallbacks; and its reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec

from nhi_evidence import kubernetes
from nhi_evidence.errors import CatalogError
from nhi_evidence.ocsf.classes import CLASSES
from nhi_evidence.phases import Classification, Phase

_StructT = TypeVar("_StructT", bound=msgspec.Struct)

ANY = "*"
"""Stands for every service in a row, and for every service or operation in an override."""

SHARED = {"kubernetes": kubernetes.TABLE}
"""Tables for operations that occur in several packs; a pack's table includes them by name."""

_NO_LEVELS = b'{"version":1,"services":{}}'


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ways in which a provider spells the same operation."""

    fold_case: bool = False
    """Whether operations and permissions are compared without regard to case."""
    separator: str | None = None
    """Separates the parts of a long name; a row may have just the last two, or the last."""

    def folded(self, name: str) -> str:
        """Return a name in the form in which names are compared."""
        return name.lower() if self.fold_case else name

    def spellings(self, operation: str) -> tuple[str, ...]:
        """Return the names an operation may have in the table, the most specific first."""
        name = self.folded(operation)
        if self.separator is None:
            return (name,)
        parts = name.split(self.separator)
        shorter = (self.separator.join(parts[-count:]) for count in (2, 1) if len(parts) > count)
        return (name, *shorter)


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one operation of a service means."""

    service: str
    """A service, or `*`; a row for the service comes before a row for any service."""
    operation: str
    phase: str
    sub_phase: str | None = None
    uid: int = msgspec.field(name="class")
    activity: int
    record_class: str | None = None
    match: str = "exact"
    """`exact`, `prefix`, `suffix`, or `pattern`: a regular expression for the whole name."""
    refinable_by: tuple[str, ...] = ()
    attack: str | None = None
    confidence: str = "high"
    why: str = ""
    ref: str = ""


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A change to what an operation means, by conditions on the record."""

    id: str
    service: str
    operations: tuple[str, ...]
    """Their names, `*` for all, or with `match` the beginnings of their names."""
    when: list[dict[str, Any]]
    match: Literal["exact", "prefix"] = "exact"
    phase: str
    sub_phase: str | None = None
    uid: int | None = msgspec.field(name="class", default=None)
    activity: int | None = None
    why: str
    ref: str = ""


class Fallback(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an operation without a row means: a guess, labeled as one. Has exactly one test."""

    id: str
    permission: str | None = None
    """Applies when a permission that the call needed ends with this ..."""
    level: str | None = None
    """... or the record, or the access level table, puts the operation at this level ..."""
    prefix: str | None = None
    """... or the operation begins with this verb ..."""
    suffix: str | None = None
    """... or ends with this ..."""
    pattern: str | None = None
    """... or as a whole matches this regular expression."""
    phase: str
    sub_phase: str | None = None
    uid: int = msgspec.field(name="class")
    activity: int
    why: str = ""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `catalog.json`."""

    version: int
    include: tuple[str, ...] = ()
    """Shared tables whose rows, overrides and fallbacks are added to the table's own."""
    attack_version: str = ""
    names: Names = Names()
    rows: list[Row]
    overrides: list[Override] = []
    fallback: list[Fallback] = []


class AccessLevels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The provider's own access levels for operations, which records do not state."""

    version: int
    services: dict[str, dict[str, list[str]]]
    """Service to level to operations."""


def read(table: bytes, access_levels: bytes | None, *, name: str) -> tuple[Table, AccessLevels]:
    """Decode a table, with the tables it includes, and its access levels.

    Raises `CatalogError` saying where it is malformed, or which included table does not exist.
    """
    parsed = _decode(table, Table, name)
    levels = _decode(access_levels or _NO_LEVELS, AccessLevels, name)
    for included in parsed.include:
        if included not in SHARED:
            raise CatalogError(f"{name}: includes {included!r}; known: {', '.join(SHARED)}")
        shared = _decode(SHARED[included], Table, f"{name}: {included}")
        parsed = msgspec.structs.replace(
            parsed,
            rows=[*parsed.rows, *shared.rows],
            overrides=[*parsed.overrides, *shared.overrides],
            fallback=[*parsed.fallback, *shared.fallback],
        )
    return parsed, levels


def _decode(text: bytes, shape: type[_StructT], name: str) -> _StructT:
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.MsgspecError as error:
        raise CatalogError(f"{name}: {error}") from error


def row_classification(row: Row, *, where: str) -> Classification:
    """Return the classification of a row. Raises `CatalogError` for an unknown phase or class."""
    return Classification(
        base_phase=phase(row.phase, where),
        phase=phase(row.phase, where),
        sub_phase=row.sub_phase,
        rules=(f"{row.service}:{row.operation}",),
        class_uid=known_class(row.uid, row.activity, where),
        activity_id=row.activity,
        refinable_by=row.refinable_by,
    )


def fallback_classification(fallback: Fallback, *, where: str) -> Classification:
    """Return the classification of a fallback. Raises `CatalogError` as for a row."""
    return Classification(
        base_phase=phase(fallback.phase, where),
        phase=phase(fallback.phase, where),
        sub_phase=fallback.sub_phase,
        rules=(f"fallback:{fallback.id}",),
        class_uid=known_class(fallback.uid, fallback.activity, where),
        activity_id=fallback.activity,
    )


def phase(name: str, where: str) -> Phase:
    """Return a phase by name. Raises `CatalogError` naming `where` if there is none."""
    try:
        return Phase[name.upper()]
    except KeyError:
        raise CatalogError(f"{where}: unknown phase {name!r}") from None


def known_class(uid: int, activity: int, where: str) -> int:
    """Return the class if it exists and has the activity, else raise `CatalogError`."""
    classes: Mapping[int, Any] = CLASSES
    if uid not in classes or activity not in classes[uid].activities:
        raise CatalogError(f"{where}: no OCSF class {uid} with activity {activity}")
    return uid
