"""What a writer sealed and `verify` does not weigh, no other reader weighs either."""

from __future__ import annotations

from collections import Counter

import pytest

from nhi_evidence import sources
from nhi_evidence.coverage import signed
from nhi_evidence.coverage.counted import Reader
from nhi_evidence.evidence import counting, search
from nhi_evidence.evidence.counted_lines import CountedLines
from nhi_evidence.evidence.sealed_objects import SealedLeaf, SealedObjects
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify.examining import examine
from nhi_evidence.investigate import sealed as reading
from nhi_evidence.pipeline import standing
from tests.tamper import object_rows, rows, sealer_rows, unit_rows
from tests.tamper.depth_rows import DEEP
from tests.tamper.editing import EditedObject
from tests.tamper.rows import ROWS, Row
from tests.tamper.sealed_store import HOUR, NAME, SealedStore

MODULES = {object_rows.__name__, unit_rows.__name__}
LAID_OVER = {rows.shadow, rows.occupied, rows.occupied_first, sealer_rows.false_shadow}
WRITTEN = [row for row in ROWS if row.do.__module__ in MODULES or row.do in LAID_OVER]
Claimed = set[tuple[str, str, int]]
"""Key of the object, unit and part of each claim that may be weighed."""


class Seen:
    """A store after an act, and the claims `verify` weighs in it."""

    def __init__(self, row: Row) -> None:
        self.world = SealedStore()
        row.do(self.world)
        self.stored = StoredLog(self.world.store, NAME, (self.world.key,))
        self.claims: list[counting.Claim] = []
        for leaf, body in self._bodies():
            examined = examine(leaf.leaf, body, deep=False, reproduce=None).content
            if examined is not None and examined.table is not None and examined.counts:
                table = examined.table
                own = [one for at, one in enumerate(table.units) if at not in examined.void]
                self.claims += counting.claims(leaf.order, leaf.leaf.key, table.header, own)

    def _bodies(self) -> list[tuple[SealedLeaf, bytes]]:
        leaves = list(SealedObjects(self.world.store, self.stored).leaves(search.Where()))
        bodies = self.world.store.bodies((one.leaf.key, one.leaf.vid) for one in leaves)
        return [(one, body) for one, body in zip(leaves, bodies, strict=True) if body is not None]

    @property
    def claimed(self) -> Claimed:
        return {(claim.key, claim.unit, claim.part) for claim in self.claims}

    def units(self, *statuses: counting.Status) -> set[str]:
        weighed = counting.count(self.claims).values()
        return {unit.unit for unit in weighed if unit.status in statuses}


@pytest.fixture(params=WRITTEN, ids=[row.do.__name__ for row in WRITTEN], scope="module")
def seen(request: pytest.FixtureRequest) -> Seen:
    return Seen(request.param)


def test_coverage_weighs_the_same_claims(seen: Seen) -> None:
    reader = Reader(seen.world.store)
    placed = signed.read(seen.stored).of("ev")
    of_all = reader.opened(placed, None)
    assert seen.claimed == {(at.key, claim.unit, claim.part) for at, claim in of_all.claims}


def test_timelines_and_the_index_weigh_the_same_claims(seen: Seen) -> None:
    claimed: Claimed = set()
    listed = reading.listed(seen.stored, reading.heads(seen.stored)).objects
    bodies = seen.world.store.bodies((at.key, at.vid) for at in listed)
    for at, body in zip(listed, bodies, strict=True):
        try:
            content = reading.read(at, body)
        except ValueError:
            continue
        claimed |= {
            (at.key, each.claim.unit, each.claim.part)
            for each in content.claims
            if not each.is_void
        }
    assert seen.claimed == claimed


def test_proofs_and_summaries_weigh_the_same_claims(seen: Seen) -> None:
    counted = CountedLines(SealedObjects(seen.world.store, seen.stored))
    read = {line.unit.unit for line in counted.lines(search.Where())}
    assert seen.units(counting.Status.COUNTED) == read
    assert seen.units(counting.Status.CONTESTED) == set(counted.contested)
    assert seen.units(counting.Status.INCOMPLETE) == set(counted.incomplete)


def test_a_replay_finds_the_same_missing(seen: Seen) -> None:
    """It reads tables alone, so what is only wrong in the frame around them it cannot see."""
    source = sources.load("aws_cloudtrail")
    of_hour = standing.of_hour(seen.world.store, source, HOUR)
    present = {name for name, each in of_hour.items() if each is standing.Standing.PRESENT}
    mine = {claim.unit for claim in seen.claims if HOUR in claim.unit}
    assert seen.units(counting.Status.COUNTED) & mine == present


@pytest.mark.parametrize("line", [b"not JSON", b'{"u":"","n":%b}' % DEEP], ids=["junk", "deep"])
def test_a_line_that_cannot_be_read_hides_no_other(line: bytes) -> None:
    """It is named; every line of other units, and the others of its own, are still read."""
    world = SealedStore()
    unit = f"trail/junk.json.gz@v1!h={HOUR}"

    def change(edited: EditedObject) -> None:
        chosen = object_rows.records_of(edited)
        edited.units[:] = [chosen]
        chosen.rename(unit)
        chosen.lines[0] = line

    forged = world.forge(world.key_of("ev/"), change)
    search_in = SealedObjects(world.store, StoredLog(world.store, NAME, (world.key,)))
    read = Counter(each.unit.unit for each in CountedLines(search_in).lines(search.Where()))
    assert [f"{forged} {unit}"] == list(search_in.unreadable)
    assert len(world.edit(forged).units[0].lines) - 1 == read[unit]
    assert 2 * 6 + 1 == len(read)
