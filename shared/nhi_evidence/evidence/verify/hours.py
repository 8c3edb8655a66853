"""V5: the units of one hour of one source, counted together, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nhi_evidence.evidence import counting
from nhi_evidence.evidence.counting import Claim
from nhi_evidence.evidence.lines import UnitLine
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.objects import Content
from nhi_evidence.evidence.verify.report import Report

DUPLICATES = "duplicate claims"


class Hour:
    """Claims of one source hour."""

    def __init__(self, mappers: Sequence[str]) -> None:
        """Weigh by the policy's list of releases."""
        self._mappers = mappers
        self._claims: list[Claim] = []
        self._not_exact: set[tuple[int, str, int]] = set()
        self.expired_in_part = False
        """Something of the hour is gone as it may be: what lacks a part is no finding."""

    def add(self, index: int, key: str, content: Content) -> None:
        """Take the claims of one object whose bytes and table hold."""
        table = content.table
        if table is None:
            return
        units = [unit for place, unit in enumerate(table.units) if place not in content.void]
        self._claims += counting.claims(index, key, table.header, units)
        self._not_exact |= {(index, unit.unit, unit.part) for unit in units if not _is_whole(unit)}

    def weigh(self, report: Report) -> list[counting.Unit]:
        """Count the hour into a report; return its units."""
        units = list(counting.count(self._claims, self._mappers).values())
        tally = Counter(report.units)
        records = Counter(report.records_counted)
        for unit in units:
            tally[unit.status] += 1
            tally[DUPLICATES] += len(unit.duplicates)
            for claim in unit.counted:
                records[unit.source] += claim.records
            if unit.counted:
                report.rejected_deliveries += unit.counted[0].is_rejection
                report.not_rebuilt += any(
                    (claim.index, claim.unit, claim.part) in self._not_exact
                    for claim in unit.counted
                )
            self._find(unit, report)
        report.units = {name: count for name, count in sorted(tally.items()) if count}
        report.records_counted = {name: count for name, count in sorted(records.items()) if count}
        return units

    def _find(self, unit: counting.Unit, report: Report) -> None:
        where = f"{unit.source}: {unit.unit}"
        if unit.status is counting.Status.CONTESTED or (
            unit.status is counting.Status.INCOMPLETE and not self.expired_in_part
        ):
            indexes = sorted({claim.index for claim in unit.disputed})
            report.findings.append(
                Finding(
                    code=f"unit_{unit.status}",
                    key=where,
                    detail=f"leaves {', '.join(map(str, indexes))}"[:300],
                )
            )

    def unlisted(self) -> dict[str, str]:
        """Return the releases that made something here and are not listed, each with a key."""
        if not self._mappers:
            return {}
        by_digest: dict[str, str] = {}
        for claim in self._claims:
            if claim.mapper not in self._mappers:
                by_digest.setdefault(claim.mapper, claim.key)
        return by_digest


def _is_whole(unit: UnitLine) -> bool:
    return unit.rebuild == "exact"
