"""`nhi-evidence doctor`: look at what is deployed, and say what is wrong and how to mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import boto3
import msgspec
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.aws import (
    covered_account_checks,
    delivery_account_checks,
    evidence_account_checks,
    management_account_checks,
)
from nhi_evidence.adapters.aws.aws_checks import AwsChecks
from nhi_evidence.checks import WRONG, Check, State
from nhi_evidence.cli import config_file, elsewhere, exit_codes
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli.progress import Steps
from nhi_evidence.config import Config
from nhi_evidence.errors import SettingsError
from nhi_evidence.terminal.safe_text import neutralize

EXAMPLES = """\b
Examples:
  nhi-evidence doctor --profile evidence --profile log-archive
  nhi-evidence doctor --config trial.toml --json

\b
Exit codes: 0 all that was looked at is well (what was not is named); 1 something
is wrong; 4 nothing could be looked at; 64 wrong usage.
"""


class _Account:
    """Clients of one account, by credentials that were found to be its own."""

    def __init__(self, profile: str | None) -> None:
        self._session = boto3.session.Session(profile_name=profile)

    def account(self, region: str) -> str:
        sts = self._session.client("sts", region_name=region)
        return str(sts.get_caller_identity()["Account"])

    def client(self, service: str, region: str) -> Any:
        return self._session.client(service, region_name=region)  # type: ignore[call-overload]


def command(
    *,
    config: config_file.Option = config_file.DEFAULT,
    profile: Annotated[
        list[str] | None,
        typer.Option(help="Profile of the AWS configuration; several, one for each account."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Compare what is deployed with what the stacks write, and say how to mend it.

    Changes nothing. Policies, trusts, locks, expiry, notifications and alarms are compared
    statement by statement; what differs is "changed", what is not there "not deployed".
    Each profile (or the environment's credentials) is used for the account it belongs to. What
    no credentials reach, Google Cloud and Azure among it, is named as not seen, never as well.
    """
    read = config_file.load(Path(config))
    with Steps("looking") as steps:
        checks = []
        for check in _all(read, profile or ()):
            checks.append(check)
            steps.say("checks", len(checks))
    if as_json:
        typer.echo(msgspec.json.encode(checks))
    else:
        _show(checks)
    states = Counter(one.state for one in checks)
    if any(states[state] for state in WRONG):
        raise typer.Exit(exit_codes.WRONG)
    if not states[State.OK]:
        raise typer.Exit(exit_codes.FAILED)


def _all(read: Config, profiles: Sequence[str]) -> Iterator[Check]:
    region = read.evidence.buckets[0].region
    reached: dict[str, _Account] = {}
    for name in profiles or (None,):
        try:
            account = _Account(name)
            reached[account.account(region)] = account
        except (BotoCoreError, ClientError) as error:
            raise SettingsError(
                f"no access to AWS as {name or 'this environment'}: {error}"
            ) from error
    yield from _aws(read, reached)
    yield from elsewhere.checks(read)


def _aws(read: Config, reached: dict[str, _Account]) -> Iterator[Check]:
    now = datetime.fromtimestamp(clock.now() / 1000, UTC)
    parts: list[tuple[str, str, Callable[[_Account], Iterator[Check]]]] = [
        (
            "evidence account",
            read.evidence.account,
            lambda account: evidence_account_checks.checks(read, account, now),
        ),
        (
            "log-archive account",
            read.log_archive.account,
            lambda account: delivery_account_checks.checks(read, account),
        ),
    ]
    replicas = [one.replica.account for one in read.evidence.buckets if one.replica is not None]
    parts += [("replica account", one, _of_replica(read, one)) for one in dict.fromkeys(replicas)]
    management = read.organization.management_account
    if management is not None and read.guardrails is not None:
        parts.append(
            (
                "management account",
                management,
                lambda account: management_account_checks.checks(read, account),
            )
        )
    covered = () if read.coverage is None else read.coverage.accounts
    parts += [("account whose settings are read", one, _of_covered(read, one)) for one in covered]
    for kind, number, look in parts:
        if number in reached:
            yield from look(reached[number])
        else:
            yield AwsChecks(f"{kind} {number}").unseen(
                "everything", "no credentials of it were given"
            )


def _of_replica(read: Config, number: str) -> Callable[[_Account], Iterator[Check]]:
    return lambda account: evidence_account_checks.replica_checks(read, account, number)


def _of_covered(read: Config, number: str) -> Callable[[_Account], Iterator[Check]]:
    return lambda account: covered_account_checks.checks(read, account, number)


def _show(checks: list[Check]) -> None:
    console = Console(highlight=False, markup=False)
    states = Counter(one.state for one in checks)
    summary = ", ".join(f"{states[state]} {state}" for state in State if states[state])
    console.print(f"{_verdict(states)}: {summary}")
    scope = None
    for check in checks:
        if check.scope != scope:
            scope = check.scope
            console.print(f"\n{neutralize(scope)}")
        console.print(f"  {check.state:12} {neutralize(check.what)}: {neutralize(check.observed)}")
        if check.remediation:
            console.print(f"               remediation: {neutralize(check.remediation)}")


def _verdict(states: Counter[State]) -> str:
    if any(states[state] for state in WRONG):
        return "not well"
    return "all that was looked at is well" if states[State.OK] else "nothing was looked at"
