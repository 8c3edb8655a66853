"""Every real Activity Log record beside the checkout: accounted for, valid, nothing invented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from nhi_evidence.event import Rejection
from nhi_evidence.export import Mapper, Normalised
from nhi_evidence.scope import Scope
from tests.ocsf_schema import problems
from tests.support import unsupported
from tests.unit.test_corpus import raw_records


def test_every_record_is_accounted_for_and_valid(corpus: Path) -> None:
    """Kept + rejected == input; each kept record is valid OCSF and each value in it has support.

    Rejected are the five records that state no category: storage reads and writes, filed with
    the Activity Log by whoever collected them.
    """
    mapper = Mapper("azure_activity", scope=Scope.ALL)
    rejected: list[tuple[str, str]] = []
    kept = seen = 0
    for name, raw, problem in raw_records(mapper, corpus / "azure_activity"):
        seen += 1
        mapped = problem or mapper.map(raw)
        if isinstance(mapped, Rejection):
            rejected.append((mapped.reason, json.loads(raw)["operationName"]))
            continue
        assert isinstance(mapped, Normalised)
        kept += 1
        record: dict[str, Any] = json.loads(msgspec.json.encode(mapped.record))
        assert [] == problems(record), name
        assert [] == unsupported(record, json.loads(raw)), name
        assert "fallback:none" not in record["nhi_phase_rules"] or "EXTEND" in raw.decode()
    assert kept + len(rejected) == seen > 100
    assert [
        ("category_missing", "GetBlob"),
        ("category_missing", "GetBlobServiceProperties"),
        ("category_missing", "PutBlob"),
        ("category_missing", "deleteblob"),
        ("category_missing", "getblob"),
    ] == sorted(rejected)
