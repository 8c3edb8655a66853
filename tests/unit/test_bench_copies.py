"""What the benchmark seals equals what the mapper would make of its files."""

from __future__ import annotations

import pytest

from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.scope import Scope
from tests.bench import copies


def test_copies_are_what_the_mapper_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "BATCH_FILES", 2)
    monkeypatch.setattr(copies, "FILE_RECORDS", 40)
    mapper, copying = (
        kind("aws_cloudtrail", scope=Scope.ALL, keep_out_of_scope_raw=True)
        for kind in (Mapper, copies.CopyingMapper)
    )
    files = list(copies.deliveries(2 * 40 * 27 + 15))  # past midnight, the last one shorter
    for delivery in (*files[:5], *files[-3:]):
        (mapped,) = mapper.units(delivery)
        (copied,) = copying.units(delivery)
        assert copied == mapped
    assert len({delivery.body for delivery in files}) == len(files)
