"""V5: count the units of one source hour together, in bounded memory.

Nearly every unit is claimed once and as a whole; with nothing to weigh, it is counted straight from
its line. Units claimed more than once or in parts are weighed, claim against claim.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import msgspec

from nhi_evidence.evidence import counting, log
from nhi_evidence.evidence.counting import Claim
from nhi_evidence.evidence.lines import Header, UnitLine
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.objects import Content
from nhi_evidence.evidence.verify.report import Report
from nhi_evidence.evidence.verify.sorting import Sorter

DUPLICATES = "duplicate claims"

KEPT_BYTES = 4 << 20
"""Bytes of unit lines that are kept in memory for an hour; beyond that, claims are sorted."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Claim, bool]).decode


class _Object(msgspec.Struct, frozen=True):
    """The unit lines of one object, as in its table."""

    index: int
    """Place of the object's leaf in the log."""
    key: str
    header: Header
    units: Sequence[UnitLine]


class Hour:
    """The claims of one source hour, in a sorter if they are many: a writer decides the number."""

    def __init__(self, mappers: Sequence[str], sorter: Sorter) -> None:
        """Weigh by the policy's list of releases; collect claims in `sorter`."""
        self._mappers = mappers
        self._sorter = sorter
        self._unlisted: dict[str, str] = {}
        self._objects: list[_Object] = []
        self._bytes = 0
        self.expired_in_part = False
        """Whether the hour lost something to lawful expiry, so a missing part is no finding."""
        self.excused = 0
        """Units that lack a part, for that reason without a finding."""

    def add(self, index: int, key: str, content: Content) -> None:
        """Take the claims of one object whose bytes and table are valid."""
        table = content.table
        if table is None:
            return
        units: Sequence[UnitLine] = table.units
        if content.void:
            units = [unit for place, unit in enumerate(units) if place not in content.void]
        self._objects.append(_Object(index, key, table.header, units))
        self._bytes += sum(map(len, table.lines))
        if self._bytes > KEPT_BYTES:
            # More of the hour may follow, so no unit of it is known to be claimed only once.
            for taken in self._objects:
                self._sort(taken, taken.units)
            self._objects.clear()
        digest = table.header.mapper.digest
        if units and self._mappers and digest not in self._mappers:
            self._unlisted.setdefault(digest, key)

    def _sort(self, taken: _Object, units: Sequence[UnitLine]) -> None:
        """Move units of an object to the sorter, to be weighed claim by claim."""
        for claim, unit in zip(
            counting.claims(taken.index, taken.key, taken.header, units), units, strict=True
        ):
            name = f"{claim.source}\0{claim.unit}".encode(errors="surrogatepass")
            self._sorter.add(name, _encode((claim, unit.is_exact)))

    def weigh(self, report: Report) -> None:
        """Add the counts and findings of the hour to a report."""
        tally = Counter(report.units)
        records = Counter(report.records_counted)
        claimed = Counter(unit.unit for taken in self._objects for unit in taken.units)
        for taken in self._objects:
            alone: list[UnitLine] = []
            others: list[UnitLine] = []
            for unit in taken.units:
                is_alone = claimed[unit.unit] == 1 and counting.is_whole(unit)
                (alone if is_alone else others).append(unit)
            self._sort(taken, others)
            self._count(taken.header.source, alone, tally, records, report)
        for _, same in groupby(self._sorter, key=itemgetter(0)):
            self._weigh([_decode(value) for _, value in same], tally, records, report)
        report.units = {name: count for name, count in sorted(tally.items()) if count}
        report.records_counted = {name: count for name, count in sorted(records.items()) if count}

    @staticmethod
    def _count(
        source: str,
        units: Sequence[UnitLine],
        tally: Counter[str],
        records: Counter[str],
        report: Report,
    ) -> None:
        """Count units that are each claimed once and as a whole."""
        tally[counting.Status.COUNTED] += len(units)
        records[source] += sum([unit.records for unit in units])
        report.rejected_deliveries += sum([unit.kind == "rejection" for unit in units])
        report.not_rebuilt += sum([unit.rebuild != "exact" for unit in units])

    def _weigh(
        self,
        claims: Sequence[tuple[Claim, bool]],
        tally: Counter[str],
        records: Counter[str],
        report: Report,
    ) -> None:
        """Count one unit by its claims; each comes with whether its bytes can be rebuilt."""
        unit = counting.weigh([claim for claim, _ in claims], self._mappers)
        tally[unit.status] += 1
        if unit.duplicates:
            tally[DUPLICATES] += len(unit.duplicates)
        if unit.counted:
            records[unit.source] += sum([claim.records for claim in unit.counted])
            report.rejected_deliveries += unit.counted[0].is_rejection
            not_exact = {(claim.index, claim.part) for claim, is_exact in claims if not is_exact}
            report.not_rebuilt += bool(not_exact) and any(
                (claim.index, claim.part) in not_exact for claim in unit.counted
            )
        if unit.status is not counting.Status.COUNTED:
            self._find(unit, report)

    def _find(self, unit: counting.Unit, report: Report) -> None:
        where = f"{unit.source}: {unit.unit}"
        if unit.status is counting.Status.INCOMPLETE and self.expired_in_part:
            self.excused += 1
        else:
            indexes = sorted({log.index_of(claim.index) for claim in unit.disputed})
            report.findings.append(
                Finding(
                    code=f"unit_{unit.status}",
                    key=where,
                    detail=f"leaves {', '.join(map(str, indexes))}"[:300],
                )
            )

    def unlisted(self) -> dict[str, str]:
        """Return the unlisted releases that made objects of this hour, each with a key."""
        return self._unlisted
