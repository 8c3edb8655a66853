"""Conditions of overrides: paths into an event, comparisons, and what is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nhi_evidence.catalog.conditions import Facts, compile_condition
from nhi_evidence.errors import CatalogError
from nhi_evidence.event import (
    About,
    Account,
    Actor,
    Call,
    Endpoint,
    Event,
    Logged,
    Outcome,
    Owner,
    Result,
    Target,
    User,
)
from nhi_evidence.identity import Identity, IdentityKind

EVENT = Event(
    time=0,
    original_time="1970-01-01T00:00:00Z",
    logged=Logged("AWS", "CloudTrail", "AwsApiCall", "Code7", None, None, None, "111122223333"),
    call=Call(
        service="iam",
        service_name="iam.amazonaws.com",
        operation="CreateUser",
        operation_name="CreateUser20150331",
        source=Endpoint(ip="192.0.2.1", svc_name="lambda", name="host"),
        user_agent="agent/1",
        permissions=("iam.users.create",),
    ),
    actor=Actor(
        identity=Identity(
            type_id=IdentityKind.HUMAN, type="Human", name="ada", uid="AIDA1", decision_rule="X"
        ),
        user=User(account=Account(uid="444455556666")),
        invoked_by="cloudformation",
    ),
    about=About(
        targets=(
            Target(uid="t1", name="first", owner=Owner(Account(uid="111122223333"))),
            Target(uid="t2", name="second"),
        )
    ),
    outcome=Outcome(Result.DENIED, "AccessDenied", "not authorized"),
    request=msgspec.Raw(b'{"name":"x","n":7,"deep":{"list":[{"v":"a"},{"v":"b"},{}]}}'),
    response=msgspec.Raw(b'{"user":{"arn":"arn:x"}}'),
    record=msgspec.Raw(b'{"eventName":"CreateUser"}'),
)

NOTHING = Event(
    time=0,
    original_time="1970-01-01T00:00:00Z",
    logged=Logged("AWS", "CloudTrail"),
    call=Call("iam", "iam", "X", "X"),
    actor=Actor(identity=Identity(type_id=0, type="Unknown", decision_rule="X")),
    about=About(),
    outcome=Outcome(Result.UNKNOWN),
)


def holds(event: Event = EVENT, /, **condition: Any) -> bool:
    return compile_condition(condition, where="here")(Facts(event))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("code", "AccessDenied"),
        ("detail", "not authorized"),
        ("result", "denied"),
        ("operation", "CreateUser20150331"),
        ("permissions", ["iam.users.create"]),
        ("user_agent", "agent/1"),
        ("actor.name", "ada"),
        ("actor.uid", "AIDA1"),
        ("actor.kind", "human"),
        ("actor.account", "444455556666"),
        ("account", "111122223333"),
        ("invoked_by", "cloudformation"),
        ("source.ip", "192.0.2.1"),
        ("source.svc_name", "lambda"),
        ("source.name", "host"),
        ("event_code", "Code7"),
        ("record_class", "AwsApiCall"),
        ("target.uid", "t1"),
        ("target.name", "first"),
        ("target.account", "111122223333"),
        ("request.name", "x"),
        ("request.deep.list.1.v", "b"),
        ("request.deep.list.*.v", ["a", "b"]),
        ("response.user.arn", "arn:x"),
        ("record.eventName", "CreateUser"),
    ],
)
def test_a_path_leads_to_its_value(path: str, value: Any) -> None:
    """Paths lead into the event, its first target, the request, response and record."""
    assert value == Facts(EVENT).get(path)
    if path not in {"operation", "result", "permissions", "actor.kind"}:
        assert Facts(NOTHING).get(path) is None


def test_paths_that_are_never_absent() -> None:
    """A result and a kind always exist, even if unknown."""
    facts = Facts(NOTHING)
    assert ("unknown", "unknown", []) == (
        facts.get("result"),
        facts.get("actor.kind"),
        facts.get("permissions"),
    )


@pytest.mark.parametrize(
    "path",
    ["request.deep.list.3", "request.deep.list.x", "request.name.x", "request.deep.list.-1"],
)
def test_a_path_past_the_end_leads_nowhere(path: str) -> None:
    """The last element is 2; strings have no members, and lists no names."""
    assert Facts(EVENT).get(path) is None
    assert {} == Facts(EVENT).get("request.deep.list.2")


def test_each_document_is_decoded_once() -> None:
    """However many conditions read it."""
    facts = Facts(EVENT)
    assert facts.get("request.deep") is facts.get("request.deep")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"path": "actor.account", "same_as": "account"}, False),
        ({"path": "target.account", "same_as": "account"}, True),
        ({"path": "actor.account", "differs_from": "account"}, True),
        ({"path": "target.account", "differs_from": "account"}, False),
        ({"path": "request.none", "same_as": "request.nothing"}, False),
        ({"path": "request.none", "differs_from": "account"}, False),
        ({"path": "account", "differs_from": "request.none"}, False),
        ({"path": "request.n", "is": 7}, True),
        ({"path": "request.n", "is": 7.0}, False),
        ({"path": "request.n", "is_not": 7}, False),
        ({"path": "request.n", "is_not": 8}, True),
        ({"path": "request.none", "is_not": 8}, False),
        ({"path": "request.n", "in": [6]}, False),
        ({"path": "request.n", "not_in": [6]}, True),
        ({"path": "request.n", "not_in": [7]}, False),
        ({"path": "request.none", "not_in": [7]}, False),
        ({"path": "request.n", "starts_with": "7"}, False),
        ({"path": "user_agent", "starts_with": "agent"}, True),
        ({"path": "user_agent", "starts_with": "1"}, False),
        ({"path": "user_agent", "ends_with": "agent"}, False),
        ({"path": "user_agent", "ends_with": "/1"}, True),
        ({"path": "user_agent", "matches": "t/\\d$"}, True),
        ({"path": "user_agent", "matches": "^t/"}, False),
        ({"path": "user_agent", "contains": "gen"}, True),
        ({"path": "permissions", "contains": "iam"}, False),
        ({"path": "permissions", "contains": "iam.users.create"}, True),
        ({"path": "permissions", "every": "iam.users.create"}, True),
        ({"path": "user_agent", "every": "agent/1"}, False),
        ({"path": "request.none", "present": True}, False),
        ({"path": "request.none", "present": False}, True),
        ({"path": "request.n", "present": False}, False),
    ],
)
def test_comparisons(condition: dict[str, Any], expected: bool) -> None:
    """An absent value neither equals nor differs from anything."""
    assert expected is holds(**condition)


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ({"path": "account"}, "a condition is a path and one comparison"),
        ({"is": 1}, "a condition is a path and one comparison"),
        ({"path": 7, "is": 1}, "a condition is a path and one comparison"),
        ({"path": "account", "is": 1, "in": [1]}, "a condition is a path and one comparison"),
        ({"path": "accounts", "is": 1}, "unknown path 'accounts'"),
        ({"path": "request", "is": 1}, "unknown path 'request'"),
        ({"path": "response", "is": 1}, "unknown path 'response'"),
        ({"path": "answer.x", "is": 1}, "unknown path 'answer.x'"),
        ({"path": "account", "like": 1}, "unknown comparison 'like'"),
        ({"path": "account", "in": "text"}, "in takes a list, not 'text'"),
        ({"path": "account", "not_in": 7}, "not_in takes a list, not 7"),
        ({"path": "account", "starts_with": 7}, "starts_with takes a string, not 7"),
        ({"path": "account", "ends_with": []}, r"ends_with takes a string, not \[\]"),
        ({"path": "account", "matches": None}, "matches takes a string, not None"),
        ({"path": "account", "matches": "("}, r"'\(' is not a pattern"),
        ({"path": "account", "present": 1}, "present takes true or false, not 1"),
        ({"path": "account", "same_as": 7}, "same_as takes a path, not 7"),
        ({"path": "account", "differs_from": []}, "differs_from takes a path"),
        ({"path": "account", "same_as": "accounts"}, "unknown path 'accounts'"),
    ],
)
def test_an_invalid_condition_is_refused(condition: dict[str, Any], problem: str) -> None:
    """It is refused when the table is loaded, naming the row."""
    with pytest.raises(CatalogError, match=f"^here: {problem}"):
        holds(**condition)
