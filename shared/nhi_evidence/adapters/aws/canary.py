"""What an AWS execution environment of the function `canary` does: the probes of an hour, once.

It first puts the plans of the coming hours, so that they are sealed before these hours begin. Then
it assumes each canary (a role in each account, a service account of Google Cloud, an application of
Entra) and makes the calls of this hour's plan as that canary, each with its nonce. Whether a probe
was recorded is decided by the sealed evidence alone; this run only shows whether the canary can
still do no more than it should.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.adapters import clock, environ
from nhi_evidence.adapters.aws import session
from nhi_evidence.adapters.aws.identity_token import identity_token
from nhi_evidence.adapters.probing import aws_calls, clouds
from nhi_evidence.adapters.probing.clouds import EntraCanary, GoogleCanary
from nhi_evidence.adapters.probing.outcome import Done
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.probes import MAX_CALLS_AN_HOUR, Probe, probes
from nhi_evidence.coverage.cells import cells, setting_of
from nhi_evidence.errors import EvidenceError, SettingsError
from nhi_evidence.evidence import keys

__all__ = ["Done", "Settings", "due_in", "probe_all"]

_HOUR_MS = 3_600_000
HOURS_AHEAD = 3
"""Number of coming hours whose plans are put in each run: the sealer's clock may be late."""


class Settings(msgspec.Struct, frozen=True):
    """`NHI_EVIDENCE_*` environment of the function that probes."""

    bucket: str
    bucket_owner: str
    coverage_role: str
    """ARN of the role that may put under `op/v1/coverage`."""
    log_name: str
    """Name of the log in which the plans are sealed; nonces derive from it."""
    region: str
    """Region of the calls to AWS."""
    accounts: tuple[str, ...] = ()
    """AWS accounts with a canary."""
    canary_role: str = ""
    """ARN of the canary role, with `{account}` for the account."""
    google: GoogleCanary | None = None
    entra: EntraCanary | None = None


class _Runs(Protocol):
    def run(self, probe: Probe, nonce: str) -> None:
        """Make one call, once."""


class _Canary(NamedTuple):
    """One canary: where it is, who it is, and how to become it."""

    platform: str
    place: str
    """Account, project or tenant, which distinguishes its nonces from those of others."""
    principal: str
    federated: str
    take: Callable[[Done], _Runs]


def _canaries(settings: Settings) -> Iterator[_Canary]:
    for account in settings.accounts:
        role = settings.canary_role.replace("{account}", account)
        yield _Canary("aws", account, role, "", partial(_role, account, settings.region, role))
    google, entra = settings.google, settings.entra
    if google is not None:
        take: Callable[[Done], _Runs] = partial(clouds.google_runner, google, identity_token)
        yield _Canary("gcp", google.project, google.principal, google.federated, take)
    if entra is not None:
        take = partial(clouds.entra_runner, entra, identity_token)
        yield _Canary("entra", entra.tenant, entra.principal, "", take)


def _role(account: str, region: str, role: str, done: Done) -> _Runs:
    return aws_calls.Runner(account, region, role, aws_calls.taken(role, region), done)


def probe_all(is_late: Callable[[], bool] = lambda: False) -> Done:
    """Put the plans of the coming hours, and make this hour's probes as every canary.

    Once `is_late` returns true, no further call is made. Raises `SettingsError` and, if a plan
    could not be put, `StoreUnavailableError`: without a plan, a missing record proves nothing.
    """
    settings = environ.read_settings(Settings)
    now = clock.now()
    hour = keys.hour_of(now)
    done = Done(hour=hour)
    canaries = list(_canaries(settings))
    _announce(settings, canaries, now, done)
    for canary in canaries:
        due = due_in(hour, canary.platform)
        try:
            runner = canary.take(done)
        except (BotoCoreError, ClientError, EvidenceError) as error:
            done.unanswered.append(f"{canary.place}: {error}")
            continue
        for probe in due:
            if is_late():
                done.skipped += 1
                continue
            runner.run(probe, plans.nonce(settings.log_name, hour, probe, canary.place))
    return done


def _announce(settings: Settings, canaries: Sequence[_Canary], now: int, done: Done) -> None:
    writer = S3EvidenceWriter(
        session.role_client(settings.coverage_role, session_name="canary"),
        settings.bucket,
        owner=settings.bucket_owner,
    )
    delays = {cell.id: setting_of(cell).delay_minutes for cell in cells()}
    for canary in canaries:
        for ahead in range(1, HOURS_AHEAD + 1):
            hour = keys.hour_of(now + ahead * _HOUR_MS)
            plan = plans.plan(
                settings.log_name,
                canary.platform,
                hour,
                canary.principal,
                delays,
                account=canary.place,
                federated=canary.federated,
            )
            operation = plans.write(plan)
            writer.put_new(operation.key, operation.body, metadata=operation.metadata)
            done.planned[f"{canary.place} {hour}"] = operation.key


def due_in(hour: str, platform: str = "aws") -> tuple[Probe, ...]:
    """Return the probes of a platform that are due in an hour: those its plan announces.

    Becoming the canary takes calls as well. Raises `SettingsError` if there are too many.
    """
    start = keys.hour_start(hour)
    if start is None:
        raise SettingsError(f"{hour!r} is not an hour, YYYYMMDDHH")
    due = tuple(one for one in probes(platform) if (start // _HOUR_MS) % one.every_hours == 0)
    if len(due) + clouds.TAKING >= MAX_CALLS_AN_HOUR:
        most = MAX_CALLS_AN_HOUR - clouds.TAKING - 1
        raise SettingsError(f"{len(due)} probes in one hour, more than {most}")
    return due
