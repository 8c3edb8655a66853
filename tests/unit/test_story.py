"""The generated story: in every cloud the evidence agrees with the script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from nhi_evidence import sources
from nhi_evidence.demo import crossing
from nhi_evidence.demo.bucket import Object, Unit
from nhi_evidence.demo.story import (
    Step,
    aws_crossing,
    azure,
    azure_batches,
    gcp,
    gcp_files,
    generate,
)
from nhi_evidence.demo.story.crossing import JOIN_ID
from nhi_evidence.demo.story.records import Recorder
from nhi_evidence.event import Delivery, Rejection
from nhi_evidence.evidence import objects
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.mapping import Normalized
from tests.memory_store import MemoryStore

Attack = Callable[[Recorder], list[dict[str, Any]]]
CLOUDS: dict[str, tuple[tuple[Step, ...], Attack]] = {
    "aws_cloudtrail": (aws_crossing.STEPS, aws_crossing.attack),
    "gcp_audit": (gcp.STEPS, gcp.attack),
    "azure_monitor": (azure.STEPS, azure.attack),
}


def outcome_of(mapper: Mapper, record: dict[str, Any]) -> tuple[str, str, str | None, str] | str:
    """Return operation, outcome, base phase and phase of a kept record, else why there are none."""
    done = mapper.map(msgspec.json.encode(record))
    if isinstance(done, Rejection):
        return done.reason
    assert isinstance(done, Normalized), record
    normalized = msgspec.json.decode(msgspec.json.encode(done.record))
    operation = normalized["api"]["operation"].lower()
    return (
        operation,
        normalized["nhi_outcome"],
        normalized.get("nhi_base_phase"),
        normalized["nhi_phase"],
    )


def expected(source: str, step: Step, record: dict[str, Any]) -> tuple[str, str, str, str] | str:
    """Return what the script says about a step; a category without a pack is kept raw."""
    routes = sources.routes(source)
    if routes is not None and record["category"].lower() not in routes:
        return "category_unknown"
    operation = step.operation.lower()
    if record.get("category") == "MicrosoftGraphActivityLogs":
        operation = f"get /v1.0/{operation}"
    phase = "Failed Attempt" if step.outcome == "denied" else step.base_phase
    return operation, step.outcome, step.base_phase, phase


@pytest.mark.parametrize("source", CLOUDS)
def test_evidence_of_every_step_matches_the_script(source: str) -> None:
    """Outcome and base phase of each step of the crossing; a refused one is a failed attempt."""
    steps, attack = CLOUDS[source]
    records = attack(Recorder(1))
    mapper = Mapper(source, keep_out_of_scope_raw=False)
    assert [expected(source, *one) for one in zip(steps, records, strict=True)] == [
        outcome_of(mapper, one) for one in records
    ]


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Generated twice it is identical byte for byte; another seed gives something else."""
    assert gcp_files() == gcp_files()
    assert azure_batches() == azure_batches()
    assert generate() == generate()
    assert gcp_files() != gcp_files(seed=8)
    assert azure_batches() != azure_batches(seed=8)


def test_the_numbers_of_a_partition_have_no_gap() -> None:
    """Batches follow each other as a partition delivers them."""
    numbers = [one.sequence for batch in azure_batches() for one in batch]
    assert list(range(numbers[0], numbers[0] + len(numbers))) == numbers


def evidence(records: list[dict[str, Any]]) -> list[Object]:
    """Return the evidence objects of a file of Google Cloud's entries."""
    body = b"\n".join(map(msgspec.json.encode, records))
    mapper = Mapper("gcp_audit", keep_out_of_scope_raw=False)
    store = MemoryStore()
    lock_batch(mapper, [Delivery(unit="b/o@1!h=2026030208", body=body)], store).ensure_locked()
    by_name = []
    for key, stored in store.objects.items():
        table, lines = objects.read_object(stored)
        units = [Unit(unit, own) for unit, own in objects.lines_of(table, lines)]
        by_name.append(Object(key, len(stored), table.header, units))
    return by_name


def operations(records: list[dict[str, Any]], join_id: str = JOIN_ID) -> list[str]:
    return [one.operation for one in crossing.follow(evidence(records), join_id)]


def test_a_workload_is_followed_only_as_far_as_the_evidence_goes() -> None:
    """Without the act of trust the issuer is unknown; with it, every step is the CI job's."""
    recorder = Recorder(1)
    trusted, attack = gcp.trusted(recorder), gcp.attack(recorder)
    everything = [one.operation for one in gcp.STEPS]
    assert everything == operations([trusted, *attack])
    assert [] == operations(attack)
    assert [] == operations([trusted, *attack], JOIN_ID.replace("example-org", "other"))


def test_an_act_two_issuers_may_have_vouched_for_is_attributed_to_neither() -> None:
    """If a pool has providers of several issuers, an act is attributed only by its provider."""
    recorder = Recorder(1)
    other = gcp.trusted(recorder)
    name = other["protoPayload"]["resourceName"].replace("github", "gitlab")
    other["protoPayload"]["resourceName"] = name
    provider = other["protoPayload"]["request"]["workloadIdentityPoolProvider"]
    provider["oidc"]["issuerUri"] = "https://gitlab.com"
    listed = operations([gcp.trusted(recorder), other, *gcp.attack(recorder)])
    assert [gcp.STEPS[0].operation] == listed
