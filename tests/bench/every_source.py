"""Print what a record of each source of files costs, from the file to the evidence object.

python -m tests.bench.every_source

The records are golden cases, repeated, so that sources are compared by the same kind of input:
small, each unlike the one before, and without white space, as logs are. Sources are found by
discovery. Of those that declare cuts it says what looking for them costs, in a round of its own:
of a record that nothing is cut of, and of one that is cut.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median

from nhi_evidence import sources
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.mapping import Normalized
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.reading.cutting import Cutter
from tests.bench.ours import packed
from tests.cases.reader import cases, read
from tests.faults.test_bad_records_of_any_source import delivered

RECORDS = 2000
ROUNDS = 9


def main() -> None:
    """Measure every source once a round, so that what the machine does meanwhile befalls all."""
    lines = {source: _prepared(source) for source in sources.names() if not sources.routes(source)}
    spent: dict[str, list[float]] = {source: [] for source in lines}
    for _ in range(ROUNDS):
        for source, (mapper, delivery, _) in lines.items():
            start = time.process_time()
            packed(mapper, delivery)
            spent[source].append((time.process_time() - start) / RECORDS * 1e6)
    trail = spent["aws_cloudtrail"]
    for source, (_, _, size) in lines.items():
        ratio = median(mine / other for mine, other in zip(spent[source], trail, strict=True))
        sys.stdout.write(
            f"{source:16} {median(spent[source]):6.1f} us a record of {size:5.0f} bytes, "
            f"{ratio:4.2f} x aws_cloudtrail\n"
        )
    for source in lines:
        cutter = sources.cutter(source)
        if cutter is not None:
            sys.stdout.write(_cutting(source, cutter))


def _cutting(source: str, cutter: Cutter) -> str:
    """Return what it costs to look for what is to be cut, by whether there is any."""
    records = _records(source)
    cut = [raw for raw in records if cutter.cut(raw).pieces]
    uncut = [raw for raw in records if not cutter.cut(raw).pieces]
    took = [_each(cutter, raws) for raws in (uncut, cut)]
    return (
        f"{source:16} looking for cuts: {took[0]:4.1f} us a record without, "
        f"{took[1]:5.1f} us one with, {len(cut) / len(records):4.1%} of records\n"
    )


def _each(cutter: Cutter, raws: list[bytes]) -> float:
    """Return the microseconds a record takes, the median of the rounds; 0 without records."""
    spent = []
    for _ in range(ROUNDS if raws else 0):
        start = time.process_time()
        for raw in raws:
            cutter.cut(raw)
        spent.append((time.process_time() - start) / len(raws) * 1e6)
    return median(spent) if spent else 0.0


def _prepared(source: str) -> tuple[Mapper, Delivery, float]:
    mapper = _mapper(source)
    records = _records(source)
    delivery = Delivery("b/k@1", delivered(source, records))
    return mapper, delivery, sum(map(len, records)) / RECORDS


def _mapper(source: str) -> Mapper:
    return Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)


def _records(source: str) -> list[bytes]:
    """Return the golden records that are kept, in turns."""
    mapper = _mapper(source)
    raws = [
        json.dumps(read(path).record, separators=(",", ":")).encode()
        for path in cases(source).values()
    ]
    kept = [raw for raw in raws if isinstance(mapper.map(raw), Normalized)]
    return (kept * (RECORDS // len(kept) + 1))[:RECORDS]


if __name__ == "__main__":
    main()
