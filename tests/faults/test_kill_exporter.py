"""Kill -9 of the exporter in the middle of batches, on a real locked bucket."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from nhi_evidence.demo import deployable
from nhi_evidence.demo.story import generate
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded import sqs_messages
from nhi_evidence.embedded.lambda_runtime import InvocationError, LambdaRuntime
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.embedded.sqs_messages import StoredObject
from nhi_evidence.evidence import counting, objects

pytestmark = pytest.mark.slow

HOURS = 24
PER_HOUR = 3
KILL_AFTER = (1, 4, 9, 15, 20)
"""Numbers of new objects after which the process is killed."""

GROUPS = ({0, 1}, {1, 2}, {0, 2}, {0}, {1})
"""Files of each hour in the batch: others each time, so that no object exists already."""


def upload(store: EmbeddedStore) -> list[StoredObject]:
    client, stored = store.client(store.admin), []
    for number in range(HOURS * PER_HOUR):
        body = generate()[number % 24].body
        key = (
            "AWSLogs/o-exampleorg1/111122223333/CloudTrail/us-east-1/2026/03/02/111122223333_"
            f"CloudTrail_us-east-1_20260302T{number % HOURS:02}05Z_{number:016}.json.gz"
        )
        answer = client.put_object(Bucket=iam.TRAIL_BUCKET, Key=key, Body=body)
        version, etag = answer["VersionId"], answer["ETag"].strip('"')
        stored.append(StoredObject(iam.TRAIL_BUCKET, key, version, etag, len(body)))
    return stored


class Evidence:
    """The bucket as its owner sees it."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._client = store.client(store.admin)

    def keys(self) -> list[str]:
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=iam.EVIDENCE_BUCKET, Prefix="ev/"
        )
        return [entry["Key"] for page in pages for entry in page.get("Versions", [])]

    def statuses(self) -> dict[str, str]:
        """Return how each unit is weighed; every object must be valid."""
        claims: list[counting.Claim] = []
        for index, key in enumerate(self.keys()):
            body = self._client.get_object(Bucket=iam.EVIDENCE_BUCKET, Key=key)["Body"].read()
            table, _ = objects.read_object(body)
            claims += counting.claims(index, key, table.header, table.units)
        return {name: unit.status.value for (_, name), unit in counting.count(claims).items()}


def kill_when_written(runtime: LambdaRuntime, evidence: Evidence, number: int) -> None:
    """Kill the function's process as soon as there are that many more objects."""
    before = len(evidence.keys())
    while len(evidence.keys()) < before + number:
        time.sleep(0.005)
    assert runtime._process is not None
    runtime._process.kill()


def test_a_killed_exporter_loses_and_duplicates_nothing(tmp_path: Path) -> None:
    """An interrupted batch is redelivered in other groups, and each unit counts once."""
    accepted = [{"bucket": iam.TRAIL_BUCKET, "owner": iam.WORKLOAD_ACCOUNT}]
    with EmbeddedStore(tmp_path / "store", sources=("aws_cloudtrail",)) as store:
        evidence, files = Evidence(store), upload(store)
        environment = {
            **store.environment(store.exporter),
            "NHI_EVIDENCE_SOURCE": "aws_cloudtrail",
            "NHI_EVIDENCE_SOURCE_BUCKETS": json.dumps(accepted),
            "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
            "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
            "NHI_EVIDENCE_WRITER_ROLE_ARN": iam.writer_role("aws_cloudtrail"),
            "NHI_EVIDENCE_KEEP_OUT_OF_SCOPE_RAW": "false",
        }

        def runtime(number: int) -> LambdaRuntime:
            return LambdaRuntime(
                deployable.folder("aws_export"),
                "handler.handler",
                environment=environment,
                log=tmp_path / f"{number}.log",
            )

        for number, written in enumerate(KILL_AFTER):
            group = [file for place, file in enumerate(files) if place // HOURS in GROUPS[number]]
            event = sqs_messages.event([sqs_messages.notification(file) for file in group])
            with runtime(number) as doomed:
                killer = threading.Thread(
                    target=kill_when_written, args=(doomed, evidence, written), daemon=True
                )
                killer.start()
                with pytest.raises(InvocationError, match="stopped"):
                    doomed.invoke(event)
                killer.join(300)
            assert {"counted"} == set(evidence.statuses().values())
        event = sqs_messages.event([sqs_messages.notification(file) for file in files])
        with runtime(len(KILL_AFTER)) as last:
            assert {"batchItemFailures": []} == last.invoke(event)
        expected = {f"{file.bucket}/{file.key}@{file.version}" for file in files}
        assert dict.fromkeys(expected, "counted") == evidence.statuses()
