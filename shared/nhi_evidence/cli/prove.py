"""`nhi-evidence prove`: one record, and everything needed to check it without us."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence.adapters.store.evidence_uri import Access, open_log
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli.progress import Steps
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import bundle, counting, proof, provider, search
from nhi_evidence.evidence.proof import ProveError
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.terminal import safe_text

EXAMPLES = """\b
Examples:
  nhi-evidence prove ./evidence-copy 7c9e6679-... --key log.vkey -o proof.zip
  nhi-evidence prove s3://evidence 7c9e6679-... --policy policy.toml --hour 2026030208 -o proof.zip

\b
Exit codes: 0 proof written; 4 no such record, or no proof can be made (said on
standard error); 64 wrong usage.
"""


class _Said(msgspec.Struct):
    uid: str
    key: str
    leaf: int
    record: int
    origin: str
    anchored: dict[str, int]
    provider_signature: provider.ProviderSignature | None
    unit: str
    bundle: str


def command(
    evidence: options.Evidence,
    uid: Annotated[str, typer.Argument(metavar="UID", help="The record's id (metadata.uid).")],
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
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Write a proof bundle for one record: a zip that anybody can check offline.

    It holds the record, its path to its object and to the signed log, a verifier that needs
    Python alone, and a walkthrough that needs OpenSSL alone.
    """
    told = options.policy(policy, key)
    store = open_log(evidence, Access(role_arn=role_arn, external_id=external_id, profile=profile))
    with Steps("searching") as steps:
        looking = search.Search(store, StoredLog(store, told.name, told.keys), steps.say)
        found = looking.find(uid, search.Where(source=source, hour=hour))
        for one in looking.unreadable:
            typer.echo(f"warning: cannot be read: {safe_text.neutralize(one)}", err=True)
        if found is None:
            raise ProveError(f"no sealed record has the id {uid!r}")
        files = looking.bundle(found, told.keys, options.provider_keys(provider_keys))
    if found.status is counting.Status.CONTESTED:
        typer.echo("warning: other objects contradict this record's unit; see verify", err=True)
    checked = proof.check(
        files, told.keys, told.name, told.trusts, options.provider_keys(provider_keys)
    )
    try:
        output.write_bytes(bundle.pack(files))
    except OSError as error:
        raise SettingsError(f"{output}: {error.strerror}") from error
    said = _Said(
        uid,
        found.leaf.key,
        found.index,
        found.number,
        checked.origin,
        checked.anchored,
        checked.provider_signature,
        found.status,
        str(output),
    )
    if as_json:
        typer.echo(msgspec.json.encode(said))
        return
    typer.echo(f"record {found.number} of {found.leaf.key}")
    typer.echo(f"leaf   {checked.index} of {checked.origin}, signed at size {checked.size}")
    typer.echo(f"unit   {found.status}")
    typer.echo(f"proof  {output}; check it with: nhi-evidence check-proof {output} --key KEY")
