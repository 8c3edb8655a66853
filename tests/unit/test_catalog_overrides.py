"""Which overrides are evaluated, and what is cached for an operation."""

from __future__ import annotations

from typing import Any

import pytest

from nhi_evidence.catalog import catalog as module
from nhi_evidence.catalog.catalog import Catalog
from nhi_evidence.errors import CatalogError
from nhi_evidence.event import Call, Event, Outcome, Result
from nhi_evidence.phases import Phase
from tests.unit.test_catalog import catalog, event, override

CODE = override([{"path": "code", "is": "DryRunOperation"}], phase="permission_probing")
CODES = override([{"path": "code", "in": ["A", "B"]}], phase="permission_probing")
CLASS = override([{"path": "record_class", "is": "AwsServiceEvent"}], phase="routine")


def failed(code: str | None) -> Event:
    return event(outcome=Outcome(Result.FAILED, code))


@pytest.mark.parametrize(("when", "code"), [(CODE, "DryRunOperation"), (CODES, "B")])
def test_an_override_on_a_code_needs_one(when: dict[str, Any], code: str) -> None:
    """It applies to that code, in any order of records, and never without a code."""
    table = catalog(overrides=[when])
    for _ in range(2):
        assert Phase.CREDENTIAL_LIFECYCLE is table.classify(failed(None)).phase
        assert Phase.PERMISSION_PROBING is table.classify(failed(code)).phase
        assert Phase.CREDENTIAL_LIFECYCLE is table.classify(failed("Other")).phase


@pytest.mark.parametrize(
    "condition",
    [
        {"path": "code", "present": False},
        {"path": "code", "is": None},
        {"path": "detail", "present": False},
    ],
)
def test_an_override_on_no_code_needs_none(condition: dict[str, Any]) -> None:
    """A condition on the absence of a code, or on something else, is evaluated without one."""
    table = catalog(overrides=[override([condition], phase="impact")])
    assert Phase.IMPACT is table.classify(failed(None)).phase


def test_an_override_on_a_class_of_record_is_for_that_class() -> None:
    """The same operation in another class keeps its meaning, in any order of records."""
    table = catalog(overrides=[CLASS])
    for _ in range(2):
        of_class = table.classify(event(record_class="AwsServiceEvent"))
        assert (Phase.ROUTINE, ("iam:UpdateAccessKey", "O1")) == (of_class.phase, of_class.rules)
        for other in ("AwsApiCall", None):
            assert Phase.CREDENTIAL_LIFECYCLE is table.classify(event(record_class=other)).phase


@pytest.mark.parametrize(
    ("condition", "record_class"),
    [
        ({"path": "record_class", "present": True}, "AwsApiCall"),
        ({"path": "record_class", "in": ["AwsApiCall", "AwsServiceEvent"]}, "AwsServiceEvent"),
        ({"path": "record_class", "is_not": "AwsApiCall"}, "AwsServiceEvent"),
    ],
)
def test_an_override_may_compare_the_class_in_any_way(
    condition: dict[str, Any], record_class: str
) -> None:
    """Not only for equality; if the record states no class, none of these applies."""
    table = catalog(overrides=[override([condition])])
    assert Phase.IMPACT is table.classify(event(record_class=record_class)).phase
    assert Phase.IMPACT is not table.classify(event()).phase


def test_an_operation_no_rule_covers_is_unknown() -> None:
    """It is not even a guess: just some API call."""
    decision = catalog().classify(event("Zzyzx"))
    assert (Phase.UNKNOWN, Phase.UNKNOWN, None) == (
        decision.base_phase,
        decision.phase,
        decision.sub_phase,
    )
    assert (("fallback:none",), 6003, 99) == (
        decision.rules,
        decision.class_uid,
        decision.activity_id,
    )


def test_an_override_on_no_class_is_for_every_class() -> None:
    """Whatever class a record states."""
    table = catalog(overrides=[override([{"path": "account", "present": False}])])
    for record_class in ("AwsApiCall", "AwsServiceEvent", None):
        assert Phase.IMPACT is table.classify(event(record_class=record_class)).phase


def test_an_override_on_a_class_and_a_code_needs_both() -> None:
    """Neither alone is enough."""
    both = override([*CODE["when"], *CLASS["when"]], phase="impact")
    table = catalog(overrides=[both])
    outcome = Outcome(Result.FAILED, "DryRunOperation")
    of_class = "AwsServiceEvent"
    assert Phase.IMPACT is table.classify(event(outcome=outcome, record_class=of_class)).phase
    assert Phase.IMPACT is not table.classify(event(outcome=outcome)).phase
    assert Phase.IMPACT is not table.classify(event(record_class=of_class)).phase


def test_the_first_override_that_holds_wins() -> None:
    """Those for the operation precede those for its service, and these those for any."""
    holds = [{"path": "account", "present": False}]
    overrides = [
        override(holds, id="any", service="*", operations=["*"]),
        override(holds, id="named", service="*"),
        override(holds, id="service", operations=["*"]),
        override([{"path": "account", "present": True}], id="not"),
        override(holds, id="first"),
        override(holds, id="second"),
    ]
    order = ["first", "second", "service", "named", "any"]
    for position, expected in enumerate(order):
        left = [one for one in overrides if one["id"] not in order[:position]]
        rules = catalog(overrides=left).classify(event()).rules
        assert ("iam:UpdateAccessKey", expected) == rules


def test_an_override_may_change_class_and_activity() -> None:
    """One, both or neither: what it does not name stays as in the row."""
    holds = [{"path": "account", "present": False}]
    for changes, expected in (
        ({}, (3004, 3)),
        ({"class": 6003, "activity": 2}, (6003, 2)),
        ({"activity": 1}, (3004, 1)),
    ):
        decision = catalog(overrides=[override(holds, **changes)]).classify(event())
        assert expected == (decision.class_uid, decision.activity_id)
    with pytest.raises(CatalogError, match="override O1: no OCSF class 6003 with activity 77"):
        catalog(overrides=[override(holds, **{"class": 6003, "activity": 77})])
    with pytest.raises(CatalogError, match="override O1: unknown phase 'none'"):
        catalog(overrides=[override(holds, phase="none")])


def test_a_refused_call_is_a_failed_attempt_once() -> None:
    """The overlay is named after override and row, and not twice for an existing failed attempt."""
    holds = [{"path": "account", "present": False}]
    denied = event(outcome=Outcome(Result.DENIED, "AccessDenied"))
    decision = catalog(overrides=[override(holds)]).classify(denied)
    assert (Phase.FAILED_ATTEMPT, ("iam:UpdateAccessKey", "O1", "O01")) == (
        decision.phase,
        decision.rules,
    )
    already = catalog(overrides=[override(holds, phase="failed_attempt")]).classify(denied)
    assert (Phase.FAILED_ATTEMPT, ("iam:UpdateAccessKey", "O1")) == (already.phase, already.rules)


def call(service: str = "s", operation: str = "o", permissions: tuple[str, ...] = ()) -> Call:
    return Call(service, service, operation, operation, permissions=permissions)


@pytest.mark.parametrize(
    ("operation_call", "cached", "expected"),
    [
        (call(), 9_999, True),
        (call(), 10_000, False),
        (call("s" * 200, "o" * 55), 0, True),
        (call("s" * 200, "o" * 56), 0, False),
        (call("s" * 256, ""), 0, False),
        (call(permissions=("p",) * 8), 0, True),
        (call(permissions=("p",) * 9), 0, False),
        (call(permissions=("p" * 255,)), 0, True),
        (call(permissions=("p", "p" * 256)), 0, False),
    ],
)
def test_the_cache_is_bounded(operation_call: Call, cached: int, expected: bool) -> None:
    """Both in entries and in the length of values from records."""
    assert expected is module._cacheable(operation_call, cached)


def cache_sizes(table: Catalog) -> tuple[int, int, int]:
    return len(table._decided), len(table._based), len(table._candidates_of)


def test_cached_decisions_are_reused() -> None:
    """The same call is decided once; one that is too long is decided each time, with the same
    result.
    """
    table = catalog()
    denied = event(outcome=Outcome(Result.DENIED, "AccessDenied"))
    first = table.classify(denied)
    assert first is table.classify(denied)
    assert (1, 1, 1) == cache_sizes(table)
    long = event("Get" + "x" * 300, outcome=Outcome(Result.DENIED, "AccessDenied"))
    assert table.classify(long) == table.classify(long)
    assert table.classify(long) is not table.classify(long)
    assert (1, 1, 1) == cache_sizes(table)


def test_different_operations_are_cached_separately() -> None:
    """By service, class, refusal, access level and permissions alike."""
    table = catalog()
    denied = Outcome(Result.DENIED, "AccessDenied")
    events = [
        event(),
        event(outcome=denied),
        event(record_class="c"),
        event(access_level="Read"),
        event(permissions=("p",)),
        event(service="other"),
    ]
    for each in events:
        table.classify(each)
    assert len(events) == len(table._decided)
    assert Phase.FAILED_ATTEMPT is table.classify(event(outcome=denied)).phase
    assert Phase.CREDENTIAL_LIFECYCLE is table.classify(event()).phase
