"""What an AWS execution environment of the function `canary` does: the probes of an hour, once.

It first puts the plans of the hours to come, so that they are sealed before these begin. Then it
takes one role in each account, the canary, and makes the calls of this hour's plan as it; each
carries its nonce in the user agent. Whether a probe was recorded is decided by the sealed evidence
alone: here is seen only whether the canary still may no more than it should.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import boto3
import msgspec
from botocore.client import BaseClient
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence import __version__, partitions
from nhi_evidence.adapters import clock, environ
from nhi_evidence.adapters.aws import session
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.probes import MAX_CALLS_AN_HOUR, NONCE, Probe, probes
from nhi_evidence.coverage.cells import cells, setting_of
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import keys

_HOUR_MS = 3_600_000
AS_NOBODY = " as a key that does not exist"
"""What follows a call that is made with a made-up access key."""
_CLIENTS = {"bedrock": "bedrock-runtime"}
"""Prefix of a service's actions to the SDK's name of its client, where they differ."""
_NO_KEY = "AKIA7NHIEVIDENCENONE"
"""Of the form of an access key id; no account has it, and no secret is its own."""
_SECONDS = 10
HOURS_AHEAD = 3
"""Of so many hours to come the plans are put in each run: the sealer's clock may be late."""


class Settings(msgspec.Struct, frozen=True):
    """`NHI_EVIDENCE_*` environment of the function that probes."""

    bucket: str
    bucket_owner: str
    coverage_role: str
    """ARN of the role that may put under `op/v1/coverage`."""
    log_name: str
    """Of the log the plans are sealed in: nonces follow from it."""
    region: str
    """Where calls are made."""
    accounts: tuple[str, ...]
    """Accounts of AWS with a canary."""
    canary_role: str
    """ARN of the canary, with `{account}` for the account."""


class Done(msgspec.Struct, kw_only=True):
    """What one run came to."""

    hour: str
    planned: dict[str, str] = {}
    """Account and hour to the key of the plan that was put."""
    calls: int = 0
    """Calls that were made and answered, one way or the other."""
    skipped: int = 0
    """Probes that were left to the next hour: a run may make so many calls and no more."""
    unexpected: list[str] = []
    """Probes that were allowed and should have been refused, or the other way."""
    unanswered: list[str] = []
    """Probes nobody answered, and accounts whose canary could not be taken, and why."""


class Runner:
    """The probes of one account in one hour."""

    def __init__(
        self,
        account: str,
        region: str,
        principal: str,
        credentials: Mapping[str, str],
        done: Done,
    ) -> None:
        """Call as `principal`, which `credentials` are of; count into `done`."""
        self._region = region
        self._credentials = credentials
        self._done = done
        self._values = {
            "{partition}": _partition(region),
            "{region}": region,
            "{account}": account,
            "{principal}": principal,
        }

    def run(self, probe: Probe, nonce: str) -> None:
        """Make one call, once, and see whether it was refused as it should be."""
        call = probe.call.removesuffix(AS_NOBODY)
        service, _, operation = call.partition(":")
        credentials = self._credentials
        if call != probe.call:
            credentials = {"aws_access_key_id": _NO_KEY, "aws_secret_access_key": nonce}
        open_client: Any = boto3.client
        client = open_client(
            _CLIENTS.get(service, service),
            region_name=self._region,
            config=_configuration(nonce),
            **credentials,
        )
        methods = {client.meta.method_to_api_mapping[name]: name for name in _methods(client)}
        arguments = filled(probe.parameters, {**self._values, NONCE: nonce})
        try:
            getattr(client, methods[operation])(**arguments)
            outcome = "allowed"
        except ClientError as error:
            outcome = "refused"
            if error.response.get("Error", {}).get("Code") == "DryRunOperation":
                outcome = "allowed"
        except BotoCoreError as error:
            self._done.unanswered.append(f"{probe.cell}: {call}: {error}")
            return
        self._done.calls += 1
        if outcome != probe.outcome:
            self._done.unexpected.append(f"{probe.cell}: {call} was {outcome}")


def _methods(client: BaseClient) -> list[str]:
    return list(client.meta.method_to_api_mapping)


def _configuration(nonce: str) -> ClientConfig:
    """Return what marks a call, and has it made once: a retry would be a second record."""
    return ClientConfig(
        user_agent_extra=f"nhi-canary/{nonce}",
        retries={"total_max_attempts": 1},
        connect_timeout=_SECONDS,
        read_timeout=_SECONDS,
    )


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return parameters with what stands for something replaced by it."""
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace(name, text)
        return value
    if isinstance(value, dict):
        return {name: filled(each, values) for name, each in value.items()}
    return [filled(each, values) for each in value] if isinstance(value, list) else value


def probe_all(is_late: Callable[[], bool] = lambda: False) -> Done:
    """Put the plans of the hours to come, and make the probes of this one in every account.

    `is_late` says when no further call is made. Raises `SettingsError` and, where a plan could not
    be put, `StoreUnavailableError`: what is not announced proves nothing by its silence.
    """
    settings = environ.read_settings(Settings)
    now = clock.now()
    hour = keys.hour_of(now)
    done = Done(hour=hour)
    _announce(settings, now, done)
    due = due_in(hour)
    for account in settings.accounts:
        role = settings.canary_role.replace("{account}", account)
        try:
            credentials = _taken(role, settings.region)
        except (BotoCoreError, ClientError) as error:
            done.unanswered.append(f"{account}: {error}")
            continue
        runner = Runner(account, settings.region, role, credentials, done)
        for probe in due:
            if is_late():
                done.skipped += 1
                continue
            runner.run(probe, plans.nonce(settings.log_name, hour, probe, account))
    return done


def _announce(settings: Settings, now: int, done: Done) -> None:
    writer = S3EvidenceWriter(
        session.role_client(settings.coverage_role, session_name="canary"),
        settings.bucket,
        owner=settings.bucket_owner,
    )
    delays = {cell.id: setting_of(cell).delay_minutes for cell in cells()}
    for account in settings.accounts:
        principal = settings.canary_role.replace("{account}", account)
        for ahead in range(1, HOURS_AHEAD + 1):
            hour = keys.hour_of(now + ahead * _HOUR_MS)
            made = plans.plan(settings.log_name, "aws", hour, principal, delays, account=account)
            operation = plans.write(made)
            writer.put_new(operation.key, operation.body, metadata=operation.metadata)
            done.planned[f"{account} {hour}"] = operation.key


def due_in(hour: str) -> tuple[Probe, ...]:
    """Return the probes whose turn it is in an hour: those its plan announces.

    Taking the canary's role is a call, too. Raises `SettingsError` where they are too many.
    """
    start = keys.hour_start(hour)
    if start is None:
        raise SettingsError(f"{hour!r} is no hour, YYYYMMDDHH")
    due = tuple(one for one in probes("aws") if (start // _HOUR_MS) % one.every_hours == 0)
    if len(due) + 1 >= MAX_CALLS_AN_HOUR:
        raise SettingsError(f"{len(due)} probes of an hour: at most {MAX_CALLS_AN_HOUR - 2}")
    return due


def _taken(role: str, region: str) -> dict[str, str]:
    """Return the credentials of a canary for a quarter of an hour, the least there is."""
    answer = boto3.client("sts", region_name=region, config=session.CLIENT_CONFIG).assume_role(
        RoleArn=role, RoleSessionName=f"nhi-evidence-{__version__}", DurationSeconds=900
    )
    given = answer["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def _partition(region: str) -> str:
    known = partitions.of_region(region)
    if known is None:
        raise SettingsError(f"{region} belongs to no partition of AWS that is known")
    return known.name
