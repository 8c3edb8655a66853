"""Files delivered beside logs: a digest is kept and never interpreted."""

from __future__ import annotations

import gzip

import pytest

from nhi_evidence.event import Delivery, Kind
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.memory_store import MemoryStore
from tests.reading import Unit


def test_a_digest_is_kept_and_never_read(keep_nhi: Mapper) -> None:
    """A companion is locked with its exact text and the source's metadata."""
    content = b'{"awsAccountId":"111122223333","logFiles":[]}'
    metadata = {"meta.signature": "ab" * 64, "meta.signature-algorithm": "SHA256withRSA"}
    digest = Delivery(
        "b/d@1", gzip.compress(content), kind=Kind.COMPANION, source_metadata=metadata
    )
    store = MemoryStore()
    lock_batch(keep_nhi, [digest], store).ensure_locked()
    read = Unit(store)
    assert (0, [content]) == (read.seen, read.raw())
    assert ("companion", metadata) == (
        read.headers[0]["kind"],
        read.headers[0]["source_metadata"],
    )


@pytest.mark.parametrize(
    ("key", "kind", "hour"),
    [
        (
            (
                "AWSLogs/o-example/111122223333/CloudTrail/us-east-1/2026/03/02/"
                "111122223333_CloudTrail_us-east-1_20260302T0815Z_abcdefghijklmnop.json.gz"
            ),
            Kind.RECORDS,
            "2026030208",
        ),
        (
            (
                "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/02/"
                "111122223333_CloudTrail-Digest_us-east-1_org-trail_us-east-1_20260302T081530Z.json.gz"
            ),
            Kind.COMPANION,
            "2026030208",
        ),
        (
            (
                "AWSLogs/111122223333/CloudTrail-Insight/us-east-1/2026/03/02/"
                "111122223333_CloudTrail-Insight_us-east-1_20260302T2359Z_abcdefghijklmnop.json.gz"
            ),
            Kind.RECORDS,
            "2026030223",
        ),
        ("anything.json", Kind.RECORDS, None),
    ],
)
def test_what_a_file_is_follows_its_name(
    keep_nhi: Mapper, key: str, kind: Kind, hour: str | None
) -> None:
    """Kind and hour are read from the documented file names."""
    assert (kind, hour) == (keep_nhi.source.kind_of(key), keep_nhi.source.hour_of(key))
