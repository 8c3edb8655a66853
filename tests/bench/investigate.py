"""What an investigation costs: `python -m tests.bench.investigate --records 1000000`.

Seals that many generated records in a directory, objects as a batch of 500 files makes them, and
measures: reading and inflating them (the floor), making the index, a timeline with and without
it, and questions in SQL. Wall time, since several processes take part; of one job, CPU time too.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from nhi_evidence.adapters.index import build
from nhi_evidence.adapters.index.local_index import LocalIndex
from nhi_evidence.adapters.index.state import State
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.evidence import frame, note, objects
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import library, row_reading, timeline
from nhi_evidence.investigate.index import Selection
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


def inflate(folder: Path) -> int:
    """Read, hash and inflate every object: the floor."""
    size = 0
    for path in sorted(folder.glob("ev/v1/*/*/*.zst")):
        body = path.read_bytes()
        sha256(body).digest()
        size += sum(map(len, frame.unpack(body, limit=objects.MAX_LINES_BYTES)))
    return size


def decode(folder: Path) -> int:
    """Do that, and read each line into the values of a row: what no index does without."""
    kept = 0
    for path in sorted(folder.glob("ev/v1/*/*/*.zst")):
        body = path.read_bytes()
        sha256(body).digest()
        table, lines = objects.read_object(body)
        source = table.header.source
        kept += sum(row_reading.read_values(line, source) is not None for line in lines)
    return kept


def refresh(folder: Path, index: Path, jobs: int) -> State:
    """Make the index."""
    store = DirectoryStore(folder)
    stored = StoredLog(store, NAME, (KEY,))
    return build.refresh(index, store, stored, log_name=NAME, jobs=jobs)


def timed(
    run: Callable[[], Any], clock: Callable[[], float] = time.perf_counter
) -> tuple[float, Any]:
    """Return how long a call takes by a clock, in seconds, and its result."""
    began = clock()
    result = run()
    return clock() - began, result


def answer_seconds(index: Path, state: State, sql: str) -> int:
    """Answer a question, to its last row."""
    with LocalIndex(index, state) as local:
        return len(local.connection.execute(sql).fetchall())


def count_steps(index: Path, state: State, credential: str) -> int:
    """Tell the timeline of a credential."""
    with LocalIndex(index, state) as local:
        selection = Selection(credentials=frozenset({credential}))
        return len(timeline.compose(local, selection, subject=credential).path.steps)


def measure(records: int, folder: Path) -> Iterator[str]:
    """Yield the lines of the report."""
    evidence, index = folder / "evidence", folder / "index"
    evidence.mkdir()
    seal(evidence, records)
    floor, size = timed(lambda: inflate(evidence))
    count = len(list(evidence.glob("ev/v1/*/*/*.zst")))
    yield f"records         {records:,} in {count} objects, {size / 1e6:.0f} MB of lines"
    yield f"inflate         {floor:.1f} s, one core: read, hash, inflate"
    # Of the processor, one after the other: what stands on a machine that others use as well.
    read, _ = timed(lambda: inflate(evidence), time.process_time)
    decoded, _ = timed(lambda: decode(evidence), time.process_time)
    yield f"decode          {decoded:.1f} s of CPU, {decoded / read:.2f} x: and its lines into rows"
    alone, _ = timed(lambda: refresh(evidence, folder / "alone", 1), time.process_time)
    yield f"index, 1 job    {alone:.1f} s of CPU, {alone / read:.2f} x inflate's {read:.1f} s"
    seconds, state = timed(lambda: refresh(evidence, index, 2))
    stored = sum(path.stat().st_size for path in index.iterdir() if path.is_file())
    yield f"index, 2 jobs   {seconds:.1f} s, {seconds / floor:.2f} x inflate; {stored / 1e6:.0f} MB"
    with LocalIndex(index, state) as local:
        ((credential,),) = local.connection.execute(
            "SELECT credential FROM events WHERE credential IS NOT NULL "
            "GROUP BY credential ORDER BY count(*), credential LIMIT 1"
        ).fetchall()
    seconds, steps = timed(lambda: count_steps(index, refresh(evidence, index, 2), credential))
    yield f"timeline        {seconds:.2f} s with the index, {steps} records"
    for question in library.questions():
        seconds, rows = timed(lambda sql=question.sql: answer_seconds(index, state, sql))  # type: ignore[misc]
        yield f"query           {seconds:.2f} s {question.name}, {rows} rows"
    yield f"peak memory     {_peak(index):.0f} MB of a process that answers all questions"


_ASK = """
import sys
from pathlib import Path
from nhi_evidence.adapters.index.state import load
from nhi_evidence.investigate import library
from tests.bench.investigate import answer_seconds, peak
index = Path(sys.argv[1])
for question in library.questions():
    answer_seconds(index, load(index), question.sql)
print(peak())
"""


def peak() -> float:
    """Return the largest memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _peak(index: Path) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _ASK, str(index)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Print what an investigation costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for line in measure(options.records, Path(folder)):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
