"""Every bad input to the Entra and Azure resource packs is locked, rejected or partly read."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.event import Delivery, Limits
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import FOLDER, read
from tests.memory_store import MemoryStore
from tests.ocsf_schema import problems
from tests.reading import Unit

GOOD = {
    "azure_entra": ("identity-02b-secret", "identity-05b-application", "identity-06a-application"),
    "azure_resource": ("vault-secret", "identity-07c-application", "kube-01-service-account"),
}
"""One golden case for each way in which a pack reads records."""
EACH = [(source, name) for source, names in GOOD.items() for name in names]


def good(source: str, name: str) -> dict[str, Any]:
    """Return the record of a golden case."""
    return read(Path(FOLDER / source / f"{name}.json")).record


@cache
def mapper(source: str) -> Mapper:
    """The mapper of a source, keeping everything."""
    return Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)


UNCUT = {"record_not_an_object": "malformed_json", "nesting_too_deep": "malformed_json"}
"""If cuts are declared, whatever cannot be searched for them is malformed."""
READABLE = {"category_missing", "category_unknown"}
"""Reasons why a record of which everything was read is rejected."""


def kept(source: str, unreadable: bytes) -> bytes:
    """Return what is kept of unreadable bytes: a source with cuts keeps only hash and length."""
    return b"" if source == "azure_resource" else unreadable


def encode(record: Any) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()


def locked(source: str, body: bytes, limits: Limits | None = None) -> Unit:
    """Lock a delivery and read it back."""
    chosen = (
        Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True, limits=limits)
        if limits
        else mapper(source)
    )
    store = MemoryStore()
    outcome = lock_batch(chosen, [Delivery(unit="b/k@1!h=2026030208", body=body)], store)
    unit = Unit(store)
    assert {} == outcome.unmapped
    (locked_object,) = outcome.objects
    assert unit.seen == locked_object.records == locked_object.kept + locked_object.rejected
    return unit


@pytest.mark.parametrize("source", GOOD)
@pytest.mark.parametrize("form", ["records", "value", "list", "lines", "one", "gzip"])
def test_every_form_gives_the_same_records(source: str, form: str) -> None:
    """A hub message, an API answer, a list, a file of lines or one object, compressed or not."""
    raws = [encode(good(source, name)) for name in GOOD[source]]
    body = {
        "records": b'{"records":[' + b",".join(raws) + b"]}",
        "value": b'{ "value" : [ ' + b" , ".join(raws) + b" ] }\n",
        "list": b"[" + b",".join(raws) + b"]",
        "lines": b"\r\n".join(raws) + b"\n",
        "one": raws[0],
        "gzip": gzip.compress(b"\n".join(raws)),
    }[form]
    unit = locked(source, body)
    assert {} == unit.reasons()
    assert (raws[:1] if form == "one" else raws) == unit.raw()


@pytest.mark.parametrize("source", GOOD)
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (gzip.compress(b"{}")[:-4], "truncated_gzip"),
        (gzip.compress(b"{}") + b"more", "trailing_bytes"),
        (b"", "empty_file"),
        (b"  \n\n", "empty_file"),
    ],
)
def test_an_unreadable_delivery_is_kept_whole(source: str, body: bytes, reason: str) -> None:
    """Its bytes are locked with the reason."""
    unit = locked(source, body)
    assert unit.rejection == reason
    assert kept(source, body) == b"".join(unit.raw())
    assert len(body) == unit.size_with_cuts()


@pytest.mark.parametrize("source", GOOD)
def test_a_bomb_is_a_rejection_unit(source: str) -> None:
    """Inflation stops at the limit."""
    body = gzip.compress(encode({"x": "0" * 1_000_000}))
    assert locked(source, body, Limits(inflated_bytes=10_000)).rejection == "inflation_limit"


@pytest.mark.parametrize("source", GOOD)
def test_a_torn_last_line_affects_no_other(source: str) -> None:
    """A file that is still being written may end inside a record."""
    raw = encode(good(source, GOOD[source][0]))
    unit = locked(source, raw + b"\n" + raw[:-30])
    assert {1: "malformed_json"} == unit.reasons()
    assert [raw, kept(source, raw[:-30])] == unit.raw()


@pytest.mark.parametrize(("source", "name"), EACH)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"time": None}, "event_time_missing"),
        ({"time": "2026-03-02 08:15:30.123"}, "event_time_malformed"),
        ({"time": "2026-13-02T08:15:30Z"}, "event_time_malformed"),
        ({"time": 1772439330}, "event_time_malformed"),
        ({"time": "\u0662026-03-02T08:15:30Z"}, "event_time_malformed"),
    ],
    ids=json.dumps,
)
def test_a_record_without_an_instant_is_rejected(
    source: str, name: str, change: dict[str, Any], reason: str
) -> None:
    """Without a time, or with an invalid one, it is kept raw and no time is guessed."""
    record = without_times({**good(source, name), **change})
    assert {0: reason} == locked(source, encode(record)).reasons()


def without_times(record: dict[str, Any]) -> dict[str, Any]:
    """Remove the times that a record states besides the envelope's."""
    properties = record["properties"]
    for time in ("createdDateTime", "activityDateTime", "timeGenerated"):
        properties = {key: value for key, value in properties.items() if key != time}
    if "log" in properties:
        log = json.loads(properties["log"])
        log = {key: value for key, value in log.items() if not key.endswith("Timestamp")}
        properties = {**properties, "log": json.dumps(log)}
    return {**record, "properties": properties}


@pytest.mark.parametrize("source", GOOD)
@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"7", "record_not_an_object"),
        (b"null", "record_not_an_object"),
        (b'"text"', "record_not_an_object"),
        (b"{}", "category_missing"),
        (b'{"category":"Novel","operationName":"x"}', "category_unknown"),
        (b'{"category":7,"operationName":"x"}', "category_missing"),
        (b'{"x":NaN}', "malformed_json"),
        (b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nesting_too_deep"),
        (b'{"x":"\xff"}', "invalid_utf8"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_record_of_another_pack_is_rejected(source: str, record: bytes, reason: str) -> None:
    """It is kept raw, and its neighbors are normalized."""
    raw = encode(good(source, GOOD[source][0]))
    unit = locked(source, b'{"records":[' + raw + b"," + record + b"," + raw + b"]}")
    cuts = source == "azure_resource"
    assert {1: UNCUT.get(reason, reason) if cuts else reason} == unit.reasons()
    assert [raw, record if reason in READABLE else kept(source, record), raw] == unit.raw()


ODD: list[Any] = [None, "text", 10**400, ["x", None], {"x": 1}]


@pytest.mark.parametrize(("source", "name"), EACH)
def test_a_malformed_attribute_affects_no_other(source: str, name: str) -> None:
    """With any odd shape in any attribute, the record is kept and valid, or states why not."""
    original = good(source, name)
    for where in paths(original):
        for odd in ODD:
            record = replaced(original, where, odd)
            (line,) = locked(source, encode(record)).lines
            if "x" in line:
                assert MAY_REJECT & set(where), f"{where} = {odd!r}: {line['x']}"
            else:
                assert [] == problems(line["n"]), f"{where} = {odd!r}"


MAY_REJECT = {
    *("category", "operationName", "time", "properties"),
    *("requestMethod", "requestUri", "log"),
}
"""Attributes without which a record does not say what it concerns, what happened, or when."""


def paths(value: Any, depth: int = 3) -> list[tuple[str | int, ...]]:
    """Return the paths of a record, down to a depth."""
    steps: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    places: list[tuple[str | int, ...]] = []
    for step, inner in steps:
        places.append((step,))
        if depth > 1:
            places += [(step, *rest) for rest in paths(inner, depth - 1)]
    return places


def replaced(value: Any, where: tuple[str | int, ...], odd: Any) -> Any:
    """Return a copy of a record with another value at a path."""
    step, *rest = where
    inner = replaced(value[step], tuple(rest), odd) if rest else odd
    if isinstance(value, dict):
        return {**value, step: inner}
    return [inner if index == step else one for index, one in enumerate(value)]


def test_a_malformed_attribute_in_the_kubernetes_log_affects_no_other() -> None:
    """The log is read as leniently as its envelope."""
    original = good("azure_resource", "kube-01-service-account")
    log = json.loads(original["properties"]["log"])
    for where in paths(log):
        for odd in ODD:
            inside = json.dumps(replaced(log, where, odd))
            record = {**original, "properties": {**original["properties"], "log": inside}}
            (line,) = locked("azure_resource", encode(record)).lines
            if "x" in line:
                assert {"verb", "requestURI"} & set(where), f"{where} = {odd!r}: {line['x']}"
            else:
                assert [] == problems(line["n"]), f"{where} = {odd!r}"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"pod": "kube-apiserver-0"}, "log_missing"),
        ({"log": ""}, "log_missing"),
        (None, "log_missing"),
        # A declared cut lies inside the text: where it cannot be entered, nothing is kept.
        ({"log": "connection refused"}, "malformed_json"),
        ({"log": '{"kind":"Event","verb":"get","user":{"usern'}, "log_malformed"),
        ({"log": "[1]"}, "log_missing"),
        ({"log": 7}, "log_malformed"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_a_kubernetes_log_that_cannot_be_read_is_kept_raw(properties: Any, reason: str) -> None:
    """The record is rejected with the reason, and nothing is guessed."""
    record = {**good("azure_resource", "kube-01-service-account"), "properties": properties}
    assert {0: reason} == locked("azure_resource", encode(record)).reasons()


def test_unusable_attributes_are_named() -> None:
    """The event names the attribute that could not be read."""
    record = replaced(good("azure_entra", "identity-02b-secret"), ("properties", "agent"), "x")
    (line,) = locked("azure_entra", encode(record)).lines
    assert "unusable:properties.agent" in line["n"]["nhi"]["labels"]
    record = {**good("azure_resource", "identity-07c-application"), "identity": "x"}
    (line,) = locked("azure_resource", encode(record)).lines
    assert "unusable:identity" in line["n"]["nhi"]["labels"]
    assert line["n"]["nhi"]["decision_rule"] == "AZ-07g"


def test_a_missing_address_stays_missing() -> None:
    """No default replaces what the record does not say."""
    record = good("azure_resource", "vault-secret")
    del record["callerIpAddress"]
    (line,) = locked("azure_resource", encode(record)).lines
    assert "src_endpoint" not in line["n"]
    assert line["n"]["class_name"] == "Base Event"
