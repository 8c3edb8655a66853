"""Print what a record of each source of files costs, from the file to the evidence object.

python -m tests.bench.every_source

The records are golden cases, repeated, so that sources are compared by the same kind of input:
small, and each unlike the one before. Sources are found by discovery.
"""

from __future__ import annotations

import json
import sys
import time

from nhi_evidence import sources
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.mapping import Normalized
from nhi_evidence.pipeline.scope import Scope
from tests.bench.ours import packed
from tests.cases.reader import cases, read
from tests.faults.test_bad_records_of_any_source import delivered

RECORDS = 2000
ROUNDS = 5


def main() -> None:
    """Measure each source, the fastest of some rounds."""
    for source in sources.names():
        if sources.routes(source) is None:
            sys.stdout.write(_line(source) + "\n")


def _line(source: str) -> str:
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)
    raws = [json.dumps(read(path).record).encode() for path in cases(source).values()]
    kept = [raw for raw in raws if isinstance(mapper.map(raw), Normalized)]
    records = (kept * (RECORDS // len(kept) + 1))[:RECORDS]
    delivery = Delivery("b/k@1", delivered(source, records))
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        packed(mapper, delivery)
        best = min(best, time.process_time() - start)
    size = sum(map(len, records)) / RECORDS
    return f"{source:16} {best / RECORDS * 1e6:6.1f} us a record of {size:5.0f} bytes"


if __name__ == "__main__":
    main()
