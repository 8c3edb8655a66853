"""The sealer's process is really killed at random points, on a real store."""

from __future__ import annotations

import multiprocessing
import random
import signal
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.adapters.store.s3_versions import S3EvidenceVersions
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.evidence import keys, note
from nhi_evidence.evidence.verify import Policy, Verifier
from tests.faults import sealing_process
from tests.faults.sealing_process import DAY_MS, NAME
from tests.signing import LocalSigner

KILLS = 50
CALLS, WRITES = 60, 4
"""Calls and writes in a run that seals one object; writes are plan, tile, bundle, checkpoint."""
MOST_RUNS = 200


@pytest.mark.slow
def test_fifty_kills_leave_one_whole_log(tmp_path: Path) -> None:
    """After SIGKILL at 50 random calls and a rerun, every version is sealed once and verifies."""
    source = random.Random(5)  # noqa: S311 a schedule, repeatable by its seed
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.faults.sealing_process"])
    with EmbeddedStore(tmp_path, sources=("aws_cloudtrail",)) as store:
        environment = store.environment(store.sealer, role_arn=iam.SEALER_ROLE)
        # Written with an operator's rights: an exporter may write nothing but evidence.
        writer = store.client(store.admin)
        auditor = S3EvidenceVersions(
            store.client(store.investigator, role_arn=iam.AUDITOR_ROLE), iam.EVIDENCE_BUCKET
        )
        killed = left = written = 0
        for _ in range(MOST_RUNS):
            if killed == KILLS:
                break
            _put(S3EvidenceWriter(writer, iam.EVIDENCE_BUCKET), written)
            written += 1
            writes, after = source.random() < 0.5, source.random() < 0.5
            call = source.randint(1, WRITES if writes else CALLS)
            process = processes.Process(
                target=sealing_process.seal,
                args=(environment, call),
                kwargs={"after": after, "writes": writes},
            )
            process.start()
            process.join(300)
            assert process.exitcode in {0, -signal.SIGKILL}
            killed += process.exitcode == -signal.SIGKILL
            left += _half_done(auditor)
        assert KILLS == killed
        assert left >= KILLS // 5, "too few kills fell between plan and checkpoint"
        last = sealing_process.seal(environment)
        key = note.from_spki(NAME, LocalSigner(sealing_process.KEY).public_key())
        policy = Policy(name=NAME, keys=(key,), retention_ms=DAY_MS, seal_delay_ms=0)
        report = Verifier(auditor, policy, now=clock.now()).run()
        assert [] == report.findings
        assert (last.size, last.root) == (report.size, report.root)
        assert written == report.objects


def _put(writer: S3EvidenceWriter, number: int) -> None:
    body = f"object {number}".encode()
    hour = keys.hour_of(clock.now())
    key = f"op/v1/custody/h={hour}/{sha256(body).hexdigest()}"
    writer.put_new(key, body, metadata={})


def _half_done(auditor: S3EvidenceVersions) -> bool:
    """Return whether the newest plan has no checkpoint."""
    kinds = Counter(key.split("/")[3] for key in auditor.keys("log/v1/2") if "/tile/" not in key)
    return kinds["plan"] > kinds["checkpoint"]
