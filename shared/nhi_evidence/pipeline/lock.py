"""Locking a batch: deliveries -> units -> objects -> locked. The order is the promise.

A unit counts as locked only when every object with a part of it is confirmed, so whoever
acknowledges what `Outcome.locked` names never acknowledges unlocked evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

import msgspec

from nhi_evidence.errors import (
    MappingFailedError,
    ObjectTooLargeError,
    StoreUnavailableError,
    UnreachedError,
)
from nhi_evidence.event import LONGEST_DETAIL, Announced, Delivery, Undecodable
from nhi_evidence.evidence.lines import UnitLine
from nhi_evidence.evidence.objects import EvidenceObject
from nhi_evidence.evidence.unit import UnitPart
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.ports import EvidenceWriter

WRITES_FAILED = 2
"""After this many refused writes in a row the store is considered unavailable."""


class LockedObject(msgspec.Struct, frozen=True):
    """One locked object."""

    key: str
    created: bool
    """False when it already existed: this batch was delivered before."""
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
    """What became of a batch. Every unit is in exactly one of the first three."""

    locked: set[str] = msgspec.field(default_factory=set)
    """Units that are completely locked, in every content they were delivered with."""
    failed: dict[str, Exception] = msgspec.field(default_factory=dict)
    """Units that could not be read, or of which a write was not confirmed, and why."""
    unreached: list[str] = msgspec.field(default_factory=list)
    """Units that were not attempted: time ran out, or the store was unavailable."""
    objects: list[LockedObject] = msgspec.field(default_factory=list)
    writes_failed: int = 0
    """Number of unconfirmed writes at the end, in a row."""
    unmapped: dict[str, Exception] = msgspec.field(default_factory=dict)
    """Units with a record that broke the mapper, and what it raised: that record is locked as
    received. If the whole unit broke it, the unit is, unless that was not wanted."""
    categories: Counter[str] = msgspec.field(default_factory=Counter)
    """Number of records read in each category the source routes by, whatever became of them."""

    def ensure_locked(self) -> None:
        """Raise whatever kept a unit from being locked; return if all are locked."""
        for error in self.failed.values():
            raise error
        if self.unreached:
            raise UnreachedError(f"{len(self.unreached)} units, first {self.unreached[0]}")


_Part = tuple[int, str, str | None]
"""Number, root and raw hash of a part: one unit name may come with two contents."""


class _Unit(msgspec.Struct):
    expected: set[_Part] = msgspec.field(default_factory=set)
    locked: set[_Part] = msgspec.field(default_factory=set)


def _part(line: UnitLine) -> _Part:
    return line.part, line.root, line.raw_sha256


def in_order(
    mapper: Mapper, deliveries: Iterable[Delivery | Announced]
) -> list[Delivery | Announced]:
    """Return deliveries in the order they are packed: by hour, name, and then bytes."""
    return sorted(
        deliveries,
        key=lambda delivery: (mapper.hour(delivery.unit), delivery.unit, _bytes(delivery)),
    )


def _bytes(delivery: Delivery | Announced) -> bytes:
    """Return what distinguishes two contents of one name; an announced name has one content."""
    return delivery.body if isinstance(delivery, Delivery) else b""


def lock_batch(
    mapper: Mapper,
    deliveries: Iterable[Delivery | Announced],
    writer: EvidenceWriter,
    *,
    metadata: Mapping[str, str] | None = None,
    time_is_up: Callable[[], bool] = lambda: False,
    reject_unmapped: bool = True,
) -> Outcome:
    """Fetch, map, pack and lock deliveries, ordered by (hour, unit), in whatever order they come.

    `metadata` says who wrote and when; it is fixed with each object version and is not part of
    key or body. `time_is_up` is called before each delivery; announced ones are fetched only in
    turn. What the mapper cannot handle is locked as received, or fails if `reject_unmapped` is
    false. Failures of single units or writes are returned, not raised; repeating everything is
    safe.
    """
    batch = _Batch(mapper, writer, dict(metadata or {}), time_is_up, reject_unmapped)
    return batch.run(in_order(mapper, deliveries))


class _Batch:
    """One batch on its way into the store."""

    def __init__(
        self,
        mapper: Mapper,
        writer: EvidenceWriter,
        metadata: dict[str, str],
        time_is_up: Callable[[], bool],
        reject_unmapped: bool,
    ) -> None:
        self._mapper = mapper
        self._writer = writer
        self._metadata = metadata
        self._time_is_up = time_is_up
        self._reject_unmapped = reject_unmapped
        self._units: dict[str, _Unit] = {}
        self._unreached: dict[str, None] = {}
        self._failures = 0
        self._outcome = Outcome()

    def run(self, deliveries: Iterable[Delivery | Announced]) -> Outcome:
        for packed in self._mapper.packer.pack(self._parts(deliveries)):
            self._put(packed)
        outcome = self._outcome
        outcome.writes_failed = self._failures
        outcome.unreached = [name for name in self._unreached if name not in outcome.failed]
        for name, unit in self._units.items():
            is_done = name not in outcome.failed and name not in self._unreached
            if is_done and unit.expected <= unit.locked:
                outcome.locked.add(name)
        return outcome

    def _parts(self, deliveries: Iterable[Delivery | Announced]) -> Iterator[UnitPart]:
        is_over = False
        for announced in deliveries:
            is_over = is_over or self._time_is_up() or self._failures >= WRITES_FAILED
            if is_over:
                self._unreached[announced.unit] = None
                continue
            delivery = self._fetched(announced)
            if delivery is not None:
                yield from self._mapped(delivery)

    def _fetched(self, announced: Delivery | Announced) -> Delivery | None:
        if isinstance(announced, Delivery):
            return announced
        try:
            return announced.fetch()
        except MemoryError:
            raise  # due to this process at this moment, not to the delivery
        except Exception as error:  # reported in `failed`, for the log and the acknowledgment
            self._outcome.failed[announced.unit] = error
            return None

    def _mapped(self, delivery: Delivery) -> Iterator[UnitPart]:
        """Map a delivery completely before its first part is passed on.

        What the mapper cannot handle is locked as received, and reported.
        """
        try:
            parts = self._expected(delivery.unit, lambda: self._mapper.units(delivery))
        except MemoryError:
            raise
        except Exception as raised:  # named in the locked unit, and in `unmapped` for the log
            error = self._explained(raised)
            self._outcome.unmapped[delivery.unit] = error
            if not self._reject_unmapped:
                self._outcome.failed[delivery.unit] = error
                return iter(())
            return self._rejected(delivery, _cause(error))
        return parts

    def _rejected(self, delivery: Delivery, cause: Undecodable) -> Iterator[UnitPart]:
        """Make the rejection of a delivery; one that cannot be written fails alone."""
        try:
            return self._expected(
                delivery.unit, lambda: self._mapper.reject_delivery(delivery, cause)
            )
        except MemoryError:
            raise
        except Exception as error:  # reported in `failed`, for the log and the acknowledgment
            self._outcome.failed[delivery.unit] = self._explained(error)
            return iter(())

    def _expected(self, name: str, make: Callable[[], Iterator[UnitPart]]) -> Iterator[UnitPart]:
        """Make every part of a unit, register each to be locked, and return them.

        The parts of a multi-part unit are made twice instead of being kept: a delivery may inflate
        to more than fits into memory together with its lines.
        """
        parts = make()
        first = next(parts)
        expected: set[_Part] = set()
        for part in chain((first,), parts):
            expected.add(self._checked(part))
            self._outcome.categories.update(part.categories)
            if part.broken is not None:
                self._outcome.unmapped.setdefault(name, self._explained(part.broken))
        self._units.setdefault(name, _Unit()).expected |= expected
        return iter((first,)) if first.table_line.parts == 1 else make()

    def _explained(self, error: Exception) -> Exception:
        """Return what may be logged of an error: for a source with cuts, nothing it quotes."""
        return _unquoted(error) if self._mapper.records.cuts else error

    def _checked(self, part: UnitPart) -> _Part:
        self._mapper.packer.check_size(part)
        return _part(part.table_line)

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


def _unquoted(error: Exception) -> Exception:
    """Return an error that quotes nothing: the original may contain text that is to be cut."""
    if isinstance(error, ObjectTooLargeError):
        return error
    failed = MappingFailedError(
        f"{type(error).__name__}; its text may quote the log, so it is left out"
    )
    return failed.with_traceback(error.__traceback__)


def _cause(error: Exception) -> Undecodable:
    reason = "part_too_large" if isinstance(error, ObjectTooLargeError) else "mapper_failed"
    return Undecodable(reason, f"{type(error).__name__}: {error}"[:LONGEST_DETAIL])


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
