"""`nhi-evidence seal`: put everything new into the signed log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence import plural
from nhi_evidence.adapters import clock
from nhi_evidence.adapters.signing import signers
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.adapters.store.evidence_uri import Access, open_log
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import json_output, screen
from nhi_evidence.cli.progress import Steps
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealed, Sealer
from nhi_evidence.terminal.flag_words import FLAGS

EXAMPLES = """\b
Examples:
  nhi-evidence seal ./evidence-copy --name example.org/evidence --key-file log-key.pem
  nhi-evidence seal ./evidence-copy --name example.org/evidence \\
      --key-file log-key.pem --key-file log-key-ml-dsa.pem
  nhi-evidence seal s3://evidence --name example.org/evidence \\
      --kms-key alias/nhi-evidence-log --retention-days 365

Exit codes: 0 sealed, or nothing was new; 4 could not be sealed (said on
standard error); 64 wrong usage.
"""


def command(
    evidence: options.Evidence,
    *,
    name: Annotated[str, typer.Option(help="Name of the log; the origin of a shard is NAME/YEAR.")],
    key_file: Annotated[
        list[Path] | None,
        typer.Option(help="Private key in a file (nhi-evidence keys --new)."),
    ] = None,
    kms_key: Annotated[
        list[str] | None, typer.Option(help="Key in AWS KMS: id, ARN or alias.")
    ] = None,
    retention_days: Annotated[
        float, typer.Option(min=0, help="Shortest promised lock; shorter ones are flagged.")
    ] = 0,
    grace_days: Annotated[
        float, typer.Option(min=0, help="From the end of a lock to expiry by lifecycle.")
    ] = 0,
    lock_log: Annotated[
        bool,
        typer.Option(
            "--lock-log", help="Lock the log until its year, retention and grace have ended."
        ),
    ] = False,
    encryption: Annotated[
        str | None, typer.Option(help="Promised server-side encryption, e.g. AES256.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="List every hour, not only those that are due.")
    ] = False,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Seal what is new in an evidence store into its signed Merkle log.

    First finishes what an earlier run left unfinished. Safe to run at any time, repeatedly, or in
    several places at once: the result is one log. With an additional ML-DSA-44 key, every
    checkpoint is cosigned by it.
    """
    access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
    store = open_log(evidence, access)
    if lock_log and isinstance(store, DirectoryStore):
        raise SettingsError(f"{evidence}: a directory cannot lock anything: leave out --lock-log")
    log_signers = signers.open_signers(key_file or (), kms_key or (), profile=profile)
    sealer = Sealer(
        store,
        log_signers,
        clock.now,
        name=name,
        lock_policy=LockPolicy(
            retention_ms=int(retention_days * options.DAY_MS),
            grace_ms=int(grace_days * options.DAY_MS),
            encryption=encryption,
        ),
        lock_log=lock_log,
    )
    added = 0
    with Steps("sealing") as steps:
        done = sealer.run(everything=everything)
        added += done.added
        while done.more:
            steps.say("leaves", done.size)
            done = sealer.run(everything=everything)
            added += done.added
    done = msgspec.structs.replace(done, added=added)
    if as_json:
        json_output.write("seal", done)
    else:
        _say(done)


def _say(done: Sealed) -> None:
    screen.say(f"log    {done.origin}")
    added = plural.count(done.added, "version of an object", "versions of objects")
    leaves = plural.count(done.size, "leaf", "leaves")
    screen.say(f"epoch  {done.epoch}, {added} added")
    screen.say(f"size   {leaves}: one for each version, and for each epoch")
    screen.say(f"root   {done.root}")
    for flag, count in done.flags.items():
        screen.say(f"flag   {flag} {count:,}: {FLAGS[flag]}")
    for void in done.void:
        screen.say(f"VOID   {void}")
