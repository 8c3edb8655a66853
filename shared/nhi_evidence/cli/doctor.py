"""`nhi-evidence doctor`: check what is deployed, and say what is wrong and how to fix it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence import __version__
from nhi_evidence.adapters import clock
from nhi_evidence.adapters.aws import (
    covered_account_checks,
    delivery_account_checks,
    evidence_account_checks,
    management_account_checks,
)
from nhi_evidence.adapters.aws.aws_checks import AwsChecks
from nhi_evidence.checks import Check
from nhi_evidence.cli import config_file, elsewhere, exit_codes, json_output, reading_output, screen
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli.progress import Steps
from nhi_evidence.config import Config, built_code
from nhi_evidence.config.built_code import BuiltCode
from nhi_evidence.errors import SettingsError
from nhi_evidence.terminal import doctor_report
from nhi_evidence.terminal.doctor_report import Report

EXAMPLES = """\b
Examples:
  nhi-evidence doctor --profile evidence --profile log-archive
  nhi-evidence doctor --config trial.toml --built cdk.out --json
  az account get-access-token --query accessToken -o tsv |
      nhi-evidence doctor --azure-token -

Exit codes: 0 everything checked is as it should be (the rest is listed); 1 something
is wrong; 4 nothing could be checked; 64 wrong usage.
"""


class _Account:
    """Clients of one account, with credentials that belong to it."""

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
        typer.Option(help="AWS profile, one for each account."),
    ] = None,
    gcp_token: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File with an access token for Google Cloud, or -."),
    ] = None,
    azure_token: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File with a token for Azure Resource Manager, or -."),
    ] = None,
    graph_token: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File with a token for Microsoft Graph: the canary."),
    ] = None,
    built: Annotated[
        list[Path] | None,
        typer.Option(
            file_okay=False,
            help="Folder written by `make synth`, to compare the functions' code with. "
            "[default: cdk.out and cdktf.out, if they exist]",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Compare what is deployed with what the stacks define, and say how to fix differences.

    Changes nothing. Policies, trusts, locks, expiry, notifications, queues, functions and alarms
    are compared one by one; what differs is "changed", what is missing "not deployed". Each
    profile (or the environment's credentials) is used for the account it belongs to, each token
    for its cloud. What none of them reaches is reported as not seen, never as correct.
    """
    read = config_file.load(Path(config))
    code = _built(built)
    tokens = _Tokens(
        *(
            None if file is None else reading_output.token(file)
            for file in (gcp_token, azure_token, graph_token)
        )
    )
    with Steps("looking") as steps:
        checks = []
        for check in _all(read, profile or (), code, tokens):
            checks.append(check)
            steps.say("checks", len(checks))
    report = doctor_report.report(checks, __version__)
    if as_json:
        json_output.write("doctor", report)
    else:
        _show(report)
    if report.verdict == "not well":
        raise typer.Exit(exit_codes.WRONG)
    if report.verdict == "nothing was looked at":
        raise typer.Exit(exit_codes.FAILED)


def _built(folders: list[Path] | None) -> BuiltCode | None:
    """Return what all folders together say was built. Raises `SettingsError`."""
    functions: dict[str, built_code.Package] = {}
    for folder in folders or _FOLDERS:
        code = built_code.read(folder)
        if code is not None:
            functions |= code.functions
        elif folders:
            raise SettingsError(f"{folder}: has no {built_code.FILE_NAME}: run make synth")
    return BuiltCode(functions=functions) if functions else None


_FOLDERS = (Path("cdk.out"), Path("cdktf.out"))
"""Folders `make deploy` and `make synth` write to."""


class _Tokens(NamedTuple):
    """Access to the other clouds; None where no token was given."""

    gcp: str | None
    azure: str | None
    graph: str | None


def _all(
    read: Config, profiles: Sequence[str], built: BuiltCode | None, tokens: _Tokens
) -> Iterator[Check]:
    region = read.evidence.buckets[0].region
    reached: dict[str, _Account] = {}
    for name in profiles or (None,):
        try:
            account = _Account(name)
            reached[account.account(region)] = account
        except (BotoCoreError, ClientError) as error:
            raise SettingsError(
                f"no access to AWS {f'as {name}' if name else 'from this environment'}: {error}"
            ) from error
    yield from _aws(read, reached, built)
    yield from elsewhere.checks(
        read,
        gcp_token=tokens.gcp,
        azure_token=tokens.azure,
        graph_token=tokens.graph,
        built=built,
    )


def _aws(read: Config, reached: dict[str, _Account], built: BuiltCode | None) -> Iterator[Check]:
    now = datetime.fromtimestamp(clock.now() / 1000, UTC)
    parts: list[tuple[str, str, Callable[[_Account], Iterator[Check]]]] = [
        (
            "evidence account",
            read.evidence.account,
            lambda account: evidence_account_checks.checks(read, account, now, built),
        ),
        (
            "log-archive account",
            read.log_archive.account,
            lambda account: delivery_account_checks.checks(read, account, built),
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
    probed = [account for one in read.canaries for account in one.accounts]
    parts += [("account with a canary", one, _of_probed(read, one)) for one in probed]
    for kind, number, look in parts:
        if number in reached:
            yield from look(reached[number])
        else:
            yield AwsChecks(f"{kind} {number}").unseen(
                "everything", "no credentials for it were given"
            )


def _of_replica(read: Config, number: str) -> Callable[[_Account], Iterator[Check]]:
    return lambda account: evidence_account_checks.replica_checks(read, account, number)


def _of_covered(read: Config, number: str) -> Callable[[_Account], Iterator[Check]]:
    return lambda account: covered_account_checks.checks(read, account, number)


def _of_probed(read: Config, number: str) -> Callable[[_Account], Iterator[Check]]:
    return lambda account: covered_account_checks.canary_checks(read, account, number)


def _show(report: Report) -> None:
    counts = report.states.items()
    summary = ", ".join(f"{count} {state}" for state, count in counts if count)
    screen.say(f"{_VERDICTS[report.verdict]}: {summary}")
    scope = None
    for check in report.checks:
        if check.scope != scope:
            scope = check.scope
            screen.say("", scope)
        screen.say(f"  {check.state:12} {check.what}: {check.observed}")
        if check.remediation:
            screen.say(f"               remediation: {check.remediation}")


_VERDICTS = {
    "well": "all that was looked at is well",
    "not well": "not well",
    "nothing was looked at": "nothing was looked at",
}
