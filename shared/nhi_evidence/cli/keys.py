"""`nhi-evidence keys`: make a signing key, and show its verifier key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence.adapters.signing import signers
from nhi_evidence.adapters.signing.key_file import KeyFile
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import json_output, screen
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import note

EXAMPLES = """\b
Examples:
  nhi-evidence keys --new --key-file log-key.pem --name example.org/evidence
  nhi-evidence keys --new --post-quantum --key-file log-key-ml-dsa.pem \\
      --name example.org/evidence
  nhi-evidence keys --kms-key alias/nhi-evidence-log --name example.org/evidence

Exit codes: 0 shown; 4 the key cannot be made or read; 64 wrong usage.
"""


class _Printed(msgspec.Struct):
    name: str
    """Of the key, as checkpoints name it."""
    id: str
    """The four bytes, hex, that a signature line names the key by."""
    algorithm: str
    """Of its signatures."""
    key: str
    """The verifier key, for --key and policies."""


def command(
    *,
    name: Annotated[str, typer.Option(help="Name of the log the key signs.")],
    key_file: Annotated[Path | None, typer.Option(help="Private key in a file.")] = None,
    kms_key: Annotated[str | None, typer.Option(help="Key in AWS KMS: id, ARN or alias.")] = None,
    new: Annotated[
        bool,
        typer.Option(
            "--new", help="Make an Ed25519 key in the key file, which must not exist yet."
        ),
    ] = False,
    post_quantum: Annotated[
        bool, typer.Option("--post-quantum", help="With --new: an ML-DSA-44 key, which cosigns.")
    ] = False,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Show the verifier key of a signing key, for whoever checks the evidence.

    Hand it over through a different channel than the evidence itself.
    """
    if new and (key_file is None or kms_key is not None):
        raise SettingsError("--new makes a key file: name it with --key-file")
    if post_quantum and not new:
        raise SettingsError("--post-quantum needs --new")
    signer = (
        KeyFile.create(key_file, post_quantum=post_quantum)
        if new and key_file is not None
        else signers.open_signer(key_file, kms_key, profile=profile)
    )
    try:
        key = note.from_spki(name, signer.public_key())
    except note.NoteError as error:
        raise SettingsError(str(error)) from error
    if as_json:
        printed = _Printed(key.name, key.id.hex(), key.algorithm.name.lower(), str(key))
        json_output.write("keys", printed)
    else:
        screen.say(str(key))
