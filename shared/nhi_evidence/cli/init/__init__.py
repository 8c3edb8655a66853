"""`nhi-evidence init`: write the configuration file of a deployment, by asking."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence import config
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli.init.answers import Answers
from nhi_evidence.cli.init.questions import parts
from nhi_evidence.cli.init.text import text
from nhi_evidence.errors import SettingsError

EXAMPLES = """\b
Examples:
  nhi-evidence init
  nhi-evidence init --no-input -o trial.toml --organization o-exampleorg1 \\
      --log-archive-account 111122223333 --evidence-account 222233334444 \\
      --region eu-central-1 --log-name example.org/evidence --retention-days 0 \\
      --trail-kind existing --trail-bucket organization-trail --trail-region eu-central-1 \\
      --keep-source yes --email security@example.org --budget 200 --objects-per-hour 100000

\b
Exit codes: 0 written; 4 not written (said on standard error): the file is
there already, or an answer is wrong or missing; 64 wrong usage.
"""


class _Outcome(msgspec.Struct):
    file: str
    trial: bool
    next: list[str]


def command(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", dir_okay=False, help="Where to write it.")
    ] = Path(config.FILE_NAME),
    no_input: Annotated[
        bool, typer.Option("--no-input", help="Ask nothing: what is missing is an error.")
    ] = False,
    organization: Annotated[str | None, typer.Option(help="Id of the AWS organization.")] = None,
    management_account: Annotated[
        str | None, typer.Option(help="Its management account; for a new trail.")
    ] = None,
    log_archive_account: Annotated[
        str | None, typer.Option(help="Account the trail delivers to.")
    ] = None,
    evidence_account: Annotated[
        str | None, typer.Option(help="Account for evidence alone.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Region of the evidence.")] = None,
    bucket: Annotated[str | None, typer.Option(help="Name of the evidence bucket.")] = None,
    log_name: Annotated[str | None, typer.Option(help="Name of its signed log.")] = None,
    retention_days: Annotated[
        str | None, typer.Option(help="Days each object is locked; 0: a trial of one day.")
    ] = None,
    confirm_compliance_days: Annotated[
        str | None, typer.Option(help="The same once more, if over 30: nobody can undo it.")
    ] = None,
    signer: Annotated[str | None, typer.Option(help="ed25519 (default) or p256.")] = None,
    trail_kind: Annotated[str | None, typer.Option(help="existing or new.")] = None,
    trail_bucket: Annotated[str | None, typer.Option(help="Bucket of the trail.")] = None,
    trail_region: Annotated[str | None, typer.Option(help="Region of that bucket.")] = None,
    data_events: Annotated[
        str | None, typer.Option(help="Of a new trail: resource types with commas, or none.")
    ] = None,
    keep_source: Annotated[
        str | None, typer.Option(help="yes or no: keep delivered files as well.")
    ] = None,
    gcp_organization: Annotated[
        str | None, typer.Option(help="Number of the Google Cloud organization, if any.")
    ] = None,
    gcp_project: Annotated[str | None, typer.Option(help="Project to deploy to.")] = None,
    gcp_region: Annotated[str | None, typer.Option(help="Region to deploy to.")] = None,
    gcp_audience: Annotated[str | None, typer.Option(help="Audience of its tokens.")] = None,
    azure_tenant: Annotated[str | None, typer.Option(help="Id of the tenant, if any.")] = None,
    azure_subscriptions: Annotated[
        str | None, typer.Option(help="Subscriptions, with commas.")
    ] = None,
    azure_location: Annotated[str | None, typer.Option(help="Location to deploy to.")] = None,
    azure_audience: Annotated[str | None, typer.Option(help="Audience of its tokens.")] = None,
    auditor: Annotated[
        str | None, typer.Option(help="Roles of an auditor, with commas, if any.")
    ] = None,
    external_id: Annotated[str | None, typer.Option(help="External id they will give.")] = None,
    auditor_mfa: Annotated[
        str | None, typer.Option(help="yes or no: their sessions carry MFA.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Address that alarms go to.")] = None,
    budget: Annotated[str | None, typer.Option(help="Monthly budget, US dollars.")] = None,
    objects_per_hour: Annotated[
        str | None, typer.Option(help="Evidence objects in an hour that raise an alarm.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Write the configuration of a deployment, asking for what no option says.

    A file that is there is never overwritten. Whatever else there is to choose is in
    nhi-evidence.example.toml.
    """
    given = {
        name.replace("_", "-"): value
        for name, value in locals().items()
        if name not in {"output", "no_input", "as_json"}
    }
    if output.exists():
        raise SettingsError(f"{output} is there already: choose another name with --output")
    ask = Answers(given, asks=not no_input)
    tables = parts(ask)
    ask.complete()
    written = text(tables)
    read = config.read(written, str(output))
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(written)
    except OSError as error:
        raise SettingsError(f"{output}: {error.strerror}") from error
    outcome = _Outcome(str(output), read.trial, _next(read, output))
    if as_json:
        typer.echo(msgspec.json.encode(outcome))
    else:
        typer.echo(f"{output} written")
        for step in outcome.next:
            typer.echo(f"next: {step}")


def _next(read: config.Config, output: Path) -> list[str]:
    steps = []
    if read.trial:
        steps.append("a trial locks for one day; state retention_days before the real thing")
    steps.append(f"look through {output}, then deploy: docs/deploy.md")
    if read.gcp is not None:
        steps.append("add gcp.service_account_id once its service account is made")
    if read.azure is not None:
        steps.append("add azure.managed_identity_object_id once its identity is made")
    return steps
