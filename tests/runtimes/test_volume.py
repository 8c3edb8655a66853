"""Ten thousand files through the real handler, in batches of 500, and again in other groups.

The handler runs under AWS's own runtime client; files and evidence are in the embedded store. Only
the queue is missing: events are as an event source mapping passes them.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

import msgspec
import pytest

from nhi_evidence.demo import deployable
from nhi_evidence.demo.story import bulk
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded import sqs_messages
from nhi_evidence.embedded.lambda_runtime import LambdaRuntime
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.embedded.sqs_messages import StoredObject
from nhi_evidence.evidence import counting, gaps, objects
from nhi_evidence.evidence.lines import decode_line

pytestmark = pytest.mark.slow

FILES = 10_000
BATCH = 500
ACCOUNTS = 80
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2", "ap-southeast-2")
BEGINS = datetime(2026, 3, 2, 8, tzinfo=UTC)
EVERY = timedelta(minutes=5)
MEMORY_MB = 2048
"""The function's resources (functions/aws_export/deploy.toml)."""


class File(msgspec.Struct, frozen=True):
    """One delivered file, without its bytes."""

    stored: StoredObject
    records: int
    inflated: str
    """SHA-256."""
    delivered: str

    @property
    def unit(self) -> str:
        return f"{self.stored.bucket}/{self.stored.key}@{self.stored.version}"


def names() -> Iterator[str]:
    """Yield keys in a trail's order of delivery: every account and region, every five minutes."""
    number = 0
    while True:
        account, region = number % ACCOUNTS, REGIONS[number // ACCOUNTS % len(REGIONS)]
        at = BEGINS + EVERY * (number // (ACCOUNTS * len(REGIONS)))
        name = f"{111122220000 + account}"
        yield (
            f"AWSLogs/o-exampleorg1/{name}/CloudTrail/{region}/{at:%Y/%m/%d}/"
            f"{name}_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{number:016}.json.gz"
        )
        number += 1


def upload(store: EmbeddedStore) -> list[File]:
    """Generate the files and put them into the trail's bucket."""
    client = store.client(store.admin)

    def put(numbered: tuple[int, str]) -> File:
        number, key = numbered
        records = 10 + number % 81
        document = bulk(seed=number, records=records)
        body = gzip.compress(document, 6, mtime=0)
        answer = client.put_object(Bucket=iam.TRAIL_BUCKET, Key=key, Body=body)
        stored = StoredObject(
            iam.TRAIL_BUCKET, key, answer["VersionId"], answer["ETag"].strip('"'), len(body)
        )
        return File(stored, records, sha256(document).hexdigest(), sha256(body).hexdigest())

    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(put, zip(range(FILES), names(), strict=False)))


class Read:
    """The bucket's content: claims, and the rebuilt bytes."""

    def __init__(self, store: EmbeddedStore) -> None:
        """Read every evidence object, one after the other."""
        client = store.client(store.admin)
        pages = client.get_paginator("list_object_versions").paginate(
            Bucket=iam.EVIDENCE_BUCKET, Prefix="ev/v1/aws_cloudtrail/"
        )
        keys = [entry["Key"] for page in pages for entry in page.get("Versions", [])]
        assert len(keys) == len(set(keys))
        self.objects = len(keys)
        self.stored = 0
        self.rebuilt: dict[str, str] = {}
        """Unit to the SHA-256 of its rebuilt bytes."""
        self.delivered: dict[str, str] = {}
        claims: list[counting.Claim] = []
        for index, key in enumerate(keys):
            body = client.get_object(Bucket=iam.EVIDENCE_BUCKET, Key=key)["Body"].read()
            self.stored += len(body)
            table, lines = objects.read_object(body)
            claims += counting.claims(index, key, table.header, table.units)
            for unit, own in objects.lines_of(table, lines):
                assert ("exact", 1) == (unit.rebuild, unit.parts)
                raws = [decode_line(line).raw or b"" for line in own]
                digest = sha256(b"".join(gaps.rebuild(unit.gaps, raws))).hexdigest()
                assert digest == unit.raw_sha256
                assert self.rebuilt.setdefault(unit.unit, digest) == digest
                self.delivered[unit.unit] = unit.src_sha256
        self.counted = counting.count(claims)
        self.status = Counter(unit.status.value for unit in self.counted.values())
        self.duplicates = sum(len(unit.duplicates) for unit in self.counted.values())
        self.records = sum(
            claim.records for unit in self.counted.values() for claim in unit.counted
        )


def deliver(runtime: LambdaRuntime, files: list[File]) -> int:
    """Deliver files in batches until all are acknowledged; return how many were redelivered.

    On a busy machine the store may answer late and the function run out of time: a queue redelivers
    what failed.
    """
    waiting, again = list(files), 0
    while waiting:
        batch = {message_id(file): file for file in waiting[:BATCH]}
        notes = [sqs_messages.notification(file.stored) for file in batch.values()]
        answer = runtime.invoke(sqs_messages.event(notes))
        failed = [entry["itemIdentifier"] for entry in answer["batchItemFailures"]]
        waiting = [*waiting[BATCH:], *map(batch.__getitem__, failed)]
        again += len(failed)
        assert again < FILES, runtime.logs()[-5000:]
    return again


def message_id(file: File) -> str:
    note = sqs_messages.notification(file.stored)
    record: str = sqs_messages.event([note])["Records"][0]["messageId"]
    return record


def reasons(log: str) -> Iterator[str]:
    """Return what the function logged about units that failed or were not reached."""
    for line in log.splitlines():
        if '"message":"not ' in line:
            entry = json.loads(line)
            yield f"{entry['message']}: {entry.get('exception', '')[:300]}"


def peak_mb(runtime: LambdaRuntime) -> int:
    """Return the peak resident memory of the function's process."""
    assert runtime._process is not None
    status = Path(f"/proc/{runtime._process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024


def test_ten_thousand_files_in_batches_and_again_in_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every file rebuilds to its hash; in other groups, each still counts once."""
    accepted = [{"bucket": iam.TRAIL_BUCKET, "owner": iam.WORKLOAD_ACCOUNT, "prefix": "AWSLogs/"}]
    with EmbeddedStore(tmp_path / "store", sources=("aws_cloudtrail",)) as store:
        files = upload(store)
        environment = {
            **store.environment(store.exporter),
            "NHI_EVIDENCE_SOURCE": "aws_cloudtrail",
            "NHI_EVIDENCE_SOURCE_BUCKETS": json.dumps(accepted),
            "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
            "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
            "NHI_EVIDENCE_WRITER_ROLE_ARN": iam.writer_role("aws_cloudtrail"),
            "NHI_EVIDENCE_KEEP_OUT_OF_SCOPE_RAW": "true",
        }
        with LambdaRuntime(
            deployable.folder("aws_export"),
            "handler.handler",
            environment=environment,
            log=tmp_path / "log",
            memory_mb=MEMORY_MB,
        ) as runtime:
            again = deliver(runtime, files)
            first = Read(store)
            shuffled = list(files)
            Random(1).shuffle(shuffled)  # noqa: S311 an order, repeatable
            again += deliver(runtime, shuffled)
            peak = peak_mb(runtime)
            log = runtime.logs()
        second = Read(store)
    for read in (first, second):
        assert {"counted": FILES} == read.status
        assert {file.unit: file.inflated for file in files} == read.rebuilt
        assert {file.unit: file.delivered for file in files} == read.delivered
        assert sum(file.records for file in files) == read.records
    assert FILES == second.duplicates - first.duplicates
    assert peak < MEMORY_MB / 2
    delivered = sum(file.stored.size for file in files)
    with capsys.disabled():
        print(  # noqa: T201 what docs/performance.md quotes
            f"\n{FILES} files, {first.records} records, in batches of {BATCH}: "
            f"{first.objects} objects\n"
            f"  delivered {delivered / first.records:.0f} bytes a record (gzip), "
            f"evidence {first.stored / first.records:.0f}: {first.stored / delivered:.2f} times\n"
            f"  every file rebuilt and equal to its hash: {len(first.rebuilt)}\n"
            f"  again in other groups: {second.objects - first.objects} more objects, "
            f"{second.status['counted']} units counted once, {second.duplicates} duplicates\n"
            f"  peak memory of the function: {peak} MB; messages that came again: {again}"
            + "".join(sorted({f"\n  {reason}" for reason in reasons(log)}))
        )
