"""Plans out of sealed evidence, and what became of their probes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from nhi_evidence.coverage.answers import ReadingError
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.plan import Plan
from nhi_evidence.coverage.canary.weigh import Seen, Weighed, weigh
from nhi_evidence.coverage.signed import Placed, SignedLog
from nhi_evidence.evidence import keys
from nhi_evidence.ports import EvidenceVersions

Planned = tuple[Placed, Plan]


def read(store: EvidenceVersions, log: SignedLog, problems: dict[str, str]) -> Iterator[Planned]:
    """Yield every plan that is sealed; say in `problems`, by key, which cannot be read."""
    chosen = [one for one in log.of("op", plans.KIND) if one.key.endswith(plans.ENDING)]
    bodies = store.bodies((one.key, one.vid) for one in chosen)
    for at, body in zip(chosen, bodies, strict=True):
        if body is None or sha256(body).hexdigest() != keys.parse_key(at.key).body_sha256:
            problems[at.key] = "gone, or other bytes than were sealed"
            continue
        try:
            made = plans.read(body, at.key)
        except ReadingError as error:
            problems[at.key] = str(error)
            continue
        if made.hour == at.hour:
            yield at, made
        else:
            problems[at.key] = "a plan of another hour than its key says"


def marks(planned: Iterable[Planned]) -> list[bytes]:
    """Return what the records of plans hold."""
    return [one.nonce.encode() for _, made in planned for one in made.probes]


def weighed(
    planned: Iterable[Planned], seen: Sequence[Seen], sealed_until: int
) -> tuple[Weighed, ...]:
    """Weigh every plan against the records that arrived."""
    return tuple(
        one for at, made in planned for one in weigh(made, at.locked_at, seen, sealed_until)
    )
