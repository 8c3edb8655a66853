"""What counts, as a pure function of the sealed log (docs/evidence-format.md, "Counting").

The writer decides nothing: every claim it makes is weighed here, in the same way by everybody, and
where two claims contradict each other neither wins by having come first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import pairwise

import msgspec

from nhi_evidence.evidence import keys
from nhi_evidence.evidence.leaf import ObjectLeaf


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What one sealed evidence object says of its unit."""

    index: int
    """Its place in the log; identifies the leaf, decides nothing."""
    source: str
    unit: str
    """As the key spells it."""
    part: int
    parts: int
    body: str
    """SHA-256 of the stored bytes."""
    src: str
    """SHA-256 of the delivered bytes."""
    raw: str | None
    """SHA-256 of the inflated bytes; None of a delivery that could not be inflated."""
    mapper: str
    """Digest of the mapper."""
    version: tuple[int, ...]
    """Version of the mapper, for preferring the newest."""
    records: int


def claim(index: int, leaf: ObjectLeaf) -> Claim | str:
    """Return what an evidence leaf claims, or why it cannot be counted."""
    parsed = keys.parse_key(leaf.key)
    if "key_hash" in leaf.flags or leaf.sha256 is None or parsed.body_sha256 != leaf.sha256:
        return "its bytes have not the hash its key states"
    said = leaf.md
    try:
        part, parts = (int(one) for one in said["part"].split("/"))
        version, digest = said["mapper"].split(" ")
        records = int(said["records"])
        src = said["src-sha256"]
    except (KeyError, ValueError) as error:
        return f"its metadata is not an evidence object's: {error}"
    if not 1 <= part <= parts or (part != parsed.part and parts > 1):
        return f"it says to be part {part} of {parts}, its key part {parsed.part}"
    return Claim(
        index=index,
        source=parsed.source,
        unit=parsed.unit or "",
        part=part,
        parts=parts,
        body=leaf.sha256,
        src=src,
        raw=said.get("raw-sha256"),
        mapper=digest,
        version=_version(version),
        records=records,
    )


class Status(StrEnum):
    """What became of a unit."""

    COUNTED = "counted"
    CONTESTED = "contested"
    INCOMPLETE = "incomplete"


class Unit(msgspec.Struct, frozen=True):
    """One unit, weighed."""

    source: str
    unit: str
    status: Status
    counted: tuple[Claim, ...]
    """The objects that count, in part order; none unless counted."""
    duplicates: tuple[Claim, ...]
    """Objects that say the same again: by another mapper, or once more."""
    disputed: tuple[Claim, ...]
    """Objects of a contested unit, and of sets that are not whole."""


def count(claims: Iterable[Claim]) -> dict[tuple[str, str], Unit]:
    """Weigh the claims of any number of units; their order does not matter."""
    units: defaultdict[tuple[str, str], list[Claim]] = defaultdict(list)
    for one in claims:
        units[one.source, one.unit].append(one)
    return {identity: _weigh(*identity, claimed) for identity, claimed in units.items()}


def _weigh(source: str, unit: str, claimed: list[Claim]) -> Unit:
    claimed = sorted(claimed, key=lambda one: one.index)
    by_set: defaultdict[tuple[str, int], dict[int, dict[str, Claim]]] = defaultdict(dict)
    repeats: list[Claim] = []
    for one in claimed:
        bodies = by_set[one.mapper, one.parts].setdefault(one.part, {})
        if one.body in bodies:
            repeats.append(one)
        else:
            bodies[one.body] = one
    whole: list[tuple[Claim, ...]] = []
    loose: list[Claim] = []
    disputed: list[Claim] = []
    for (_, parts), by_part in by_set.items():
        every = [one for bodies in by_part.values() for one in bodies.values()]
        if len(by_part) < parts:
            loose += every
        elif len(every) > parts or not _same_raw(every):
            disputed += every
        else:
            whole.append(
                tuple(by_part[number][next(iter(by_part[number]))] for number in sorted(by_part))
            )
    every = [one for parts_of in whole for one in parts_of]
    if disputed or not _same_raw(every):
        rest = tuple(sorted([*disputed, *every, *loose], key=lambda one: one.index))
        return Unit(source, unit, Status.CONTESTED, (), tuple(repeats), rest)
    if not whole:
        return Unit(source, unit, Status.INCOMPLETE, (), tuple(repeats), tuple(loose))
    chosen = max(whole, key=lambda parts_of: (parts_of[0].version, -parts_of[0].index))
    others = [one for parts_of in whole if parts_of is not chosen for one in parts_of]
    again = tuple(sorted([*others, *repeats], key=lambda one: one.index))
    return Unit(source, unit, Status.COUNTED, chosen, again, tuple(loose))


def _same_raw(claims: list[Claim]) -> bool:
    """Whether all objects were made from the same delivered or the same inflated bytes."""
    return len({one.src for one in claims}) <= 1 or (
        len({one.raw for one in claims}) == 1 and claims[0].raw is not None
    )


def _version(text: str) -> tuple[int, ...]:
    numbers = []
    for one in text.split("."):
        digits = one[: len(one) - len(one.lstrip("0123456789"))]
        numbers.append(int(digits) if digits else 0)
    return tuple(numbers)


class Range(msgspec.Struct, frozen=True):
    """A run of an Event Hub partition's messages, as one sealed object holds it."""

    index: int
    stream: str
    """Namespace, hub, creation id and partition."""
    first: int
    last: int
    hashes: Mapping[int, bytes]
    """SHA-256 of each message by its sequence number."""

    @property
    def valid(self) -> bool:
        """Whether it holds exactly the messages it claims."""
        return len(self.hashes) == self.last - self.first + 1 and all(
            self.first <= number <= self.last for number in self.hashes
        )


class Stream(msgspec.Struct, frozen=True):
    """One partition, weighed message by message."""

    counted: Mapping[int, int]
    """Sequence number to the index of the object it is counted in."""
    duplicates: int
    contested: tuple[int, ...]
    """Sequence numbers that were given different bytes."""
    gaps: tuple[tuple[int, int], ...]
    """Runs of sequence numbers inside what was seen that nobody holds."""
    invalid: tuple[int, ...]
    """Indexes of objects that do not hold what they claim; they count for nothing."""


def count_ranges(ranges: Iterable[Range]) -> dict[str, Stream]:
    """Weigh ranges of partitions, whatever the edges of the batches they came in."""
    streams: defaultdict[str, list[Range]] = defaultdict(list)
    for one in ranges:
        streams[one.stream].append(one)
    return {stream: _weigh_stream(found) for stream, found in streams.items()}


def _weigh_stream(ranges: list[Range]) -> Stream:
    held: defaultdict[int, dict[bytes, int]] = defaultdict(dict)
    duplicates = 0
    for one in sorted((one for one in ranges if one.valid), key=lambda one: one.index):
        for number, digest in one.hashes.items():
            if digest in held[number]:
                duplicates += 1
            else:
                held[number][digest] = one.index
    counted = {n: next(iter(by.values())) for n, by in sorted(held.items()) if len(by) == 1}
    numbers = sorted(held)
    gaps = tuple(
        (before + 1, after - 1) for before, after in pairwise(numbers) if after > before + 1
    )
    return Stream(
        counted,
        duplicates,
        tuple(n for n in numbers if len(held[n]) > 1),
        gaps,
        tuple(sorted(one.index for one in ranges if not one.valid)),
    )


class Native(msgspec.Struct, frozen=True):
    """A record by the id its provider gave it."""

    provider: str
    account: str
    uid: str
    raw: bytes
    """SHA-256 of its raw bytes."""
    place: tuple[int, int]
    """Index of the object and of the record in its source."""


class Links(msgspec.Struct, frozen=True):
    """Records of one native id in more than one unit."""

    duplicates: tuple[tuple[Native, ...], ...]
    """The same bytes again: the first is counted."""
    linked: tuple[tuple[Native, ...], ...]
    """Other bytes under the same id: all kept, none a duplicate."""


def link(records: Iterable[Native]) -> Links:
    """Find records that overlapping trails, sinks or replays delivered more than once."""
    by_id: defaultdict[tuple[str, str, str], defaultdict[bytes, list[Native]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for one in records:
        by_id[one.provider, one.account, one.uid][one.raw].append(one)
    duplicates, linked = [], []
    for by_raw in by_id.values():
        same = [sorted(found, key=lambda one: one.place) for found in by_raw.values()]
        duplicates += [tuple(found) for found in same if len(found) > 1]
        if len(same) > 1:
            linked.append(tuple(sorted((found[0] for found in same), key=lambda one: one.place)))
    return Links(tuple(duplicates), tuple(linked))
