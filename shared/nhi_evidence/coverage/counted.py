"""Read the records that count, as coverage needs them: head, exact raw text and place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from nhi_evidence.coverage.signed import Placed
from nhi_evidence.evidence import counting, objects
from nhi_evidence.evidence.lines import ParsedLine, UnitLine, decode_line
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.unit_hours import is_in_place
from nhi_evidence.evidence.verify import sound
from nhi_evidence.phases import Phase
from nhi_evidence.ports import EvidenceVersions


class _Metadata(msgspec.Struct, gc=False):
    uid: str | None = None


class _Nhi(msgspec.Struct, gc=False):
    canonical_uid: str | None = None
    uid: str | None = None
    name: str | None = None
    credential_uid: str | None = None


class _Hop(msgspec.Struct, gc=False):
    uid: str = ""
    canonical_uid: str | None = None
    credential_uid: str | None = None


class _Named(msgspec.Struct, gc=False):
    uid: str | None = None
    name: str | None = None


class _Api(msgspec.Struct, gc=False):
    operation: str = ""
    service: _Named | None = None


class _Cloud(msgspec.Struct, gc=False):
    account: _Named | None = None


class _Entity(msgspec.Struct, gc=False):
    uid: str | None = None
    name: str | None = None
    user: _Named | None = None


class _Actor(msgspec.Struct, gc=False):
    user: _Named | None = None


class Head(msgspec.Struct, gc=False):
    """The attributes of a normalized record that coverage reads; all others are skipped."""

    time: int
    nhi_phase: str
    nhi_base_phase: str
    nhi_outcome: str
    nhi: _Nhi
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    api: _Api = msgspec.field(default_factory=_Api)
    actor: _Actor | None = None
    http_request: dict[str, object] | None = None
    class_uid: int = 0
    activity_id: int = 0
    nhi_sub_phase: str | None = None
    cloud: _Cloud = msgspec.field(default_factory=_Cloud)
    entity: _Entity | None = None
    user: _Named | None = None
    resources: tuple[_Named, ...] = ()
    nhi_delegations: tuple[_Hop, ...] = ()
    nhi_issued_credential_uids: tuple[str, ...] = ()

    @property
    def phases(self) -> frozenset[str]:
        """Base and effective phase, spelled as the values of `Phase`."""
        names = (self.nhi_phase, self.nhi_base_phase)
        return frozenset(name.lower().replace(" ", "_") for name in names)

    def is_of(self, phases: Collection[Phase]) -> bool:
        """Whether the record may be of one of these phases; an unknown phase may be any."""
        wanted = {phase.name.lower() for phase in phases}
        known = {phase.name.lower() for phase in Phase}
        return any(name in wanted or name not in known for name in self.phases)

    @property
    def actors(self) -> frozenset[str]:
        """Every name of the actor, of whom it acted through, and of the credentials used."""
        names = {self.nhi.canonical_uid, self.nhi.uid, self.nhi.name, self.nhi.credential_uid}
        for hop in self.nhi_delegations:
            names |= {hop.uid, hop.canonical_uid, hop.credential_uid}
        if self.actor and self.actor.user:
            names |= {self.actor.user.uid, self.actor.user.name}
        return frozenset(name for name in names if name)

    @property
    def about(self) -> frozenset[str]:
        """Every name of what was acted upon."""
        owner = self.entity.user if self.entity else None
        things = [self.entity, owner, self.user, *self.resources]
        names = {name for thing in things if thing for name in (thing.uid, thing.name)}
        return frozenset(name for name in names if name)

    @property
    def account(self) -> str | None:
        """The account, project or subscription whose log the record is from."""
        return self.cloud.account.uid if self.cloud.account else None


class Record(msgspec.Struct, frozen=True):
    """One kept record of a unit that is counted or contested."""

    at: Placed
    unit: str
    index: int
    pack: str
    head: Head
    raw: bytes
    status: counting.Status


Marked = Callable[[bytes], bool]
"""Whether a line may be one we are looking for."""


class OfHour(msgspec.Struct, frozen=True):
    """What was read from the objects of one source hour."""

    source: str
    claims: tuple[tuple[Placed, counting.Claim], ...]
    marked: tuple[tuple[Placed, UnitLine, Sequence[bytes]], ...]
    """Units with a line we are looking for, and those lines."""


class Reader:
    """Reads the counted records of sealed objects, hour by hour, and names what cannot be read."""

    def __init__(self, store: EvidenceVersions, accepted: Sequence[str] = ()) -> None:
        """Read from `store`; `accepted` as in `counting.count`."""
        self._store = store
        self._accepted = accepted
        self.unreadable: dict[str, str] = {}
        """Objects and units that could not be read, to the reason."""
        self.objects = 0
        self.records = 0
        """Kept records in the objects that were opened, counted or not."""
        self.rejected = 0
        """Records and deliveries that could not be read when they were exported."""

    def records_of(self, placed: Iterable[Placed], marks: Marked | None = None) -> Iterator[Record]:
        """Yield the records of evidence objects; `placed` must have all objects of each hour.

        With `marks`, only records whose line it accepts: a line that is not decoded costs little.
        """
        ordered = sorted(placed, key=lambda at: (at.source, at.hour, at.order))
        for _, group in groupby(ordered, key=lambda at: (at.source, at.hour)):
            yield from self.counted(self.opened(list(group), marks))

    def opened(self, group: Sequence[Placed], marks: Marked | None) -> OfHour:
        """Open the objects of one source hour."""
        source = group[0].source if group else ""
        claims: list[tuple[Placed, counting.Claim]] = []
        marked: list[tuple[Placed, UnitLine, Sequence[bytes]]] = []
        bodies = self._store.bodies((one.key, one.vid) for one in group)
        for at, body in zip(group, bodies, strict=True):
            try:
                table, units = _opened(at, body)
            except (ValueError, RecursionError) as error:
                self.unreadable[at.key] = str(error)
                continue
            self.objects += 1
            valid = [
                unit
                for unit, _ in units
                if is_in_place(at.source, at.hour, table.header, unit.unit)
            ]
            own_claims = counting.claims(at.order, at.key, table.header, valid)
            claims += [(at, claim) for claim in own_claims]
            for unit, lines in units:
                self.records += unit.kept
                self.rejected += unit.rejected + (unit.kind == "rejection")
                own = [line for line in lines if _marked(line, marks)]
                if unit in valid and own:
                    marked.append((at, unit, own))
        return OfHour(source, tuple(claims), tuple(marked))

    def counted(
        self, of_hour: OfHour, among: Callable[[Placed], bool] = lambda _placed: True
    ) -> Iterator[Record]:
        """Yield the marked records, weighing only claims of objects that `among` accepts."""
        claims = [claim for at, claim in of_hour.claims if among(at)]
        weighed = counting.count(claims, self._accepted)
        for at, unit, lines in of_hour.marked:
            if not among(at):
                continue
            standing = weighed[of_hour.source, unit.unit]
            own_claim = (at.order, unit.part)
            is_contested = standing.status is counting.Status.CONTESTED
            if is_contested or own_claim in {(one.index, one.part) for one in standing.counted}:
                yield from self._lines(at, unit, lines, standing.status)

    def _lines(
        self, at: Placed, unit: UnitLine, lines: Sequence[bytes], status: counting.Status
    ) -> Iterator[Record]:
        for line in lines:
            try:
                parsed = decode_line(line)
                if parsed.form == "kept":
                    yield _record(at, unit, parsed, status)
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                self.unreadable[f"{at.key} {unit.unit}"] = str(error)


def _marked(line: bytes, marks: Marked | None) -> bool:
    return marks is None or marks(line)


def _record(at: Placed, unit: UnitLine, parsed: ParsedLine, status: counting.Status) -> Record:
    head = msgspec.json.decode(parsed.n, type=Head)
    pack = parsed.s or at.source
    return Record(at, unit.unit, parsed.i or 0, pack, head, parsed.raw or b"", status)


def _opened(at: Placed, body: bytes | None) -> tuple[Table, list[tuple[UnitLine, Sequence[bytes]]]]:
    table, after = sound.opened(sound.of_brief(at.key, at.brief), body)
    return table, list(objects.lines_of(table, list(after)))
