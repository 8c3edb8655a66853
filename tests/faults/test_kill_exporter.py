"""Kill -9 of the exporter in the middle of batches, on a real locked bucket."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from nhi_evidence.demo import deployable
from nhi_evidence.demo.story import generate
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded import sqs_messages
from nhi_evidence.embedded.lambda_runtime import InvocationError, LambdaRuntime
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.embedded.sqs_messages import StoredObject
from nhi_evidence.evidence import counting, objects
from tests.loopback import Handler, Loopback

pytestmark = pytest.mark.slow

HOURS = 24
PER_HOUR = 3
KILL_AFTER = (1, 4, 9, 15, 20)
"""Numbers of new objects after which the process is killed."""

OBJECTS = f"/{iam.EVIDENCE_BUCKET}/ev/"
PER_CONNECTION = {"Connection", "Keep-Alive", "Transfer-Encoding"}
"""Headers of an answer that speak of the connection to the store."""

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


class Gate(Loopback):
    """The way to the store: at an object's answer it kills the function, and withholds the answer.

    Killing from here, and not when a listing shows the objects, needs no luck: the function
    cannot be done while an answer that it waits for is withheld.
    """

    def __init__(self, store: EmbeddedStore) -> None:
        gate = self

        class Forward(Handler):
            protocol_version = "HTTP/1.1"

            def forward(self) -> None:
                status, headers, body = self.answer(self.body())
                if self.path.startswith(OBJECTS) and status == 200 and gate.kills():
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_HEAD = do_PUT = do_POST = forward  # noqa: N815 as inherited

            def answer(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
                """Send the request on as it was signed, and return what the store answers."""
                upstream = HTTPConnection(urlsplit(store.endpoint_url).netloc, timeout=300)
                headers = {name: self.headers[name] for name in self.headers if name != "Expect"}
                upstream.request(self.command, self.path, body, headers)
                with closing(upstream), upstream.getresponse() as answer:
                    body = answer.read()
                    kept = [pair for pair in answer.getheaders() if pair[0] not in PER_CONNECTION]
                    if answer.getheader("Content-Length") is None:
                        kept.append(("Content-Length", str(len(body))))
                    return answer.status, kept, body

        super().__init__(Forward)
        self._lock = threading.Lock()
        self._left: int | None = None
        self._doomed: LambdaRuntime | None = None

    def doom(self, runtime: LambdaRuntime, written: int) -> None:
        """Kill that function when so many more objects are written."""
        self._doomed, self._left = runtime, written

    def kills(self) -> bool:
        """Count a written object; return whether its writer no longer gets an answer."""
        with self._lock:
            if self._left is None:
                return False
            self._left -= 1
            if self._left > 0:
                return False
            assert self._doomed is not None
            assert self._doomed._process is not None
            self._doomed._process.kill()
            return True


def test_a_killed_exporter_loses_and_duplicates_nothing(tmp_path: Path) -> None:
    """An interrupted batch is redelivered in other groups, and each unit counts once."""
    accepted = [{"bucket": iam.TRAIL_BUCKET, "owner": iam.WORKLOAD_ACCOUNT}]
    with (
        EmbeddedStore(tmp_path / "store", sources=("aws_cloudtrail",)) as store,
        Gate(store) as gate,
    ):
        evidence, files = Evidence(store), upload(store)
        environment = {
            **store.environment(store.exporter),
            "AWS_ENDPOINT_URL": gate.endpoint_url,
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
                before = len(evidence.keys())
                gate.doom(doomed, written)
                with pytest.raises(InvocationError, match="stopped"):
                    doomed.invoke(event)
            assert before + written <= len(evidence.keys())
            assert {"counted"} == set(evidence.statuses().values())
        event = sqs_messages.event([sqs_messages.notification(file) for file in files])
        with runtime(len(KILL_AFTER)) as last:
            assert {"batchItemFailures": []} == last.invoke(event)
        expected = {f"{file.bucket}/{file.key}@{file.version}" for file in files}
        assert dict.fromkeys(expected, "counted") == evidence.statuses()
