"""`nhi-evidence demo`: files in, locked and sealed evidence out, and what is refused and seen."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from nhi_evidence import plural
from nhi_evidence.cli import exit_codes, json_output
from nhi_evidence.cli.screen import say
from nhi_evidence.demo import (
    blind_spots,
    crossing,
    investigation,
    refusals,
    sealing,
    show,
    show_brief,
    show_clouds,
    show_investigation,
    show_sealing,
)
from nhi_evidence.demo.bucket import Object
from nhi_evidence.demo.investigation import Investigated
from nhi_evidence.demo.stage import Stage
from nhi_evidence.demo.story.crossing import JOIN_ID
from nhi_evidence.embedded.seaweedfs_iam import EVIDENCE_BUCKET
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.seal import Sealed
from nhi_evidence.evidence.verify import Report as Verified

EXAMPLES = """\b
Examples:
  nhi-evidence demo
  nhi-evidence demo --verbose | less
  nhi-evidence demo --seed 7
  nhi-evidence demo --input ./my-trail-files
  nhi-evidence demo --keep ./evidence-copy

Exit codes: 0 everything shown holds; 1 a check failed; 4 the store cannot be
started (said on standard error); 64 wrong usage.
"""


_BESIDE = {"github_audit", "okta_system"}
"""Whose records state nothing that joins them to the job's: GitHub's name the job, not its token,
and Okta's a client of its own. Nothing is guessed: they are no part of its way."""

_LEFT = "nhi-evidence-demo-"
"""How the folder begins that report and case are left in."""


class Report(msgspec.Struct, kw_only=True):
    """What the demo showed; printed by `--json`."""

    deliveries: list[show_clouds.UnitCount]
    clouds: list[show_clouds.CloudCount]
    crossing: list[crossing.Followed]
    """What one CI job did, by its issuer and subject; empty for files of one's own."""
    refusals: list[refusals.Refusal]
    sealed: Sealed
    findings: list[str]
    """What verification of the sealed bucket found: nothing."""
    proof: sealing.Proof | None
    tampered: list[sealing.Tampered]
    redelivery_changed: list[str]
    """Object versions that a second delivery of the same files added or took away: none."""
    regrouped: int
    """Objects that delivering AWS's files in smaller batches added; none of it counts twice."""
    blind_spots: blind_spots.BlindSpots | None = None
    """Gaps, a canary and a file taken from an estate, and what was named; None for own files."""
    ok: bool
    failed: list[str]
    kept_copy: str | None = None
    investigated: Investigated | None = None
    """The CI job's report and case; None for files of one's own."""


def command(
    input_: Annotated[
        Path | None,
        typer.Option(
            "--input",
            exists=True,
            file_okay=False,
            help="Folder of CloudTrail files (.json, .json.gz); default: a generated story "
            "over three clouds and five platforms.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Leave a copy of the evidence bucket in this folder."),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Show every table, every refusal, and one object in full."
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Draws the gaps, the canary and the file that are taken away.")
    ] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON object.")
    ] = False,
) -> None:
    """Run the main job on this machine: logs of three clouds and five platforms become evidence.

    Starts an embedded locked bucket and feeds logs through the real functions under their own
    runtimes, each function writing by its own identity. Shows that every record is accounted
    for, what a leaked key did, that delivering everything twice changes nothing and in other
    groups counts nothing twice, and what the lock refuses. Then seals the bucket, verifies it,
    proves one record, and tampers with copies. Takes settings, a canary's record and a delivered
    file away from an estate, and shows that coverage and reconcile name just that. Ends with one
    job's way through the clouds, as a page and as a case with a proof of every record, left in a
    folder of their own.
    """
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise SettingsError(f"{keep}: is not empty; --keep takes a new folder")
    screen = show.Screen(quiet=as_json)
    detail, brief = screen.only(wanted=verbose), screen.only(wanted=not verbose)
    with (
        tempfile.TemporaryDirectory(prefix="nhi-evidence-") as folder,
        screen.working("starting the embedded locked bucket and the functions") as working,
        Stage(Path(folder), input_) as stage,
    ):
        store = stage.store
        show_brief.opening(brief)
        show.opening(detail, store.endpoint_url, stage.clouds)
        working("delivering the logs")
        first_failures = stage.deliver()
        before = stage.bucket.versions()
        objects = list(stage.bucket.objects())
        counts, clouds = show_clouds.counts(detail, objects)
        show_clouds.kinds(detail, clouds)
        show_brief.counts(brief, counts, clouds)
        followed = crossing.follow(objects, JOIN_ID) if input_ is None else []
        if input_ is None:
            show.story(detail, objects)
            crossing.show(detail, JOIN_ID, followed)
            show_brief.story(brief, objects, followed)
        show.one_object(detail, objects)
        working("delivering them again")
        second_failures = stage.deliver()
        changed = sorted(before ^ stage.bucket.versions())
        regroup_failures = stage.regroup()
        regrouped = len(stage.bucket.versions() - before)
        working("trying what is refused")
        refused = refusals.collect(store, sorted(before)[0])
        refused += refusals.of_tokens(store, stage.platforms)
        show.redelivery(detail, len(before), changed, regrouped)
        show.refusals(detail, refused)
        show_brief.holds(brief, len(before), len(changed), regrouped, refused)
        notary = sealing.Notary(store, Path(folder))
        sealed, verified, proof, tampered = _notarized(notary, objects, detail, brief, working)
        spots = _blind_spots(Path(folder), seed, detail, brief) if input_ is None else None
        done = _investigated(notary, detail, brief, working, followed) if input_ is None else None
        copied = notary.copy(keep) if keep else None
    failed = [
        *_failed(counts, refused, changed, [*first_failures, *second_failures, *regroup_failures]),
        *_not_proven(sealed, verified, proof, tampered),
        *_not_once(counts, verified),
        *show_investigation.not_told(done, followed),
        *(_not_followed(clouds, followed) if input_ is None else ()),
        *_not_exact(spots),
    ]
    report = Report(
        deliveries=counts,
        clouds=clouds,
        crossing=followed,
        refusals=refused,
        sealed=sealed,
        findings=[f"{finding.code} {finding.key}" for finding in verified.findings],
        proof=proof,
        tampered=tampered,
        redelivery_changed=[key for key, _ in changed],
        regrouped=regrouped,
        blind_spots=spots,
        ok=not failed,
        failed=failed,
        kept_copy=str(keep) if copied else None,
        investigated=done,
    )
    show.copied(screen.out, copied, keep, str(notary.key))
    show_brief.verdict(screen.out, failed, own_files=input_ is not None)
    show_investigation.left(screen.out, done)
    if as_json:
        json_output.write("demo", report)
    if failed:
        say(f"nhi-evidence: {'; '.join(failed)}", err=True)
        raise typer.Exit(exit_codes.WRONG)


def _blind_spots(
    folder: Path, seed: int, detail: Console, brief: Console
) -> blind_spots.BlindSpots:
    spots = blind_spots.show_blind_spots(folder / "estate", seed)
    show_brief.blind_spots(brief, spots)
    for line in spots.lines():
        detail.print(line)
    return spots


def _not_exact(spots: blind_spots.BlindSpots | None) -> list[str]:
    if spots is None or spots.exact:
        return []
    return ["coverage and reconcile did not name exactly what was taken away"]


def _notarized(
    notary: sealing.Notary,
    objects: Sequence[Object],
    detail: Console,
    brief: Console,
    working: Callable[[str], None],
) -> tuple[Sealed, Verified, sealing.Proof | None, list[sealing.Tampered]]:
    """Seal, verify, prove one record, and tamper with copies; show each."""
    working("sealing, verifying and proving")
    sealed = notary.seal()
    verified = notary.verify()
    show_sealing.sealed(detail, sealed, verified)
    uid = show.chosen_record(objects)
    proof = notary.prove(uid) if uid else None
    show_sealing.proof(detail, proof)
    show_brief.sealed(brief, sealed, verified, proof)
    working("tampering with copies")
    tampered = notary.tamper()
    show_sealing.tampered(detail, tampered)
    show_brief.tampered(brief, tampered)
    return sealed, verified, proof, tampered


def _investigated(
    notary: sealing.Notary,
    detail: Console,
    brief: Console,
    working: Callable[[str], None],
    followed: Sequence[crossing.Followed],
) -> Investigated:
    """Tell one job's way, and leave report and case in a folder of their own."""
    working("telling one job's way, with a proof of every record")
    folder = Path(tempfile.mkdtemp(prefix=_LEFT))
    done, timeline = investigation.investigate(notary, JOIN_ID, folder)
    show_investigation.shown(detail, brief, done, timeline, followed)
    return done


def _failed(
    counts: list[show_clouds.UnitCount],
    refused: list[refusals.Refusal],
    changed: list[tuple[str, str]],
    failures: list[str],
) -> list[str]:
    problems = [f"{item} was not locked" for item in failures]
    problems += [f"counts of {unit.unit} do not add up" for unit in counts if not unit.adds_up]
    problems += [f"not refused: {refusal.act}" for refusal in refused if not refusal.refused]
    if changed:
        versions = plural.count(len(changed), "version")
        problems.append(f"a second delivery changed {versions} in {EVIDENCE_BUCKET}")
    if not counts:
        problems.append("no file was delivered")
    return problems


def _not_followed(
    clouds: list[show_clouds.CloudCount], followed: list[crossing.Followed]
) -> list[str]:
    lost = {cloud.source for cloud in clouds} - {step.source for step in followed} - _BESIDE
    return [f"the CI job was not followed into {source}" for source in sorted(lost)]


def _not_once(counts: list[show_clouds.UnitCount], verified: Verified) -> list[str]:
    """Whether verification counts each unit, and each of its records, once."""
    units = len({(count.source, count.unit) for count in counts})
    counted = verified.units.get("counted", 0)
    records = sum(count.seen for count in counts)
    counted_records = sum(verified.records_counted.values())
    if (units, records) == (counted, counted_records):
        return []
    return [f"{counted} of {units} units, {counted_records} of {records} records count once"]


def _not_proven(
    sealed: Sealed,
    verified: Verified,
    proof: sealing.Proof | None,
    tampered: list[sealing.Tampered],
) -> list[str]:
    problems = [f"not seen: {change.act}" for change in tampered if not change.seen]
    problems += [
        f"verification found {finding.code} {finding.key}" for finding in verified.findings
    ]
    if not sealed.added or verified.leaves != sealed.size:
        problems.append(f"{sealed.added} sealed, {verified.leaves} of {sealed.size} leaves read")
    if proof is not None and not proof.holds:
        problems.append(f"the proof of {proof.uid} does not hold: {proof.text}")
    return problems
