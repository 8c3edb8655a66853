"""`nhi-evidence case verify`: does a case prove what it states?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence import plural
from nhi_evidence.adapters.case_folder import CaseFolder
from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes, json_output, screen
from nhi_evidence.cli.progress import Steps
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import Policy
from nhi_evidence.investigate.case import bag, contents, custody_record, verify
from nhi_evidence.investigate.case.contents import Custody
from nhi_evidence.investigate.case.custody_record import Sought
from nhi_evidence.investigate.case.verify import CaseReport
from nhi_evidence.terminal.safe_text import neutralize

EXAMPLES = """\b
Examples:
  nhi-evidence case verify case.zip --key example.org/evidence+1a2b3c4d+AW...
  nhi-evidence case verify unpacked/case --policy policy.toml --json

Exit codes: 0 it holds; 1 it does not; 2 what it proves holds, but it is incomplete
(records without proof, evidence that could not be read) or has no records at all;
4 it cannot be read; 64 wrong usage.
"""

_TEXTS_LISTED = 20


def command(
    case: Annotated[
        Path, typer.Argument(exists=True, metavar="CASE", help="The zip, or its unpacked folder.")
    ],
    *,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    evidence: Annotated[
        str | None,
        typer.Option(
            metavar="EVIDENCE", help="Look for the case's custody record in this evidence store."
        ),
    ] = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Check a case, offline: its files, every proof, and what it states about each record.

    Neither the keys nor the programs inside the case are trusted.
    """
    trusted = options.policy(policy, key)
    access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
    seek = None if evidence is None else _seeking(evidence, access, trusted)
    try:
        with Steps("checking") as steps:
            if case.is_dir():
                report, altered = _check(CaseFolder(case), trusted, steps, seek)
            else:
                with case.open("rb") as stream:
                    report, altered = _check(bag.ZippedFiles(stream), trusted, steps, seek)
    except (bag.BagError, OSError) as error:
        raise SettingsError(f"{case}: {error}") from error
    for name in altered:
        screen.say(
            f"warning: {name} in the case differs from this release's; do not run it", err=True
        )
    _print(report, as_json=as_json)
    if not report.holds:
        raise typer.Exit(exit_codes.WRONG)
    if report.verdict != "HOLDS":
        raise typer.Exit(exit_codes.INCOMPLETE)


def _seeking(evidence: str, access: Access, policy: Policy) -> Callable[[Custody], Sought]:
    store = open_sealed(evidence, access)
    stored = StoredLog(store, policy.name, policy.keys)
    return lambda custody: custody_record.seek(store, stored, custody)


def _check(
    files: bag.Files,
    policy: Policy,
    steps: Steps,
    seek: Callable[[Custody], Sought] | None,
) -> tuple[CaseReport, list[str]]:
    report = verify.check(files, policy, steps.say, seek)
    released = {
        contents.CHECKER: contents.shipped(contents.CHECKER),
        contents.PROOF_CHECKER: contents.proof_checker(),
    }
    present = set(files.names())
    altered = [
        name
        for name, data in released.items()
        if bag.PAYLOAD + name in present
        and files.read(bag.PAYLOAD + name, bag.MAX_FILE_BYTES) != data
    ]
    return report, altered


def _print(report: CaseReport, *, as_json: bool) -> None:
    if as_json:
        plain = {"verdict": report.verdict, **msgspec.to_builtins(report)}
        json_output.write("case verify", plain)
        return
    count = f"{report.proven:,} of {plural.count(report.records, 'record')} proven"
    if report.verdict == "INCOMPLETE":
        unproven = plural.count(len(report.unproven), "record")
        lacking = [f"{unproven} without a proof"] if report.unproven else []
        count += f" ({neutralize('; '.join([*report.incomplete[:_TEXTS_LISTED], *lacking]))})"
    screen.say(f"{report.verdict} {count}: {report.subject}")
    for title, texts in (
        ("wrong", report.findings),
        ("custody", report.custody),
        ("lacking", [] if report.holds else report.incomplete),
        ("not read", report.unreadable),
        ("no proof", report.unproven),
    ):
        for text in texts[:_TEXTS_LISTED]:
            screen.say(f"{title:<9} {text}")
        if len(texts) > _TEXTS_LISTED:
            screen.say(f"{'':<9} ... and {len(texts) - _TEXTS_LISTED} more; --json has them all")
    for text in report.not_checked:
        screen.say(f"not checked: {text}")
