"""What is stored is made hostile, at every layer, and verified: findings, never an exception.

python -m tests.fuzz.hostile --seconds 600

Whatever was done, each way to verify comes to its end, what it prints is inert in a terminal, and
an attack that nothing is found of changed nothing that counts (`hostile_harmless`).
"""

from __future__ import annotations

import argparse
import io
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
from rich.console import Console

from nhi_evidence.adapters.store import copying
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.errors import EvidenceError
from nhi_evidence.evidence import proof, search
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import Options, Report, State, Verifier
from nhi_evidence.pipeline.reproduce import Reproducer
from nhi_evidence.terminal import proof_report, verify_report
from tests.fuzz.hostile_acts import ACTS, spoil_copy
from tests.fuzz.hostile_harmless import is_of_nobody, why_harmless
from tests.tamper.sealed_store import NAME, SealedStore

MOST_MEGABYTES = 1_000

_ACTIVE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a terminal could act on."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of one attack."""

    report: Report
    harmless: str | None
    """Why nothing had to be found; None where something was, or had to be."""

    @property
    def is_explained(self) -> bool:
        """Whether something was found, or nothing had to be."""
        return bool(self.report.findings) or self.harmless is not None


@cache
def _state() -> State:
    state = SealedStore().verify().state
    assert state is not None
    return state


@cache
def _uid() -> str:
    """The native id of a record of the store."""
    world = SealedStore()
    lines = (line for unit in world.edit(world.key_of("ev/")).units for line in unit.lines)
    return next(uid for uid in map(proof.uid_of, lines) if uid)


def attack(seed: int) -> Outcome:
    """Make a store hostile, and verify it; whatever was done, this is no exception."""
    chance = random.Random(seed)  # noqa: S311 attacks, repeatable by their seed
    world = SealedStore()
    acts = [act for act, weight in ACTS for _ in range(weight)]
    for _ in range(chance.randrange(1, 3)):
        try:
            chance.choice(acts)(world, chance)
        except (EvidenceError, KeyError, IndexError, ValueError, StopIteration):
            continue  # an earlier act left nothing to act on, or a log no sealer goes on with
    way = chance.choice(("whole", "whole", "fast", "since", "parts", "copy", "prove"))
    if way == "copy":
        return _copied(world, chance)
    if way == "prove":
        _prove(world)
    report = _verified(world, way)
    _print(report)
    if report.findings:
        return Outcome(report, None)
    if way in {"fast", "since"}:
        again = world.verify()
        _print(again)
        if again.findings:
            return Outcome(report, f"{way}: a full, deep verification finds it, as documented")
    return Outcome(report, why_harmless(world))


def _verified(world: SealedStore, way: str) -> Report:
    if way == "parts":
        reports = world.verify_in_parts(2)
        return verify_report.read_document(verify_report.as_document(reports))
    since = _state() if way == "since" else None
    return world.verify(deep=way != "fast", since=since)


def _copied(world: SealedStore, chance: random.Random) -> Outcome:
    """Take the store away into a directory, spoil that, and verify it there."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = Path(name, "copy")
        taken = list(copying.copy(world.store, DirectoryStore(folder)))
        act, key = spoil_copy(folder, chance)
        options = Options(deep=True, reproduce=Reproducer())
        report = Verifier(
            DirectoryStore(folder), world.policy, now=world.now, options=options
        ).run()
        _print(report)
    if report.findings:
        return Outcome(report, None)
    missed = {each.code for each in world.verify().findings}
    if any(one.state is copying.CopyState.UNWRITABLE for one in taken):
        missed -= {"stray_key"}  # no file can bear its key, and the copy names it
    if is_of_nobody(world, key):
        key, missed = "", missed - {"plan_void"}
    if key or missed - _NOT_IN_A_COPY or any(one.state in _LOST for one in taken):
        return Outcome(report, None)
    return Outcome(report, f"copy: {act}, of what no verification reads; {sorted(missed)}")


_LOST = {copying.CopyState.GONE, copying.CopyState.DIFFERS}
_NOT_IN_A_COPY = {"leaf_false", "marker", "shadow"}
"""What only a bucket shows: later versions, markers, and its own word on a version."""


def _prove(world: SealedStore) -> None:
    """Prove a record out of it, if that can be done; its output is inert."""
    looking = search.Search(world.store, StoredLog(world.store, NAME, [world.key]))
    try:
        record = looking.find(_uid(), search.Where())
        if record is None:
            return
        files = looking.bundle(record, [world.key])
        for line in proof_report.lines(proof.check(files, [world.key], NAME)):
            assert not _ACTIVE.search(line), line
    except EvidenceError:
        return  # said to whoever asked


def _print(report: Report) -> None:
    """Print a report both ways: nothing of it acts on a terminal, and the one reads back."""
    document = verify_report.as_document(report)
    assert not _ACTIVE.search(document.decode()), "in --json"
    assert verify_report.read_document(document).findings == report.findings
    out = io.StringIO()
    verify_report.show(Console(file=out, width=1_000), report)
    active = _ACTIVE.search(out.getvalue())
    assert active is None, out.getvalue()[max(0, active.start() - 80) : active.end() + 80]


def main() -> None:
    """Attack for so many seconds; print how often what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    until = time.monotonic() + options.seconds
    codes: Counter[str] = Counter()
    harmless: Counter[str] = Counter()
    unexplained: list[int] = []
    number = 0
    while time.monotonic() < until:
        seed = options.seed + number
        try:
            outcome = attack(seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        number += 1
        codes.update({finding.code for finding in outcome.report.findings})
        if outcome.harmless is not None and not outcome.report.findings:
            harmless[outcome.harmless] += 1
        if not outcome.is_explained:
            unexplained.append(seed)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = (
        f"{number} attacks, 0 exceptions, {megabytes:.0f} MB at most",
        f"without a finding, and harmless: {sum(harmless.values())}",
        *(f"  {count} {why}" for why, count in harmless.most_common()),
        f"without a finding, unexplained: {len(unexplained)} {unexplained[:20]}",
        f"found: {dict(codes.most_common())}",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    if unexplained:
        sys.exit("attacks that nothing was found of")
    if megabytes > MOST_MEGABYTES:
        sys.exit(f"more than {MOST_MEGABYTES} MB")


if __name__ == "__main__":
    main()
