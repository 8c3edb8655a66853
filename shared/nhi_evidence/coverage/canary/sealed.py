"""Plans in sealed evidence, and what became of their probes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from nhi_evidence.coverage.answers import ReadingError
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary import statement
from nhi_evidence.coverage.canary.plan import Plan
from nhi_evidence.coverage.canary.weigh import Seen, Sightings, Weighed, weigh
from nhi_evidence.coverage.signed import Placed, SignedLog
from nhi_evidence.evidence import keys
from nhi_evidence.ports import EvidenceVersions

Planned = tuple[Placed, Plan]
_MOST_NAMED = 5
"""How many probes of one statement are named."""


def read(store: EvidenceVersions, log: SignedLog, problems: dict[str, str]) -> Iterator[Planned]:
    """Yield every sealed plan; add those that cannot be read to `problems`, by key."""
    chosen = [one for one in log.of("op", plans.KIND) if one.key.endswith(plans.ENDING)]
    bodies = store.bodies((one.key, one.vid) for one in chosen)
    for at, body in zip(chosen, bodies, strict=True):
        if body is None or sha256(body).hexdigest() != keys.parse_key(at.key).body_sha256:
            problems[at.key] = "gone, or not the bytes that were sealed"
            continue
        try:
            plan = plans.read(body, at.key)
        except ReadingError as error:
            problems[at.key] = str(error)
            continue
        if plan.hour == at.hour:
            yield at, plan
        else:
            problems[at.key] = "the plan's hour does not match its key"


def weighed(
    planned: Iterable[Planned], seen: Iterable[Seen] | Sightings, sealed_until: int
) -> tuple[Weighed, ...]:
    """Weigh every plan against the records that arrived."""
    every = list(planned)
    if not isinstance(seen, Sightings):
        sightings = Sightings(plan for _, plan in every)
        for record in seen:
            sightings.add(record)
        seen = sightings
    return tuple(one for at, plan in every for one in weigh(plan, at.locked_at, seen, sealed_until))


def contradicted(
    store: EvidenceVersions,
    log: SignedLog,
    canaries: Iterable[Weighed],
    problems: dict[str, str],
) -> Iterator[tuple[str, str]]:
    """Yield the key of each sealed statement that claims more than `canaries`, and what it claims.

    Statements that cannot be read are added to `problems`, by key.
    """
    own = {one.nonce: one for one in canaries}
    chosen = [one for one in log.of("op", "recon") if one.key.endswith(statement.ENDING)]
    bodies = store.bodies((one.key, one.vid) for one in chosen)
    for at, body in zip(chosen, bodies, strict=True):
        try:
            stated = statement.read(body or b"", at.key)
        except ReadingError as error:
            problems[at.key] = str(error)
            continue
        claims = statement.contradictions(stated, own)
        if claims:
            yield at.key, "; ".join(claims[:_MOST_NAMED])
