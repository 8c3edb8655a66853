"""The story beyond the clouds: each platform's evidence matches the script, and one path crosses
them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import msgspec
import pytest

from nhi_evidence.demo.story import platforms
from nhi_evidence.demo.story.crossing import JOIN_ID
from nhi_evidence.demo.story.records import Recorder
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import objects
from nhi_evidence.evidence.lines import decode_line
from nhi_evidence.investigate import row_reading, trust
from nhi_evidence.investigate.index import MemoryIndex, Selection
from nhi_evidence.investigate.lineage import follow
from nhi_evidence.investigate.row import Place, Row
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.mapping import Normalized
from tests.memory_store import MemoryStore
from tests.story_store import deliveries


@pytest.mark.parametrize("source", platforms.STEPS)
def test_evidence_of_every_step_matches_the_script(source: str) -> None:
    """Operation, outcome and meaning match for each step; a denied one is a failed attempt."""
    mapper = Mapper(source, keep_out_of_scope_raw=False)
    for step, record in zip(
        platforms.STEPS[source], platforms.attack(Recorder(1), source), strict=True
    ):
        done = mapper.map(msgspec.json.encode(record))
        assert isinstance(done, Normalized), (step, done)
        recorded = msgspec.json.decode(msgspec.json.encode(done.record))
        phase = "Enumeration" if step.name == platforms.LISTS_TOOLS else step.base_phase
        phase = "Failed Attempt" if step.outcome == "denied" else phase
        assert (step.operation, step.outcome, step.base_phase, phase) == (
            recorded["api"]["operation"],
            recorded["nhi_outcome"],
            recorded["nhi_base_phase"],
            recorded["nhi_phase"],
        )


def test_the_same_seed_gives_the_same_files() -> None:
    """They are identical byte for byte, and all are read without a rejection."""
    assert platforms.platform_files() == platforms.platform_files()
    assert platforms.platform_files() != platforms.platform_files(seed=8)
    for file in platforms.platform_files():
        mapper = Mapper(file.source, keep_out_of_scope_raw=True)
        store = MemoryStore()
        (locked,) = lock_batch(mapper, [Delivery(f"b/{file.name}@1", file.body)], store).objects
        assert (file.records, 0) == (locked.records, locked.rejected)


def index() -> MemoryIndex:
    """Every row of the story's evidence, and every act of trust in it."""
    rows: list[Row] = []
    trusts: list[trust.Trust] = []
    for source, delivery in deliveries():
        store = MemoryStore()
        lock_batch(Mapper(source, keep_out_of_scope_raw=False), [delivery], store).ensure_locked()
        for row, line in rows_of(source, store):
            rows.append(row)
            if trust.may_state(source, line):
                trusts += trust.trusts(row, decode_line(line).raw or b"")
    return MemoryIndex(rows, trusts)


def rows_of(source: str, store: MemoryStore) -> Iterator[tuple[Row, bytes]]:
    for key, body in store.objects.items():
        _, lines = objects.read_object(body)
        for line in lines:
            row = row_reading.read_line(line, source, functools.partial(Place, key, source))
            if row is not None:
                yield row, line


def test_one_identity_crosses_at_least_six_platforms() -> None:
    """Only by issuer and subject as the evidence states them, without guessing."""
    path = follow(index(), Selection(identities=frozenset({JOIN_ID})))
    crossed = {step.row.source for step in path.steps}
    assert {"aws_cloudtrail", "vault_audit", "aws_api_gateway", "k8s_audit"} <= crossed
    assert len(crossed) >= 6, crossed
