"""`nhi-evidence offboarding`: is an identity gone, and what happened after that?"""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from nhi_evidence import plural
from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes, json_output, screen
from nhi_evidence.coverage import offboarding, reading_file, signed
from nhi_evidence.coverage.cells import unrecorded
from nhi_evidence.coverage.counted import Reader
from nhi_evidence.coverage.offboarding import Report
from nhi_evidence.coverage.page import instant
from nhi_evidence.evidence.stored_log import StoredLog

EXAMPLES = """\b
Examples:
  nhi-evidence offboarding ./evidence --policy policy.toml --identity ARN
  nhi-evidence offboarding s3://evidence --policy policy.toml --identity EMAIL

Exit codes: 0 revoked, state read afterwards, no use afterwards; 1 used afterwards;
2 no revocation or no later state on record, a key or a session may outlive it, or not all of the
evidence could be read; 4 could not be done; 64 wrong usage.
"""


def command(
    evidence: options.Evidence,
    *,
    identity: Annotated[str, typer.Option(help="ARN, service account e-mail, or object ID.")],
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Show the offboarding of an identity: use before it, revocation, state, and use after it.

    Using a dead key leaves no record on AWS and Google Cloud: there the state read afterwards is
    the proof, and the report says so. Sessions created earlier outlive a key by up to 36 hours.
    """
    trust = options.policy(policy, key)
    access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
    store = open_sealed(evidence, access)
    log = signed.read(StoredLog(store, trust.name, trust.keys))
    problems: dict[str, str] = {}
    readings = [one for _, one in reading_file.sealed(store, log.of("op", "config"), problems)]
    reader = Reader(store, trust.mappers)
    report = offboarding.report(identity, reader.records_of(log.of("ev")), readings)
    unread = {**problems, **reader.unreadable}
    report = msgspec.structs.replace(report, unread=len(unread))
    for name, reason in unread.items():
        screen.say(f"warning: not read: {name}: {reason}", err=True)
    if as_json:
        verdict, _ = report.head
        json_output.write("offboarding", {"verdict": verdict, **msgspec.to_builtins(report)})
    else:
        _print(report)
    if report.used_after:
        raise typer.Exit(exit_codes.WRONG)
    is_shown = report.revoked_at is not None and report.states
    if not is_shown or report.usable or report.sessions or report.unread:
        raise typer.Exit(exit_codes.INCOMPLETE)


def _print(report: Report) -> None:
    lines = [" ".join(report.head), ""]
    lines += [
        f"credential {use.credential}: {instant(use.first)} to {instant(use.last)}, "
        f"{use.used} done, {use.validated} validated, {use.refused} refused, {use.after} after"
        for use in report.credentials
    ]
    lines += [
        f"revocation {instant(one.at)} {one.operation} ({one.what}, {one.outcome}) by {one.by}"
        for one in report.revocations
    ]
    lines += [
        f"session {one.credential}: made {instant(one.made)} by {one.operation}, may live until "
        f"{instant(one.may_live_until)}, {plural.count(one.used_after, 'use')} after"
        for one in report.sessions
    ]
    lines += [f"state {instant(one.at)} {one.call}: {one.says}" for one in report.states]
    if not (report.credentials or report.revocations or report.sessions or report.states):
        lines.append(
            f"no credential, revocation, session or state of {report.identity} is on record; "
            "nhi-evidence summary lists identities as records name them"
        )
    if not report.use_after_is_visible:
        lines.append(f"use after revocation cannot be seen: {unrecorded(report.unseen)}")
    for line in lines:
        screen.say(line)
