"""A time without a zone, taken for UTC because the user says so: in the records of every source."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nhi_evidence import sources
from nhi_evidence.local_files import assumed
from nhi_evidence.pipeline.export import Mapper, Normalized
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import FOLDER, outcome, read

PACKS = [name for name in sources.names() if sources.routes(name) is None]


def stripped(source: str) -> list[dict[str, Any]]:
    """Return the records of a source's cases whose time is text, as an SQL export writes it."""
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)
    records = []
    for path in sorted((FOLDER / source).glob("*.json")):
        case = read(path)
        mapped = outcome(case, mapper)
        time = mapped["metadata"]["original_time"] if "metadata" in mapped else ""
        names = [name for name, value in case.record.items() if value == time]
        if names and time.endswith("Z"):
            bare = time.removesuffix("Z").replace("T", " ")
            records.append(case.record | dict.fromkeys(names, bare))
    return records


@pytest.mark.parametrize("source", PACKS)
def test_every_time_is_recognized(source: str) -> None:
    """Under the name by which the source states when something happened."""
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)
    records = stripped(source)
    assert records or source == "aws_api_gateway", "its times are numbers"
    for record in records[:20]:
        read_as = assumed.utc(json.dumps(record).encode())
        assert read_as is not None, record
        assert isinstance(mapper.map(read_as.raw), Normalized), record
