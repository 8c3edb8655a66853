"""The story of the demo as sealed evidence in a folder: every cloud and platform, no servers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.azure import event_hub
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.changes import Change
from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import day
from nhi_evidence.demo.story import azure_batches, gcp_files, generate, platform_files
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import note
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.memory_store import DAY_MS
from tests.signing import LocalSigner

NAME = "example.org/story"
SIGNER = LocalSigner("story")
KEY = str(note.from_spki(NAME, SIGNER.public_key()))
READ_AT = (day.DAY + 5 * day.HOUR_MS, day.DAY + 10 * day.HOUR_MS)
"""Before the story and after it, as the demo reads its estate."""


def deliveries() -> Iterator[tuple[str, Delivery]]:
    """Yield the whole story: every cloud and every platform."""
    for file in generate():
        yield "aws_cloudtrail", Delivery(f"trail/{file.key}@1!h=2026030208", file.body)
    for entries in gcp_files():
        yield "gcp_audit", Delivery(f"b/{entries.name}@1!h=2026030208", entries.body)
    for batch in azure_batches():
        messages = tuple(
            event_hub.Message(each.body, each.sequence, enqueued=each.enqueued) for each in batch
        )
        run = event_hub.Run("namespace/hub#1/0", messages)
        yield "azure_monitor", Delivery(run.unit, event_hub.frame(run))
    for platform in platform_files():
        yield platform.source, Delivery(f"b/{platform.name}@1!h=2026030208", platform.body)


def write(folder: Path) -> None:
    """Lock and seal it."""
    folder.mkdir()
    store = DirectoryStore(folder)
    for source, delivery in deliveries():
        mapper = Mapper(source, keep_out_of_scope_raw=True)
        assert not lock_batch(mapper, [delivery], store).failed
    Sealer(
        store, [SIGNER], lambda: day.SEALED_AT, name=NAME,
        lock_policy=LockPolicy(retention_ms=DAY_MS), lock_log=False,
    ).run(everything=True)  # fmt: skip


def readings() -> list[Reading]:
    """What the estate's providers answer before and after the story."""
    return [estate.reading(platform, at) for at in READ_AT for platform in day.READ]


def report(file: Path, of: Sequence[Reading], changes: Sequence[Change] = ()) -> Path:
    """Write the coverage report on these readings, as `coverage --json` does."""
    file.write_bytes(msgspec.json.encode(matrix(of, changes)))
    return file
