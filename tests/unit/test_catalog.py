"""Loading a catalog and classifying with it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from nhi_evidence.catalog.catalog import Catalog
from nhi_evidence.event import About, Actor, Call, Endpoint, Event, Logged, Outcome, Result
from nhi_evidence.identity import Identity
from nhi_evidence.phases import Phase

ROW = {
    "service": "iam",
    "operation": "UpdateAccessKey",
    "phase": "credential_lifecycle",
    "class": 3004,
    "activity": 3,
}


def table(**changes: Any) -> bytes:
    return json.dumps({"version": 1, "rows": [ROW], **changes}).encode()


def catalog(**changes: Any) -> Catalog:
    return Catalog(table(**changes), name="test")


def event(
    operation: str = "UpdateAccessKey",
    *,
    request: Any = None,
    outcome: Outcome | None = None,
    record_class: str | None = None,
    service: str = "iam",
    permissions: tuple[str, ...] = (),
    access_level: str | None = None,
) -> Event:
    return Event(
        time=0,
        original_time="1970-01-01T00:00:00Z",
        logged=Logged(provider="AWS", product="CloudTrail", record_class=record_class),
        call=Call(
            service=service,
            service_name=f"{service}.amazonaws.com",
            operation=operation,
            operation_name=operation,
            source=Endpoint(ip="192.0.2.1"),
            permissions=permissions,
            access_level=access_level,
        ),
        actor=Actor(identity=Identity(type_id=1, type="Key", name="ci", decision_rule="AWS-10")),
        about=About(),
        outcome=outcome or Outcome(Result.SUCCESS),
        request=msgspec.Raw(json.dumps(request).encode()) if request is not None else None,
        record=msgspec.Raw(json.dumps({"eventName": operation}).encode()),
    )


def override(when: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return {
        "id": "O1",
        "service": "iam",
        "operations": ["UpdateAccessKey"],
        "when": when,
        "phase": "impact",
        "why": "test",
        **changes,
    }


def test_row_decides() -> None:
    """The exact row decides both phases and is named."""
    decision = catalog().classify(event())
    assert (Phase.CREDENTIAL_LIFECYCLE, Phase.CREDENTIAL_LIFECYCLE) == (
        decision.base_phase,
        decision.phase,
    )
    assert decision.rules == ("iam:UpdateAccessKey",)


def test_refusal_is_a_failed_attempt_that_remembers_what_was_tried() -> None:
    """A denied operation keeps its base phase, and the overlay is named."""
    decision = catalog().classify(event(outcome=Outcome(Result.DENIED, "AccessDenied")))
    assert (Phase.CREDENTIAL_LIFECYCLE, Phase.FAILED_ATTEMPT) == (
        decision.base_phase,
        decision.phase,
    )
    assert decision.rules == ("iam:UpdateAccessKey", "O01")


@pytest.mark.parametrize(
    "result", [one for one in Result if one not in {Result.DENIED, Result.UNAUTHENTICATED}]
)
def test_other_failures_are_not_failed_attempts(result: Result) -> None:
    """A throttled or invalid call, or one on a missing target, was not denied."""
    decision = catalog().classify(event(outcome=Outcome(result)))
    assert decision.phase is Phase.CREDENTIAL_LIFECYCLE


@pytest.mark.parametrize(
    ("condition", "request_", "holds"),
    [
        ({"path": "request.status", "is": "Inactive"}, {"status": "Inactive"}, True),
        ({"path": "request.status", "is": "Inactive"}, {"status": "Active"}, False),
        ({"path": "request.status", "is": "Inactive"}, None, False),
        ({"path": "request.flag", "is": True}, {"flag": 1}, False),
        ({"path": "request.status", "is_not": "A"}, {"status": "B"}, True),
        ({"path": "request.status", "is_not": "A"}, {}, False),
        ({"path": "request.status", "in": ["A", "B"]}, {"status": "B"}, True),
        ({"path": "request.status", "not_in": ["A"]}, {"status": "B"}, True),
        ({"path": "request.status", "not_in": ["A"]}, {"status": None}, False),
        ({"path": "request.status", "contains": "act"}, {"status": "Inactive"}, True),
        ({"path": "request.tags", "contains": "x"}, {"tags": ["x"]}, True),
        ({"path": "request.status", "contains": "x"}, {"status": {"x": 1}}, False),
        ({"path": "request.a.1.b", "is": "x"}, {"a": [{}, {"b": "x"}]}, True),
        ({"path": "request.a.9.b", "is": "x"}, {"a": []}, False),
        ({"path": "request.a.*.b", "every": "x"}, {"a": [{"b": "x"}, {"b": "x"}]}, True),
        ({"path": "request.a.*.b", "every": "x"}, {"a": [{"b": "x"}, {"b": "y"}]}, False),
        ({"path": "request.a.*.b", "every": "x"}, {"a": []}, False),
        ({"path": "request.a.*.b", "contains": "y"}, {"a": [{}, 7, {"b": "y"}]}, True),
        ({"path": "request.a.*.b", "present": False}, {"a": "text"}, True),
        ({"path": "request.a.*.b.*.c", "contains": ["z"]}, {"a": [{"b": [{"c": "z"}]}]}, True),
        ({"path": "record.eventName", "is": "UpdateAccessKey"}, {}, True),
        ({"path": "request.status", "starts_with": "In"}, {"status": "Inactive"}, True),
        ({"path": "request.status", "ends_with": "ive"}, {"status": "Inactive"}, True),
        ({"path": "request.status", "matches": "(?i)INACT"}, {"status": "Inactive"}, True),
        ({"path": "request.status", "present": True}, {"status": ""}, True),
        ({"path": "request.status", "present": False}, {"status": None}, True),
        ({"path": "request.user", "same_as": "actor.name"}, {"user": "ci"}, True),
        ({"path": "request.user", "same_as": "actor.name"}, {}, False),
        ({"path": "request.user", "differs_from": "actor.name"}, {"user": "x"}, True),
        ({"path": "request.user", "differs_from": "actor.name"}, {"user": "ci"}, False),
        ({"path": "request.user", "differs_from": "region"}, {"user": "x"}, False),
        ({"path": "actor.kind", "is": "long_lived_key"}, {}, True),
        ({"path": "source.ip", "is": "192.0.2.1"}, {}, True),
        ({"path": "target.uid", "present": False}, {}, True),
    ],
)
def test_comparisons(condition: dict[str, Any], request_: Any, holds: bool) -> None:
    """Each comparison holds only if the record has a value that it applies to."""
    decision = catalog(overrides=[override([condition])]).classify(event(request=request_))
    assert (decision.phase is Phase.IMPACT) is holds
    assert ("O1" in decision.rules) is holds
    assert decision.base_phase is Phase.CREDENTIAL_LIFECYCLE


def test_first_override_wins_and_all_conditions_must_hold() -> None:
    """Overrides are tried in table order, and need all their conditions."""
    no = {"path": "region", "present": True}
    yes = {"path": "region", "present": False}
    rows = [
        override([yes, no], id="O1"),
        override([yes], id="O2", phase="routine"),
        override([yes], id="O3"),
    ]
    decision = catalog(overrides=rows).classify(event())
    assert decision.rules == ("iam:UpdateAccessKey", "O2")


def test_prefix_row_and_fallback() -> None:
    """Exact row, then the longest prefix row, then the longest prefix fallback, then the verb."""
    loaded = catalog(
        rows=[ROW, {**ROW, "operation": "Update", "match": "prefix", "phase": "routine"}],
        fallback=[
            {
                "id": "own:Get",
                "prefix": "Get",
                "phase": "enumeration",
                "class": 6003,
                "activity": 2,
            },
            {"id": "own:GetX", "prefix": "GetX", "phase": "impact", "class": 6003, "activity": 4},
        ],
    )
    assert loaded.classify(event("UpdateFoo")).rules == ("iam:Update",)
    assert loaded.classify(event("GetXyz")).rules == ("fallback:own:GetX",)
    assert loaded.classify(event("GetFoo")).rules == ("fallback:own:Get",)
    assert loaded.classify(event("RunFoo")).rules == ("fallback:verb:run",)
    assert loaded.classify(event("Frobnicate")).phase is Phase.UNKNOWN


def test_words_come_before_access_levels() -> None:
    """Words for minting, granting or silencing come before the access level."""
    levels = {"version": 1, "services": {"iam": {"Read": ["GetAccessToken", "GetThing"]}}}
    means = {"phase": "enumeration", "class": 6003, "activity": 2}
    loaded = Catalog(
        table(fallback=[{"id": "access:Read", "level": "Read", **means}]),
        name="test",
        access_levels=json.dumps(levels).encode(),
    )
    minted = loaded.classify(event("GetAccessToken"))
    assert (Phase.TOKEN_ISSUANCE, ("fallback:lexicon:mint",)) == (minted.phase, minted.rules)
    assert loaded.classify(event("GetThing")).rules == ("fallback:access:Read",)


def test_access_levels_come_before_verbs() -> None:
    """An operation without a row is classified by its access level, else by its verb."""
    fallback = {"phase": "privilege_change", "class": 6003, "activity": 3}
    verb = {"id": "verb:Set", "prefix": "Set", "phase": "routine", "class": 6003, "activity": 3}
    levels = json.dumps({"version": 1, "services": {"iam": {"P": ["SetX", "UpdateAccessKey"]}}})
    loaded = Catalog(
        table(fallback=[{"id": "access:P", "level": "P", **fallback}, verb]),
        name="test",
        access_levels=levels.encode(),
    )
    assert loaded.classify(event("SetX")).rules == ("fallback:access:P",)
    assert loaded.classify(event("SetY")).rules == ("fallback:verb:Set",)
    assert loaded.classify(event()).rules == ("iam:UpdateAccessKey",)


def test_a_row_of_one_record_class() -> None:
    """A row may apply to one record class only, and then precedes a row for any class."""
    loaded = catalog(rows=[ROW, {**ROW, "record_class": "data", "phase": "impact"}])
    assert loaded.classify(event(record_class="data")).phase is Phase.IMPACT
    assert loaded.classify(event()).phase is Phase.CREDENTIAL_LIFECYCLE


def row(operation: str, match: str = "exact", *, service: str = "iam", **changes: Any) -> Any:
    return {**ROW, "service": service, "operation": operation, "match": match, **changes}


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        ("Update", "iam:Update"),
        ("UpdateX", "iam:Up"),
        ("TestIt", "iam:It"),
        ("Test", "iam:T[a-z]+"),
        ("GetKey", "*:GetKey"),
        ("MyKey", "*:Key"),
    ],
)
def test_exact_then_prefix_then_suffix_then_pattern(operation: str, rule: str) -> None:
    """The most specific match decides, and a row of the service precedes one of any."""
    loaded = catalog(
        rows=[
            row("Key", "suffix", service="*"),
            row("T[a-z]+", "pattern"),
            row("It", "suffix"),
            row("Up", "prefix"),
            row("Update"),
            row("GetKey", service="*"),
        ]
    )
    assert loaded.classify(event(operation)).rules == (rule,)


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        ("google.iam.v1.IAMPolicy.SetIamPolicy", "iam:setIamPolicy"),
        ("SETIAMPOLICY", "iam:setIamPolicy"),
        ("v1.compute.instances.insert", "iam:Instances.insert"),
        ("v1.compute.disks.insert", "iam:insert"),
        ("a.b.Disks.Delete", "iam:a.b.disks.delete"),
        ("b.disks.delete", "fallback:verb:delete"),
    ],
)
def test_a_long_name_is_recognized_by_its_end(operation: str, rule: str) -> None:
    """In this order: the whole name, its last two parts, its last part, in any case."""
    loaded = catalog(
        names={"fold_case": True, "separator": "."},
        rows=[
            row("setIamPolicy"),
            row("insert"),
            row("Instances.insert"),
            row("a.b.disks.delete"),
        ],
        overrides=[override([{"path": "region", "present": True}], operations=["Insert"])],
    )
    assert loaded.classify(event(operation)).rules == (rule,)


def test_an_override_recognizes_a_long_name_by_its_end() -> None:
    """Overrides are found the same way as rows."""
    loaded = catalog(
        names={"fold_case": True, "separator": "."},
        rows=[row("insert")],
        overrides=[override([{"path": "region", "present": False}], operations=["Disks.Insert"])],
    )
    assert loaded.classify(event("v1.disks.insert")).rules == ("iam:insert", "O1")
    assert loaded.classify(event("v1.instances.insert")).rules == ("iam:insert",)


def test_an_override_by_the_beginning_of_a_name() -> None:
    """It holds for what begins so, after those of the name itself and before those of all."""
    no = [{"path": "region", "present": False}]
    loaded = catalog(
        overrides=[
            override(no, id="O1", operations=["*"]),
            override(no, id="O2", operations=["Update", "Put"], match="prefix"),
            override(no, id="O3"),
        ]
    )
    assert loaded.classify(event()).rules[-1] == "O3"
    assert loaded.classify(event("UpdateUser")).rules[-1] == "O2"
    assert loaded.classify(event("ListUpdate")).rules[-1] == "O1"
    assert loaded.classify(event("UpdateUser", service="s3")).rules[-1] != "O2"


def test_an_override_of_one_record_class_and_every_operation() -> None:
    """Records of other classes do not evaluate it."""
    rows = [override([{"path": "record_class", "is": "policy"}], service="*", operations=["*"])]
    loaded = catalog(overrides=rows)
    assert loaded.classify(event(record_class="policy")).phase is Phase.IMPACT
    assert loaded.classify(event(record_class="data")).phase is Phase.CREDENTIAL_LIFECYCLE
