"""Nearly every real record that names what was acted on does so in its normalized form too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nhi_evidence.event import Rejection
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.mapping import Normalized
from nhi_evidence.pipeline.scope import Scope
from tests.unit.named_targets import is_named, names_target
from tests.unit.test_corpus import EXPECTED, raw_records

AT_LEAST = 0.95
"""Share of the records that name a target, and in their normalized form still do."""


@pytest.mark.parametrize("source", EXPECTED)
def test_targets_of_the_corpus_are_named(corpus: Path, source: str) -> None:
    """By a judge that knows no source pack."""
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)
    naming, lost = 0, []
    for name, raw, problem in raw_records(mapper, corpus / EXPECTED[source].folder):
        result = problem or mapper.map(raw)
        if isinstance(result, Rejection) or not names_target(json.loads(raw)):
            continue
        assert isinstance(result, Normalized)
        naming += 1
        record: dict[str, Any] = json.loads(msgspec.json.encode(result.record))
        if not is_named(record):
            lost.append(f"{name}: {record['api']['service']['name']} {record['api']['operation']}")
    assert naming
    share = 1 - len(lost) / naming
    assert share >= AT_LEAST, f"{naming - len(lost)} of {naming} ({share:.1%}); lost: {lost}"


@pytest.mark.parametrize("source", EXPECTED)
def test_no_target_is_named_twice(corpus: Path, source: str) -> None:
    """The same id or name stands once among the resources of a record."""
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)
    for name, raw, problem in raw_records(mapper, corpus / EXPECTED[source].folder):
        result = problem or mapper.map(raw)
        if isinstance(result, Rejection):
            continue
        assert isinstance(result, Normalized)
        record = json.loads(msgspec.json.encode(result.record))
        resources = record.get("resources") or (record.get("unmapped") or {}).get("resources") or []
        uids = [one["uid"] for one in resources if "uid" in one]
        assert len(uids) == len(set(uids)), f"{name}: {uids}"
