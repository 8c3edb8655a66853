"""What a GKE entry of `exec` holds: a resource without a query, and no cut that changes it."""

from __future__ import annotations

import json

from nhi_evidence import sources
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.mapping import Normalized
from tests.cases.reader import cases, read


def test_entries_of_gke_are_locked_as_they_come() -> None:
    """Exact, a pod template in the clear among it: docs/decisions/0250-gke-declares-no-cut.md."""
    assert sources.cutter("gcp_audit") is None
    mapper = Mapper("gcp_audit", keep_out_of_scope_raw=True)
    seen = 0
    for path in cases("gcp_audit").values():
        record = read(path).record
        payload = record.get("protoPayload", {})
        if payload.get("serviceName") != "k8s.io":
            continue
        seen += 1
        assert "?" not in payload.get("resourceName", "")
        payload["request"] = {"spec": {"containers": [{"env": [{"name": "A", "value": "x"}]}]}}
        raw = json.dumps(record).encode()
        mapped = mapper.map(raw)
        if isinstance(mapped, Normalized):
            assert raw.decode() == mapped.text
    assert seen
