"""What does not hold in the demo, as sentences about each act."""

from __future__ import annotations

from nhi_evidence import plural
from nhi_evidence.demo import blind_spots, crossing, refusals, sealing, show_clouds
from nhi_evidence.embedded.seaweedfs_iam import EVIDENCE_BUCKET
from nhi_evidence.evidence.seal import Sealed
from nhi_evidence.evidence.verify import Report as Verified

_BESIDE = {"github_audit", "okta_system"}
"""Their records state nothing that links them to the job's identity: GitHub's name the job, not its
token, and Okta's name a client of its own. Nothing is guessed, so they are not part of the path."""


def of_delivery(
    counts: list[show_clouds.UnitCount],
    refused: list[refusals.Refusal],
    changed: list[tuple[str, str]],
    failures: list[str],
) -> list[str]:
    """Return what was not locked, counted or refused, or what the second delivery changed."""
    problems = [f"{item} was not locked" for item in failures]
    problems += [f"counts of {unit.unit} do not add up" for unit in counts if not unit.adds_up]
    problems += [f"not refused: {refusal.act}" for refusal in refused if not refusal.refused]
    if changed:
        versions = plural.count(len(changed), "version")
        problems.append(f"a second delivery changed {versions} in {EVIDENCE_BUCKET}")
    if not counts:
        problems.append("no file was delivered")
    return problems


def of_crossing(
    clouds: list[show_clouds.CloudCount], followed: list[crossing.Followed]
) -> list[str]:
    """Return the clouds the CI job was not followed into."""
    lost = {cloud.source for cloud in clouds} - {step.source for step in followed} - _BESIDE
    return [f"the CI job was not followed into {source}" for source in sorted(lost)]


def of_counting(counts: list[show_clouds.UnitCount], verified: Verified) -> list[str]:
    """Return a problem unless verification counts each unit and each of its records once."""
    units = len({(count.source, count.unit) for count in counts})
    counted = verified.units.get("counted", 0)
    records = sum(count.seen for count in counts)
    counted_records = sum(verified.records_counted.values())
    if (units, records) == (counted, counted_records):
        return []
    return [f"{counted} of {units} units, {counted_records} of {records} records count once"]


def of_sealing(
    sealed: Sealed,
    verified: Verified,
    proof: sealing.Proof | None,
    tampered: list[sealing.Tampered],
) -> list[str]:
    """Return what was not sealed, not proven, or altered without being detected."""
    problems = [f"not detected: {change.act}" for change in tampered if not change.seen]
    problems += [
        f"verification found {finding.code} {finding.key}" for finding in verified.findings
    ]
    if not sealed.added or verified.leaves != sealed.size:
        problems.append(f"{sealed.added} sealed, {verified.leaves} of {sealed.size} leaves read")
    if proof is not None and not proof.holds:
        problems.append(f"the proof of {proof.uid} does not hold: {proof.text}")
    return problems


def of_blind_spots(spots: blind_spots.BlindSpots | None) -> list[str]:
    """Return a problem unless coverage and reconcile reported exactly what was removed."""
    if spots is None or spots.exact:
        return []
    return ["coverage and reconcile did not report exactly what was removed"]
