"""`nhi-evidence prove`: one record, with everything needed to check it independently."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import json_output, screen
from nhi_evidence.cli.progress import Steps
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import bundle, proof, provider, search
from nhi_evidence.evidence.proof import ProveError
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.terminal import proof_report

EXAMPLES = """\b
Examples:
  nhi-evidence prove ./evidence-copy 7c9e6679-... --key log.vkey -o proof.zip
  nhi-evidence prove s3://evidence 7c9e6679-... --policy policy.toml --hour 2026030208 -o proof.zip

Exit codes: 0 proof written; 4 no such record, or no proof can be made (said on
standard error); 64 wrong usage.
"""


class _Proven(msgspec.Struct):
    """What `--json` prints."""

    uid: str
    """The record's id, as asked for."""
    verdict: str
    """The words of the first line."""
    key: str
    """Key of the object it is in."""
    flags: tuple[str, ...]
    """What the log says is wrong with that object."""
    leaf: int
    """Index of that object's entry in the log."""
    unit: str
    """Name of the unit it was delivered in."""
    record: int
    """Index in the unit."""
    status: str
    """What became of this claim of the unit: counted, duplicate, contested, incomplete, void."""
    origin: str
    """The shard whose checkpoint the proof leads to."""
    anchored: dict[str, int]
    """Name of an anchor to when it saw the checkpoint, milliseconds since the epoch."""
    provider_signature: provider.ProviderSignature | None
    """The provider's signature over the file; None where it signs none."""
    unreadable: dict[str, str]
    """Objects that could not be read: key to reason."""
    bundle: str
    """The file that was written."""


def command(
    evidence: options.Evidence,
    uid: Annotated[str, typer.Argument(metavar="UID", help="ID of the record (metadata.uid).")],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", dir_okay=False, help="Where to write the bundle.")
    ],
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    source: Annotated[str | None, typer.Option(help="Look only in this source.")] = None,
    hour: Annotated[
        str | None, typer.Option(metavar="YYYYMMDDHH", help="Look only in this hour, UTC.")
    ] = None,
    provider_keys: options.ProviderKeys = None,
    with_file: Annotated[
        bool,
        typer.Option(
            "--file/--no-file",
            help="Include the delivered file, where the provider signed it. It holds other "
            "records, "
            "too; without it the provider's signature on this one cannot be shown.",
        ),
    ] = True,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Write a proof bundle for one record: a zip that anybody can check offline.

    It holds the record, its path to its object and to the signed log, a verifier that needs only
    Python, and a walkthrough that needs only OpenSSL and a shell.
    """
    if output.exists():
        raise SettingsError(f"{output}: already exists; nothing is overwritten")
    trust = options.policy(policy, key)
    trusted_keys = options.provider_keys(provider_keys)
    store = open_sealed(
        evidence, Access(role_arn=role_arn, external_id=external_id, profile=profile)
    )
    with Steps("searching") as steps:
        looking = search.Search(
            store,
            StoredLog(store, trust.name, trust.keys),
            steps.say,
            accepted=trust.mappers,
        )
        place = looking.find(uid, search.Where(source=source, hour=hour))
        files = {}
        if place is not None:
            files = looking.bundle(place, trust.keys, trusted_keys, with_file=with_file)
    for name, reason in looking.unreadable.items():
        _warn(f"not read: {name}: {reason}")
    if place is None:
        raise ProveError(f"no sealed record has the id {uid!r}")
    if not place.counts:
        _warn(f"the unit of this record is {place.standing}; see verify")
    checked = proof.check(
        files,
        trust.keys,
        trust.name,
        trust.trusts,
        trusted_keys,
        require_cosignature=trust.require_cosignature,
    )
    try:
        with output.open("xb") as file:
            file.write(bundle.pack(files))
    except OSError as error:
        raise SettingsError(f"{output}: {error.strerror}") from error
    proven = _Proven(
        uid=uid,
        verdict="WRITTEN",
        key=checked.key,
        flags=checked.flags,
        leaf=checked.index,
        unit=checked.unit,
        record=checked.record,
        status=place.standing,
        origin=checked.origin,
        anchored=checked.anchored,
        provider_signature=checked.provider_signature,
        unreadable=looking.unreadable,
        bundle=str(output),
    )
    if as_json:
        json_output.write("prove", proven)
        return
    what = "a proof of 1 record"
    if not place.counts:
        what += f", which does not count: its unit is {place.standing}"
    screen.say(f"{proven.verdict} {what}")
    for line in proof_report.lines(checked):
        screen.say(line)
    screen.say(f"unit     {place.standing}")
    screen.say(f"proof    {output}")
    if provider.FILE in files:
        screen.say("note     it includes the delivered file, and so that file's other records")
    trusted = options.Trusted(policy, key)
    screen.say(f"next     {options.again('check-proof', str(output), trusted=trusted)}")


def _warn(text: str) -> None:
    screen.say(f"warning: {text}", err=True)
