"""`python -m tests.bench.clocked`: what canaries and readings of settings take every hour.

Weighing an hour of canaries, by objects in its time: requests, and time of a processor. Reading the
settings of an account: calls, objects that are put, and the time of judging them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import timeit
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from nhi_evidence.adapters.aws.settings_reader import Reader, ask_account
from nhi_evidence.adapters.probing.weighing import weigh_due
from nhi_evidence.completeness import reconcile
from nhi_evidence.coverage import heartbeats
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.demo import estate
from nhi_evidence.demo.story import bulk
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.scope import Scope
from tests.bench.completeness import _renamed
from tests.coverage.sealed_estate import ACCOUNT, BUCKET, DAY, HOUR, NAME, Sealed
from tests.coverage.test_canary_statements import BEGINS, PLAN

FILES, RECORDS, KINDS = 40, 100, 8
"""Of one object; and so many different files."""


class Counted:
    """A store that counts what it is asked for: each is a request to S3, a listing a page."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.requests: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def versions(self, prefix: str) -> Iterator[Any]:
        self.requests["LIST"] += 1
        return iter(self._store.versions(prefix))

    def keys(self, prefix: str) -> Iterator[str]:
        self.requests["LIST"] += 1
        return iter(self._store.keys(prefix))

    def describe(self, versions: Iterable[Any]) -> Iterator[Any]:
        chosen = list(versions)
        self.requests["HEAD"] += len(chosen)
        return iter(self._store.describe(chosen))

    def get(self, key: str) -> Any:
        self.requests["GET of the log"] += 1
        return self._store.get(key)

    def beginnings(self, versions: Iterable[Any]) -> Iterator[bytes | None]:
        chosen = list(versions)
        self.requests["GET of a table"] += len(chosen)
        return iter(self._store.beginnings(chosen))

    def bodies(self, versions: Iterable[Any]) -> Iterator[bytes | None]:
        chosen = list(versions)
        kind = "GET of evidence" if any(key.startswith("ev/") for key, _ in chosen) else "GET"
        self.requests[kind] += len(chosen)
        return iter(self._store.bodies(chosen))


def sealed(folder: Path, count: int, holding: int) -> Sealed:
    """Seal an hour of so many objects, `holding` of which have a file of the canary's account."""
    store = Sealed(folder)
    operation = plans.write(PLAN)
    store.put(operation.key, operation.body, BEGINS - 2 * HOUR)
    mapper = Mapper("aws_cloudtrail", scope=Scope.ALL, keep_out_of_scope_raw=True)
    units = []
    for seed in range(KINDS):
        unit = _name(ACCOUNT, f"k{seed}")
        (part,) = mapper.units(Delivery(unit, bulk(seed=seed, records=RECORDS)))
        units.append(part)
    for number in range(count):
        parts = [
            _renamed(
                units[(number + at) % KINDS],
                _name(
                    ACCOUNT if at == 0 and number < holding else f"{10**11 + at * 7919}",
                    f"n{number:05d}x{at:03d}",
                ),
            )
            for at in range(FILES)
        ]
        parts.sort(key=lambda each: each.table_line.unit)
        for packed in mapper.packer.pack(parts):
            store.put(packed.key, packed.body, BEGINS + HOUR // 2, packed.metadata)
    store.seal(BEGINS + 3 * HOUR)
    return store


def _name(account: str, mark: str) -> str:
    return (
        f"{BUCKET}/AWSLogs/{account}/CloudTrail/eu-central-1/2026/03/02/"
        f"{account}_CloudTrail_eu-central-1_20260302T0705Z_{mark}.json.gz@v1"
    )


class Weighing(NamedTuple):
    """What weighing an hour took."""

    objects: int
    opened: int
    seconds: float
    """Of a processor, the least of some rounds."""
    requests: Counter[str]


def weighing(count: int, holding: int, rounds: int = 3) -> Weighing:
    """Weigh an hour of so many objects, so many of which have to be opened."""
    with tempfile.TemporaryDirectory(prefix="nhi-evidence-bench-") as name:
        evidence = sealed(Path(name), count, holding)
        best = float("inf")
        for _ in range(rounds):
            read = reconcile.recent(evidence.store, NAME, [evidence.key], since=DAY)
            store: Any = Counted(evidence.store)
            began = time.process_time()
            weighed = weigh_due(store, read, lambda operation: operation.key)
            best = min(best, time.process_time() - began)
            assert len(weighed.statements) == 1, weighed
    return Weighing(count, store.requests["GET of evidence"], best, store.requests)


def lines_of(few: Weighing, many: Weighing) -> Iterator[str]:
    """Say what two hours took, of as many objects: and what by object and by record."""
    for hour in (few, many):
        requests = ", ".join(f"{kind} {count}" for kind, count in sorted(hour.requests.items()))
        yield (
            f"weighing an hour, {hour.objects} objects in its time, {hour.opened} with a file of "
            f"the account: {hour.seconds:.2f} s of a processor; {requests}"
        )
    record = (many.seconds - few.seconds) / ((many.opened - few.opened) * FILES * RECORDS)
    table = (few.seconds - record * few.opened * FILES * RECORDS) / few.objects
    unit = table / FILES
    yield f"of it {record * 1e6:.1f} us a record opened, {unit * 1e6:.1f} us a unit of a table"


REGIONS = 17
"""Switched on without being asked for."""


class Answering(Reader):
    """Counts what is asked of an account with one trail, and no cluster or gateway."""

    calls = 0

    def ask(
        self, _service: str, operation: str, _region: str | None = None, /, **_parameters: Any
    ) -> Mapping[str, Any]:
        """Answer at once."""
        self.calls += 1
        if operation == "ListRegions":
            regions = [f"eu-test-{at}" for at in range(REGIONS)]
            return {
                "Regions": [{"RegionName": name, "RegionOptStatus": "ENABLED"} for name in regions]
            }
        trail = {"TrailARN": "arn:x", "S3BucketName": "trail"}
        return {"trailList": [trail]} if operation == "DescribeTrails" else {}


def reading() -> str:
    """Count what a run asks and puts, and time what it makes of a reading."""
    reader = Answering(boto3.session.Session(), "eu-test-0", ACCOUNT)
    ask_account(reader, "eu-test-0")
    puts = 1 + heartbeats.HOURS_AHEAD + 1
    readings = [estate.reading("aws", BEGINS)]
    seconds = min(timeit.repeat(lambda: matrix(readings), number=1, repeat=5))
    return (
        f"reading settings of an account with {REGIONS} regions: {reader.calls} calls; a run puts "
        f"{puts} objects, and judges a reading in {seconds * 1e3:.0f} ms"
    )


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100)
    count = parser.parse_args().objects
    lines = lines_of(weighing(count, count // 20), weighing(count, count // 2))
    print(*lines, reading(), sep="\n")  # noqa: T201 what it is for
    return 0


if __name__ == "__main__":
    sys.exit(main())
