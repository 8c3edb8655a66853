"""`nhi-evidence case create`: what an identity did, with every proof, in one zip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from nhi_evidence import __version__, plural
from nhi_evidence.adapters import clock
from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.cli import case_custody, exit_codes, json_output, output_file, screen
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import selection_options as whose
from nhi_evidence.cli.event_index import IndexFolder, Sources, opened
from nhi_evidence.cli.progress import Steps
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate.case import bag, contents, make
from nhi_evidence.investigate.case.make import WrittenCase
from nhi_evidence.investigate.index import Selection
from nhi_evidence.investigate.proofs import Prover
from nhi_evidence.investigate.timeline import Timeline, compose
from nhi_evidence.terminal import timeline_report

EXAMPLES = """\b
Examples:
  nhi-evidence case create ./evidence --policy policy.toml --credential AKIA... -o case.zip
  nhi-evidence case create s3://evidence --policy policy.toml --identity ARN \\
      --statement absence.json --by "A. Investigator" -o case.zip

Exit codes: 0 written, with a proof of every record; 2 written, but there are no
records, one has no proof or is contested, or evidence could not be read;
4 could not be done (reason on standard error); 64 wrong usage.
"""

_MAX_STATEMENT_BYTES = 64 << 20
_REASONS_LISTED = 5


class _Written(msgspec.Struct):
    """What `--json` prints."""

    case: str
    """The file that was written."""
    subject: str
    """What was asked for, in words."""
    records: int
    """Records in the case."""
    proven: int
    """Records of the case that have a proof."""
    unproven: list[str]
    """Why the other records have none."""
    incomplete: list[str]
    """Why it may lack records: what could not be read, is contested or cut off."""
    unreadable: list[str]
    """The first of what could not be read, and why."""
    unreadable_count: int
    """How many things could not be read."""
    record: str | None
    """Key of the case's custody record in the evidence."""
    no_record: str | None
    """Why there is no custody record."""
    legal_holds: tuple[contents.Hold, ...]
    """Versions that were put under legal hold."""


def command(
    evidence: options.Evidence,
    output: Annotated[
        Path, typer.Option("-o", "--output", dir_okay=False, help="Where to write the case.")
    ],
    *,
    identity: whose.Identities = None,
    credential: whose.Credentials = None,
    address: whose.Addresses = None,
    resource: whose.Resources = None,
    since: whose.Since = None,
    until: whose.Until = None,
    statement: Annotated[
        list[Path] | None,
        typer.Option(
            "--statement",
            exists=True,
            dir_okay=False,
            help="Include this statement of coverage, completeness or absence.",
        ),
    ] = None,
    made_by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Who makes the case, as stated in it.")
    ] = "not stated",
    custody: case_custody.AsksRecord = False,
    custody_role: case_custody.RecordRole = None,
    legal_hold: case_custody.AsksHold = False,
    legal_role: case_custody.HoldRole = None,
    overwrite: output_file.Overwrite = False,
    coverage: whose.Coverage = None,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    index: IndexFolder = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Write a case: what an identity did, with the proof of every record, in one zip.

    A BagIt bag (RFC 8493): report, records with their exact text, proofs, keys, statements
    passed with --statement, who made it, and two programs that check all of it with plain Python.
    Checking it needs neither this product nor a network.
    """
    selection = whose.selection(
        identity=identity,
        credential=credential,
        address=address,
        resource=resource,
        since=since,
        until=until,
    )
    judge = whose.judge(coverage, selection)
    access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
    what = Sources(
        inputs=(evidence,), keys=key, policy_file=policy, folder=index, access=access,
        source=None, quiet=as_json,
    )  # fmt: skip
    if not what.is_store:
        raise SettingsError(f"{evidence}: not an evidence store; raw logs prove nothing")
    trusted = options.policy(policy, key)
    with opened(what) as events:
        timeline = compose(events, selection, subject=whose.subject(selection), judge=judge)
    store = open_sealed(evidence, access)
    stored = StoredLog(store, trusted.name, trusted.keys)
    statements = _statements(statement or ())
    made_at = clock.now()
    write_record, no_record = case_custody.record_writer(
        evidence, access, is_asked=custody, role=custody_role
    )
    holds: tuple[contents.Hold, ...] = ()
    if legal_hold:
        objects = {step.row.place.object for step in timeline.path.steps}
        holds = case_custody.hold(evidence, access, stored, objects, legal_role)
    elif legal_role is not None:
        raise SettingsError("--legal-role needs --legal-hold")
    parts = make.Parts(
        timeline=timeline,
        timeline_as_json=timeline_report.as_document(timeline) + b"\n",
        log_name=trusted.name,
        keys=trusted.keys,
        custody=contents.Custody(
            made_at=made_at,
            made_by=made_by,
            program=f"nhi-evidence {__version__}",
            evidence=evidence,
            question=_question(selection),
            no_record=no_record,
            legal_holds=holds,
        ),
        write_record=write_record,
        made_on=timeline_report.day(made_at),
        statements=statements,
    )
    prover = Prover(store, stored, trusted.keys)
    inputs = (evidence, *(statement or ()))
    with (
        output_file.create(output, inputs=inputs, overwrite=overwrite) as sink,
        Steps("proving") as steps,
    ):
        try:
            case = make.make(sink, parts, prover, steps.say)
        except SettingsError:
            output.unlink()  # a partial case is no case
            raise
    _print(output, timeline, case, options.Trusted(policy, key), as_json=as_json)
    if case.unproven or timeline.is_incomplete or not timeline.path.steps:
        raise typer.Exit(exit_codes.INCOMPLETE)


def _statements(paths: Sequence[Path]) -> dict[str, bytes]:
    """Return statements by name; two of one name would leave only one in the case."""
    statements: dict[str, bytes] = {}
    for path in paths:
        if path.name.lower() in map(str.lower, statements):
            raise SettingsError(
                f"{path}: another statement has the same name, apart from capitals: rename one"
            )
        statements[path.name] = _statement(path)
    return statements


def _statement(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > _MAX_STATEMENT_BYTES or not bag.NAME.fullmatch(path.name):
        raise SettingsError(f"{path}: too large, or its name is not allowed in a case")
    return data


def _question(selection: Selection) -> dict[str, Any]:
    plain = msgspec.to_builtins(selection)
    return {
        name: sorted(value) if isinstance(value, list) else value
        for name, value in plain.items()
        if value not in ([], None)
    }


def _print(
    output: Path, timeline: Timeline, case: WrittenCase, trusted: options.Trusted, *, as_json: bool
) -> None:
    written = _Written(
        case=str(output),
        subject=timeline.subject,
        records=len(timeline.path.steps),
        proven=len(case.proofs),
        unproven=sorted(case.unproven.values()),
        incomplete=list(contents.incomplete(timeline)),
        unreadable=list(timeline.freshness.unreadable[: contents.MAX_UNREADABLE]),
        unreadable_count=timeline.freshness.unreadable_count,
        record=case.custody.record,
        no_record=case.custody.no_record,
        legal_holds=case.custody.legal_holds,
    )
    if as_json:
        json_output.write("case create", written)
        return
    records = plural.count(written.records, "record")
    screen.say(f"WRITTEN {records}, {written.proven:,} proven: {written.case}")
    if not written.records:
        what = "what could be read" if written.incomplete else "what was read"
        screen.say(f"nothing   no record of {written.subject} in {what}")
    for reason in written.incomplete:
        screen.say(f"lacking   {reason}")
    for reason in written.unreadable[:_REASONS_LISTED]:
        screen.say(f"not read  {reason}")
    if written.unreadable_count > min(len(written.unreadable), _REASONS_LISTED):
        more = written.unreadable_count - min(len(written.unreadable), _REASONS_LISTED)
        screen.say(f"          ... and {more} more")
    for reason in written.unproven:
        screen.say(f"no proof  {reason}")
    if written.record is not None:
        screen.say(f"custody   {written.record}, to be sealed by the sealer's next run")
    else:
        screen.say(f"custody   the evidence has no record of this case: {written.no_record}")
    if written.legal_holds:
        count = plural.count(len(written.legal_holds), "object")
        screen.say(f"held      {count} under legal hold, named in custody.json, until released")
    check = options.again("case verify", written.case, trusted=trusted)
    screen.say(f"next      {check}")
    screen.say("          the recipient needs the log's key through another channel")
