"""V5: the units of one hour of one source, counted together, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import msgspec

from nhi_evidence.evidence import counting, log
from nhi_evidence.evidence.counting import Claim
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.objects import Content
from nhi_evidence.evidence.verify.report import Report
from nhi_evidence.evidence.verify.sorting import Sorter

DUPLICATES = "duplicate claims"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Claim, bool]).decode


class Hour:
    """Claims of one source hour, in a sorter: a writer decides how many there are."""

    def __init__(self, mappers: Sequence[str], sorter: Sorter) -> None:
        """Weigh by the policy's list of releases; set claims aside in `sorter`."""
        self._mappers = mappers
        self._sorter = sorter
        self._unlisted: dict[str, str] = {}
        self.expired_in_part = False
        """Something of the hour is gone as it may be: what lacks a part is no finding."""

    def add(self, index: int, key: str, content: Content) -> None:
        """Take the claims of one object whose bytes and table hold."""
        table = content.table
        if table is None:
            return
        units = [unit for place, unit in enumerate(table.units) if place not in content.void]
        for claim, unit in zip(
            counting.claims(index, key, table.header, units), units, strict=True
        ):
            name = f"{claim.source}\0{claim.unit}".encode(errors="surrogatepass")
            self._sorter.add(name, _encode((claim, unit.is_exact)))
        digest = table.header.mapper.digest
        if units and self._mappers and digest not in self._mappers:
            self._unlisted.setdefault(digest, key)

    def weigh(self, report: Report) -> None:
        """Count the hour into a report."""
        tally = Counter(report.units)
        records = Counter(report.records_counted)
        for _, same in groupby(self._sorter, key=itemgetter(0)):
            claims = [_decode(value) for _, value in same]
            unit = counting.weigh([claim for claim, _ in claims], self._mappers)
            tally[unit.status] += 1
            if unit.duplicates:
                tally[DUPLICATES] += len(unit.duplicates)
            if unit.counted:
                records[unit.source] += sum([claim.records for claim in unit.counted])
                report.rejected_deliveries += unit.counted[0].is_rejection
                not_exact = {
                    (claim.index, claim.part) for claim, is_exact in claims if not is_exact
                }
                report.not_rebuilt += bool(not_exact) and any(
                    (claim.index, claim.part) in not_exact for claim in unit.counted
                )
            if unit.status is not counting.Status.COUNTED:
                self._find(unit, report)
        report.units = {name: count for name, count in sorted(tally.items()) if count}
        report.records_counted = {name: count for name, count in sorted(records.items()) if count}

    def _find(self, unit: counting.Unit, report: Report) -> None:
        where = f"{unit.source}: {unit.unit}"
        if unit.status is counting.Status.CONTESTED or (
            unit.status is counting.Status.INCOMPLETE and not self.expired_in_part
        ):
            indexes = sorted({log.index_of(claim.index) for claim in unit.disputed})
            report.findings.append(
                Finding(
                    code=f"unit_{unit.status}",
                    key=where,
                    detail=f"leaves {', '.join(map(str, indexes))}"[:300],
                )
            )

    def unlisted(self) -> dict[str, str]:
        """Return the releases that made something here and are not listed, each with a key."""
        return self._unlisted
