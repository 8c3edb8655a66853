"""A small sealed store of several sources in a folder, with sealed statements on what counts."""

from __future__ import annotations

import json
from pathlib import Path

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.completeness import reconcile, statement_file
from nhi_evidence.completeness.judge import Known
from nhi_evidence.demo.story import azure_batches, gcp_files, generate
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import note
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.verify.sorting import MemorySorter
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.completeness.trail import START
from tests.completeness.trail import record as trail_record
from tests.memory_store import DAY_MS
from tests.signing import LocalSigner

NAME = "example.org/evidence"
NOW = 1_772_450_000_000
"""2026-03-02T11:13:20Z: two hours after the story."""
SIGNER = LocalSigner("log")
KEY = note.from_spki(NAME, SIGNER.public_key())
BUCKET = "example-trail"


def mapper(source: str) -> Mapper:
    return Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)


def lock(folder: Path, source: str, deliveries: list[Delivery]) -> None:
    """Lock what an exporter is given."""
    assert not lock_batch(mapper(source), deliveries, DirectoryStore(folder)).failed


def seal(folder: Path) -> None:
    """Seal what is new."""
    Sealer(
        DirectoryStore(folder), [SIGNER], lambda: NOW, name=NAME,
        lock_policy=LockPolicy(retention_ms=DAY_MS), lock_log=False,
    ).run(everything=True)  # fmt: skip


def state(folder: Path) -> None:
    """Lock the statements on every hour, as of what is sealed, and seal them."""
    store = DirectoryStore(folder)
    sealed = reconcile.full(store, NAME, (KEY,), MemorySorter, now=NOW)
    read = reconcile.gather(store, sealed, MemorySorter, now=NOW)
    for each in reconcile.statements(read, Known(log=read.log)):
        for written in statement_file.write(each):
            store.put_new(written.key, written.body, metadata=written.metadata)
    seal(folder)


def trail() -> list[Delivery]:
    """The story's files of CloudTrail."""
    return [Delivery(f"{BUCKET}/{file.key}@v1", file.body) for file in generate()]


def _agent() -> Delivery:
    """A model that an agent's role invoked: the story has none."""
    record = trail_record(START, "agent", 1) | {
        "eventSource": "bedrock.amazonaws.com", "eventName": "InvokeModel",
    }  # fmt: skip
    key = trail()[0].unit.replace("@v1", "@v2")
    return Delivery(
        key.replace(".json.gz", "x.json.gz"), json.dumps({"Records": [record]}).encode()
    )


def make(folder: Path, *, contested: bool = True) -> None:
    """Lock the story of three clouds with what must not count twice, or at all."""
    files = trail()
    lock(folder, "aws_cloudtrail", [*files, _agent()])
    # The same units in another batch; the same records from another trail; other bytes of a unit.
    lock(folder, "aws_cloudtrail", files[:2])
    again = files[2]
    lock(
        folder, "aws_cloudtrail", [Delivery(again.unit.replace(BUCKET, "other-trail"), again.body)]
    )
    if contested:
        lock(folder, "aws_cloudtrail", [Delivery(files[3].unit, files[4].body)])
    lock(
        folder, "gcp_audit",
        [Delivery(f"bucket/{file.name}@1!h=2026030208", file.body) for file in gcp_files()],
    )  # fmt: skip
    # A name that states no hour: what lies under `h=unknown` is seen, too.
    lock(folder, "gcp_audit", [Delivery("bucket/odd@1", gcp_files(seed=8)[0].body)])
    events = [json.loads(each.body) for batch in azure_batches() for each in batch]
    records = [record for event in events for record in event["records"]]
    lock(
        folder, "azure_activity",
        [Delivery("bucket/azure@1!h=2026030208", json.dumps({"records": records}).encode())],
    )  # fmt: skip
    seal(folder)
    state(folder)
