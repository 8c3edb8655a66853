"""Every real record beside the checkout: accounted for, valid, and nothing invented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from nhi_evidence import sources
from nhi_evidence.cli import raw_input
from nhi_evidence.event import Rejection
from nhi_evidence.export import Mapper, Normalised
from nhi_evidence.scope import Scope
from tests.ocsf_schema import problems
from tests.support import unsupported


class Expected(NamedTuple):
    """What a pack makes of its folder of the corpus."""

    folder: str
    at_least: int
    """Records kept."""
    rejected: dict[str, str]
    """Reason to why records of this corpus are rejected for it."""


EXPECTED = {
    "aws_cloudtrail": Expected(
        "cloudtrail",
        1501,
        {
            "event_time_missing": "abridged records",
            "event_time_malformed": "records a vendor re-formatted, which cost the time its zone",
            "event_name_missing": "abridged records",
            "event_source_missing": "abridged records",
            "malformed_json": "records with parts cut out, and an export of another shape",
        },
    ),
    "gcp_audit": Expected(
        "gcp_audit",
        33,
        {
            "not_an_audit_entry": "stubs without log and payload type; two application log entries",
            "event_time_malformed": "records a vendor re-formatted, which cost the time its zone",
            "event_source_missing": "a record a vendor took apart, its service beside its payload",
        },
    ),
    "azure_activity": Expected(
        "azure_activity",
        118,
        {"category_missing": "five records of storage reads and writes, filed with this log"},
    ),
    "azure_entra": Expected(
        "azure_entra",
        21,
        {"event_time_malformed": "records a vendor re-formatted, which cost the time its zone"},
    ),
    "azure_resource": Expected("azure_resource", 2, {}),
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
        assert isinstance(mapped, Normalised)
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


def test_every_pack_meets_the_corpus() -> None:
    """A pack is listed above with what its folder holds."""
    packs = {name for name in sources.names() if sources.routes(name) is None}
    assert packs == set(EXPECTED)
