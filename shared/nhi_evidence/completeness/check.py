"""V5 of `verify`: sealed statements on completeness, weighed against the log they describe.

Each is computed again from the evidence that the log commits to. A statement that claims more than
that evidence supports, or names other units, is a finding; one that claims less was true earlier.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from nhi_evidence.completeness import promises, statement_file
from nhi_evidence.completeness.gather import Gatherer
from nhi_evidence.completeness.items import Item, subject_key, subject_of
from nhi_evidence.completeness.judge import Known, judge
from nhi_evidence.completeness.listing import is_listing
from nhi_evidence.completeness.promises import Promise
from nhi_evidence.completeness.reasons import ORDER, Verdict
from nhi_evidence.completeness.statement import Announced, Log, Scope, Statement, Subject
from nhi_evidence.evidence import keys, log, provider
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.lines import UnitLine
from nhi_evidence.evidence.objects import Table, lines_of_others
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.sorting import Sorter
from nhi_evidence.evidence.verify.statements import Head, Weighed

KEYS_ENDING = ".keys.json"
"""Ending of the key of an object that holds a provider's public keys, as it lists them."""

MOST_WEIGHED = 100
"""Maximum number of statements on one subject that are weighed, those on the longest logs: each
takes the work of judging the hour again. The function that states one does so a few times."""

_OLDER = (
    f"on completeness: the newest {MOST_WEIGHED} on their hour and scope were weighed, not these"
)
_BY_SEALED_KEYS = (
    "on completeness: that the public keys they rest on, which the deployment sealed, are the "
    "provider's (--provider-keys)"
)
_TEXT = 300
_EXACT = ("missing", "altered", "unbacked", "contested", "incomplete")
"""Totals that depend only on the log, and so are the same for everyone."""


class _Sealed(msgspec.Struct, array_like=True):
    """One statement, and where it is sealed."""

    key: str
    vid: str
    log: Log
    inputs: tuple[str, ...]
    mappers: tuple[str, ...]
    statement: Statement


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Sealed).decode


class Check:
    """A `StatementCheck` (evidence.verify.statements), in bounded memory."""

    def __init__(
        self, sorter: Callable[[], Sorter], provider_keys: Mapping[str, bytes] | None = None
    ) -> None:
        """Weigh by `provider_keys`, DER by fingerprint; without them, by the sealed ones."""
        self._gatherer = Gatherer(sorter)
        self._statements = sorter()
        self._trusted = provider_keys or {}
        self._sealed_keys: dict[str, dict[str, bytes]] = {}
        self._operations: set[str] = set()
        self._expired: set[tuple[str, str]] = set()
        self._findings: list[Finding] = []
        self._promised: list[tuple[int, int, Promise]] = []

    def sealed(self, place: int, entry: ObjectLeaf) -> None:
        """See `StatementCheck.sealed`: not relevant here."""

    def evidence(
        self, place: int, entry: ObjectLeaf, table: Table, *, void: frozenset[int], body: bytes
    ) -> None:
        """See `StatementCheck.evidence`."""

        def opened() -> Iterator[tuple[UnitLine, Sequence[bytes]]]:
            yield from lines_of_others(body, table)

        try:
            self._gatherer.take(
                place,
                entry.key,
                entry.vid,
                table=table,
                void=void,
                opened=opened,
            )
        except ValueError:
            # Its lines are invalid, so nothing in it counts; `verify --deep` names the unit.
            return

    def operation(self, place: int, entry: ObjectLeaf, body: bytes) -> None:
        """See `StatementCheck.operation`."""
        self._operations.add(entry.key)
        if promises.is_promise(entry.key):
            try:
                promise = promises.read(body, entry.key)
            except ValueError as error:
                self._find("statement_invalid", entry, str(error))
            else:
                self._promised.append((place, entry.at, promise))
            return
        if entry.key.endswith(KEYS_ENDING):
            try:
                self._sealed_keys[entry.key] = provider.read_keys(body)
            except provider.ProviderError as error:
                self._find("statement_invalid", entry, str(error))
        if not statement_file.is_statements(entry.key):
            return
        try:
            of_hour = statement_file.read(body)
        except (ValueError, RecursionError) as error:
            self._find("statement_invalid", entry, str(error))
            return
        if keys.parse_key(entry.key).hour != of_hour.hour:
            self._find("statement_invalid", entry, f"is about the hour {of_hour.hour}")
            return
        for each in of_hour.statements:
            sealed = _Sealed(
                entry.key, entry.vid, of_hour.log, of_hour.inputs, of_hour.mappers, each
            )
            subject = (of_hour.source, of_hour.hour, each.scope)
            self._statements.add(subject_key(subject), _encode(sealed))

    def expired(self, entry: ObjectLeaf) -> None:
        """See `StatementCheck.expired`."""
        stated = keys.parse_key(entry.key)
        self._expired.add((stated.source, stated.hour or ""))

    def lost(self, entry: ObjectLeaf) -> None:
        """See `StatementCheck.lost`: without claims it shows up as missing by itself."""

    def weigh(self, heads: Iterable[Head]) -> Weighed:
        """See `StatementCheck.weigh`."""
        ordered = list(heads)
        signed = {(head.origin, head.size): head for head in ordered}
        newest = ordered[-1] if ordered else None
        sealed = promises.times(
            (log.order(head.origin.rpartition("/")[2], head.size), head.at) for head in ordered
        )
        for place, at, promise in self._promised:
            self._gatherer.promised(place, at, promise, sealed=sealed.sealed(place))
        result = Weighed(findings=self._findings, verdicts={}, without=0)
        verdicts: Counter[str] = Counter()
        not_weighed: Counter[str] = Counter()
        for subject, items, statements in self._merged():
            if not statements:
                result.without += 1
                continue
            statements.sort(key=lambda each: (each.log.origin, each.log.size, each.key))
            for each in statements[-MOST_WEIGHED:]:
                problem = self._problem(subject, items, each, signed, not_weighed)
                if problem is not None:
                    self._false(subject, each, problem)
            if older := len(statements[:-MOST_WEIGHED]):
                not_weighed[_OLDER] += older
            standing = statements[-1]
            verdicts[str(standing.statement.verdict)] += 1
            is_listed = any(is_listing(key) for key in standing.inputs)
            if standing.statement.is_incomplete and is_listed:
                self._report(subject, standing.statement)
            elif standing.statement.is_incomplete and newest is not None:
                self._incomplete(subject, items, standing, newest)
        result.verdicts = dict(sorted(verdicts.items()))
        result.not_weighed = dict(sorted(not_weighed.items()))
        return result

    def _problem(
        self,
        subject: Subject,
        items: Sequence[Item],
        sealed: _Sealed,
        signed: Mapping[tuple[str, int], Head],
        not_weighed: Counter[str],
    ) -> str | None:
        """Return how a statement differs from what the log gives, or None."""
        head = signed.get((sealed.log.origin, sealed.log.size))
        if head is None or (head.root, head.at) != (sealed.log.root, sealed.log.at):
            return f"names a log head that was never signed: size {sealed.log.size}"
        absent = [key for key in sealed.inputs if key not in self._operations]
        if absent:
            return f"names an input that is not sealed: {absent[0]}"
        if subject[:2] in self._expired:
            not_weighed["on completeness: something of the hour has expired"] += 1
            return None
        if any(is_listing(key) for key in sealed.inputs):
            why = "on completeness: based on an API's listing, which cannot be repeated"
            not_weighed[why] += 1
            return None
        problem = _differs(sealed.statement, judge(subject, items, self._known(subject, sealed)))
        if (
            problem is None
            and sealed.statement.verdict is Verdict.PROVEN
            and self._rests_on_sealed_keys(sealed)
        ):
            not_weighed[_BY_SEALED_KEYS] += 1
        return problem

    def _rests_on_sealed_keys(self, sealed: _Sealed) -> bool:
        """Whether a statement may rest on a provider's key that only the deployment says is its."""
        own = {name for key in sealed.inputs for name in self._sealed_keys.get(key, {})}
        return bool(own - self._trusted.keys())

    def _known(self, subject: Subject, sealed: _Sealed, at: Log | None = None) -> Known:
        own: dict[str, bytes] = {}
        for key in sealed.inputs:
            own |= self._sealed_keys.get(key, {})
        return Known(
            log=at or sealed.log,
            keys={**own, **self._trusted},
            mappers=sealed.mappers,
            expired=subject[:2] in self._expired,
        )

    def _incomplete(
        self, subject: Subject, items: Sequence[Item], sealed: _Sealed, head: Head
    ) -> None:
        """Report what the statement in force says is missing, unless it has arrived since."""
        now = Log(head.origin, head.size, head.root, head.at)
        again = judge(subject, items, self._known(subject, sealed, now))
        if again.is_incomplete:
            self._report(subject, again)

    def _report(self, subject: Subject, again: Statement) -> None:
        what = ", ".join(f"{name} {count}" for name, count in sorted(again.totals.items()))
        first = next((f": {each.reason} {each.name}" for each in again.named), "")
        self._findings.append(
            Finding(code="hour_incomplete", key=_in_words(subject), detail=f"{what}{first}"[:_TEXT])
        )

    def _merged(self) -> Iterator[tuple[Subject, list[Item], list[_Sealed]]]:
        """Yield what exists for each subject: evidence, statements, or both."""
        evidence = iter(self._gatherer.close())
        gathered = next(evidence, None)
        for key, statements in self._by_subject():
            while gathered is not None and subject_key(gathered[0]) < key:
                yield gathered[0], gathered[1], []
                gathered = next(evidence, None)
            if gathered is not None and subject_key(gathered[0]) == key:
                yield gathered[0], gathered[1], statements
                gathered = next(evidence, None)
            else:
                yield subject_of(key), [], statements
        while gathered is not None:
            yield gathered[0], gathered[1], []
            gathered = next(evidence, None)

    def _by_subject(self) -> Iterator[tuple[bytes, list[_Sealed]]]:
        current: bytes | None = None
        group: list[_Sealed] = []
        for key, value in self._statements:
            if current is not None and key != current:
                yield current, group
                group = []
            current = key
            group.append(_decode(value))
        if current is not None:
            yield current, group

    def _false(self, subject: Subject, sealed: _Sealed, problem: str) -> None:
        self._findings.append(
            Finding(
                code="statement_false",
                key=sealed.key,
                version=sealed.vid,
                detail=f"{_in_words(subject)}: {problem}"[:_TEXT],
            )
        )

    def _find(self, code: str, entry: ObjectLeaf, detail: str) -> None:
        self._findings.append(
            Finding(code=code, key=entry.key, version=entry.vid, detail=detail[:_TEXT])
        )


def _differs(stated: Statement, own: Statement) -> str | None:
    """Return how a statement claims more than the evidence supports, or contradicts it; or None."""
    if ORDER.index(stated.verdict) > ORDER.index(own.verdict):
        return f"states {stated.verdict}; the log gives {own.verdict} ({', '.join(own.reasons)})"
    if "too_many" not in stated.reasons and set(stated.counts) != set(own.counts):
        other = sorted(set(stated.counts) ^ set(own.counts), key=lambda each: (each.key, each.u))
        return f"names other units: {other[0].u} of {other[0].key}"
    if (stated.expected, stated.found) != (own.expected, own.found):
        return (
            f"states {stated.found} of {stated.expected}; the log gives {own.found} of "
            f"{own.expected}"
        )
    for reason in _EXACT:
        claimed, recomputed = stated.totals.get(reason, 0), own.totals.get(reason, 0)
        if claimed != recomputed:
            return f"states {claimed} {reason}; the log gives {recomputed}"
    if stated.heartbeats != own.heartbeats:
        return f"states heartbeats {_of(stated.heartbeats)}; the log gives {_of(own.heartbeats)}"
    if stated.open_until != own.open_until:
        return f"is open until {stated.open_until}; the log gives {own.open_until}"
    return None


def _of(announced: Announced | None) -> str:
    return "none" if announced is None else f"{announced.found} of {announced.expected}"


def _in_words(subject: Subject) -> str:
    """Return a subject in words."""
    source, hour, scope = subject
    names = [getattr(scope, field) for field in Scope.__struct_fields__]
    return " ".join((source, hour, *(name for name in names if name)))
