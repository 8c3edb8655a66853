"""What counts, as a pure function of the signed log (docs/evidence-format.md, "Counting").

The writer decides nothing: every reader weighs claims by these rules, and when two claims
contradict each other, neither wins by having come first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from nhi_evidence.evidence.lines import Header, UnitLine, encode


class Claim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one unit line of a sealed object states about its unit."""

    index: int
    """Index of the object's leaf in the log: what was sealed earlier has a lower one."""
    key: str
    """The object's key."""
    source: str
    unit: str
    is_rejection: bool
    part: int
    parts: int
    span: tuple[int, int]
    first: int
    records: int
    src: str
    """SHA-256 of the delivered bytes, as stated."""
    raw: str | None
    """SHA-256 of the inflated bytes; None for a rejection."""
    raw_size: int
    root: str
    """RFC 6962 root over the lines of the part, hex."""
    line: str
    """SHA-256 of the unit line, without what the source states about a delivered file.

    For a companion that is included, because it contains the provider's signature.
    """
    mapper: str
    """Digest of the release."""
    settings: str
    """SHA-256 of the settings as written."""


def claims(index: int, key: str, header: Header, units: Iterable[UnitLine]) -> list[Claim]:
    """Return the claims of one object, whose leaf is at `index`."""
    settings = sha256(encode(header.settings)).hexdigest()
    return [
        Claim(
            index=index,
            key=key,
            source=header.source,
            unit=unit.unit,
            is_rejection=unit.kind == "rejection",
            part=unit.part,
            parts=unit.parts,
            span=unit.span,
            first=unit.first,
            records=unit.records,
            src=unit.src_sha256,
            raw=unit.raw_sha256,
            raw_size=unit.raw_size,
            root=unit.root,
            line=sha256(_compared(unit)).hexdigest(),
            mapper=header.mapper.digest,
            settings=settings,
        )
        for unit in units
    ]


def _compared(unit: UnitLine) -> bytes:
    is_whole = not unit.source_metadata or unit.kind == "companion"
    return encode(unit if is_whole else replace(unit, source_metadata={}))


class Status(StrEnum):
    """The result of weighing a unit's claims."""

    COUNTED = "counted"
    CONTESTED = "contested"
    INCOMPLETE = "incomplete"


class Unit(msgspec.Struct, frozen=True):
    """One unit, weighed."""

    source: str
    unit: str
    status: Status
    counted: tuple[Claim, ...]
    """The parts that count, in order; none unless counted."""
    duplicates: tuple[Claim, ...]
    """Repeated claims: in another batch, or by another release."""
    disputed: tuple[Claim, ...]
    """Claims of a contested unit, and claims that are in no complete set."""


def count(claims: Iterable[Claim], accepted: Sequence[str] = ()) -> dict[tuple[str, str], Unit]:
    """Weigh the claims of any number of units; their order does not matter.

    `accepted` are the mapper digests a policy accepts, the latest last. An unlisted one never wins
    over a listed one.
    """
    units: defaultdict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        units[claim.source, claim.unit].append(claim)
    return {name: weigh(claims, accepted) for name, claims in units.items()}


def weigh(claims: Sequence[Claim], accepted: Sequence[str] = ()) -> Unit:
    """Weigh the claims of one unit, of which there is at least one; otherwise like `count`."""
    first = claims[0]
    if len(claims) == 1 and _is_complete(claims):
        # The case of nearly every unit: there is nothing to compare it with.
        return Unit(first.source, first.unit, Status.COUNTED, (first,), (), ())
    ranks = {digest: rank for rank, digest in enumerate(accepted)}
    return _weigh(first.source, first.unit, claims, ranks)


def is_whole(unit: UnitLine) -> bool:
    """Whether a unit line claims all of its unit, so that it counts if there is no other claim."""
    is_one = unit.part == unit.parts == 1
    return (
        is_one and unit.span == (0, unit.raw_size) and (not unit.first or unit.kind == "rejection")
    )


class _Set(msgspec.Struct, frozen=True):
    """All parts of a unit by one release with one setting."""

    parts: tuple[Claim, ...]

    @property
    def first(self) -> Claim:
        return self.parts[0]

    @property
    def mapper(self) -> str:
        return self.first.mapper

    @property
    def sealed(self) -> int:
        """Index at which the last of its parts was sealed."""
        return max(claim.index for claim in self.parts)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(claim.line for claim in self.parts)

    @property
    def cut(self) -> tuple[tuple[tuple[int, int], int, int], ...]:
        """How the unit is divided into parts and records."""
        return tuple((claim.span, claim.first, claim.records) for claim in self.parts)


def _weigh(source: str, unit: str, claims: Sequence[Claim], ranks: Mapping[str, int]) -> Unit:
    claims = sorted(claims, key=lambda claim: (claim.index, claim.key, claim.part))
    sets, repeats, incomplete, conflicts = _sets(claims)
    listed = [group for group in sets if group.mapper in ranks] or sets
    judged = {group.mapper for group in listed} if listed else conflicts
    if conflicts & judged or _differ(_decoded(sets)) or _contradict(_decoded(listed)):
        return Unit(source, unit, Status.CONTESTED, (), (), tuple(claims))
    if not sets:
        return Unit(source, unit, Status.INCOMPLETE, (), tuple(repeats), tuple(incomplete))
    chosen = max(_decoded(listed), key=lambda group: (ranks.get(group.mapper, -1), -group.sealed))
    others = [claim for group in sets if group is not chosen for claim in group.parts]
    again = tuple(sorted([*others, *repeats], key=lambda claim: (claim.index, claim.part)))
    return Unit(source, unit, Status.COUNTED, chosen.parts, again, tuple(incomplete))


def _sets(claims: Sequence[Claim]) -> tuple[list[_Set], list[Claim], list[Claim], set[str]]:
    """Group claims into complete sets.

    Returns the sets, claims that repeat another exactly, claims that are in no set,
    and the releases whose claims of one setting contradict each other.
    """
    groups: defaultdict[tuple[object, ...], dict[int, Claim]] = defaultdict(dict)
    repeats: list[Claim] = []
    conflicts: set[str] = set()
    incomplete: list[Claim] = []
    for claim in claims:
        by_part = groups[claim.mapper, claim.settings, claim.is_rejection, claim.src, claim.raw]
        known = by_part.setdefault(claim.part, claim)
        if known is claim:
            continue
        if _content(known) == _content(claim):
            repeats.append(claim)
        else:
            conflicts.add(claim.mapper)
            incomplete.append(claim)
    sets: list[_Set] = []
    for by_part in groups.values():
        parts = tuple(by_part[number] for number in sorted(by_part))
        if _is_complete(parts):
            sets.append(_Set(parts))
        else:
            incomplete += parts
    return sets, repeats, incomplete, conflicts


def _content(claim: Claim) -> tuple[object, ...]:
    return claim.parts, claim.span, claim.first, claim.records, claim.raw_size, claim.line


def _is_complete(parts: Sequence[Claim]) -> bool:
    """Whether parts are contiguous, from the unit's first byte to its last."""
    total = parts[0].parts
    if total != len(parts) or [claim.part for claim in parts] != list(range(1, total + 1)):
        return False
    position = record = 0
    for claim in parts:
        follows = claim.span[0] == position and claim.parts == total
        # The chunks of a rejection are not records; only its spans show that none is missing.
        if not follows or (claim.first != record and not claim.is_rejection):
            return False
        position = claim.span[1]
        record += claim.records
    return position == parts[0].raw_size


def _decoded(sets: Sequence[_Set]) -> list[_Set]:
    """Drop rejections that yield to a decoded claim of the same delivered bytes."""
    decoded = {group.first.src for group in sets if not group.first.is_rejection}
    return [
        group for group in sets if not group.first.is_rejection or group.first.src not in decoded
    ]


def _differ(sets: Sequence[_Set]) -> bool:
    """Whether complete sets, by whatever release, have different bytes."""
    return len({group.first.raw or f"rejected {group.first.src}" for group in sets}) > 1


def _contradict(sets: Sequence[_Set]) -> bool:
    """Whether sets of the same bytes are divided differently, or one release gave other lines."""
    if len({group.cut for group in sets if not group.first.is_rejection}) > 1:
        return True
    lines: dict[tuple[str, str], tuple[str, ...]] = {}
    for group in sets:
        by_release = (group.mapper, group.first.settings)
        if lines.setdefault(by_release, group.lines) != group.lines:
            return True
    return False
