"""What handing a record to a subscriber takes: `python -m tests.bench.forwarding`.

Prints what `nhi_evidence/cost/measured.py` holds, bytes and processor time a record, of one object
of generated records; and the memory of a process that forwards an object of so many small lines
as an object may have.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from nhi_evidence.demo.story import bulk
from nhi_evidence.event import Limits
from nhi_evidence.evidence import forwarding, lines, objects
from nhi_evidence.evidence.forwarding import Place
from nhi_evidence.evidence.lines import MapperIdentity, Settings
from nhi_evidence.evidence.objects import OBJECT_LINES, EvidenceObject, Packer
from nhi_evidence.evidence.unit import MappingResult, PartPosition, UnitIdentity, unit_part
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.bench.stored import deliveries
from tests.memory_store import MemoryStore

_FORWARD = """
import re, sys
from pathlib import Path
from nhi_evidence.evidence import forwarding
from nhi_evidence.evidence.forwarding import Place
def held():  # only of this program: getrusage starts from the parent's peak
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024
body = Path(sys.argv[2]).read_bytes()
before, records, parts = held(), 0, 0
for part in forwarding.parts(Place("evidence", sys.argv[1], "v"), body):
    records, parts = records + part.records, parts + 1
print(records, parts, round(before), round(held()))
"""


def largest(records: int) -> EvidenceObject:
    """Return an object of so many kept records, as small as they may be."""
    name = "bucket/largest@v"
    u, digest = lines.unit_id(name), sha256(b"{}").hexdigest()
    identity = UnitIdentity(
        unit=name, hour="2026030208", kind="records", src_sha256=digest, raw_sha256=digest,
        raw_size=2,
    )  # fmt: skip
    part = unit_part(
        identity,
        PartPosition.only(2),
        [lines.kept_line(u, at, {"time": at}, "{}") for at in range(records)],
        rebuild="no",
        mapping=MappingResult(kept=records),
    )
    settings = Settings(scope="nhi", keep_out_of_scope_raw=True, limits=Limits())
    packer = Packer(
        source="aws_cloudtrail", mapper=MapperIdentity("0.1.0", "ab" * 32), settings=settings
    )
    (packed,) = packer.pack([part])
    return packed


def memory(records: int) -> tuple[int, int, int, int]:
    """Forward the largest object in a process of its own.

    Returns records, parts, and megabytes held with the body read and at most.
    """
    packed = largest(records)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(packed.body)
        done = subprocess.run(
            [sys.executable, "-c", _FORWARD, packed.key, file.name],
            capture_output=True,
            text=True,
            check=True,
        )
    forwarded, parts, before, most = map(int, done.stdout.split())
    return forwarded, parts, before, most


def main() -> None:
    """Print both."""
    store = MemoryStore()
    mapper = Mapper("aws_cloudtrail", scope=Scope.ALL, keep_out_of_scope_raw=True)
    documents = [bulk(seed=number, records=150) for number in range(100)]
    lock_batch(mapper, deliveries(documents), store).ensure_locked()
    for key in store.keys("ev/"):
        body = store.get(key)
        began = time.process_time()
        outputs = list(forwarding.parts(Place("evidence", key, "v"), body))
        seconds = time.process_time() - began
        records = sum(part.records for part in outputs)
        inflated = sum(len(one) for one in objects.read_object(body)[1])
        forwarded = sum(len(part.body) for part in outputs)
        sys.stdout.write(
            f"generated: {records} records; each {forwarded / records:.0f} bytes forwarded, "
            f"{inflated / records:.0f} as a line of evidence, "
            f"{seconds / records * 1e6:.0f} us\n"
        )
    forwarded, parts, before, most = memory(OBJECT_LINES)
    sys.stdout.write(
        f"largest object: {forwarded:,} records in {parts} parts; {before} MB held with the body "
        f"read, {most} MB at most\n"
    )


if __name__ == "__main__":
    main()
