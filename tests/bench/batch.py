"""What a batch of files costs as a whole: objects, requests, processor time, dollars.

The files are generated and locked in memory: the time is of mapping, packing and hashing. The SDK,
which the exporter pays for beside it, is measured where its requests are (`tests.bench.requests`).
"""

from __future__ import annotations

import gzip
import sys
import time
from typing import Any

from nhi_evidence.cost.prices import MILLION, PRICES
from nhi_evidence.demo.story import bulk
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import frame, keys
from nhi_evidence.evidence.objects import MAX_LINES_BYTES
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.memory_store import MemoryStore

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FILES, RECORDS = 500, 150
HOUR = keys.hour_of(1_790_000_000_000)
GIGABYTES = 2
"""Memory of the exporter (functions/aws_export/deploy.toml)."""
SQS_CALLS_A_FILE = 3
"""S3's notification sent, received and deleted; Lambda takes and deletes ten at once."""


def measured() -> dict[str, Any]:
    """Lock one batch, the second of a process that is warm."""
    bodies = [gzip.compress(bulk(seed=number, records=RECORDS), 6) for number in range(FILES)]
    deliveries = [
        Delivery(f"bucket/file{number:04}@1!h={HOUR}", body) for number, body in enumerate(bodies)
    ]
    mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)
    lock_batch(mapper, deliveries[:16], MemoryStore())
    store = MemoryStore()
    began = time.process_time()
    outcome = lock_batch(mapper, deliveries, store)
    seconds = time.process_time() - began
    outcome.ensure_locked()
    records = sum(each.records for each in outcome.objects)
    packed = [frame.unpack(store.get(each.key), limit=MAX_LINES_BYTES) for each in outcome.objects]
    return {
        "files": FILES,
        "records": records,
        "objects": len(outcome.objects),
        "stored": sum(each.size for each in outcome.objects),
        "delivered": sum(map(len, bodies)),
        "ms_a_file": seconds / FILES * 1e3,
        "us_a_record": seconds / records * 1e6,
        "zstd_ms": {level: _compressing(packed, level) / FILES * 1e3 for level in (1, frame.LEVEL)},
        "dollars": _dollars(records, len(outcome.objects), seconds),
    }


def _compressing(packed: list[list[bytes]], level: int) -> float:
    """Return the seconds of compressing the lines of the batch's objects at a level."""
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: level,
        zstd.CompressionParameter.checksum_flag: 1,
        zstd.CompressionParameter.window_log: frame.WINDOW_LOG,
    }
    texts = [b"\n".join(lines) for lines in packed]
    began = time.process_time()
    for text in texts:
        zstd.compress(text, options=options)
    return time.process_time() - began


def _dollars(records: int, objects: int, seconds: float) -> dict[str, float]:
    """Return list prices a million events: of what is bought once, storage aside."""
    scale = MILLION / records
    return {
        "PUT": PRICES["s3_put"].of(objects) * scale,
        "GET": PRICES["s3_get"].of(FILES) * scale,
        "SQS": PRICES["sqs"].of(FILES * (1 + (SQS_CALLS_A_FILE - 1) / 10)) * scale,
        "CPU": PRICES["lambda_arm"].of(seconds * GIGABYTES) * scale,
    }


def text(sums: dict[str, Any]) -> list[str]:
    """Return the sums as lines of the table."""
    low, high = sums["zstd_ms"].items()
    bill = ", ".join(f"{name} ${usd:.4f}" for name, usd in sums["dollars"].items())
    return [
        (
            f"a batch: {sums['files']} files of {RECORDS} records: {sums['objects']} objects, "
            f"{sums['files']} GETs, {sums['objects']} PUTs"
        ),
        (
            f"  {sums['ms_a_file']:.2f} ms of a processor a file, {sums['us_a_record']:.1f} us a "
            f"record; {sums['stored'] / sums['records']:.0f} bytes stored a record, "
            f"{sums['delivered'] / sums['records']:.0f} delivered"
        ),
        (
            f"  of it zstd at level {high[0]}: {high[1]:.2f} ms a file; at level {low[0]} it were "
            f"{low[1]:.2f}"
        ),
        f"  a million events: {bill}; together ${sum(sums['dollars'].values()):.4f}",
        "",
    ]
