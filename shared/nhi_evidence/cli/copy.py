"""`nhi-evidence copy`: copy evidence into a directory, to be verified there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence import plural
from nhi_evidence.adapters.store import copying
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.adapters.store.evidence_uri import Access, open_log
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes, json_output, screen
from nhi_evidence.cli.progress import Steps

EXAMPLES = """\b
Examples:
  nhi-evidence copy s3://evidence ./copy --role-arn ARN --external-id ID
  nhi-evidence copy s3://evidence ./copy     (again, to resume it)

Exit codes: 0 copied; 1 the folder holds another log, or other bytes under a key;
2 something could not be copied: gone before it was read, or under a key that cannot
be a file name; 4 could not be copied (resuming is safe); 64 wrong usage. Each such
key is listed on standard error.
"""


class Copied(msgspec.Struct, frozen=True):
    """What `--json` prints."""

    objects: int
    """Objects in the folder now, those that were there before included."""
    bytes: int
    """Size of the objects in the folder."""
    gone: list[str]
    """Keys of versions that were listed but gone before they were read."""
    unwritable: list[str]
    """Keys that cannot be file names, each with the reason."""
    differing: list[str]
    """Keys under which the folder holds other bytes than the store; the files are left alone."""
    folder: str
    """Where the copy is."""


def command(
    evidence: options.Evidence,
    folder: Annotated[
        Path, typer.Argument(file_okay=False, help="Target folder; an interrupted copy is resumed.")
    ],
    *,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Copy an evidence store into a directory that verify, prove and seal can use.

    Copies the first version of every key, byte for byte, with what the store states about it:
    version ID, times, lock, metadata. A directory locks nothing; verifying it needs only the
    public key.
    """
    store = open_log(evidence, Access(role_arn=role_arn, external_id=external_id, profile=profile))
    size = 0
    named: dict[copying.CopyState, list[str]] = {state: [] for state in copying.CopyState}
    try:
        with Steps("copying") as steps:
            for copied in copying.copy(store, DirectoryStore(folder)):
                named[copied.state].append(copied.detail or copied.version.key)
                if copied.state is copying.CopyState.COPIED:
                    size += copied.version.size
                    steps.say("objects", len(named[copied.state]))
    except copying.OtherLogError as error:
        screen.say(f"nhi-evidence: {error}", err=True)
        raise typer.Exit(exit_codes.WRONG) from error
    objects = len(named.pop(copying.CopyState.COPIED))
    if as_json:
        report = Copied(
            objects,
            size,
            named[copying.CopyState.GONE],
            named[copying.CopyState.UNWRITABLE],
            named[copying.CopyState.DIFFERS],
            str(folder),
        )
        json_output.write("copy", report)
    else:
        screen.say(
            f"copied {plural.count(objects, 'object')}, {plural.count(size, 'byte')}, to {folder}"
        )
    for state, keys in named.items():
        for key in keys:
            screen.say(f"nhi-evidence: {_MEANINGS[state]}: {key}", err=True)
    if named[copying.CopyState.DIFFERS]:
        raise typer.Exit(exit_codes.WRONG)
    if any(named.values()):
        raise typer.Exit(exit_codes.INCOMPLETE)


_MEANINGS = {
    copying.CopyState.GONE: "gone before it was read",
    copying.CopyState.UNWRITABLE: "not copied",
    copying.CopyState.DIFFERS: "not copied",
}
