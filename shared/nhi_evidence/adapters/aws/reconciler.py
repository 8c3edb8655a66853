"""What an AWS execution environment of the function that reconciles does, and builds once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

import msgspec

from nhi_evidence import sources
from nhi_evidence.adapters import clock, environ
from nhi_evidence.adapters.aws import public_keys, session
from nhi_evidence.adapters.aws.identity_token import identity_token
from nhi_evidence.adapters.listing import hours as listed_hours
from nhi_evidence.adapters.listing.hours import ApiScope, Hour
from nhi_evidence.adapters.probing.weighing import Probed, weigh_due
from nhi_evidence.adapters.signing import signers
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.adapters.store.s3_versions import S3EvidenceVersions
from nhi_evidence.adapters.store.spilling import Sorters
from nhi_evidence.completeness import provider_keys, records, statement_file
from nhi_evidence.completeness import reconcile as completeness
from nhi_evidence.completeness.due import Due
from nhi_evidence.completeness.ended import is_ended
from nhi_evidence.completeness.hours import HOUR_MS
from nhi_evidence.completeness.judge import Known
from nhi_evidence.completeness.reasons import REASONS
from nhi_evidence.completeness.saved import DELIVERED_AS
from nhi_evidence.completeness.sealed import is_evidence
from nhi_evidence.completeness.statement import Statements, Subject
from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.errors import SourceUnavailableError
from nhi_evidence.evidence import keys, note, provider

_NEIGHBORS_MS = 3 * HOUR_MS
"""How far before the first due hour evidence is read: lists and runs may reach into it."""
_MOST_NAMED = 50
"""Maximum number of things that one run names in its log."""


class Settings(msgspec.Struct, frozen=True):
    """`NHI_EVIDENCE_*` environment of the function that reconciles."""

    bucket: str
    bucket_owner: str
    log_name: str
    signing_keys: tuple[str, ...]
    """KMS keys the log is signed with, by id, ARN or alias; only their public halves are used."""
    operator_role: str
    """ARN of the role that may put under `op/v1/recon`."""
    grace_days: float
    """How long after the end of a lock lifecycle may remove a version."""
    mappers: tuple[str, ...] = ()
    """Digests of the releases that count, the latest last; empty accepts any."""
    listings: tuple[ApiScope, ...] = ()
    """What to list through the APIs of Google Cloud and Microsoft."""


class Done(msgspec.Struct, kw_only=True):
    """The result of one run."""

    statements: int = 0
    """Source hours and scopes that were judged."""
    verdicts: dict[str, int] = {}
    incomplete: int = 0
    """How many of them are known to lack something."""
    missing: int = 0
    """Things that are missing, altered or not counted, over all statements."""
    unbacked: int = 0
    unproven: int = 0
    """Statements that show that an expected proof has ended (`completeness.ended`)."""
    ended: list[str] = []
    """The first of these, with their reasons."""
    named: list[str] = []
    """The first of what is missing or unbacked, by name."""
    unsound: list[str] = []
    """Objects whose claims are void."""
    problems: list[str] = []
    """What could not be queried, and why: the hours concerned are unprovable."""
    size: int = 0
    """Size of the log that was read."""
    canaries: Probed = msgspec.field(default_factory=Probed)
    """The result of weighing the canaries that were due."""


class _Clients:
    """The evidence store to read, and the only prefix to write."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = S3EvidenceVersions(session.own_client(), settings.bucket)
        self.writer = S3EvidenceWriter(
            session.role_client(settings.operator_role, session_name="reconcile"),
            settings.bucket,
            owner=settings.bucket_owner,
        )
        public = (one.public_key() for one in signers.open_signers([], settings.signing_keys))
        self.keys = [note.from_spki(settings.log_name, der) for der in public]

    def put(self, operation: Operation) -> str:
        """Put an object under `op/v1/recon`; return its key."""
        self.writer.put_new(operation.key, operation.body, metadata=operation.metadata)
        return operation.key


@cache
def _clients() -> _Clients:
    return _Clients(environ.read_settings(Settings))


def reconcile(is_late: Callable[[], bool] = lambda: False) -> Done:
    """Judge every hour that is due, and put the statements.

    Canaries come last; once `is_late` returns true, no further evidence is read for them.

    Raises `SettingsError`, `StoreUnavailableError`, and `LogError` if the log is inconsistent.
    """
    clients, now = _clients(), clock.now()
    due = Due(clients.store, now)
    wanted = [hour for hour in due.hours if _is_wanted(due, hour, clients.settings.listings)]
    if not wanted:
        return Done()
    first = (keys.hour_start(wanted[0]) or now) - _NEIGHBORS_MS
    sealed = completeness.recent(
        clients.store, clients.settings.log_name, clients.keys, since=first
    )
    with Sorters() as sorters:
        read = completeness.gather(
            clients.store,
            sealed,
            sorters,
            wanted=lambda _source, hour: (keys.hour_start(hour) or now) >= first,
            now=now,
            grace_ms=int(clients.settings.grace_days * 24 * HOUR_MS),
        )
        done = Done(size=read.log.size, unsound=sorted(read.unsound)[:_MOST_NAMED])
        inputs, known = _public_keys(clients, read, first, now, done)
        judged = Known(log=read.log, keys=known, mappers=clients.settings.mappers)
        for of_hour in completeness.statements(read, judged, inputs=inputs, due=due):
            for operation in statement_file.write(of_hour):
                clients.put(operation)
            _count(done, of_hour)
        for of_hour in _listed(clients, sealed, due, wanted, sorters=sorters, now=now, done=done):
            for operation in statement_file.write(of_hour):
                clients.put(operation)
            _count(done, of_hour)
    done.canaries = weigh_due(clients.store, sealed, clients.put, clients.settings.mappers, is_late)
    return done


def _is_wanted(due: Due, hour: str, listings: Sequence[ApiScope]) -> bool:
    return any(due(name, hour) for name in sources.names()) or any(
        due.of_scope(listed_hours.source_of(each), hour, listed_hours.scope_of(each))
        for each in listings
    )


def _listed(
    clients: _Clients,
    sealed: completeness.Sealed,
    due: Due,
    wanted: Sequence[str],
    *,
    sorters: Sorters,
    now: int,
    done: Done,
) -> Iterator[Statements]:
    """Yield statements on the hours that are judged by an API's listing."""
    every_hour: list[Hour] = []
    for scope in clients.settings.listings:
        source = listed_hours.source_of(scope)
        of = listed_hours.scope_of(scope)
        own = [hour for hour in wanted if due.of_scope(source, hour, of)]
        hours, problem = listed_hours.ask(scope, own, identity_token, sorters, now)
        every_hour += hours
        if problem:
            done.problems.append(problem)
    for each in every_hour:
        each.put_listing(clients.put)
    _see(clients, sealed, every_hour)
    for each in every_hour:
        statement = each.conclude(clients.put)
        yield Statements(
            source=each.source,
            hour=each.hour,
            log=sealed.log,
            inputs=tuple(sorted(each.inputs)),
            mappers=clients.settings.mappers,
            statements=(statement,),
        )


def _see(clients: _Clients, sealed: completeness.Sealed, of_sources: Sequence[Hour]) -> None:
    """Show each hour the records that may belong to it: all of its source in the entries read."""
    by_source: dict[str, list[Hour]] = {}
    for each in of_sources:
        by_source.setdefault(DELIVERED_AS[each.source], []).append(each)
    chosen = [
        (entry, by_source[keys.parse_key(entry.key).source])
        for _, entry in sealed.entries
        if is_evidence(entry) and keys.parse_key(entry.key).source in by_source
    ]
    bodies = clients.store.bodies((entry.key, entry.vid) for entry, _ in chosen)
    for (entry, hours), body in zip(chosen, bodies, strict=True):
        try:
            units = records.read(entry, body)
        except ValueError:
            continue  # its claims are void; `verify` reports it
        for each in hours:
            each.see(units)


def _public_keys(
    clients: _Clients, read: completeness.Read, begins: int, ends: int, done: Done
) -> tuple[tuple[str, ...], dict[str, bytes]]:
    """Fetch and seal the public keys of every region whose files are in the evidence."""
    verified: dict[str, bytes] = {}
    places: list[str] = []
    for region in _regions(subject for subject, _ in read.items):
        try:
            listed = public_keys.listed(region, begins, ends)
        except SourceUnavailableError as error:
            done.problems.append(str(error))
            continue
        verified |= provider.read_keys(listed)
        places.append(clients.put(provider_keys.write(listed, keys.hour_of(ends))))
    return tuple(sorted(set(places))), verified


def _regions(subjects: Iterable[Subject]) -> list[str]:
    return sorted(
        {
            scope.region
            for source, _, scope in subjects
            if scope.region and sources.signing_source(source) is not None
        }
    )


def _count(done: Done, of_hour: Statements) -> None:
    verdicts = Counter(done.verdicts)
    for each in of_hour.statements:
        done.statements += 1
        verdicts[str(each.verdict)] += 1
        if is_ended(of_hour, each):
            done.unproven += 1
            what = f"{of_hour.hour} {of_hour.source} {each.scope.account} {each.scope.region}"
            done.ended += [f"{what} {', '.join(each.reasons)}"][: _MOST_NAMED - len(done.ended)]
        if not each.is_incomplete:
            continue
        done.incomplete += 1
        grave = {
            reason: count for reason, count in each.totals.items() if REASONS[reason].is_incomplete
        }
        done.unbacked += grave.pop("unbacked", 0)
        done.missing += sum(grave.values())
        done.named += [
            f"{of_hour.hour} {named.reason} {named.name}"
            for named in each.named[: _MOST_NAMED - len(done.named)]
            if REASONS[named.reason].is_incomplete
        ]
    done.verdicts = dict(sorted(verdicts.items()))
