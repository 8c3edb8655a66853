"""What a seed removes from the estate, and whether coverage and reconcile report exactly that."""

from __future__ import annotations

from pathlib import Path

import msgspec

from nhi_evidence import plural
from nhi_evidence.adapters.signing.key_file import KeyFile
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.adapters.store.spilling import Sorters
from nhi_evidence.completeness import reconcile
from nhi_evidence.completeness.judge import Known
from nhi_evidence.coverage import evidence
from nhi_evidence.coverage.canary.weigh import stretches
from nhi_evidence.coverage.matrix import Matrix, matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import day
from nhi_evidence.demo.estate.day import Drawn
from nhi_evidence.evidence import note, provider
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.stored_log import StoredLog

_DAY_MS = 86_400_000


class BlindSpots(msgspec.Struct, frozen=True, kw_only=True):
    """What was planted, and what was reported."""

    seed: int
    planted: tuple[str, ...]
    """Gaps, in words."""
    planted_cells: tuple[str, ...]
    named_cells: tuple[str, ...]
    """Cells with a different verdict than in the estate without gaps."""
    canary: str
    broken: tuple[str, ...]
    """Cells that coverage reports as broken."""
    withheld: str
    missing: tuple[str, ...]
    """Files that reconcile reports as missing."""

    @property
    def exact(self) -> bool:
        """Whether exactly what was planted is reported."""
        return (
            self.planted_cells == self.named_cells
            and (self.canary,) == self.broken
            and (self.withheld,) == self.missing
        )

    def rows(self) -> list[tuple[str, str]]:
        """What was done, and what was found."""
        cells = plural.count(len(self.named_cells), "cell")
        gaps = f"coverage: {cells}, {plural.count(len(self.broken), 'canary', 'canaries')}"
        file = f"reconcile: {len(self.missing)} missing"
        exact = "no others" if self.exact else "NOT JUST THESE"
        return [
            (f"remove {len(self.planted)} settings and a canary", f"{gaps}; {exact}"),
            ("withhold a delivered file", f"{file}; {exact}"),
        ]

    def lines(self) -> list[str]:
        """Return the details."""
        return [
            f"Removed from an estate by seed {self.seed}, and reported by",
            *(f"  coverage   {name}" for name in self.planted),
            *(f"             {cell}" for cell in self.named_cells),
            *(f"  coverage   the canary of {cell} did not arrive" for cell in self.broken),
            *(f"  reconcile  {name.rpartition('/')[2]}" for name in self.missing),
        ]


def show_blind_spots(folder: Path, seed: int) -> tuple[BlindSpots, Matrix]:
    """Write a morning of the estate without what the seed removes, seal it, and check.

    Returns the report of coverage too, as `nhi-evidence coverage --evidence` makes it.
    """
    drawn = day.draw(seed)
    folder.mkdir(parents=True, exist_ok=True)
    signer = KeyFile.create(folder / "log.key")
    copied = folder / "evidence"
    listed = day.write(copied, drawn)
    store = DirectoryStore(copied)
    lock_policy = LockPolicy(retention_ms=_DAY_MS)
    Sealer(store, [signer], lambda: day.SEALED_AT, name=day.NAME, lock_policy=lock_policy).run(
        everything=True
    )
    keys = (note.from_spki(day.NAME, signer.public_key()),)
    return _answers(store, keys, drawn, listed)


def _answers(
    store: DirectoryStore, keys: tuple[note.Key, ...], drawn: Drawn, listed: bytes
) -> tuple[BlindSpots, Matrix]:
    observed = evidence.observed(store, StoredLog(store, day.NAME, keys))
    proofs = tuple(stretches(observed.canaries).items())
    readings = [reading for _, reading in observed.readings]
    judged = matrix(readings, [change for _, change in observed.changes], proofs=proofs)
    intact = matrix([estate.reading(name, day.DAY) for name in day.READ])
    spots = BlindSpots(
        seed=drawn.seed,
        planted=tuple(plant.name for plant in drawn.plants),
        planted_cells=tuple(sorted(cell for one in drawn.plants for cell in one.expected)),
        named_cells=tuple(sorted(_changed(intact, judged))),
        canary=drawn.canary,
        broken=tuple(one.cell for one in judged.cells if one.verdict is Verdict.BROKEN),
        withheld=drawn.withheld,
        missing=tuple(_missing(store, keys, listed)),
    )
    return spots, judged


def _changed(intact: Matrix, judged: Matrix) -> set[str]:
    """Return the cells whose settings show less than without gaps; canaries are separate."""
    before = {one.cell: one.verdict for one in intact.cells}
    canaries = {Verdict.PROVEN, Verdict.BROKEN}
    return {
        one.cell
        for one in judged.cells
        if one.verdict not in canaries and one.verdict is not before[one.cell]
    }


def _missing(store: DirectoryStore, keys: tuple[note.Key, ...], listed: bytes) -> list[str]:
    """Return the names of the files that are missing, over all hours."""
    now = day.SEALED_AT
    with Sorters() as sorters:
        sealed = reconcile.full(store, day.NAME, keys, sorters, now=now)
        read = reconcile.gather(store, sealed, sorters, now=now)
        known = Known(log=read.log, keys=provider.read_keys(listed))
        return sorted(
            {
                named.name
                for held in reconcile.statements(read, known)
                for statement in held.statements
                for named in statement.named
                if named.reason == "missing"
            }
        )
