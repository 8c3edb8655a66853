"""`nhi-evidence verify`: is it whole, and is it what was sealed?"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.store.evidence_uri import Access, open_log
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli.progress import Steps
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.verify import Options, State, Verifier
from nhi_evidence.terminal import verify_report

EXAMPLES = """\b
Examples:
  nhi-evidence verify ./evidence-copy --key example.org/evidence+1a2b3c4d+AW...
  nhi-evidence verify s3://evidence --policy policy.toml --deep --json
  nhi-evidence verify s3://evidence --policy policy.toml --since last.json --save-state last.json

\b
Exit codes: 0 clean; 1 a finding on integrity; 2 on completeness; 3 on policy
or anchors alone; 4 could not be verified (said on standard error); 64 wrong usage.
"""


def command(
    evidence: options.Evidence,
    *,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Look into every object: every record, every raw text.")
    ] = False,
    since: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Only what came after this saved state."),
    ] = None,
    save_state: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Save where this verification ended.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Read only so many objects, drawn at random.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(help="Draw the sample of an earlier report again.")
    ] = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Verify a sealed evidence store, a bucket or a directory copy, with public keys alone.

    Checks signatures and the tree, hashes every object, and looks for what is in the store and
    not in the log; says what it did not check. The steps V0 to V6 are those of
    docs/verification.md.
    """
    told = options.policy(policy, key)
    store = open_log(evidence, Access(role_arn=role_arn, external_id=external_id, profile=profile))
    looking = Options(
        deep=deep,
        since=_state(since) if since else None,
        sample=sample,
        seed=seed or secrets.token_hex(8),
    )
    with Steps("verifying") as steps:
        verifier = Verifier(store, told, now=clock.now(), options=looking, progress=steps.say)
        report = verifier.run()
    if save_state and report.state is not None:
        save_state.write_bytes(msgspec.json.format(msgspec.json.encode(report.state)) + b"\n")
    if as_json:
        typer.echo(verify_report.as_document(report))
    else:
        verify_report.show(Console(highlight=False, markup=False), report)
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _state(path: Path) -> State:
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{path}: not a saved state: {error}") from error
