"""A directory with a CloudTrail file and the digest that names it, and the keys around both."""

from __future__ import annotations

import json
from pathlib import Path

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.lock import lock_batch
from tests.proofs import sealed

NAME = sealed.NAME


def write(folder: Path, *, with_digest: bool = False, trail: bytes | None = None) -> str:
    """Lock a file, and the digest that names it, in a directory; return a record's id."""
    folder.mkdir()
    file, digest, _ = sealed.deliveries(trail or sealed.trail_file())
    batch: list[Delivery] = [file, digest] if with_digest else [file]
    outcome = lock_batch(sealed.mapper(), batch, DirectoryStore(folder))
    assert not outcome.failed
    return sealed.uids()[1]


def write_in_parts(folder: Path) -> str:
    """Lock a file so large that it has two parts; return the id of its last record."""
    folder.mkdir()
    records = json.loads(sealed.trail_file())["Records"][:5]
    records = [
        {
            **records[number % 5],
            "eventID": f"id-{number}",
            "requestParameters": {"pad": "x" * 99_000},
        }
        for number in range(180)
    ]
    body = json.dumps({"Records": records}).encode()
    outcome = lock_batch(
        sealed.mapper(), [Delivery(sealed.FILE_UNIT, body)], DirectoryStore(folder)
    )
    assert (2, {}) == (len(outcome.objects), outcome.failed)
    return "id-179"
