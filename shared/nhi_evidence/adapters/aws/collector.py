"""What an AWS execution environment of the function `coverage` does, and builds once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial

import msgspec

from nhi_evidence import __version__
from nhi_evidence.adapters import clock, environ
from nhi_evidence.adapters.aws import session
from nhi_evidence.adapters.aws.identity_token import identity_token
from nhi_evidence.adapters.collecting import aws_accounts, clouds
from nhi_evidence.adapters.collecting.aws_accounts import Accounts
from nhi_evidence.adapters.collecting.clouds import GooglePlace, MicrosoftPlace, VaultPlace
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.adapters.store.s3_versions import S3EvidenceVersions
from nhi_evidence.completeness import promises
from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.coverage import cells, gathering, heartbeats, reading_file, verdict_file
from nhi_evidence.coverage.answers import Deployment, Reading, ReadingError
from nhi_evidence.coverage.canary import statement as canaries
from nhi_evidence.coverage.canary.weigh import Weighed, stretches
from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.coverage.verdict_file import Before, Stated
from nhi_evidence.evidence import keys
from nhi_evidence.ports import EvidenceVersions

NO_KEY = "asked with a long-lived key alone, and none is stored: use nhi-evidence collect"
_MOST_NAMED = 50
"""Maximum number of calls and cells that one run names in its log."""
_HOUR_MS = 3_600_000
_HOURS_BACK = 25
"""How far back a run looks for the verdicts of the previous run."""


class Settings(msgspec.Struct, frozen=True):
    """`NHI_EVIDENCE_*` environment of the function that reads settings."""

    bucket: str
    bucket_owner: str
    region: str
    """Region of the bucket, and of calls that are not regional."""
    config_role: str
    """ARN of the role that may put under `op/v1/config`."""
    coverage_role: str
    """ARN of the role that may put under `op/v1/coverage`."""
    deployment: Deployment
    """What this deployment takes in."""
    accounts: tuple[str, ...] = ()
    """AWS accounts whose settings are read."""
    reader_role: str = ""
    """ARN of the role that reads in them, with `{account}` for the account."""
    canaries: bool = False
    """Whether statements on canaries are read: they take precedence over settings."""
    identities: tuple[str, ...] = ()
    """ARNs of users and roles whose state is read, in those accounts."""
    google: GooglePlace | None = None
    microsoft: MicrosoftPlace | None = None
    vault: VaultPlace | None = None


class Done(msgspec.Struct, kw_only=True):
    """The result of one run."""

    readings: dict[str, str] = {}
    """By platform, the key of its reading."""
    answers: int = 0
    refused: int = 0
    """How many of these are denied or failed, and so say nothing."""
    refusals: list[str] = []
    """The first of the denied or failed ones."""
    unreadable: list[str] = []
    """Platforms that answered nothing at all, and accounts that could not be entered, and why."""
    promised: dict[str, str] = {}
    """By coming hour, the key of the heartbeats promised for it."""
    verdicts: dict[str, int] = {}
    stated: str = ""
    """Key of the verdicts."""
    canaries: list[str] = []
    """Keys of the statements on canaries that were read."""
    lost: list[str] = []
    """Cells that were recorded here at the previous run, but are not known to be now."""
    problems: list[str] = []
    """Stored objects that could not be read, and other problems."""


class _Clients:
    """The evidence store: earlier statements are read, two prefixes are written."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = S3EvidenceVersions(session.own_client(), settings.bucket)
        self._writers = {
            kind: S3EvidenceWriter(
                session.role_client(role, session_name="coverage"),
                settings.bucket,
                owner=settings.bucket_owner,
            )
            for kind, role in (
                (reading_file.KIND, settings.config_role),
                (verdict_file.KIND, settings.coverage_role),
            )
        }

    def put(self, operation: Operation) -> str:
        """Put an object with the role of its kind; return its key."""
        writer = self._writers[keys.parse_key(operation.key).source]
        writer.put_new(operation.key, operation.body, metadata=operation.metadata)
        return operation.key


@cache
def _clients() -> _Clients:
    return _Clients(environ.read_settings(Settings))


def collect(is_late: Callable[[], bool] = lambda: False) -> Done:
    """Read the settings of every account and cloud, keep the readings, and put the verdicts.

    Once `is_late` returns true, no further account is started. Raises `SettingsError` and
    `StoreUnavailableError`: the next run reads again what could not be locked.
    """
    clients, now = _clients(), clock.now()
    done = Done()
    readings: list[Reading] = []
    for read in _collectors(clients.settings, now, is_late):
        reading = read()
        readings.append(reading)
        done.readings[reading.platform] = clients.put(reading_file.write(reading))
        _count(done, reading)
        _promise(clients, reading, now, done)
    weighed = _canaries(clients.store, now, done) if clients.settings.canaries else []
    result = matrix(readings, proofs=tuple(stretches(weighed).items()))
    before = _before(clients.store, now, done)
    stated = verdict_file.state(
        result, done.readings, release=__version__, before=before, canaries=done.canaries
    )
    done.stated = clients.put(verdict_file.write(stated))
    done.verdicts = dict(sorted(Counter(str(one.verdict) for one in result.cells).items()))
    done.lost = [f"{one.cell}: {one.was}, now {one.verdict}" for one in stated.lost]
    return done


def _collectors(
    settings: Settings, now: int, is_late: Callable[[], bool]
) -> Iterator[Callable[[], Reading]]:
    if settings.accounts:
        roles = tuple(
            (account, settings.reader_role.replace("{account}", account))
            for account in settings.accounts
        )
        accounts = Accounts(
            roles=roles,
            region=settings.region,
            evidence_bucket=settings.bucket,
            evidence_account=settings.bucket_owner,
            identities=settings.identities,
        )
        yield partial(
            aws_accounts.read,
            accounts,
            at=now,
            deployment=settings.deployment,
            is_late=is_late,
        )
    own = {"at": now, "deployment": settings.deployment}
    if settings.google is not None:
        yield partial(clouds.read_google, settings.google, identity_token, **own)  # type: ignore[arg-type]
    if settings.microsoft is not None:
        yield partial(clouds.read_microsoft, settings.microsoft, identity_token, **own)  # type: ignore[arg-type]
    if settings.vault is not None:
        yield partial(clouds.read_vault, settings.vault, identity_token, **own)  # type: ignore[arg-type]
    for platform, source in cells.asked_with_a_key_alone().items():
        if settings.deployment.source(source) is not None:
            yield partial(gathering.refused, platform, NO_KEY, **own)  # type: ignore[arg-type]


def _promise(clients: _Clients, reading: Reading, now: int, done: Done) -> None:
    """Put the heartbeats expected in the coming hours, before these begin."""
    if reading.platform != "aws":
        return
    try:
        due = heartbeats.promises(reading, now)
    except gathering.OTHER_SHAPE as error:
        done.problems.append(f"no heartbeats are promised: an answer has another shape: {error!r}")
        return
    for promise in due:
        done.promised[promise.hour] = clients.put(promises.write(promise))


def _count(done: Done, reading: Reading) -> None:
    unread = gathering.unread(reading)
    done.answers += len(reading.answers) - 1
    done.refused += len(unread)
    done.refusals += [
        f"{one.name}: {one.error}" for one in unread[: _MOST_NAMED - len(done.refusals)]
    ]
    # If a role cannot be assumed, nothing is known about its account.
    done.unreadable += [
        f"{reading.platform} {one.scope}: {one.error}"
        for one in reading.unread(aws_accounts.TAKING)
    ]
    keyed = cells.asked_with_a_key_alone()
    if gathering.is_empty(reading) and reading.platform not in keyed:
        why = unread[-1].error if unread else "nothing was answered"
        done.unreadable.append(f"{reading.platform}: {why}")


def _canaries(store: EvidenceVersions, now: int, done: Done) -> list[Weighed]:
    """Return the results of the last hours' canaries, by the newest statement on each hour.

    Note in `done` which statements were read, and which could not be.
    """
    newest: dict[tuple[str, str], tuple[int, str, canaries.Stated]] = {}
    for age in range(_HOURS_BACK):
        versions = [
            (each.key, each.id)
            for each in store.versions(f"{canaries.PREFIX}h={keys.hour_of(now - age * _HOUR_MS)}/")
            if not each.marker and each.key.endswith(canaries.ENDING)
        ]
        for (key, _), body in zip(versions, store.bodies(versions), strict=True):
            try:
                stated = canaries.read(body or b"", key)
            except ReadingError as error:
                done.problems.append(str(error))
                continue
            place = (stated.header.platform, stated.header.hour)
            new = (stated.header.log.at, key, stated)
            newest[place] = max(newest.get(place, new), new, key=lambda each: each[:2])
    done.canaries = sorted(key for _, key, _ in newest.values())
    return [each for _, _, stated in newest.values() for each in stated.weighed]


def _before(store: EvidenceVersions, now: int, done: Done) -> Before | None:
    """Return the newest verdicts, or None; note in `done` which could not be read."""
    for age in range(_HOURS_BACK):
        hour = keys.hour_of(now - age * _HOUR_MS)
        prefix = f"op/v1/{verdict_file.KIND}/h={hour}/"
        versions = [
            (one.key, one.id)
            for one in store.versions(prefix)
            if not one.marker and one.key.endswith(verdict_file.ENDING)
        ]
        known: list[tuple[int, str, Stated]] = []
        for (key, _), body in zip(versions, store.bodies(versions), strict=True):
            try:
                stated = verdict_file.read(body or b"", key)
            except ReadingError as error:
                done.problems.append(str(error))
            else:
                known.append((stated.at, key, stated))
        if known:
            _, key, stated = max(known, key=lambda each: each[:2])
            return Before(key, stated)
    return None
