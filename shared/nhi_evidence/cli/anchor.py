"""`nhi-evidence anchor`: show the newest checkpoint to others, and keep what they answer."""

from __future__ import annotations

from typing import Annotated

import typer

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.signing.http_witness import HttpWitness
from nhi_evidence.adapters.signing.timestamp_authority import TimestampAuthority
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.adapters.store.evidence_uri import Access, NamedCopy, open_log
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes, json_output, screen
from nhi_evidence.errors import LogError, SettingsError
from nhi_evidence.evidence.anchoring import Anchored, Anchoring
from nhi_evidence.evidence.flags import LockPolicy

EXAMPLES = """\b
Examples:
  nhi-evidence anchor s3://evidence --key log.vkey --tsa https://tsa.example/tsr
  nhi-evidence anchor ./evidence --key log.vkey --copy-to s3://checkpoints-elsewhere
  nhi-evidence anchor ./evidence --key log.vkey \\
      --witness 'witness.example/w1+1a2b3c4d+BA... https://witness.example/w1'

Exit codes: 0 the newest checkpoint is anchored everywhere; 1 a copy elsewhere holds a
different one; 4 an anchor failed (reason on standard error; the others were made);
64 wrong usage.
"""


def command(
    evidence: options.Evidence,
    *,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    tsa: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Get a time stamp from this authority (RFC 3161)."),
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'KEY URL'",
            help="Get a cosignature from this witness (c2sp.org/tlog-witness).",
        ),
    ] = None,
    copy_to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EVIDENCE", help="Copy the checkpoint to a store that somebody else controls."
        ),
    ] = None,
    retention_days: Annotated[
        float, typer.Option(min=0, help="Shortest promised lock, as for `seal`.")
    ] = 0,
    grace_days: Annotated[
        float, typer.Option(min=0, help="From the end of a lock to expiry, as for `seal`.")
    ] = 0,
    lock_log: Annotated[
        bool,
        typer.Option("--lock-log", help="Lock the anchors as `seal --lock-log` locks the log."),
    ] = False,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Anchor the newest checkpoint outside the evidence account.

    Time stamps and cosignatures are stored next to the checkpoint, copies where --copy-to says.
    An anchor covers everything sealed before it. A verifier policy names the anchors you trust.
    """
    verifier_policy = options.policy(policy, key)
    access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
    if not (tsa or witness or copy_to):
        raise SettingsError("name at least one anchor: --tsa, --witness or --copy-to")
    store = open_log(evidence, access)
    if lock_log and isinstance(store, DirectoryStore):
        raise SettingsError(f"{evidence}: a directory cannot lock anything: leave out --lock-log")
    lock_policy = LockPolicy(
        retention_ms=int(retention_days * options.DAY_MS),
        grace_ms=int(grace_days * options.DAY_MS),
    )
    anchoring = Anchoring(
        store,
        verifier_policy.name,
        verifier_policy.keys,
        witnesses=[
            *(TimestampAuthority(url) for url in tsa or ()),
            *(_witness(one) for one in witness or ()),
        ],
        copies=[NamedCopy(uri, Access(profile=profile)) for uri in copy_to or ()],
        kept_ms=lock_policy.kept_ms if lock_log else None,
        now=clock.now(),
    )
    try:
        done = anchoring.run()
    except LogError as error:
        screen.say(f"nhi-evidence: {error}", err=True)
        raise typer.Exit(exit_codes.WRONG) from error
    if done is None:
        raise SettingsError(
            f"{verifier_policy.name} has no signed checkpoint yet: run nhi-evidence seal"
        )
    _say(done, as_json=as_json)
    if done.failed:
        raise typer.Exit(exit_codes.FAILED)


def _witness(key_and_url: str) -> HttpWitness:
    key, space, url = key_and_url.strip().partition(" ")
    if not space:
        raise SettingsError(
            f"a witness is given as a key and an address, 'KEY URL': {key_and_url!r}"
        )
    return HttpWitness(url.strip(), key)


def _say(done: Anchored, *, as_json: bool) -> None:
    for name, why in done.failed.items():
        screen.say(f"nhi-evidence: {name}: {why}", err=True)
    if as_json:
        json_output.write("anchor", done)
        return
    screen.say(f"log    {done.origin}, epoch {done.epoch}, size {done.size}")
    for name in done.made:
        screen.say(f"made   {name}")
    for name in done.there:
        screen.say(f"there  {name}")
