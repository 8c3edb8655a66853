"""`nhi-evidence renormalize`: how would this release map old raw records?"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

import msgspec
import typer

from nhi_evidence import __version__, plural, sources
from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes, json_output, screen
from nhi_evidence.cli.progress import Steps
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import sealed
from nhi_evidence.investigate.renormalize import Difference, Renormalizer

EXAMPLES = """\b
Examples:
  nhi-evidence renormalize ./evidence --policy policy.toml
  nhi-evidence renormalize s3://evidence --policy policy.toml --source aws_cloudtrail --json

Exit codes: 0 compared; 2 something could not be read, or its raw text was not
kept; 4 could not be done (reason on standard error); 64 wrong usage.
"""

_CHANGES_LISTED = 30


def command(
    evidence: options.Evidence,
    *,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    hour: Annotated[
        str | None, typer.Option(metavar="YYYYMMDDHH", help="Only this hour, UTC.")
    ] = None,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Show how this release would map the raw records in an evidence store.

    Maps every raw text again, and compares the result with what was written: which records,
    attributes and phases would differ. Changes nothing; evidence stays as it was sealed.
    """
    if hour not in {None, keys.UNKNOWN_HOUR} and keys.hour_start(hour) is None:
        raise typer.BadParameter(f"--hour {hour}: not an hour of the form YYYYMMDDHH")
    if source is not None:
        sources.load(source)
    trusted = options.policy(policy, key)
    access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
    store = open_sealed(evidence, access)
    stored = StoredLog(store, trusted.name, trusted.keys)
    listed = sealed.listed(stored, sealed.heads(stored))
    wanted = [
        each
        for each in listed.objects
        if source in {None, each.source} and hour in {None, each.hour}
    ]
    renormalizer = Renormalizer()
    bodies = store.bodies((each.key, each.vid) for each in wanted)
    with Steps("mapping again") as steps:
        for done, (each, body) in enumerate(zip(wanted, bodies, strict=True)):
            steps.say("objects", done)
            if body is None or sha256(body).hexdigest() != keys.parse_key(each.key).body_sha256:
                reason = "gone" if body is None else "body hash does not match its key"
                renormalizer.difference.unreadable.append(f"{each.key}: {reason}")
                continue
            renormalizer.take(each.key, body)
    _print(renormalizer.difference, as_json=as_json)
    if renormalizer.difference.unreadable or renormalizer.difference.not_kept:
        raise typer.Exit(exit_codes.INCOMPLETE)


def _print(difference: Difference, *, as_json: bool) -> None:
    changes = sorted(difference.changes.values(), key=lambda each: (-each.records, each.what))
    if as_json:
        plain = msgspec.to_builtins(difference)
        plain["changes"] = msgspec.to_builtins(changes)
        json_output.write("renormalize", {"release": __version__, **plain})
        return
    records = plural.count(difference.records, "record")
    lines = [
        f"WOULD CHANGE {difference.changed:,} of {records}, with {__version__}"
        if difference.changed
        else f"THE SAME in each of {records}, with {__version__}"
        if difference.records
        else "NOTHING TO COMPARE no record's raw text could be mapped again",
        "mapped by "
        + (", ".join(f"{name} ({count})" for name, count in difference.releases.items()) or "none"),
    ]
    for each in changes[:_CHANGES_LISTED]:
        lines += [f"{each.records:>8}  {each.what}", f"          e.g. {', '.join(each.examples)}"]
    if len(changes) > _CHANGES_LISTED:
        lines.append(
            f"          ... and {len(changes) - _CHANGES_LISTED} more; --json has them all"
        )
    if difference.not_kept:
        not_kept = plural.count(difference.not_kept, "record")
        lines.append(f"not kept  {not_kept} out of scope, without raw text")
    lines += [f"not read  {text}" for text in difference.unreadable]
    for line in lines:
        screen.say(line)
