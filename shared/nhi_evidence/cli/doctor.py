"""`nhi-evidence doctor`: look at what is deployed, and say what is wrong and how to mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import boto3
import msgspec
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.aws import delivery_account_checks, evidence_account_checks
from nhi_evidence.checks import Check, State
from nhi_evidence.cli import config_file, exit_codes
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
Exit codes: 0 all that was looked at is well (what was not is said); 1 something
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
    """Look at a deployed estate, and say what is wrong and how to mend it. Changes nothing.

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
    if states[State.FAILED]:
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
    evidence, logs = read.evidence.account, read.log_archive.account
    if evidence in reached:
        now = datetime.fromtimestamp(clock.now() / 1000, UTC)
        yield from evidence_account_checks.checks(read, reached[evidence], now)
    else:
        yield _unseen(f"evidence account {evidence}", "no credentials of it were given")
    if logs in reached:
        yield from delivery_account_checks.checks(read, reached[logs])
    else:
        yield _unseen(f"log-archive account {logs}", "no credentials of it were given")
    if read.gcp is not None:
        yield _unseen(f"Google Cloud, {read.gcp.project}", "see docs/deploy-gcp.md, alarms")
    if read.azure is not None:
        yield _unseen(f"Azure, {read.azure.tenant}", "see docs/deploy-azure.md, alarms")


def _unseen(scope: str, why: str) -> Check:
    return Check(scope, "everything", State.UNKNOWN, why)


def _show(checks: list[Check]) -> None:
    console = Console(highlight=False, markup=False)
    scope = None
    for check in checks:
        if check.scope != scope:
            scope = check.scope
            console.print(f"\n{neutralize(scope)}")
        console.print(f"  {check.state:9} {neutralize(check.what)}: {neutralize(check.observed)}")
        if check.remediation:
            console.print(f"            remediation: {neutralize(check.remediation)}")
    states = Counter(one.state for one in checks)
    summary = ", ".join(f"{states[state]} {state}" for state in State if states[state])
    console.print(f"\n{summary}")
