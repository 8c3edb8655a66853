"""Print what a record of each source of files costs, from the file to the evidence object.

python -m tests.bench.every_source [--steps]

The records are golden cases, over and over, each with ids and a time of its own (`varied`), so that
sources are compared by the same kind of input: small and without white space, as logs are. Sources
are found by discovery, and take turns; each runs once before it is timed, as an exporter maps the
records of one source alone, and what another left in the caches is no cost of it.

Of each it says what a record costs beside one of CloudTrail's: a generated one, which is as long as
its records are (`story.bulk`; decision 339), and one of its golden cases, which are two thirds of
that. Then what a KiB costs, since records differ in size, and what of it is its own native-only
line (`native`): what its records cost with no Python at all around the libraries. Of those that
declare cuts it says what looking for them costs, in a round of its own: of a record that nothing is
cut of, and of one that is cut. With --steps, what each step costs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from statistics import median

from nhi_evidence import sources
from nhi_evidence.demo.story import bulk
from nhi_evidence.event import Decoded, Delivery
from nhi_evidence.pipeline.export import RECORDS_AT_ONCE, Mapper
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.reading.cutting import Cutter
from tests.bench import native, steps, varied
from tests.bench.ours import MAPPER, packed
from tests.faults.test_bad_records_of_any_source import delivered

RECORDS = 2000
ROUNDS = 9
TRAIL = "aws_cloudtrail"
GENERATED = "generated trail"
OF_TRAIL, OF_NATIVE = 1.0, 2.2
"""What was asked for: a record's cost beside CloudTrail's, and beside its native-only line."""
_HEAD = (
    f"{'':16}{'us each':>9}{'bytes':>8}{'us/KiB':>8}{'x CloudTrail <= ' + str(OF_TRAIL):>20}"
    f"{'x its golden cases':>20}"
    f"{'native-only':>14}{'x native-only <= ' + str(OF_NATIVE):>21}\n"
)


def main() -> None:
    """Measure every source once a round, so that what the machine does meanwhile befalls all."""
    names = [source for source in sources.names() if not sources.routes(source)]
    if "--steps" in sys.argv[1:]:
        sys.stdout.write(steps.text({source: prepared(source) for source in names}, ROUNDS))
        return
    lines: dict[str, Callable[[], object]] = {}
    natives: dict[str, Callable[[], object]] = {}
    sizes: dict[str, float] = {}
    for source in names:
        mapper, delivery, raws = prepared(source)
        lines[source] = partial(packed, mapper, delivery)
        natives[source] = partial(native.only(mapper, delivery), delivery.body)
        sizes[source] = sum(map(len, raws)) / RECORDS
    body = bulk(seed=3, records=RECORDS)
    lines[GENERATED] = partial(packed, MAPPER, Delivery("b/k@1", body))
    spent: dict[str, list[float]] = {name: [] for name in lines}
    least: dict[str, list[float]] = {source: [] for source in names}
    for _ in range(ROUNDS):
        for name, line in lines.items():
            spent[name].append(_timed(line))
        for source in names:
            least[source].append(_timed(natives[source]))
    sys.stdout.write(_HEAD)
    sizes[GENERATED] = len(body) / RECORDS
    for name in (GENERATED, *names):
        cost = median(spent[name])
        beside = ratio(spent[name], spent[GENERATED])
        sys.stdout.write(
            f"{name:16}{cost:9.1f}{sizes[name]:8.0f}{cost / sizes[name] * 1024:8.1f}"
            f"{beside:12.2f} {_kept(beside, OF_TRAIL)}{ratio(spent[name], spent[TRAIL]):20.2f}"
        )
        if name in least:
            own = ratio(spent[name], least[name])
            sys.stdout.write(
                f"{ratio(least[name], least[TRAIL]):14.2f}{own:13.2f} {_kept(own, OF_NATIVE)}"
            )
        sys.stdout.write("\n")
    for source in names:
        cutter = sources.cutter(source)
        if cutter is not None:
            sys.stdout.write(_cutting(source, cutter))


def ratio(costs: Iterable[float], others: Iterable[float]) -> float:
    """Return the median of the rounds' ratios."""
    return median(one / other for one, other in zip(costs, others, strict=True))


def _kept(figure: float, bound: float) -> str:
    return "met    " if round(figure, 2) <= bound else "not met"


def _timed(run: Callable[[], object]) -> float:
    """Return the microseconds a record takes, right after a run that is not timed."""
    run()
    start = time.process_time()
    run()
    return (time.process_time() - start) / RECORDS * 1e6


def _cutting(source: str, cutter: Cutter) -> str:
    """Return the cost of looking for cuts, in records without and with one."""
    mapper, delivery, records = prepared(source)
    decoded = mapper.source.decode(delivery.body, mapper.settings.limits)
    are_json = isinstance(decoded, Decoded) and decoded.are_json
    cut = [raw for raw in records if cutter.cut(raw).pieces]
    uncut = [raw for raw in records if not cutter.cut(raw).pieces]
    took = [_each(cutter, raws, are_json=are_json) for raws in (uncut, cut)]
    return (
        f"{source:16} looking for cuts: {took[0]:4.1f} us a record without, "
        f"{took[1]:5.1f} us one with, {len(cut) / len(records):4.1%} of records\n"
    )


def _each(cutter: Cutter, raws: list[bytes], *, are_json: bool) -> float:
    """Return the microseconds a record takes, the median of the rounds; 0 without records."""
    spent = []
    for _ in range(ROUNDS if raws else 0):
        start = time.process_time()
        for at in range(0, len(raws), RECORDS_AT_ONCE):
            cutter.cut_all(raws[at : at + RECORDS_AT_ONCE], are_json=are_json)
        spent.append((time.process_time() - start) / len(raws) * 1e6)
    return median(spent) if spent else 0.0


def prepared(source: str) -> tuple[Mapper, Delivery, list[bytes]]:
    """Return a source's mapper, a delivery of its records, and these."""
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)
    raws = varied.records(source, mapper, RECORDS)
    return mapper, Delivery("b/k@1", delivered(source, raws)), raws


if __name__ == "__main__":
    main()
