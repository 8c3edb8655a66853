"""`python -m tests.bench.coverage`: what `coverage --evidence` costs over a large store.

Sealed directories of so many objects, each of the records of one CloudTrail file, with readings of
an estate and changes of its settings among them: time and the command's own peak of memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from nhi_evidence.coverage import signed
from nhi_evidence.demo import estate
from nhi_evidence.demo.story import bulk
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.leaf import ObjectLeaf, decode, encode
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.scope import Scope
from tests.bench.completeness import _renamed
from tests.coverage.sealed_estate import ACCOUNT, BUCKET, DAY, HOUR, TRAIL, Sealed, change, delivery

RECORDS = 100
"""Of one object."""
KINDS = 8
"""So many different files."""
AN_HOUR = 20
"""Objects of one hour."""


def sealed(folder: Path, count: int) -> Sealed:
    """Lock and seal so many objects, two readings, and a trail that is stopped and started."""
    evidence = Sealed(folder)
    mapper = Mapper("aws_cloudtrail", scope=Scope.ALL, keep_out_of_scope_raw=True)
    name = f"{BUCKET}/AWSLogs/{ACCOUNT}/CloudTrail/eu-central-1"
    units = []
    for seed in range(KINDS):
        unit = (
            f"{name}/2026/03/02/{ACCOUNT}_CloudTrail_eu-central-1_20260302T0005Z_s{seed}.json.gz@v1"
        )
        (part,) = mapper.units(Delivery(unit, bulk(seed=seed, records=RECORDS)))
        units.append(part)
    for number in range(count):
        hour = keys.hour_of(DAY + number // AN_HOUR * HOUR)
        day = f"{hour[:4]}/{hour[4:6]}/{hour[6:8]}"
        stamp = f"{hour[:8]}T{hour[8:]}05Z"
        unit = f"{name}/{day}/{ACCOUNT}_CloudTrail_eu-central-1_{stamp}_n{number:06d}.json.gz@v1"
        (packed,) = mapper.packer.pack([_renamed(units[number % KINDS], unit)])
        evidence.store.put_new(packed.key, packed.body, metadata=packed.metadata)
    for read_hour in (2, 20):
        evidence.state(estate.reading("aws", DAY + read_hour * HOUR))
    evidence.lock(
        delivery(10, [change("StopLogging", 610, 5, name=TRAIL)]),
        delivery(11, [change("StartLogging", 670, 6, name=TRAIL)]),
    )
    evidence.seal(DAY + (count // AN_HOUR + 30) * HOUR)
    return evidence


def leaf_bytes(count: int = 20_000) -> float:
    """Return what each leaf of a log takes of memory where all are read, as `coverage` does."""
    entries = [
        encode(
            ObjectLeaf(
                key=f"ev/v1/aws_cloudtrail/h={keys.hour_of(DAY + number // AN_HOUR * HOUR)}/"
                f"{sha256(str(number).encode()).hexdigest()}.ndjson.zst",
                vid=sha256(str(-number).encode()).hexdigest()[:32],
                at=DAY + number,
                size=200_000,
                sha256=sha256(str(number).encode()).hexdigest(),
                md={"table": "2000", "units": "500"},
            )
        )
        for number in range(count)
    ]
    tracemalloc.start()
    placed = [
        signed.placed_at("2026", number, number, leaf)
        for number, entry in enumerate(entries)
        if isinstance(leaf := decode(entry), ObjectLeaf)
    ]
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / len(placed)


class Cost(msgspec.Struct):
    """What one run of the command came to."""

    objects: int
    seconds: float
    peak_mb: float
    stored_mb: float
    spans: int
    """Of the verdict with most spans of time; more than one shows that the changes were seen."""


def measured(count: int) -> Cost:
    """Run the command over a store of so many objects, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="nhi-evidence-bench-") as name:
        evidence = sealed(Path(name) / "evidence", count)
        stored = sum(path.stat().st_size for path in evidence.folder.rglob("*") if path.is_file())
        program = Path(sys.executable).with_name("nhi-evidence")
        command: list[str | Path] = [
            program,
            "coverage",
            "--evidence",
            evidence.folder,
            "--key",
            evidence.vkey,
            "--json",
        ]
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, errors = process.communicate()
        took = time.perf_counter() - began
        if process.returncode not in {0, 2, 3}:
            raise SystemExit(errors.decode())
        return Cost(
            objects=count,
            seconds=took,
            peak_mb=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
            stored_mb=stored / 1e6,
            spans=_spans(json.loads(out)),
        )


def _spans(document: dict[str, Any]) -> int:
    return max(len(cell.get("stretches", ())) for cell in document["cells"])


def main() -> int:
    """Print a line for each size, smallest first: the peak of children is the largest so far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, nargs="+", default=[500, 2000])
    print(f"coverage --evidence: {leaf_bytes():.0f} bytes for each leaf of the log")  # noqa: T201 what it is for
    for count in sorted(parser.parse_args().objects):
        cost = measured(count)
        print(  # noqa: T201 what it is for
            f"coverage --evidence: {count:,} objects, {count * RECORDS:,} records, "
            f"{cost.stored_mb:.0f} MB stored: {cost.seconds:.1f} s, "
            f"{count * RECORDS / cost.seconds:,.0f} records/s, peak {cost.peak_mb:.0f} MiB; "
            f"verdicts of up to {cost.spans} spans"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
