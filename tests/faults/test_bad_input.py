"""Every bad input is locked, as a rejected record or a rejection unit; none is dropped."""

from __future__ import annotations

import gzip
import json
from hashlib import sha256
from typing import Any

import pytest

from nhi_evidence.event import Delivery, Limits
from nhi_evidence.evidence import unit as unit_parts
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.memory_store import MemoryStore
from tests.ocsf_schema import problems
from tests.reading import Unit

GOOD: dict[str, Any] = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "IAMUser",
        "principalId": "AIDAJ45Q7YFFAREXAMPLE",
        "arn": "arn:aws:iam::111122223333:user/ci",
        "accountId": "111122223333",
        "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "userName": "ci",
    },
    "eventTime": "2026-03-02T08:15:30Z",
    "eventSource": "iam.amazonaws.com",
    "eventName": "ListUsers",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "192.0.2.44",
    "requestParameters": None,
    "responseElements": None,
    "eventID": "11111111-2222-4333-8444-555555555555",
    "eventType": "AwsApiCall",
    "recipientAccountId": "111122223333",
}


def encode(record: Any) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()


def file_of(*records: bytes) -> bytes:
    return b'{"Records":[' + b",".join(records) + b"]}"


def locked(mapper: Mapper, body: bytes) -> Unit:
    store = MemoryStore()
    delivery = Delivery(unit="b/k@1!h=2026030208", body=body)
    outcome = lock_batch(mapper, [delivery], store)
    unit = Unit(store)
    assert ({delivery.unit}, {}) == (outcome.locked, outcome.unmapped)
    assert unit.seen == sum(locked.records for locked in outcome.objects)
    is_packed = unit.rejection is None and body.startswith(b"\x1f\x8b")
    assert unit.rebuilt() == (gzip.decompress(body) if is_packed else body)
    assert {sha256(body).hexdigest()} == {header["src_sha256"] for header in unit.headers}
    return unit


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (gzip.compress(file_of(encode(GOOD)))[:-9], "truncated_gzip"),
        (gzip.compress(file_of(encode(GOOD))) + b"more", "trailing_bytes"),
        (b"\xef\xbb\xbf" + file_of(encode(GOOD)), "byte_order_mark"),
        (b"<html>", "malformed_json"),
        (b'{"records":[]}', "records_missing"),
        (b"", "empty_file"),
        (b'{"Records":"none"}', "records_not_a_list"),
    ],
)
def test_an_unreadable_delivery_is_kept_whole(keep_all: Mapper, body: bytes, reason: str) -> None:
    """Its bytes are locked with the reason, and its lines concatenate to the delivery."""
    unit = locked(keep_all, body)
    assert unit.rejection == reason
    assert b"".join(unit.raw()) == body


def test_a_large_unreadable_delivery_is_kept_in_parts(
    keep_all: Mapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks and parts of any size rebuild the delivery."""
    monkeypatch.setattr(unit_parts, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(unit_parts, "PART_BYTES", 3000)
    body = bytes(range(256)) * 40
    unit = locked(keep_all, body)
    assert len(unit.headers) == 4
    assert b"".join(unit.raw()) == body


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name not in names}


DEEP = encode(GOOD)[:-1] + b',"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
NAN = encode(GOOD)[:-1] + b',"x":NaN}'


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (encode(GOOD).replace(b"ListUsers", b"List\xff"), "invalid_utf8"),
        (encode({**GOOD, "userAgent": "x"}).replace(b'"x"', b'"\\ud800"'), "malformed_json"),
        (b"7", "record_not_an_object"),
        (b"null", "record_not_an_object"),
        (b'"text"', "record_not_an_object"),
        (b"[1]", "record_not_an_object"),
        (b"nonsense", "malformed_json"),
        (NAN, "malformed_json"),
        (DEEP, "nesting_too_deep"),
        (encode(without("eventTime")), "event_time_missing"),
        (encode({**GOOD, "eventTime": None}), "event_time_missing"),
        (encode({**GOOD, "eventTime": "2026-03-02 08:15:30"}), "event_time_malformed"),
        (encode({**GOOD, "eventTime": "2026-13-02T08:15:30Z"}), "event_time_malformed"),
        (encode({**GOOD, "eventTime": "2026-03-02T08:15:30+02:00"}), "event_time_malformed"),
        (encode({**GOOD, "eventTime": 1772439330}), "event_time_malformed"),
        (encode({**GOOD, "eventTime": "\u0662026-03-02T08:15:30Z"}), "event_time_malformed"),
        (encode(without("eventName")), "event_name_missing"),
        (encode({**GOOD, "eventName": ""}), "event_name_missing"),
        (encode(without("eventSource")), "event_source_missing"),
    ],
)
def test_a_bad_record_is_kept_raw_beside_its_neighbors(
    keep_all: Mapper, record: bytes, reason: str
) -> None:
    """It is rejected with its reason and its exact bytes; its neighbors are normalized."""
    good = encode(GOOD)
    unit = locked(keep_all, file_of(good, record, good))
    assert unit.rejection is None
    assert {1: reason} == unit.reasons()
    assert [good, record, good] == unit.raw()


@pytest.mark.parametrize(
    "change",
    [
        {"userIdentity": "root"},
        {"userIdentity": []},
        {"userIdentity": {"type": 7, "sessionContext": "none"}},
        {"userIdentity": {**GOOD["userIdentity"], "sessionContext": {"attributes": []}}},
        {"userIdentity": None},
        {"requestParameters": "text"},
        {"requestParameters": [1, 2]},
        {"requestParameters": {"userName": {"not": "text"}}},
        {"responseElements": {"credentials": "hidden"}},
        {"responseElements": 7},
        {"resources": {"ARN": "x"}},
        {"resources": [None, 7, {"ARN": 9}, {"ARN": "arn:aws:s3:::b", "type": "AWS::S3::Bucket"}]},
        {"sourceIPAddress": 7},
        {"sourceIPAddress": "999.1.1.1"},
        {"errorCode": {"code": "x"}},
        {"eventID": None},
        {"eventID": 7},
        {"recipientAccountId": 111122223333},
        {"eventVersion": 1.08},
        {"huge": 10**400},
        {"eventCategory": "Novel"},
        {"userAgent": "\x00\x1b[31m"},
    ],
    ids=lambda change: json.dumps(change)[:40],
)
def test_a_malformed_attribute_affects_no_other(keep_all: Mapper, change: dict[str, Any]) -> None:
    """With a string in place of an object, the rest of the record is still read and valid."""
    record = encode({**GOOD, **change})
    unit = locked(keep_all, file_of(record))
    assert {} == unit.reasons()
    (line,) = unit.lines
    assert [record] == unit.raw()
    assert line["n"]["api"]["operation"] == "ListUsers"
    assert line["n"]["time"] == 1772439330000
    assert [] == problems(line["n"])
    for name, value in change.items():
        if name in {"userIdentity", "resources"} and value is not None:
            labels = line["n"]["nhi"].get("labels", [])
            assert any(one.startswith(f"unusable:{name}") for one in labels) or not labels


def test_unusable_attributes_are_named(keep_all: Mapper) -> None:
    """The event names the attribute that could not be read."""
    record = encode({**GOOD, "userIdentity": "root", "sourceIPAddress": 7})
    (line,) = locked(keep_all, file_of(record)).lines
    assert ["unusable:sourceIPAddress", "unusable:userIdentity"] == line["n"]["nhi"]["labels"]
    assert line["n"]["nhi"]["decision_rule"] == "AWS-13"
    assert "src_endpoint" not in line["n"]


def test_duplicate_event_ids_are_two_records(keep_all: Mapper) -> None:
    """The writer keeps what was delivered; deduplication happens over the sealed log."""
    unit = locked(keep_all, file_of(encode(GOOD), encode(GOOD)))
    assert (2, {}) == (unit.seen, unit.reasons())


def test_a_megabyte_record_is_kept(keep_all: Mapper) -> None:
    """Nothing is dropped because of its size."""
    record = encode({**GOOD, "requestParameters": {"text": "x" * 1_000_000}})
    unit = locked(keep_all, file_of(record))
    assert [record] == unit.raw()


def test_a_record_too_large_to_map_is_kept_raw(keep_all: Mapper) -> None:
    """A record above two megabytes is rejected with its exact bytes; its neighbors are kept."""
    large = encode({**GOOD, "requestParameters": {"text": "x" * (2 << 20)}})
    unit = locked(keep_all, file_of(encode(GOOD), large))
    assert {1: "record_too_large"} == unit.reasons()
    assert [encode(GOOD), large] == unit.raw()


def test_a_bomb_is_a_rejection_unit() -> None:
    """Inflation stops at the limit, and the bomb itself is kept."""
    mapper = Mapper(
        "aws_cloudtrail",
        scope=Scope.ALL,
        keep_out_of_scope_raw=True,
        limits=Limits(inflated_bytes=100_000),
    )
    body = gzip.compress(file_of(encode({**GOOD, "x": "0" * 10_000_000})))
    unit = locked(mapper, body)
    assert unit.rejection == "inflation_limit"
    assert b"".join(unit.raw()) == body


@pytest.mark.parametrize(
    ("record", "path", "never"),
    [
        (without("sourceIPAddress"), "src_endpoint", "0.0.0.0"),  # noqa: S104 the value to avoid
        ({**GOOD, "sourceIPAddress": "AWS Internal"}, "src_endpoint.ip", "AWS Internal"),
        (without("recipientAccountId"), "cloud.account", "111122223333"),
    ],
)
def test_what_is_absent_stays_absent(
    keep_all: Mapper, record: dict[str, Any], path: str, never: str
) -> None:
    """No default replaces what the record does not say."""
    (line,) = locked(keep_all, file_of(encode(record))).lines
    value: Any = line["n"]
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    assert value is None
    assert never


def test_a_failed_sign_in_is_not_a_logoff(keep_all: Mapper) -> None:
    """A denied console sign-in is a failed logon."""
    record = {
        **GOOD,
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "eventType": "AwsConsoleSignIn",
        "errorMessage": "Failed authentication",
        "responseElements": {"ConsoleLogin": "Failure"},
    }
    (line,) = locked(keep_all, file_of(encode(record))).lines
    assert ("Logon", "Failure", "unauthenticated") == (
        line["n"]["activity_name"],
        line["n"]["status"],
        line["n"]["nhi_outcome"],
    )
