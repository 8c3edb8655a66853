"""What a kept record takes in an evidence object; `python -m tests.bench.stored`.

Prints what `nhi_evidence/cost/measured.py` holds: stored bytes and bytes of the line a record, and
processor time from the delivered bytes to the locked body, of one batch locked in memory.
"""

from __future__ import annotations

import gzip
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from nhi_evidence import sources
from nhi_evidence.demo.story import bulk
from nhi_evidence.event import Decoded, Delivery, Limits
from nhi_evidence.evidence import frame
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.memory_store import MemoryStore

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "cloudtrail" / "original"
FILES = 200


def batches() -> Iterator[tuple[str, list[bytes]]]:
    """Yield inflated documents: generated ones, busy and quiet, and real records where they are."""
    for records in (580, 40):
        documents = [bulk(seed=number, records=records) for number in range(FILES)]
        yield f"generated, {records} records a file", documents
    real = list(real_records())
    if real:
        yield (
            "real records, 60 a file",
            [
                b'{"Records":[' + b",".join(real[start : start + 60]) + b"]}"
                for start in range(0, len(real), 60)
            ],
        )


def real_records() -> Iterator[bytes]:
    """Yield the records of the corpus that came as files."""
    source = sources.load("aws_cloudtrail")
    for path in sorted(CORPUS.rglob("*.json")):
        decoded = source.decode(path.read_bytes(), Limits())
        if isinstance(decoded, Decoded) and len(decoded.spans) > 1:
            yield from (decoded.record(index).raw for index in range(len(decoded.spans)))


def deliveries(documents: list[bytes]) -> list[Delivery]:
    """Return documents as files of one account, region and hour."""
    folder = "trail/AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/02/"
    return [
        Delivery(
            f"{folder}111122223333_CloudTrail_us-east-1_20260302T0800Z_{number:016}.json.gz@v",
            gzip.compress(document, 6, mtime=0),
        )
        for number, document in enumerate(documents)
    ]


def main() -> None:
    """Print a line for each batch."""
    mapper = Mapper("aws_cloudtrail", scope=Scope.ALL, keep_out_of_scope_raw=True)
    for name, documents in batches():
        store, files = MemoryStore(), deliveries(documents)
        began = time.process_time()
        outcome = lock_batch(mapper, files, store)
        seconds = time.process_time() - began
        outcome.ensure_locked()
        kept = sum(one.kept for one in outcome.objects)
        stored = sum(one.size for one in outcome.objects)
        lines = sum(
            len(line)
            for one in outcome.objects
            for line in frame.unpack(store.get(one.key), limit=1 << 30)
        )
        sys.stdout.write(
            f"{name}: {len(files)} files, {len(outcome.objects)} objects, {kept} records; each "
            f"{stored / kept:.0f} bytes stored, {lines / kept:.0f} as a line, "
            f"{sum(len(file.body) for file in files) / kept:.0f} as delivered, "
            f"{seconds / kept * 1e6:.0f} us\n"
        )


if __name__ == "__main__":
    main()
