"""One statement sent to Athena: waiting, pages, limits, failures, an interrupt.

With botocore's Stubber, which checks requests and answers against the service's model: no Athena
runs here. Emulators answer a SELECT with an invented value, or none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from nhi_evidence.adapters.aws.athena import AthenaError, Session

QUERY = {"QueryExecutionId": "0a1b2c3d-query"}
GROUP = {"WorkGroup": "nhi-evidence-main"}
LIMIT = 200 << 30


@pytest.fixture
def stub() -> Iterator[Stubber]:
    client = boto3.client(
        "athena", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stubbed:
        yield stubbed
        stubbed.assert_no_pending_responses()


def session(stub: Stubber, waits: list[float] | None = None, **group: Any) -> Session:
    settings = {"BytesScannedCutoffPerQuery": LIMIT, "EnforceWorkGroupConfiguration": True, **group}
    settings = {name: value for name, value in settings.items() if value is not None}
    stub.add_response(
        "get_work_group",
        {"WorkGroup": {"Name": GROUP["WorkGroup"], "State": "ENABLED", "Configuration": settings}},
        GROUP,
    )
    return Session(
        stub.client,
        workgroup=GROUP["WorkGroup"],
        database="nhi_evidence_main",
        sleep=(waits if waits is not None else []).append,
    )


def started(stub: Stubber, sql: str = "SELECT 1") -> None:
    stub.add_response(
        "start_query_execution",
        QUERY,
        {"QueryString": sql, "QueryExecutionContext": {"Database": "nhi_evidence_main"}, **GROUP},
    )


def state(stub: Stubber, name: str, *, read: int = 0, **status: Any) -> None:
    execution = {"Status": {"State": name, **status}, "Statistics": {"DataScannedInBytes": read}}
    stub.add_response("get_query_execution", {"QueryExecution": execution}, QUERY)


def page(stub: Stubber, rows: list[list[str | None]], *, token: str = "", after: str = "") -> None:
    result_rows = [
        {"Data": [{} if each is None else {"VarCharValue": each} for each in row]} for row in rows
    ]
    answer: dict[str, Any] = {"ResultSet": {"Rows": result_rows}} | (
        {"NextToken": token} if token else {}
    )
    more = {"NextToken": after} if after else {}
    stub.add_response("get_query_results", answer, {**QUERY, "MaxResults": 1000, **more})


def test_a_query_waits_and_reads_every_page(stub: Stubber) -> None:
    """Only the first row of the first page has the column names."""
    waits: list[float] = []
    opened = session(stub, waits)
    started(stub)
    for name in ("QUEUED", "RUNNING", "RUNNING"):
        state(stub, name)
    state(stub, "SUCCEEDED", read=12_345)
    page(stub, [["n", "text"], ["1", None]], token="t1")
    page(stub, [["n", "text"], ["2", ""]], token="t2", after="t1")
    page(stub, [], after="t2")
    assert list(opened.ask("SELECT 1")) == [("1", None), ("n", "text"), ("2", "")]
    assert opened.read.byte_counts == [12_345]
    assert opened.bytes_limit == LIMIT
    assert waits == sorted(waits)
    assert len(waits) == 3


@pytest.mark.parametrize("tokens", [("t1", "t1"), ("t1", "t2", "t1")])
def test_a_next_page_named_twice_ends_the_query(stub: Stubber, tokens: tuple[str, ...]) -> None:
    """Athena's answer would otherwise be read, and its rows counted, without end."""
    opened = session(stub)
    started(stub)
    state(stub, "SUCCEEDED")
    for after, token in zip(("", *tokens), tokens, strict=False):
        page(stub, [["n"]], token=token, after=after)
    with pytest.raises(AthenaError, match="query 0a1b2c3d-query: the same next page is named"):
        list(opened.ask("SELECT 1"))


def test_an_interrupt_stops_the_query(stub: Stubber) -> None:
    opened = session(stub)

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    opened._sleep = interrupted
    started(stub)
    state(stub, "RUNNING")
    stub.add_response("stop_query_execution", {}, QUERY)
    with pytest.raises(KeyboardInterrupt):
        list(opened.ask("SELECT 1"))


def test_an_interrupt_is_raised_even_if_the_query_cannot_be_stopped(stub: Stubber) -> None:
    opened = session(stub)
    started(stub)
    stub.add_client_error("get_query_execution", "ThrottlingException", "Rate exceeded")
    stub.add_client_error("stop_query_execution", "InternalServerException")
    with pytest.raises(AthenaError, match="ThrottlingException: Rate exceeded"):
        list(opened.ask("SELECT 1"))


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        (
            "FAILED", {"StateChangeReason": "SYNTAX_ERROR: line 1:8:\n  Column 'x'"},
            "query 0a1b2c3d-query failed: SYNTAX_ERROR: line 1:8: Column 'x'",
        ),
        (
            "CANCELLED", {"StateChangeReason": "Bytes scanned limit was exceeded"},
            r"exceeded \(the workgroup's limit is 214748364800 bytes: query fewer hours\)",
        ),
        ("FAILED", {"AthenaError": {"ErrorCategory": 1, "ErrorMessage": "no"}}, "failed: no"),
        ("CANCELLED", {}, "cancelled: no reason given"),
    ],
)  # fmt: skip
def test_a_failed_query_is_one_line_and_states_its_cost(
    stub: Stubber, name: str, status: dict[str, Any], text: str
) -> None:
    opened = session(stub)
    started(stub)
    state(stub, name, read=77, **status)
    with pytest.raises(AthenaError, match=text) as raised:
        list(opened.ask("SELECT 1"))
    assert "\n" not in str(raised.value)
    assert opened.read.byte_counts == [77]


def test_a_refusal_is_one_line(stub: Stubber) -> None:
    opened = session(stub)
    stub.add_client_error("start_query_execution", "AccessDeniedException", "You are\nnot allowed")
    with pytest.raises(AthenaError, match=r"^Athena: AccessDeniedException: You are not allowed$"):
        list(opened.ask("SELECT 1"))


@pytest.mark.parametrize(
    "settings", [{"BytesScannedCutoffPerQuery": None}, {"EnforceWorkGroupConfiguration": False}]
)
def test_a_workgroup_without_a_limit_is_not_used(stub: Stubber, settings: dict[str, Any]) -> None:
    with pytest.raises(AthenaError, match="does not limit what a query reads"):
        session(stub, **settings)


def test_a_statement_that_is_too_long_is_not_sent(stub: Stubber) -> None:
    opened = session(stub)
    with pytest.raises(AthenaError, match="Athena takes 262144"):
        list(opened.ask("x" * 262_145))
