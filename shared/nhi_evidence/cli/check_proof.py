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
from nhi_evidence.terminal.safe_text import instant, neutralize

EXAMPLES = """\b
Examples:
  nhi-evidence check-proof proof.zip --key example.org/evidence+1a2b3c4d+AW...

\b
Exit codes: 0 it holds; 1 it does not; 4 it cannot be read; 64 wrong usage.
"""


class _Said(msgspec.Struct):
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
    told = options.policy(policy, key)
    try:
        files = bundle.unpack(file.read_bytes())
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error
    try:
        shown = proof.check(
            files, told.keys, told.name, told.trusts, options.provider_keys(provider_keys)
        )
    except proof.ProveError as error:
        _say(_Said(holds=False, problem=str(error)), as_json=as_json)
        raise typer.Exit(exit_codes.WRONG) from error
    _say(_Said(holds=True, shown=shown), as_json=as_json)


def _say(said: _Said, *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(said))
        return
    if said.shown is None:
        typer.echo(f"does NOT hold: {neutralize(said.problem or '')}")
        return
    shown = said.shown
    typer.echo(f"holds  record {neutralize(shown.uid or '(rejected, without id)')}")
    typer.echo(f"raw    SHA-256 {shown.raw_sha256}")
    typer.echo(f"object {neutralize(shown.key)}, line {shown.record}")
    typer.echo(f"log    {shown.origin}, leaf {shown.index}, signed at size {shown.size}")
    typer.echo(f"key    {', '.join(shown.signed_by)}")
    for name, at in shown.anchored.items():
        typer.echo(f"anchor {neutralize(name)} saw the checkpoint at {instant(at)}")
    if shown.provider_signature is not None:
        by = (
            "a key you trust"
            if shown.provider_signature.trusted
            else "NOT checked against a key of yours"
        )
        typer.echo(
            f"source the provider signed the file: {shown.provider_signature.fingerprint}, {by}"
        )
