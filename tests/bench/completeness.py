"""`python -m tests.bench.completeness`: seconds of a processor reconciling takes, and its memory.

The files of a day of some accounts, and the digests that name them, against hashing their inflated
bytes; and a listing of so many names against as many records.
"""

from __future__ import annotations

import argparse
import gzip
import resource
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

from nhi_evidence.adapters.store.spilling import Sorters
from nhi_evidence.completeness import reconcile
from nhi_evidence.completeness.judge import Known
from nhi_evidence.completeness.records import Comparison
from nhi_evidence.demo.story import bulk
from nhi_evidence.event import Delivery, Kind
from tests.completeness import trail as world
from tests.completeness.trail import BUCKET, HOUR, NAME, START, Evidence, Stored, Trail

RECORDS = 580
"""Of one file: what the estimate of costs takes for a usual one."""


KINDS = 16
"""So many different files: more than the window of the codec holds."""


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long a processor worked at something, and what it came to."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def peak_mb() -> float:
    """Return the most memory this process ever had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def files(count: int, hours: int = 24) -> None:
    """Reconcile a sealed day of so many files; hash them; print both."""
    bodies = [gzip.compress(bulk(seed=seed, records=RECORDS), 1) for seed in range(KINDS)]
    inflated = [gzip.decompress(body) for body in bodies]
    trail = Trail()
    for number in range(hours):
        begins = START + number * HOUR
        keys = [
            trail.file(begins + timedelta(minutes=5), f"f{at:05d}")
            for at in range(number * count // hours, (number + 1) * count // hours)
        ]
        for at, key in enumerate(keys):
            trail.objects[key] = Stored(bodies[at % KINDS])
        trail.digest(begins + HOUR, keys)
    evidence = Evidence(START + 80 * HOUR)
    lock(evidence, trail)
    evidence.seal()
    hashing, _ = seconds(
        lambda: [sha256(inflated[number % KINDS]).digest() for number in range(count)]
    )
    with Sorters() as sorters:

        def work() -> list[Any]:
            sealed = reconcile.full(evidence.store, NAME, [evidence.key], sorters, now=evidence.now)
            read = reconcile.gather(evidence.store, sealed, sorters, now=evidence.now)
            known = Known(log=read.log, keys=world.public_keys())
            return list(reconcile.statements(read, known))

        took, statements = seconds(work)
    proven = sum(each.verdict == "proven" for of_hour in statements for each in of_hour.statements)
    files = sum(each.found for of_hour in statements for each in of_hour.statements)
    size = len(inflated[0])
    print(  # noqa: T201 what it is for
        f"{count} files of {size:,} bytes and {hours} digests: reconciled in {took:.2f} s "
        f"({proven} hours proven, {files} files found), hashed in {hashing:.2f} s: "
        f"{took / hashing:.2f} times"
    )


def lock(evidence: Evidence, trail: Trail) -> None:
    """Lock the files, each kind of them mapped once."""
    mapper = evidence.mapper
    deliveries = sorted(
        (
            mapper.hour(each.unit),
            each.unit,
            each,
        )
        for each in trail.deliveries()
        if each.kind is Kind.COMPANION
    )
    named = [key for key in trail.objects if "Digest" not in key]
    mapped: dict[bytes, Any] = {}
    parts = [unit for _, _, each in deliveries for unit in mapper.units(each)]
    for key in named:
        body = trail.objects[key].body
        if body not in mapped:
            (mapped[body],) = mapper.units(Delivery(f"{BUCKET}/{key}@v1", body))
        parts.append(_renamed(mapped[body], f"{BUCKET}/{key}@v1"))
    parts.sort(key=lambda each: (each.hour, each.table_line.unit))
    for packed in mapper.packer.pack(parts):
        evidence.store.put_new(packed.key, packed.body, metadata=packed.metadata)


def _renamed(part: Any, unit: str) -> Any:
    from msgspec.structs import replace  # noqa: PLC0415 used here alone

    from nhi_evidence.evidence.lines import encode, unit_id  # noqa: PLC0415
    from nhi_evidence.sources import load  # noqa: PLC0415

    line = replace(part.table_line, unit=unit, u=unit_id(unit))
    hour = load("aws_cloudtrail").hour_of(unit.partition("@")[0]) or "unknown"
    return replace(part, hour=hour, table_line=line, encoded=encode(line))


def names(count: int) -> None:
    """Compare a listing of so many names with as many records; print time and memory."""
    before = peak_mb()
    with Sorters() as sorters:

        def work() -> Any:
            comparison = Comparison(sorters())
            for number in range(count):
                comparison.listed(f"{number:x}|2026-03-02T08:00:00.{number:09d}Z|log")
                if number != count // 2:
                    comparison.here(
                        f"{number:x}|2026-03-02T08:00:00.{number:09d}Z|log", of_the_hour=True
                    )
            return comparison.compare()

        took, result = seconds(work)
    print(  # noqa: T201 what it is for
        f"{count:,} names listed, {result.found:,} found, {result.missing} missing, in {took:.0f} "
        f"s; peak {peak_mb():.0f} MiB, of it {before:.0f} MiB before"
    )


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--names", type=int, default=10_000_000)
    chosen = parser.parse_args()
    if chosen.names:
        names(chosen.names)
    if chosen.files:
        files(chosen.files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
