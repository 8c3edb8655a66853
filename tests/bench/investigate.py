"""What an investigation costs: `python -m tests.bench.investigate --records 1000000`.

Seals that many generated records in a directory (`tests/bench/copies.py` says what they are), and
measures reading and inflating them, which is the floor; making the index; and, as commands of
their own, start included, a timeline with the index and every saved question.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import islice
from operator import sub
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from nhi_evidence.adapters.index import build, groups
from nhi_evidence.adapters.index.local_index import LocalIndex
from nhi_evidence.adapters.index.state import State
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.evidence import frame, note, objects
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.lines import decode_header
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import library, row_reading, sealed
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.bench.copies import BATCH_FILES, CopyingMapper, deliveries
from tests.memory_store import DAY_MS
from tests.signing import LocalSigner

NAME = "example.org/bench"
NOW = 1_772_442_000_000
SIGNER = LocalSigner("bench")
KEY = note.from_spki(NAME, SIGNER.public_key())


def seal(folder: Path, records: int) -> None:
    """Lock and seal so many records in a directory."""
    store = DirectoryStore(folder)
    mapper = CopyingMapper("aws_cloudtrail", scope=Scope.ALL, keep_out_of_scope_raw=True)
    files = deliveries(records)
    while batch := list(islice(files, BATCH_FILES)):
        lock_batch(mapper, batch, store).ensure_locked()
    Sealer(
        store, [SIGNER], lambda: NOW, name=NAME, lock_policy=LockPolicy(retention_ms=DAY_MS),
        lock_log=False,
    ).run()  # fmt: skip


def inflate(body: bytes) -> int:
    """Hash and inflate an object, into its lines: the floor."""
    sha256(body).digest()
    return sum(map(len, frame.each_line(body, limit=objects.MAX_LINES_BYTES)))


def decode(body: bytes) -> int:
    """Do that, and read each line into the values of a row: what no index does without."""
    sha256(body).digest()
    lines = frame.each_line(body, limit=objects.MAX_LINES_BYTES)
    first = next(lines)
    table = objects.read_table([first, *islice(lines, decode_header(first).units)])
    source = table.header.source
    return sum(row_reading.read_values(line, source) is not None for line in lines)


class Compared(NamedTuple):
    """Seconds of the processor for the same objects, one after the other."""

    records: int
    inflating: float
    decoding: float
    indexing: float
    """Rows, columns and their file."""


def compare(folder: Path, scratch: Path, most: int = 8) -> Compared:
    """Take some objects in turns: what else the machine does is alike for each."""
    store = DirectoryStore(folder)
    stored = StoredLog(store, NAME, (KEY,))
    listed = sealed.listed(stored, sealed.heads(stored)).objects[:most]
    records, spent = 0, [0.0, 0.0, 0.0]
    for at, body in zip(listed, store.bodies((each.key, each.vid) for each in listed), strict=True):
        clocks = [time.process_time()]
        inflate(body or b"")
        clocks.append(time.process_time())
        records += decode(body or b"")
        clocks.append(time.process_time())
        groups.read_group(groups.Group(scratch, "compared", [groups.Numbered(0, at, body)]))
        clocks.append(time.process_time())
        spent = [sum(each) for each in zip(spent, map(sub, clocks[1:], clocks), strict=True)]
    return Compared(records, *spent)


def refresh(folder: Path, index: Path, jobs: int) -> State:
    """Make the index."""
    store = DirectoryStore(folder)
    stored = StoredLog(store, NAME, (KEY,))
    return build.refresh(index, store, stored, log_name=NAME, jobs=jobs)


class Timed(NamedTuple):
    """What a call or a command took."""

    wall: float
    """Seconds."""
    processor: float
    """Seconds, of the processes it started too."""
    peak: float
    """The largest memory of the process, MB; of a call, of all calls before it too."""

    @property
    def text(self) -> str:
        """As the report has it: on a machine that others use as well, the second stands."""
        return f"{self.wall:.1f} s, {self.processor:.1f} s of CPU"


def timed(run: Callable[[], Any]) -> tuple[Timed, Any]:
    """Return what a call takes, and its result."""
    before, began = os.times(), time.perf_counter()
    result = run()
    wall, after = time.perf_counter() - began, os.times()
    processor = sum(after[:4]) - sum(before[:4])
    return Timed(wall, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), result


_COMMAND = """
import atexit, sys
from pathlib import Path
status = lambda: Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
atexit.register(lambda: sys.stderr.write("\\n" + status()))
sys.argv[0] = "nhi-evidence"
from nhi_evidence.cli import main
main()
"""
"""Says its own peak last: what the system says of a child has the memory of this process in it."""


def command(*arguments: str) -> tuple[Timed, str]:
    """Run a command of the product; returns what it took, and what it printed."""
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND, *arguments], stdout=printed, stderr=errors
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        for file in (printed, errors):
            file.seek(0)
        if process.returncode:
            raise RuntimeError(f"{arguments}: {process.returncode}: {errors.read()}")
        peak = int(errors.read().split()[-1]) / 1024
        return Timed(wall, used.ru_utime + used.ru_stime, peak), printed.read()


def measure(evidence: Path, index: Path, scratch: Path) -> Iterator[str]:
    """Yield the lines of the report about sealed evidence, of which an index is made."""
    paths = list(evidence.glob("ev/v1/*/*/*.zst"))
    size = sum(path.stat().st_size for path in paths)
    compared = compare(evidence, scratch)
    inflated, decoded, indexed = (each / compared.records * 1e6 for each in compared[1:])
    built, state = timed(lambda: refresh(evidence, index, 2))
    with LocalIndex(index, state) as local:
        records = local.freshness().rows or 0
    files = sum(path.stat().st_size for path in index.iterdir() if path.is_file())
    yield f"records         {records:,} in {len(paths)} objects, {size / 1e6:,.0f} MB stored"
    yield f"inflate         {inflated:.1f} us of CPU a record: hash, inflate, into lines"
    yield f"decode          {decoded:.1f} us, {decoded / inflated:.2f} x: and into values"
    yield f"index, 1 job    {indexed:.1f} us, {indexed / inflated:.2f} x: and into its files"
    yield (
        f"index, 2 jobs   {built.text}, {built.processor / records * 1e6:.1f} us a record, "
        f"{built.peak:,.0f} MB of memory; {files / 1e6:,.0f} MB"
    )
    yield from _commands(evidence, index, state)


_MEDIAN = """
SELECT identity FROM (SELECT identity, count(*) AS records FROM events
WHERE identity IS NOT NULL AND credential IS NOT NULL GROUP BY identity)
ORDER BY records, identity LIMIT 1
OFFSET (SELECT count(DISTINCT identity) // 2 FROM events WHERE credential IS NOT NULL)
"""


def _commands(evidence: Path, index: Path, state: State) -> Iterator[str]:
    with LocalIndex(index, state) as local:
        ((identity,),) = local.connection.execute(_MEDIAN).fetchall()
    where = (str(evidence), "--key", str(KEY), "--index", str(index))
    done, printed = command("timeline", *where, "--identity", identity, "--json")
    steps = len(msgspec.json.decode(printed)["path"]["steps"])
    yield f"timeline        {done.text}, {done.peak:,.0f} MB: the command, {steps:,} records"
    for question in library.questions():
        question_options = ("--question", question.name, "--format", "csv")
        done, printed = command("query", *where, *question_options)
        rows = max(0, printed.count("\n") - 1)
        yield f"query           {done.text}, {done.peak:,.0f} MB: {question.name}, {rows:,} rows"


def main() -> None:
    """Print what an investigation costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--evidence", type=Path, help="keep what is sealed here, or take it")
    parser.add_argument("--index", type=Path, help="keep the index here; a new folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        evidence = options.evidence or Path(folder, "evidence")
        evidence.mkdir(parents=True, exist_ok=True)
        if not any(evidence.iterdir()):
            seal(evidence, options.records)
        for line in measure(evidence, options.index or Path(folder, "index"), Path(folder)):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
