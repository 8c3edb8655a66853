"""The demo, act by act: each is run and shown, and returns its outcome."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import Console

from nhi_evidence.coverage.matrix import Matrix
from nhi_evidence.demo import (
    blind_spots,
    crossing,
    investigation,
    problems,
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
from nhi_evidence.evidence.seal import Sealed
from nhi_evidence.evidence.verify import Report as Verified

_LEFT = "nhi-evidence-demo-"
"""Prefix of the folder that report and case are left in."""


class Report(msgspec.Struct, kw_only=True):
    """What the demo showed, as printed by `--json`."""

    deliveries: list[show_clouds.UnitCount]
    """Each delivered unit of AWS, with what its records came to."""
    clouds: list[show_clouds.CloudCount]
    """Each other cloud, and the platforms, with what their records came to."""
    crossing: list[crossing.Followed]
    """What one CI job did, by issuer and subject; empty with --input."""
    refusals: list[refusals.Refusal]
    """What was tried and must be refused, and the store's answer."""
    sealed: Sealed
    """The run of the sealer."""
    findings: list[str]
    """Findings of verifying the sealed bucket; expected to be empty."""
    proof: sealing.Proof | None
    """The proof of one record; None where nothing was kept that could be proven."""
    tampered: list[sealing.Tampered]
    """Each change of a copy, and the findings that name it."""
    redelivery_changed: list[str]
    """Object versions that a second delivery of the same files added or removed; expected: none."""
    regrouped: int
    """Objects added by delivering AWS's files in smaller batches; nothing in them counts twice."""
    blind_spots: blind_spots.BlindSpots | None = None
    """Gaps, canary and file removed from an estate, and what was reported; None with --input."""
    ok: bool
    """Whether everything came out as claimed."""
    failed: list[str]
    """What came out otherwise than claimed; empty if `ok`."""
    kept_copy: str | None = None
    """Folder with a copy of the bucket; None without --keep."""
    investigated: Investigated | None = None
    """The CI job's report and case; None with --input."""


class Channels(NamedTuple):
    """Where an act is shown."""

    detail: Console
    """All of it."""
    brief: Console
    """A line or two of it."""
    working: Callable[[str], None]
    """What is being done now."""


class Finished(NamedTuple):
    """What is left to print when everything has been stopped."""

    report: Report
    copied: int | None
    """Number of objects in the copy; None without --keep."""
    key: str
    """Verifier key of the log, to verify the copy with."""


class _Delivered(NamedTuple):
    objects: Sequence[Object]
    versions: frozenset[tuple[str, str]]
    counts: list[show_clouds.UnitCount]
    clouds: list[show_clouds.CloudCount]
    followed: list[crossing.Followed]
    failures: list[str]


class _Repeated(NamedTuple):
    changed: list[tuple[str, str]]
    regrouped: int
    refused: list[refusals.Refusal]
    failures: list[str]


class _Notarized(NamedTuple):
    sealed: Sealed
    verified: Verified
    proof: sealing.Proof | None
    tampered: list[sealing.Tampered]


def run(
    stage: Stage, folder: Path, channels: Channels, *, own_files: bool, seed: int, keep: Path | None
) -> Finished:
    """Play every act on a running stage, in `folder`; own files leave out acts that need a story.

    `keep` is the folder a copy of the bucket is left in.
    """
    show_brief.opening(channels.brief)
    show.opening(channels.detail, stage.store.endpoint_url, stage.clouds)
    delivered = _deliver(stage, channels, own_files=own_files)
    repeated = _repeat(stage, channels, delivered.versions)
    notary = sealing.Notary(stage.store, folder)
    notarized = _notarize(notary, delivered.objects, channels)
    spots, investigated = None, None
    if not own_files:
        spots, coverage = _blind_spots(folder, seed, channels)
        investigated = _investigate(notary, delivered.followed, coverage, channels)
    copied = notary.copy(keep) if keep else None
    failed = [
        *problems.of_delivery(
            delivered.counts,
            repeated.refused,
            repeated.changed,
            [*delivered.failures, *repeated.failures],
        ),
        *problems.of_sealing(*notarized),
        *problems.of_counting(delivered.counts, notarized.verified),
        *show_investigation.not_told(investigated, delivered.followed),
        *(() if own_files else problems.of_crossing(delivered.clouds, delivered.followed)),
        *problems.of_blind_spots(spots),
    ]
    findings = notarized.verified.findings
    report = Report(
        deliveries=delivered.counts,
        clouds=delivered.clouds,
        crossing=delivered.followed,
        refusals=repeated.refused,
        sealed=notarized.sealed,
        findings=[f"{finding.code} {finding.key}" for finding in findings],
        proof=notarized.proof,
        tampered=notarized.tampered,
        redelivery_changed=[key for key, _ in repeated.changed],
        regrouped=repeated.regrouped,
        blind_spots=spots,
        ok=not failed,
        failed=failed,
        kept_copy=str(keep) if copied else None,
        investigated=investigated,
    )
    return Finished(report, copied, str(notary.key))


def _deliver(stage: Stage, channels: Channels, *, own_files: bool) -> _Delivered:
    detail, brief, working = channels
    working("delivering the logs")
    failures = stage.deliver()
    versions = frozenset(stage.bucket.versions())
    objects = list(stage.bucket.objects())
    counts, clouds = show_clouds.counts(detail, objects)
    show_clouds.kinds(detail, clouds)
    show_brief.counts(brief, counts, clouds)
    followed = [] if own_files else crossing.follow(objects, JOIN_ID)
    if not own_files:
        show.story(detail, objects)
        crossing.show(detail, JOIN_ID, followed)
        show_brief.story(brief, objects, followed)
    show.one_object(detail, objects)
    return _Delivered(objects, versions, counts, clouds, followed, failures)


def _repeat(stage: Stage, channels: Channels, versions: frozenset[tuple[str, str]]) -> _Repeated:
    """Deliver everything again, then in other batches; try forbidden operations."""
    detail, brief, working = channels
    working("delivering them again")
    failures = stage.deliver()
    changed = sorted(versions ^ stage.bucket.versions())
    failures += stage.regroup()
    regrouped = len(stage.bucket.versions() - versions)
    working("trying forbidden operations")
    refused = refusals.collect(stage.store, min(versions))
    refused += refusals.of_tokens(stage.store, stage.platforms)
    show.redelivery(detail, len(versions), changed, regrouped)
    show.refusals(detail, refused)
    show_brief.holds(brief, len(versions), len(changed), regrouped, refused)
    return _Repeated(changed, regrouped, refused, failures)


def _notarize(notary: sealing.Notary, objects: Sequence[Object], channels: Channels) -> _Notarized:
    """Seal, verify, prove one record, and tamper with copies; show each."""
    detail, brief, working = channels
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
    return _Notarized(sealed, verified, proof, tampered)


def _blind_spots(
    folder: Path, seed: int, channels: Channels
) -> tuple[blind_spots.BlindSpots, Matrix]:
    spots, coverage = blind_spots.show_blind_spots(folder / "estate", seed)
    show_brief.blind_spots(channels.brief, spots)
    for line in spots.lines():
        channels.detail.print(line)
    return spots, coverage


def _investigate(
    notary: sealing.Notary,
    followed: Sequence[crossing.Followed],
    coverage: Matrix,
    channels: Channels,
) -> Investigated:
    """Trace one job's path, and leave report, case and coverage in a new folder."""
    channels.working("tracing one job's path, with a proof of every record")
    folder = Path(tempfile.mkdtemp(prefix=_LEFT))
    investigated, timeline = investigation.investigate(notary, JOIN_ID, coverage, folder)
    show_investigation.summary(channels.detail, channels.brief, investigated, timeline, followed)
    return investigated
