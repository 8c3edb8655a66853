"""`nhi-evidence case create`: what an identity did, with every proof, in one zip."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from nhi_evidence import __version__
from nhi_evidence.adapters import clock
from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes, output_file
from nhi_evidence.cli import selection_options as whose
from nhi_evidence.cli.event_index import IndexFolder, Sources, local
from nhi_evidence.cli.progress import Steps
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import prove
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import Policy
from nhi_evidence.investigate import timeline
from nhi_evidence.investigate.case import bag, contents
from nhi_evidence.investigate.index import Selection
from nhi_evidence.investigate.proofs import Prover
from nhi_evidence.investigate.report import page as report
from nhi_evidence.investigate.row import Place
from nhi_evidence.investigate.timeline import Timeline
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.terminal import timeline_report
from nhi_evidence.terminal.safe_text import neutralize, neutralize_json

EXAMPLES = """\b
Examples:
  nhi-evidence case create ./evidence --policy policy.toml --credential AKIA... -o case.zip
  nhi-evidence case create s3://evidence --policy policy.toml --identity ARN \\\\
      --statement absence.json --by "A. Investigator" -o case.zip

\b
Exit codes: 0 written, with a proof of every record; 2 written, and some record
has no proof or is contested; 4 could not be done (said on standard error);
64 wrong usage.
"""

_CHECKED_BY = (
    "python3 check_case.py CASE.zip 'NAME+ID+KEY'",
    "nhi-evidence case verify CASE.zip --key 'NAME+ID+KEY'",
)
_MAX_STATEMENT_BYTES = 64 << 20


class _Made(msgspec.Struct):
    """What `--json` prints."""

    case: str
    subject: str
    records: int
    proven: int
    unproven: list[str]


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
            help="Put this statement in: of coverage, completeness or absence.",
        ),
    ] = None,
    made_by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Who makes the case, as it shall say.")
    ] = "not stated",
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

    A BagIt bag (RFC 8493): report, records with their exact text, proofs, the keys, statements
    that were given, who made it, and two programs that check all of it with Python alone. It
    needs neither this product nor a network to be checked.
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
        raise SettingsError(f"{evidence}: no evidence store; raw logs prove nothing")
    trusted = options.policy(policy, key)
    with local(what) as events:
        told = timeline.compose(events, selection, subject=whose.subject(selection), judge=judge)
    store = open_sealed(evidence, access)
    statements = {path.name: _statement(path) for path in statement or ()}
    with output_file.create(output, overwrite=overwrite) as sink:
        writer = bag.Writer(sink, "case")
        proofs, unproven = _put_proofs(writer, store, trusted, told)
        for name, data in statements.items():
            writer.add(contents.STATEMENTS + name, data)
        custody = contents.Custody(
            made_at=clock.now(),
            made_by=made_by,
            program=f"nhi-evidence {__version__}",
            evidence=evidence,
            question=_question(selection),
        )
        document = contents.document(told, trusted.name, proofs, unproven, statements)
        for name, data in _documents(told, trusted, custody, document).items():
            writer.add(name, data)
        writer.close(
            {
                "Bagging-Date": timeline_report.day(custody.made_at),
                "Bag-Software-Agent": custody.program,
                "External-Description": "a case of nhi-evidence",
            }
        )
    _print(output, told, proofs, unproven, as_json=as_json)
    if unproven or told.is_incomplete:
        raise typer.Exit(exit_codes.INCOMPLETE)


def _put_proofs(
    writer: bag.Writer, store: EvidenceVersions, trusted: Policy, told: Timeline
) -> tuple[dict[Place, str], dict[Place, str]]:
    """Write the proof of each record; returns their folders, and why others have none."""
    prover = Prover(store, StoredLog(store, trusted.name, trusted.keys), trusted.keys)
    places = [step.row.place for step in told.path.steps]
    numbers = {place: number for number, place in enumerate(places, start=1)}
    proofs: dict[Place, str] = {}
    unproven: dict[Place, str] = {}
    with Steps("proving") as steps:
        for done, (place, files) in enumerate(prover.prove(places)):
            steps.say("records", done)
            if isinstance(files, str):
                unproven[place] = files
                continue
            folder = f"{contents.PROOFS}{numbers[place]:06d}"
            for name, data in files.items():
                writer.add(f"{folder}/{name}", data)
            proofs[place] = folder
    return proofs, unproven


def _documents(
    told: Timeline, trusted: Policy, custody: contents.Custody, document: contents.CaseDocument
) -> dict[str, bytes]:
    return {
        contents.README: contents.shipped(contents.README),
        contents.CHECKER: contents.shipped(contents.CHECKER),
        contents.PROOF_CHECKER: contents.proof_checker(),
        contents.KEYS: prove.keys_file(trusted.keys),
        contents.CASE: contents.encode(document),
        contents.CUSTODY: contents.encode(custody),
        contents.TIMELINE: timeline_report.as_document(told) + b"\n",
        contents.REPORT: report.page(told, verify=_CHECKED_BY),
    }


def _statement(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > _MAX_STATEMENT_BYTES or not bag.NAME.fullmatch(path.name):
        raise SettingsError(f"{path}: too large, or no name for a file of a case")
    return data


def _question(selection: Selection) -> dict[str, Any]:
    plain = msgspec.to_builtins(selection)
    return {
        name: sorted(value) if isinstance(value, list) else value
        for name, value in plain.items()
        if value not in ([], None)
    }


def _print(
    output: Path,
    told: Timeline,
    proofs: dict[Place, str],
    unproven: dict[Place, str],
    *,
    as_json: bool,
) -> None:
    made = _Made(
        case=str(output),
        subject=told.subject,
        records=len(told.path.steps),
        proven=len(proofs),
        unproven=sorted(unproven.values()),
    )
    if as_json:
        sys.stdout.write(neutralize_json(msgspec.json.encode(made)).decode() + "\n")
        return
    typer.echo(f"WRITTEN {made.records} records, {made.proven} proven: {neutralize(made.case)}")
    for reason in made.unproven:
        typer.echo(f"no proof  {neutralize(reason)}")
    typer.echo("next      hand it over with the key of the log by another way; check it with:")
    typer.echo(f"          nhi-evidence case verify {neutralize(made.case)} --key KEY")
