"""Which partitions of an Event Hub are incomplete in the evidence, by the names of runs. Pure.

This is not a verifier's verdict: what is before the first hour examined is unknown, and what is not
sealed yet is included.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from nhi_evidence.azure import event_hub
from nhi_evidence.pipeline import standing
from nhi_evidence.pipeline.standing import Standing
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.sources import Source

Ranges = list[tuple[int, int]]
"""First and last number of runs, in any order."""


def counted(
    store: EvidenceVersions, source: Source, hours: Iterable[str], hub: str
) -> dict[str, Ranges]:
    """Return the counted numbers of each partition, for the latest hub of a name.

    `hub` is `<namespace>/<hub>`. One that was created again starts at 0 again, and has a later
    creation id, which is a time. Raises `StoreUnavailableError` when the store is unavailable.
    """
    ranges: defaultdict[str, defaultdict[str, Ranges]] = defaultdict(lambda: defaultdict(list))
    for hour in hours:
        for unit, known in standing.of_hour(store, source, hour).items():
            claimed = event_hub.claimed(unit)
            if claimed is None or known is not Standing.PRESENT:
                continue
            stream, first, last = claimed
            name, _, rest = stream.partition("#")
            creation, _, partition = rest.rpartition("/")
            if name == hub:
                ranges[creation][partition].append((first, last))
    return dict(ranges[max(ranges)]) if ranges else {}


def first_missing(ranges: Ranges, read: int) -> int | None:
    """Return the first missing number after the first existing one, up to `read`.

    `read` is the last number the host has passed. None: nothing is missing.
    """
    wanted = min(first for first, _ in ranges)
    for first, last in sorted(ranges):
        if first > wanted:
            break
        wanted = max(wanted, last + 1)
    return wanted if wanted <= read else None


def lacking(numbers: Mapping[str, Ranges], read: Mapping[str, int | None]) -> dict[str, int | None]:
    """Return the incomplete partitions, each with its first missing number.

    `read` is how far the host has read each partition. For one without counted messages, or with
    unknown progress, everything is missing: None.
    """
    missing: dict[str, int | None] = {}
    for partition, last in read.items():
        ranges = numbers.get(partition)
        if ranges is None or last is None:
            missing[partition] = None
        elif (number := first_missing(ranges, last)) is not None:
            missing[partition] = number
    return missing
