"""A record of any source in any shape is rejected, or becomes valid and faithful OCSF."""

from __future__ import annotations

import json
from functools import cache

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nhi_evidence import sources
from nhi_evidence.event import Rejection
from nhi_evidence.pipeline.export import Mapper, Normalized
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import expectations
from tests.ocsf_schema import problems
from tests.property.odd_records import odd_record
from tests.support import unsupported

PACKS = [name for name in sources.names() if sources.routes(name) is None]


@cache
def mapper_of(source: str) -> Mapper:
    return Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)


@pytest.mark.parametrize("source", PACKS)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_every_kept_record_is_valid(source: str, data: st.DataObject) -> None:
    """Every kept record is valid OCSF 1.8.0 with the extension, and nothing in it is invented."""
    record = data.draw(odd_record(source))
    mapped = mapper_of(source).map(json.dumps(record, ensure_ascii=False).encode(errors="replace"))
    if isinstance(mapped, Rejection):
        assert mapped.reason
        return
    assert isinstance(mapped, Normalized)
    normalized = json.loads(msgspec.json.encode(mapped.record))
    assert [] == problems(normalized)
    assert [] == unsupported(normalized, record, expectations(source).failure)
