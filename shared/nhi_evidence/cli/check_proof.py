"""`nhi-evidence check-proof`: does a bundle show what it claims?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import bundle, proof
from nhi_evidence.terminal import proof_report
from nhi_evidence.terminal.safe_text import neutralize, neutralize_json

EXAMPLES = """\b
Examples:
  nhi-evidence check-proof proof.zip --key example.org/evidence+1a2b3c4d+AW...

\b
Exit codes: 0 it holds; 1 it does not; 4 it cannot be read; 64 wrong usage.
"""


class _Result(msgspec.Struct):
    holds: bool
    shown: proof.Checked | None = None
    problem: str | None = None


def command(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE", help="A proof bundle.")
    ],
    *,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    provider_keys: options.ProviderKeys = None,
    as_json: options.Json = False,
) -> None:
    """Check a proof bundle, offline, against keys you trust.

    The keys inside the bundle are not believed.
    """
    trust = options.policy(policy, key)
    try:
        files = bundle.unpack(file.read_bytes())
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error
    try:
        shown = proof.check(
            files, trust.keys, trust.name, trust.trusts, options.provider_keys(provider_keys)
        )
    except proof.ProveError as error:
        _say(_Result(holds=False, problem=str(error)), as_json=as_json)
        raise typer.Exit(exit_codes.WRONG) from error
    _say(_Result(holds=True, shown=shown), as_json=as_json)


def _say(result: _Result, *, as_json: bool) -> None:
    if as_json:
        typer.echo(neutralize_json(msgspec.json.encode(result)))
        return
    if result.shown is None:
        typer.echo(f"does NOT hold: {neutralize(result.problem or '')}")
        return
    typer.echo("holds")
    for line in proof_report.lines(result.shown):
        typer.echo(line)
