"""Locking a batch: deliveries -> units -> objects -> locked. The order is the promise.

A delivery counts as locked only when every object with a part of its unit is confirmed, so
whoever acknowledges what `Outcome.locked` names never acknowledges unlocked evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from nhi_evidence.errors import ObjectTooLargeError, StoreUnavailableError
from nhi_evidence.event import Delivery, Undecodable
from nhi_evidence.evidence.lines import UnitLine
from nhi_evidence.evidence.objects import EvidenceObject
from nhi_evidence.evidence.unit import UnitPart
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.ports import EvidenceWriter

_DETAIL = 200
_WRITES_FAILED = 2
"""So many writes refused in a row, and the store is taken for unavailable."""


class LockedObject(msgspec.Struct, frozen=True):
    """One object as it was locked."""

    key: str
    created: bool
    """False when it was there already: this batch was delivered before."""
    size: int
    """Bytes stored."""
    units: int
    records: int
    kept: int
    rejected: int
    out_of_scope: dict[str, int]
    rejected_deliveries: int
    """Units whose delivery could not be decoded."""


class Outcome(msgspec.Struct):
    """What became of a batch. Every delivery is in exactly one of the first three."""

    locked: set[str] = msgspec.field(default_factory=set)
    """Units that are locked whole."""
    failed: dict[str, Exception] = msgspec.field(default_factory=dict)
    """Units of which a write was not confirmed, and why."""
    unreached: list[str] = msgspec.field(default_factory=list)
    """Units nothing was done about: time was up, or the store unavailable."""
    objects: list[LockedObject] = msgspec.field(default_factory=list)
    unmapped: dict[str, Exception] = msgspec.field(default_factory=dict)
    """Units the mapper could not deal with: locked as they came, all the same."""


_Part = tuple[int, str, str | None]
"""Number, root and raw hash of a part: one unit name may come with two contents."""


class _Unit(msgspec.Struct):
    expected: set[_Part] = msgspec.field(default_factory=set)
    locked: set[_Part] = msgspec.field(default_factory=set)


def _part(line: UnitLine) -> _Part:
    return line.part, line.root, line.raw_sha256


def lock_batch(
    mapper: Mapper,
    deliveries: Iterable[Delivery],
    writer: EvidenceWriter,
    *,
    metadata: Mapping[str, str] | None = None,
    time_is_up: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Map, pack and lock deliveries, which come in order of (hour, unit).

    `metadata` says who wrote and when; it is fixed with each object version and is no part of
    key or body. `time_is_up` is asked before each delivery. Nothing is raised for what one unit
    or one write comes to; repeating all of it is safe.
    """
    return _Batch(mapper, writer, dict(metadata or {}), time_is_up).run(deliveries)


class _Batch:
    """One batch on its way into the store."""

    def __init__(
        self,
        mapper: Mapper,
        writer: EvidenceWriter,
        metadata: dict[str, str],
        time_is_up: Callable[[], bool],
    ) -> None:
        self._mapper = mapper
        self._writer = writer
        self._metadata = metadata
        self._time_is_up = time_is_up
        self._units: dict[str, _Unit] = {}
        self._failures = 0
        self._outcome = Outcome()

    def run(self, deliveries: Iterable[Delivery]) -> Outcome:
        for packed in self._packed(deliveries):
            self._put(packed)
        outcome = self._outcome
        for name, unit in self._units.items():
            if name not in outcome.failed and unit.expected <= unit.locked:
                outcome.locked.add(name)
        return outcome

    def _packed(self, deliveries: Iterable[Delivery]) -> Iterator[EvidenceObject]:
        return self._mapper.packer.pack(self._parts(deliveries))

    def _parts(self, deliveries: Iterable[Delivery]) -> Iterator[UnitPart]:
        is_over = False
        for delivery in deliveries:
            is_over = is_over or self._time_is_up() or self._failures >= _WRITES_FAILED
            if is_over:
                self._outcome.unreached.append(delivery.unit)
                continue
            parts = self._mapped(delivery)
            unit = self._units.setdefault(delivery.unit, _Unit())
            unit.expected |= {_part(part.table_line) for part in parts}
            yield from parts

    def _mapped(self, delivery: Delivery) -> list[UnitPart]:
        """Map a delivery; what the mapper cannot deal with is locked as it came, and reported."""
        try:
            parts = list(self._mapper.units(delivery))
            for part in parts:
                self._mapper.packer.check_size(part)
        except ObjectTooLargeError as error:
            return self._rejected(delivery, "part_too_large", error)
        except MemoryError:
            raise  # of this process and this moment, not of the delivery
        except Exception as error:  # named in the locked unit, and in `unmapped` for the log
            return self._rejected(delivery, "mapper_failed", error)
        return parts

    def _rejected(self, delivery: Delivery, reason: str, error: Exception) -> list[UnitPart]:
        self._outcome.unmapped[delivery.unit] = error
        cause = Undecodable(reason, f"{type(error).__name__}: {error}"[:_DETAIL])
        return list(self._mapper.reject_delivery(delivery, cause))

    def _put(self, packed: EvidenceObject) -> None:
        try:
            receipt = self._writer.put_new(
                packed.key, packed.body, metadata={**packed.metadata, **self._metadata}
            )
        except StoreUnavailableError as error:
            self._failures += 1
            self._outcome.failed |= {unit.unit: error for unit in packed.units}
            return
        self._failures = 0
        for unit in packed.units:
            self._units[unit.unit].locked.add(_part(unit))
        self._outcome.objects.append(_summary(packed, created=receipt.created))


def _summary(packed: EvidenceObject, *, created: bool) -> LockedObject:
    excluded: Counter[str] = Counter()
    for unit in packed.units:
        excluded.update(unit.out_of_scope)
    return LockedObject(
        key=packed.key,
        created=created,
        size=len(packed.body),
        units=len(packed.units),
        records=_total(packed.units, "records"),
        kept=_total(packed.units, "kept"),
        rejected=_total(packed.units, "rejected"),
        out_of_scope=dict(sorted(excluded.items())),
        rejected_deliveries=sum(unit.kind == "rejection" for unit in packed.units),
    )


def _total(units: Iterable[UnitLine], name: str) -> int:
    return sum(getattr(unit, name) for unit in units)
