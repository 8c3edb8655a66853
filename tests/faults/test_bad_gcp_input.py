"""Every bad input from Google Cloud is locked as a rejected record or a rejection unit."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.event import Decoded, Delivery, Limits, Rejection, Undecodable
from nhi_evidence.pipeline.export import Mapper, Normalized
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.sources import gcp_audit
from tests.examples import examples
from tests.memory_store import MemoryStore
from tests.ocsf_schema import problems
from tests.reading import Unit

MAPPER = Mapper("gcp_audit", scope=Scope.ALL, keep_out_of_scope_raw=True)
ACCOUNT = "deploy@example-prod.iam.gserviceaccount.com"
GOOD: dict[str, Any] = {
    "protoPayload": {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "status": {},
        "authenticationInfo": {"principalEmail": ACCOUNT},
        "requestMetadata": {"callerIp": "192.0.2.44"},
        "serviceName": "storage.googleapis.com",
        "methodName": "storage.buckets.list",
        "resourceName": "projects/example-prod",
    },
    "insertId": "1x2y3z4a5b6c7",
    "resource": {"type": "project", "labels": {"project_id": "example-prod"}},
    "timestamp": "2026-03-02T08:15:30.123456789Z",
    "logName": "projects/example-prod/logs/cloudaudit.googleapis.com%2Factivity",
}


def encode(record: Any) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()


def changed(**changes: Any) -> dict[str, Any]:
    """Return the good record with attributes of its payload changed."""
    return {**GOOD, "protoPayload": {**GOOD["protoPayload"], **changes}}


def without(*names: str) -> dict[str, Any]:
    payload = {name: one for name, one in GOOD["protoPayload"].items() if name not in names}
    outside = {name: one for name, one in GOOD.items() if name not in names}
    return {**outside, **({"protoPayload": payload} if "protoPayload" in outside else {})}


def locked(body: bytes, mapper: Mapper = MAPPER) -> Unit:
    store = MemoryStore()
    outcome = lock_batch(mapper, [Delivery(unit="b/o@1", body=body)], store)
    unit = Unit(store)
    assert ({"b/o@1"}, {}) == (outcome.locked, outcome.unmapped)
    assert unit.seen == sum(locked.records for locked in outcome.objects)
    is_packed = unit.rejection is None and body.startswith(b"\x1f\x8b")
    assert unit.rebuilt() == (gzip.decompress(body) if is_packed else body)
    return unit


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (gzip.compress(encode(GOOD))[:-9], "truncated_gzip"),
        (gzip.compress(encode(GOOD)) + b"more", "trailing_bytes"),
        (b"\xef\xbb\xbf" + encode(GOOD), "byte_order_mark"),
        (b"Obj\x01\x04\x14avro.codec", "avro_file"),
        (b"<html>\n<p>", "malformed_json"),
        (b"[" + encode(GOOD), "malformed_json"),
        (b" \n\r\n", "empty_file"),
    ],
)
def test_an_unreadable_delivery_is_kept_whole(body: bytes, reason: str) -> None:
    """Its bytes are locked with the reason."""
    unit = locked(body)
    assert reason == unit.rejection
    assert body == b"".join(unit.raw())


DEEP = encode(GOOD)[:-1] + b',"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (encode(GOOD)[: len(encode(GOOD)) // 2], "malformed_json"),
        (encode(GOOD).replace(b"buckets", b"b\xff"), "invalid_utf8"),
        (encode(GOOD)[:-1] + b',"x":NaN}', "malformed_json"),
        (DEEP, "nesting_too_deep"),
        (b"7", "record_not_an_object"),
        (b"nonsense", "malformed_json"),
        (encode(without("timestamp")), "event_time_missing"),
        (encode({**GOOD, "timestamp": "2026-03-02 08:15:30.123456789"}), "event_time_malformed"),
        (encode({**GOOD, "timestamp": "2026-03-02T08:15:30"}), "event_time_malformed"),
        (encode({**GOOD, "timestamp": "2026-13-02T08:15:30Z"}), "event_time_malformed"),
        (encode({**GOOD, "timestamp": 1772439330}), "event_time_malformed"),
        (encode(without("methodName")), "event_name_missing"),
        (encode(without("serviceName")), "event_source_missing"),
        (encode(without("protoPayload")), "not_an_audit_entry"),
        (encode({**GOOD, "protoPayload": "text"}), "not_an_audit_entry"),
        (encode(changed(**{"@type": "type.googleapis.com/other"})), "not_an_audit_entry"),
    ],
)
def test_a_bad_record_is_kept_raw_beside_its_neighbors(record: bytes, reason: str) -> None:
    """It is rejected with its exact bytes, and the lines around it are normalized."""
    good = encode(GOOD)
    unit = locked(b"\n".join((good, record, good, b"")))
    assert {1: reason} == unit.reasons()
    assert [good, record, good] == unit.raw()


def test_a_torn_last_line_is_a_rejected_record() -> None:
    """What was written of it is kept, and nothing else is affected."""
    good = encode(GOOD)
    unit = locked(good + b"\n" + good[:40])
    assert {1: "malformed_json"} == unit.reasons()
    assert [good, good[:40]] == unit.raw()


@pytest.mark.parametrize(
    "record",
    [
        changed(authenticationInfo="root"),
        changed(authenticationInfo=[]),
        changed(authenticationInfo={"principalEmail": 7, "serviceAccountDelegationInfo": {}}),
        changed(authenticationInfo={"serviceAccountDelegationInfo": [None, 7, {}]}),
        changed(authenticationInfo={"principalEmail": "x", "serviceAccountDelegationInfo": [{}]}),
        changed(authorizationInfo="all"),
        changed(authorizationInfo=[None, {"granted": "yes"}]),
        changed(requestMetadata={"callerIp": "999.1.1.1"}),
        changed(requestMetadata="..."),
        changed(status="fine"),
        changed(status={"code": "7"}),
        changed(request="text", response=[1]),
        changed(metadata=7, serviceData="bindingDeltas"),
        changed(serviceData={"policyDelta": {"bindingDeltas": "all"}}),
        changed(resourceName=7),
        {**GOOD, "resource": "..."},
        {**GOOD, "resource": {"type": 7, "labels": {"location": 9}}},
        {**GOOD, "operation": "x", "insertId": 7},
        {**GOOD, "huge": 10**400},
    ],
    ids=range(19),
)
def test_a_malformed_attribute_affects_no_other(record: dict[str, Any]) -> None:
    """With a string in place of an object, the rest of the record is still read and valid."""
    unit = locked(encode(record))
    assert {} == unit.reasons()
    (line,) = unit.lines
    assert "storage.buckets.list" == line["n"]["api"]["operation"]
    assert 1772439330123 == line["n"]["time"]
    assert [] == problems(line["n"])


def test_a_missing_caller_is_unknown_and_a_refused_one_redacted() -> None:
    """Neither is anonymous."""
    absent = locked(encode(without("authenticationInfo"))).lines[0]["n"]["nhi"]
    refused = without("authenticationInfo")
    refused["protoPayload"]["status"] = {"code": 7}
    redacted = locked(encode(refused)).lines[0]["n"]["nhi"]
    assert (0, None) == (absent["type_id"], absent.get("labels"))
    assert (0, ["identity_redacted"]) == (redacted["type_id"], redacted["labels"])


def test_a_bomb_is_a_rejection_unit() -> None:
    """Inflation stops at the limit, and the bomb itself is kept."""
    mapper = Mapper(
        "gcp_audit",
        scope=Scope.ALL,
        keep_out_of_scope_raw=True,
        limits=Limits(inflated_bytes=100_000),
    )
    body = gzip.compress(encode({**GOOD, "x": "0" * 10_000_000}))
    unit = locked(body, mapper)
    assert "inflation_limit" == unit.rejection
    assert body == b"".join(unit.raw())


LINE = st.one_of(
    st.just(encode(GOOD)),
    st.binary(max_size=30).filter(lambda text: b"\n" not in text),
    st.integers(0, len(encode(GOOD))).map(lambda end: encode(GOOD)[:end]),
)


@given(st.lists(LINE, max_size=6), st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
@examples(150)
def test_every_byte_is_a_record_or_white_space(lines: list[bytes], between: bytes) -> None:
    """Decoding loses nothing: only white space is outside the slices, and no record crashes it."""
    body = between.join(lines)
    for decode in (gcp_audit.decode, gcp_audit.unwrap):
        decoded = decode(body, Limits())
        if isinstance(decoded, Undecodable):
            continue
        assert isinstance(decoded, Decoded)
        rest = bytearray(decoded.data)
        for start, end in decoded.spans:
            rest[start:end] = b" " * (end - start)
            mapped = MAPPER.map(decoded.data[start:end])
            assert isinstance(mapped, Normalized | Rejection)
        if decode is gcp_audit.decode and not body.startswith(b"["):
            assert b"" == bytes(rest).strip(b" \t\r\n")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from(sorted(GOOD["protoPayload"])), st.sampled_from(sorted(GOOD)), JSON)
@examples(200)
def test_any_shape_of_any_attribute_is_read_or_rejected(
    inside: str, outside: str, value: Any
) -> None:
    """No value of any attribute stops a delivery."""
    for record in (changed(**{inside: value}), {**GOOD, outside: value}):
        assert isinstance(MAPPER.map(encode(record)), Normalized | Rejection)


def test_every_form_gives_the_same_record() -> None:
    """Lines, a list, a printed object, a list response and a message hold the same entry."""
    good = encode(GOOD)
    pushed = {"message": {"data": b64encode(good).decode()}, "subscription": "s"}
    for document in (
        good,
        b"[" + good + b"]",
        b'{"entries":[' + good + b"]}",
        encode(pushed),
        encode([pushed]),
        gzip.compress(good),
    ):
        decoded = gcp_audit.unwrap(document, Limits())
        assert isinstance(decoded, Decoded), decoded
        assert [good] == [decoded.data[slice(*span)] for span in decoded.spans]
    printed = json.dumps(GOOD, indent=2).encode()
    for read in (gcp_audit.decode, gcp_audit.unwrap):
        again = read(printed, Limits())
        assert isinstance(again, Decoded)
        assert [printed] == [again.data[slice(*span)] for span in again.spans]
    torn = gcp_audit.unwrap(encode({"message": {"data": "not base64!"}}), Limits())
    assert isinstance(torn, Undecodable)
    assert "damaged_base64" == torn.reason
