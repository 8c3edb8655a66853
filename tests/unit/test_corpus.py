"""Every real AWS record beside the checkout: accounted for, valid, and nothing invented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from nhi_evidence.cli import raw_input
from nhi_evidence.event import Rejection
from nhi_evidence.export import Mapper, Normalised
from tests.ocsf_schema import problems
from tests.support import unsupported


def raw_records(mapper: Mapper, folder: Path) -> Iterator[tuple[str, bytes, Rejection | None]]:
    """Yield every raw record: provider files as they are, and the event of each wrapped line."""
    for path in sorted(folder.glob("*.ndjson")):
        for line in path.read_bytes().splitlines():
            wrapped = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            yield path.name, bytes(wrapped["event"]), None
    for path in sorted((folder / "original").rglob("*.json*")):
        for raw, problem in raw_input.records(mapper, path.name, path.read_bytes()):
            yield path.name, raw, problem


REJECTED_FOR = {
    "event_time_missing",
    "event_time_malformed",
    "event_name_missing",
    "event_source_missing",
    "malformed_json",
}
"""The corpus holds abridged, redacted and re-formatted records, and one export of another shape."""


def test_every_record_is_accounted_for_and_valid(corpus: Path, keep_all: Mapper) -> None:
    """Kept + rejected == input; each kept record is valid OCSF and each value in it has support."""
    seen = kept = rejected = 0
    invalid: list[str] = []
    invented: list[str] = []
    for name, raw, problem in raw_records(keep_all, corpus / "cloudtrail"):
        seen += 1
        mapped = problem or keep_all.map(raw)
        if isinstance(mapped, Rejection):
            rejected += 1
            assert mapped.reason in REJECTED_FOR, f"{name}: {mapped}"
            continue
        assert isinstance(mapped, Normalised)
        kept += 1
        assert mapped.text.encode() == raw
        record: dict[str, Any] = json.loads(msgspec.json.encode(mapped.record))
        assert record["raw_data_hash"]["value"] == sha256(raw).hexdigest()
        invalid += [f"{name}: {one}" for one in problems(record)]
        invented += [f"{name}: {one}" for one in unsupported(record, json.loads(raw))]
    assert kept + rejected == seen
    assert kept > 1500
    assert [] == invalid
    assert [] == invented
