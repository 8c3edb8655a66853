"""Every real record beside the checkout: accounted for, valid, and nothing invented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nhi_evidence import sources
from nhi_evidence.cli import raw_input
from nhi_evidence.event import Rejection
from nhi_evidence.pipeline.export import Mapper, Normalized
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import expectations
from tests.ocsf_schema import problems
from tests.support import unsupported

EXPECTED = {
    source: found
    for source in sources.names()
    if (found := expectations(source).corpus) is not None
}


def raw_records(mapper: Mapper, folder: Path) -> Iterator[tuple[str, bytes, Rejection | None]]:
    """Yield every raw record: provider files as they are, and the event of each wrapped line."""
    for path in sorted(folder.glob("*.ndjson")):
        for line in path.read_bytes().splitlines():
            wrapped = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            yield path.name, bytes(wrapped["event"]), None
    for path in sorted((folder / "original").rglob("*.json*")):
        for raw, problem in raw_input.records(mapper, path.name, path.read_bytes()):
            yield path.name, raw, problem


@pytest.mark.parametrize("source", EXPECTED)
def test_every_record_is_accounted_for_and_valid(corpus: Path, source: str) -> None:
    """Kept + rejected == input; each kept record is valid OCSF and each value in it has support."""
    expected = EXPECTED[source]
    mapper = Mapper(source, scope=Scope.ALL)
    seen = kept = rejected = 0
    invalid: list[str] = []
    invented: list[str] = []
    for name, raw, problem in raw_records(mapper, corpus / expected.folder):
        seen += 1
        mapped = problem or mapper.map(raw)
        if isinstance(mapped, Rejection):
            rejected += 1
            assert mapped.reason in expected.rejected, f"{name}: {mapped}"
            continue
        assert isinstance(mapped, Normalized)
        kept += 1
        assert mapped.text.encode() == raw
        record: dict[str, Any] = json.loads(msgspec.json.encode(mapped.record))
        assert record["raw_data_hash"]["value"] == sha256(raw).hexdigest()
        invalid += [f"{name}: {one}" for one in problems(record)]
        invented += [f"{name}: {one}" for one in unsupported(record, json.loads(raw))]
    assert kept + rejected == seen
    assert kept >= expected.at_least
    assert [] == invalid
    assert [] == invented


def test_every_folder_of_a_pack_is_read(corpus: Path) -> None:
    """A pack whose name is a folder of the corpus says what it makes of it."""
    folders = {path.name for path in corpus.iterdir()} & set(sources.names())
    assert folders <= set(EXPECTED)
