"""The forms in which CloudTrail records travel besides files."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from typing import Any

import pytest

from nhi_evidence.event import Decoded, Limits, Undecodable
from nhi_evidence.sources.aws_cloudtrail import unwrap

FIRST = '{"eventName":"A","note":"ü \\u0000" , "n":1.0}'
TWO = '{"eventName":"B"}'


def raws(document: bytes) -> list[str]:
    decoded = unwrap(document, Limits())
    assert isinstance(decoded, Decoded), decoded
    return [decoded.record(index).raw.decode() for index in range(len(decoded.spans))]


def logs(*messages: str, kind: str = "DATA_MESSAGE") -> bytes:
    events = [{"id": str(n), "timestamp": 1, "message": text} for n, text in enumerate(messages)]
    return json.dumps({"messageType": kind, "owner": "x", "logEvents": events}).encode()


def awslogs(payload: bytes) -> bytes:
    return json.dumps({"awslogs": {"data": b64encode(payload).decode()}}).encode()


FORMS: dict[str, bytes] = {
    "file": f'{{"Records":[{FIRST},{TWO}]}}'.encode(),
    "subscription": logs(FIRST, TWO),
    "firehose": gzip.compress(logs(FIRST, TWO)),
    "lambda": awslogs(gzip.compress(logs(FIRST, TWO))),
    "lookup": json.dumps(
        {"Events": [{"EventId": "1", "CloudTrailEvent": text} for text in (FIRST, TWO)]}
    ).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    """Each form gives the exact text of each record that its sender put in."""
    assert [FIRST, TWO] == raws(FORMS[form])


def test_event_bridge_detail_is_a_slice() -> None:
    """The record of an EventBridge event is its detail, byte for byte."""
    document = f'{{"version":"0","source":"aws.s3","detail" : {FIRST} ,"id":"x"}}'
    assert [FIRST] == raws(document.encode())


def test_one_lookup_event() -> None:
    """One line of a lookup-events export is one event."""
    assert [FIRST] == raws(json.dumps({"EventId": "1", "CloudTrailEvent": FIRST}).encode())


def test_a_bare_record_is_returned_as_it_is() -> None:
    """A raw record has no mark of an envelope."""
    assert [FIRST] == raws(f" {FIRST}\n".encode())


def test_a_control_message_holds_no_records() -> None:
    """CloudWatch Logs' own check of a subscription is not a record."""
    assert [] == raws(logs("CWL CONTROL MESSAGE: Checking health", kind="CONTROL_MESSAGE"))


@pytest.mark.parametrize("text", ["nope", "[]", "1", '{"eventName":'])
def test_an_unparsable_input_is_one_record(text: str) -> None:
    """It is passed on as it is; mapping says what is wrong with it."""
    assert [text] == raws(text.encode())


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"awslogs":{"data":"!"}}', "damaged_base64"),
        (awslogs(b"plain"), "damaged_gzip"),
        (awslogs(gzip.compress(b"{}", mtime=0)[:-3]), "truncated_gzip"),
        (b"", "empty_file"),
        (b'{"Records":7}', "records_not_a_list"),
        (b'{"Events":7}', "records_missing"),
    ],
)
def test_damage_is_named(document: bytes, reason: str) -> None:
    """A damaged envelope says what is wrong with it."""
    result: Any = unwrap(document, Limits())
    assert isinstance(result, Undecodable)
    assert result.reason == reason


def test_nested_payloads_are_bounded() -> None:
    """An envelope inside an envelope ends at the inflation limit."""
    bomb = awslogs(gzip.compress(logs("x" * 100_000)))
    result = unwrap(bomb, Limits(inflated_bytes=1000))
    assert isinstance(result, Undecodable)
    assert result.reason == "inflation_limit"
