"""A credential that only a label names is found by it."""

from __future__ import annotations

import functools
import json

import pytest

from nhi_evidence.event import Delivery
from nhi_evidence.evidence import objects
from nhi_evidence.investigate import row_reading
from nhi_evidence.investigate.index import MemoryIndex, Selection
from nhi_evidence.investigate.lineage import follow
from nhi_evidence.investigate.row import Place, Row
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import cases, read
from tests.memory_store import MemoryStore

HASH = "EH4L8o6PfCqipALbL+QT62lyqUtnI7ql0SPbkaQnjv8="


def row_of(source: str, case: str, unit: str, **changes: object) -> Row:
    """The row of a golden case's record, as the pack maps it."""
    record = read(cases(source)[case]).record | changes
    store = MemoryStore()
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)
    body = json.dumps(record).encode() + b"\n"
    lock_batch(mapper, [Delivery(unit, body)], store).ensure_locked()
    (stored,) = store.objects.values()
    (line,) = objects.read_object(stored)[1]
    row = row_reading.read_line(line, source, functools.partial(Place, unit, unit))
    assert row is not None
    return row


GITHUB = "b/2026/03/02/08/15/{}.json.gz@1"


@pytest.mark.parametrize("uid", ["556", HASH])
def test_a_token_of_github_is_found_by_its_id_and_by_its_hash(uid: str) -> None:
    """And by its id, what an entry that states the hash alone records."""
    both = row_of("github_audit", "identity-05-fine-grained", GITHUB.format("a"))
    later = row_of(
        "github_audit", "identity-05-fine-grained", GITHUB.format("b"), token_id=0, _document_id="b"
    )
    assert (both.credential, both.hop_credentials) == (HASH, ("556",))
    assert (later.credential, later.hop_credentials) == (HASH, ())
    path = follow(MemoryIndex([both, later]), Selection(credentials=frozenset({uid})))
    assert [step.row for step in path.steps] == [both, later]
