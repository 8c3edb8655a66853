"""`nhi-evidence copy`: take evidence away into a directory, to be verified there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence.adapters.store import copying
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.adapters.store.evidence_uri import Access, open_log
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes
from nhi_evidence.cli.progress import Steps
from nhi_evidence.terminal.safe_text import neutralize

EXAMPLES = """\b
Examples:
  nhi-evidence copy s3://evidence ./copy --role-arn ARN --external-id ID
  nhi-evidence copy s3://evidence ./copy     (again, to go on with it)

\b
Exit codes: 0 copied; 2 a version was gone before it was read (said on standard
error); 4 could not be copied (the same, and going on is safe); 64 wrong usage.
"""


class Copied(msgspec.Struct, frozen=True):
    """What was copied."""

    objects: int
    bytes: int
    gone: list[str]
    """Keys of versions that were listed and could not be read any more."""
    folder: str


def command(
    evidence: options.Evidence,
    folder: Annotated[
        Path, typer.Argument(file_okay=False, help="Where to; a copy broken off goes on.")
    ],
    *,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Copy an evidence store into a directory that verify, prove and seal take.

    The first version of every key, byte for byte, with the store's own word on it: version id,
    times, lock, metadata. A directory locks nothing; verifying it needs the public key alone.
    """
    store = open_log(evidence, Access(role_arn=role_arn, external_id=external_id, profile=profile))
    objects = size = 0
    gone: list[str] = []
    with Steps("copying") as steps:
        for version, there in copying.copy(store, DirectoryStore(folder)):
            if not there:
                gone.append(version.key)
                continue
            objects += 1
            size += version.size
            steps.say("objects", objects)
    if as_json:
        typer.echo(msgspec.json.encode(Copied(objects, size, gone, str(folder))))
    else:
        typer.echo(f"copied {objects} objects, {size} bytes, to {folder}")
    for key in gone:
        typer.echo(f"nhi-evidence: gone before it was read: {neutralize(key)}", err=True)
    if gone:
        raise typer.Exit(exit_codes.INCOMPLETE)
