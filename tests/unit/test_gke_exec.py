"""GKE entries of `exec`: their arguments are cut, and nothing of any other entry."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from nhi_evidence import sources
from nhi_evidence.event import Delivery, Limits, Undecodable
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.mapping import Normalized
from nhi_evidence.sources.gcp_audit.envelopes import unwrap
from tests.cases.reader import FOLDER, cases, read


def test_arguments_are_cut_and_the_rest_stays() -> None:
    """Including whether a call was a dry run, which is stated beside them under a similar name."""
    cutter = sources.cutter("gcp_audit")
    assert cutter is not None
    (leak, _) = (FOLDER / "gcp_audit/leaks/gke-exec.ndjson").read_bytes().splitlines()
    record = json.loads(leak)
    record["labels"]["command.gke.io/dryRun"] = "true"
    kept = cutter.cut(json.dumps(record).encode())
    assert ["GC-C1"] == [piece.rule for piece in kept.pieces]
    labels = json.loads(kept.text)["labels"]
    del record["labels"]["command.gke.io/command"]
    assert record["labels"].items() <= labels.items()
    # JSON may spell a slash with an escape.
    escaped = leak.replace(b"gke.io/command", rb"gke.io\/command")
    assert b"LEAKED-VALUE" not in cutter.cut(escaped).text


@pytest.mark.parametrize("word", ["k8s_cluster", "GKE", "command.gke.io", "\\\\u006b8s"])
def test_an_unreadable_text_that_may_hold_arguments_is_not_kept(word: str) -> None:
    """In any form; without a suspicious word everything is kept."""
    cutter = sources.cutter("gcp_audit")
    assert cutter is not None
    harmless, feared = (f'{{"resource":{{"type":"{name}"' for name in ("gce_instance", word))
    forms = (str.encode, lambda text: text.encode("utf-16-le"), packed, torn, enveloped, damaged)
    for form in forms:
        assert form(harmless) == cutter.cut(form(harmless)).text
        assert cutter.cut(form(feared)).text == b""


def test_doubly_packed_text_is_not_inspected() -> None:
    """Decompression might never end, so it is treated as suspicious."""
    cutter = sources.cutter("gcp_audit")
    assert cutter is not None
    assert not cutter.may_need_cuts(packed("{harmless"))
    assert cutter.may_need_cuts(gzip.compress(packed("{harmless")))


def test_a_message_whose_base64_is_damaged_is_refused_without_it() -> None:
    """The envelope is readable but its entry is not: only the hash of both is kept."""
    mapper = Mapper("gcp_audit", keep_out_of_scope_raw=True)
    entry = base64.b64encode(b'{"protoPayload":{"serviceName":"k8s.io"},"labels":{"x":"hush"}}')
    harmless = base64.b64encode(b'{"protoPayload":{"serviceName":"storage.googleapis.com"}}')
    for data, is_cut in ((entry, True), (harmless, False)):
        body = b'{"message":{"data":"!%b","messageId":"1"},"subscription":"s"}' % data[1:]
        undecodable = unwrap(body, Limits())
        assert isinstance(undecodable, Undecodable)
        assert undecodable.reason == "damaged_base64"
        (part,) = mapper.reject_delivery(Delivery("b/o@1", body), undecodable)
        assert ("cut" if is_cut else "exact") == part.table_line.rebuild
        assert is_cut == (data[8:] not in b"".join(part.lines))


def packed(text: str) -> bytes:
    return gzip.compress(text.encode())


def torn(text: str) -> bytes:
    return packed(text)[:-6]


def enveloped(text: str) -> bytes:
    """Return it as a truncated Pub/Sub message."""
    return b'{"message":{"data":"' + base64.b64encode(text.encode())


def damaged(text: str) -> bytes:
    """Return it as URL-safe base64 without its first character."""
    return b'{"message":{"data":"!' + base64.urlsafe_b64encode(text.encode())[1:]


def test_entries_of_other_calls_are_locked_unchanged() -> None:
    """Exactly, including a pod template in clear text: docs/decisions/0285-gke-logs-exec.md."""
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
