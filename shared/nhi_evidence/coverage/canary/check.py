"""V5 of `verify`: check sealed statements on canaries against the log's plans and records.

Each statement is recomputed from the inputs it names. A different result is a finding. A statement
whose inputs cannot all be read is not weighed, and the report says so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import msgspec

from nhi_evidence.coverage.answers import ReadingError
from nhi_evidence.coverage.canary import hourly, statement
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.hourly import Locked
from nhi_evidence.coverage.canary.nonces import Nonces
from nhi_evidence.coverage.canary.recount import Probe, Recount, Weighable
from nhi_evidence.coverage.canary.statement import Stated
from nhi_evidence.coverage.canary.weigh import HOUR_MS, Seen
from nhi_evidence.coverage.counted import Head as RecordHead
from nhi_evidence.evidence import counting, flags, keys, log, objects
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.lines import decode_line
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.sorting import Sorter
from nhi_evidence.evidence.verify.statements import Head, Weighed
from nhi_evidence.ports import EvidenceVersions

_PLANS = f"op/v1/{plans.KIND}/"
_MOST_PLAN_BYTES = 1 << 20
_MOST_NAMED = 5
"""How many probes of one statement a finding names."""
_TEXT = 300


class _Of(msgspec.Struct, frozen=True, array_like=True):
    """A plan or a statement, at its place in the log."""

    place: int
    key: str
    vid: str
    at: int
    plan: plans.Plan | None = None
    """A plan that could be decoded."""
    stated: Stated | None = None
    """A statement that could be decoded."""
    is_void: bool = False
    """Whether it is a malformed plan: it announces nothing."""


class _Checked(NamedTuple):
    """The result of checking a statement by itself, before its probes."""

    problem: str = ""
    """What is false in it; empty if nothing is known to be."""
    is_weighed: bool = False
    """Whether its probes were added to the recount."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Of).decode


class Check:
    """A `StatementCheck` (evidence.verify.statements); its memory grows with the hours."""

    def __init__(self, store: EvidenceVersions, sorter: Callable[[], Sorter]) -> None:
        """Take the store to read plans from, before the evidence they are about is shown."""
        self._store = store
        self._hours = sorter()
        self._recount = Recount(sorter)
        self._planned: list[ObjectLeaf] = []
        self._stated: list[tuple[int, int]] = []
        """Spans from the beginning of an hour until its statement was locked."""
        self._marks: Nonces | None = None
        self._accounts: frozenset[str] = frozenset()
        self._lost: set[tuple[str, int]] = set()
        """Source and hour of locking of each evidence object that cannot be read."""
        self._findings: list[Finding] = []

    def sealed(self, place: int, entry: ObjectLeaf) -> None:
        """See `StatementCheck.sealed`."""
        hour = keys.parse_key(entry.key).hour
        begins = None if hour is None else keys.hour_start(hour)
        if flags.SHADOW in entry.flags or begins is None or hour is None:
            return
        if entry.key.startswith(_PLANS) and entry.key.endswith(plans.ENDING):
            self._planned.append(entry)
            self._hours.add(hour.encode(), _encode(_Of(place, entry.key, entry.vid, entry.at)))
        elif _is_statement(entry.key):
            self._stated.append((begins, entry.at))

    def evidence(
        self, place: int, entry: ObjectLeaf, table: Table, *, void: frozenset[int], body: bytes
    ) -> None:
        """See `StatementCheck.evidence`."""
        if self._marks is None:
            self._marks = self._prepared()
        source = table.header.source
        if source not in hourly.SOURCES.values() or not self._is_of_an_hour(entry.at):
            return
        claims = dict(enumerate(counting.claims(place, entry.key, table.header, table.units)))
        chosen = {at: claim for at, claim in claims.items() if at not in void}
        if source == hourly.SOURCES["aws"] and self._accounts:
            chosen = {
                at: claim
                for at, claim in chosen.items()
                if hourly.may_be_of(claim.unit, self._accounts)
            }
        if not chosen:
            return
        try:
            _, lines = objects.read_object(body)
            units = list(objects.lines_of(table, lines))
        except ValueError:
            self.lost(entry)
            return
        for at, claim in chosen.items():
            self._recount.claim(claim, table.header.hour, entry.at)
            for line in units[at][1]:
                if self._marks(line):
                    self._recount.marked(claim, table.header.hour, entry.at, line)

    def operation(self, place: int, entry: ObjectLeaf, body: bytes) -> None:
        """See `StatementCheck.operation`."""
        hour = (keys.parse_key(entry.key).hour or "").encode()
        read = _Of(place, entry.key, entry.vid, entry.at)
        try:
            if entry.key.startswith(_PLANS) and entry.key.endswith(plans.ENDING):
                read = msgspec.structs.replace(read, is_void=True)
                planned = plans.read(body, entry.key)
                if plans.write(planned).key != entry.key:
                    raise ReadingError("the plan's key does not match its content")
                read = msgspec.structs.replace(read, is_void=False, plan=planned)
            elif _is_statement(entry.key):
                read = msgspec.structs.replace(read, stated=statement.read(body, entry.key))
            else:
                return
        except ReadingError as error:
            self._find("canaries_invalid", entry.key, entry.vid, str(error))
        if read.is_void or read.plan is not None or read.stated is not None:
            self._hours.add(hour, _encode(read))

    def expired(self, entry: ObjectLeaf) -> None:
        """See `StatementCheck.expired`: it is `lost` as well."""

    def lost(self, entry: ObjectLeaf) -> None:
        """See `StatementCheck.lost`."""
        stated = keys.parse_key(entry.key)
        # A shadow, or an object whose key has the wrong hash, never counted for anybody.
        if stated.kind == "ev" and not {flags.SHADOW, flags.KEY_HASH} & set(entry.flags):
            self._lost.add((stated.source, entry.at // HOUR_MS))

    def weigh(self, heads: Iterable[Head]) -> Weighed:
        """See `StatementCheck.weigh`."""
        signed = {(head.origin, head.size): head for head in heads}
        results: Counter[str] = Counter()
        not_weighed: Counter[str] = Counter()
        where: list[_Of] = []
        false: dict[tuple[str, str], list[str]] = {}
        for _, group in groupby(self._hours, key=itemgetter(0)):
            of_hour = [_decode(value) for _, value in group]
            stated = [one for one in of_hour if one.stated is not None]
            for claimed in stated:
                checked = self._checked(claimed, of_hour, signed, not_weighed, len(where))
                if checked.problem:
                    false.setdefault((claimed.key, claimed.vid), []).append(checked.problem)
                if checked.is_weighed:
                    where.append(claimed)
            for standing in _standing(stated):
                results.update({str(one): count for one, count in standing.header.results.items()})
        for number, problem in self._recount.contradictions(self._read_line):
            named = false.setdefault((where[number].key, where[number].vid), [])
            if len(named) < _MOST_NAMED:
                named.append(problem)
        for (key, vid), problems in false.items():
            self._find("canaries_false", key, vid, "; ".join(problems))
        return Weighed(
            findings=self._findings,
            verdicts={},
            without=0,
            canaries=dict(sorted(results.items())),
            not_weighed=dict(sorted(not_weighed.items())),
        )

    def _prepared(self) -> Nonces:
        """Read the plans for nonces not in our own form, and for the accounts of their canaries."""
        others: set[str] = set()
        accounts: set[str] = set()
        is_of_any = False
        wanted = ((one.key, one.vid, min(one.size, _MOST_PLAN_BYTES) + 1) for one in self._planned)
        for entry, body in zip(self._planned, self._store.beginnings(wanted), strict=True):
            try:
                planned = plans.read(body or b"", entry.key)
            except ReadingError:
                continue  # `operation` reports it, if these are the bytes that were sealed
            others |= {one.nonce for one in planned.probes if not one.nonce.startswith("nhic")}
            if planned.platform == "aws":
                account = hourly.account_of(planned)
                is_of_any |= not account
                accounts.add(account)
        self._accounts = frozenset() if is_of_any else frozenset(accounts)
        self._stated = _merged(self._stated)
        return Nonces(others, any_made=bool(self._planned))

    def _is_of_an_hour(self, at: int) -> bool:
        index = bisect_right(self._stated, (at, 1 << 62)) - 1
        return index >= 0 and self._stated[index][0] <= at <= self._stated[index][1]

    def _checked(
        self,
        claimed: _Of,
        of_hour: Sequence[_Of],
        signed: Mapping[tuple[str, int], Head],
        not_weighed: Counter[str],
        number: int,
    ) -> _Checked:
        """Check a statement by itself, and add its probes to the recount if that is possible."""
        if claimed.stated is None:
            return _Checked()
        header = claimed.stated.header
        head = signed.get((header.log.origin, header.log.size))
        if head is None or (head.root, head.at) != (header.log.root, header.log.at):
            return _Checked(f"names a log state that was never signed: size {header.log.size}")
        source = hourly.SOURCES.get(header.platform)
        if source is None:
            return _Checked(f"names a platform without canaries: {header.platform}")
        limit = log.order(header.log.origin.rpartition("/")[2], header.log.size)
        before = [each for each in of_hour if each.place < limit and each.stated is None]
        read = {each.key: each for each in before if each.plan is not None or each.is_void}
        if any(each.key not in read for each in before):
            not_weighed["on canaries: a plan of their hour cannot be read"] += 1
            return _Checked()
        own = {
            key: Locked(key, each.at, each.plan)
            for key, each in read.items()
            if each.plan is not None and each.plan.platform == header.platform
        }
        problem = _of_plans(claimed.stated, own)
        if problem:
            return _Checked(problem)
        begins = keys.hour_start(header.hour) or 0
        hours = range(begins // HOUR_MS, header.until // HOUR_MS + 1)
        if any((source, hour) in self._lost for hour in hours):
            not_weighed["on canaries: evidence of their hour is gone or cannot be read"] += 1
            return _Checked()
        self._recount.statements.append(
            Weighable(source, begins, header.until, limit, header.mappers, header.log.at)
        )
        for probe in _probes(claimed.stated, own, number):
            self._recount.probe(probe)
        return _Checked(is_weighed=True)

    def _read_line(self, locked_at: int, key: str, line: bytes) -> tuple[Seen, set[str]] | None:
        """Return a kept record and the nonces in its text; None for any other line."""
        try:
            parsed = decode_line(line)
            if parsed.form != "kept" or self._marks is None:
                return None
            head = msgspec.json.decode(parsed.n, type=RecordHead)
            nonces = self._marks.within(parsed.raw or b"")
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None  # `verify --deep` reports the line
        return Seen(head, b"", locked_at, key), nonces

    def _find(self, code: str, key: str, vid: str, detail: str) -> None:
        self._findings.append(Finding(code=code, key=key, version=vid, detail=detail[:_TEXT]))


def _of_plans(stated: Stated, own: Mapping[str, Locked]) -> str | None:
    """Return how a statement's plans, probes or times differ from what is sealed, if they do."""
    header = stated.header
    unknown = sorted(set(header.plans) - set(own))
    if unknown:
        return f"names a plan that is not sealed in its log: {unknown[0]}"
    unnamed = sorted(set(own) - set(header.plans))
    if unnamed:
        return f"leaves out a plan: {unnamed[0]}"
    over = hourly.over(own.values())
    if header.until not in {over, header.log.at} or not hourly.is_in_time(
        header.hour, over, header.log.at
    ):
        return f"covers records until {header.until} by a log of {header.log.at}"
    announced = Counter(
        (key, one.cell, one.nonce) for key, locked in own.items() for one in locked.plan.probes
    )
    named = Counter((header.plans[one.plan], one.cell, one.nonce) for one in stated.lines)
    for _, cell, nonce in sorted((announced - named).elements()):
        return f"leaves out the probe of {cell} ({nonce})"
    for _, cell, nonce in sorted((named - announced).elements()):
        return f"names a probe no plan announces: {cell} ({nonce})"
    return None


def _probes(stated: Stated, own: Mapping[str, Locked], number: int) -> Iterator[Probe]:
    """Yield each probe of a statement, with its plan."""
    announced = {
        (key, one.cell, one.nonce): one for key, locked in own.items() for one in locked.plan.probes
    }
    for line in stated.lines:
        key = stated.header.plans[line.plan]
        plan = msgspec.structs.replace(
            own[key].plan, probes=(announced[key, line.cell, line.nonce],)
        )
        yield Probe(number, plan, own[key].at, line.result, line.where)


def _standing(stated: Sequence[_Of]) -> Iterator[Stated]:
    """Yield, for each platform, the statement on an hour that rests on the longest log."""
    by_platform: dict[str, tuple[int, int, Stated]] = {}
    for claimed in stated:
        if claimed.stated is not None:
            header = claimed.stated.header
            new = (header.log.at, claimed.place, claimed.stated)
            before = by_platform.setdefault(header.platform, new)
            if before[:2] < new[:2]:
                by_platform[header.platform] = new
    yield from (each for _, _, each in by_platform.values())


def _is_statement(key: str) -> bool:
    return key.startswith(statement.PREFIX) and key.endswith(statement.ENDING)


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, merging those that overlap or touch."""
    result: list[tuple[int, int]] = []
    for begins, ends in sorted(spans):
        if result and begins <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], ends))
        else:
            result.append((begins, ends))
    return result
