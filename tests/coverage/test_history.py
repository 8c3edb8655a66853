"""Coverage over time, from readings and recorded changes, and what neither shows."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from nhi_evidence.coverage import changes, history, judges, matrix
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.cells import cells
from nhi_evidence.coverage.changes import Change
from nhi_evidence.coverage.intervals import Span, Stretch
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import google, microsoft
from nhi_evidence.demo.estate.edits import edited, put

CELLS = {cell.id: cell for cell in cells()}
HOUR = 3_600_000
VALIDATION = CELLS["aws.credential_validation.valid_key"]
SECRETS = CELLS["gcp.secret_access.secret_manager"]
KEYS = CELLS["azure.secret_access.list_keys"]
TRAIL = "arn:aws:cloudtrail:eu-central-1:999988887777:trail/organization"


def record(event: str, at: int, outcome: str = "success", **parameters: Any) -> list[Change]:
    raw = {
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": event,
        "requestParameters": parameters,
    }
    return list(
        changes.of_record(
            "aws_cloudtrail", json.dumps(raw).encode(), at=at, uid="u", outcome=outcome
        )
    )


def google_entry(payload: dict[str, Any], kind: str, at: int = 3 * HOUR) -> list[Change]:
    raw = json.dumps({"protoPayload": payload, "resource": {"type": kind}}).encode()
    return list(changes.of_record("gcp_audit", raw, at=at, uid="u", outcome="success"))


def azure_record(operation: str, body: object = None, at: int = 3 * HOUR) -> list[Change]:
    raw = {
        "operationName": f"MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/{operation}",
        "resourceId": f"{microsoft.SUBSCRIPTION}/providers/Microsoft.Insights/"
        "diagnosticSettings/nhi-evidence",
        "properties": {} if body is None else {"requestbody": json.dumps(body)},
    }
    text = json.dumps(raw).encode()
    return list(changes.of_record("azure_activity", text, at=at, uid="u", outcome="success"))


def daily(platform: str, *hours: int) -> list[Reading]:
    return [estate.reading(platform, hour * HOUR) for hour in hours]


def verdicts(cell: Any, readings: list[Reading], edits: list[Change]) -> list[tuple[str, int, int]]:
    window = Span(0, 48 * HOUR)
    every = history.stretches(cell, readings, edits, window)
    assert (every[0].span.start, every[-1].span.end) == (0, window.end)
    pairs = pairwise(every)
    assert all(one.span.end == other.span.start for one, other in pairs)
    return [_hours(one) for one in every]


def _hours(stretch: Stretch) -> tuple[str, int, int]:
    """Round a stretch to hours: what is known only at a reading lasts a millisecond."""
    return stretch.verdict.value, stretch.span.start // HOUR, stretch.span.end // HOUR


def test_nothing_is_known_before_the_first_and_after_the_last_reading() -> None:
    assert verdicts(VALIDATION, daily("aws", 2, 20), []) == [
        ("UNKNOWN", 0, 2),
        ("CONFIGURED", 2, 20),
        ("UNKNOWN", 20, 48),
    ]
    assert verdicts(VALIDATION, [], []) == [("UNKNOWN", 0, 48)]


def test_readings_too_far_apart_leave_a_hole() -> None:
    assert verdicts(VALIDATION, daily("aws", 1, 40), []) == [
        ("UNKNOWN", 0, 1),
        ("CONFIGURED", 1, 1),
        ("UNKNOWN", 1, 40),
        ("CONFIGURED", 40, 40),
        ("UNKNOWN", 40, 48),
    ]


def test_a_trail_that_was_stopped_and_started_has_a_gap_between() -> None:
    edits = [
        *record("StopLogging", 5 * HOUR, name=TRAIL),
        *record("StartLogging", 7 * HOUR, name=TRAIL),
    ]
    assert verdicts(VALIDATION, daily("aws", 2, 20), edits) == [
        ("UNKNOWN", 0, 2),
        ("CONFIGURED", 2, 5),
        ("GAP", 5, 7),
        ("CONFIGURED", 7, 20),
        ("UNKNOWN", 20, 48),
    ]


@pytest.mark.parametrize("name", ["organization", TRAIL])
def test_a_trail_is_recognized_by_name_and_by_arn(name: str) -> None:
    """The telemetry rule records one account without a trail; nothing of the others is recorded."""
    stopped = changes.applied(estate.reading("aws", 0), record("StopLogging", 1, name=name)[0])
    judged = matrix.matrix([stopped])
    state = next(one for one in judged.cells if one.cell == "aws.privilege_change.policies")
    assert state.verdict is Verdict.GAP


def test_a_trail_of_another_account_may_have_the_same_name() -> None:
    """Who starts one does not start the other, and who stops it does not stop it."""
    own = [
        answer.request["Name"]
        for answer in estate.reading("aws", 0).ok("cloudtrail:GetTrailStatus")
        if str(answer.request["Name"]).endswith(":trail/own")
    ]
    raw = {
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": "StopLogging",
        "requestParameters": {"name": "own"},
        "recipientAccountId": own[0].split(":")[4],
        "awsRegion": own[0].split(":")[3],
    }
    (change,) = changes.of_record(
        "aws_cloudtrail", json.dumps(raw).encode(), at=1, uid="u", outcome="success"
    )
    after = changes.applied(estate.reading("aws", 0), change)
    stopped = {
        answer.request["Name"]
        for answer in after.ok("cloudtrail:GetTrailStatus")
        if not answer.answer["IsLogging"]
    }
    assert len(own) > 1
    assert stopped == {own[0]}


def test_a_refused_change_changed_nothing() -> None:
    assert record("StopLogging", 5 * HOUR, "denied", name=TRAIL) == []


def test_a_change_of_unknown_outcome_states_no_direction() -> None:
    edits = record("StopLogging", 5 * HOUR, "unknown", name=TRAIL)
    assert not edits[0].is_stated
    assert verdicts(VALIDATION, daily("aws", 2, 20), edits)[1:] == [
        ("CONFIGURED", 2, 5),
        ("UNKNOWN", 5, 20),
        ("CONFIGURED", 20, 20),
        ("UNKNOWN", 20, 48),
    ]


def test_replaced_selectors_are_those_the_record_states() -> None:
    selector = {"fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]},
                                   {"field": "readOnly", "equals": ["false"]}]}  # fmt: skip
    edits = record(
        "PutEventSelectors", 5 * HOUR, trailName=TRAIL, advancedEventSelectors=[selector]
    )
    assert edits[0].is_stated
    after = changes.applied(estate.reading("aws", 0), edits[0])
    verdicts = {one.cell: one.verdict for one in matrix.matrix([after]).cells}
    assert verdicts["aws.credential_validation.valid_key"] is not Verdict.CONFIGURED
    assert verdicts["aws.privilege_change.policies"] is Verdict.CONFIGURED
    assert verdicts["aws.data_access.services"] is Verdict.GAP


def test_selectors_missing_from_the_record_are_unknown() -> None:
    edits = record("PutEventSelectors", 5 * HOUR, trailName=TRAIL)
    assert not edits[0].is_stated


def test_a_deleted_trail_and_another_bucket() -> None:
    for change in (
        record("DeleteTrail", 1, name=TRAIL),
        record("UpdateTrail", 1, name="organization", s3BucketName="another"),
    ):
        after = changes.applied(estate.reading("aws", 0), change[0])
        state = next(
            one
            for one in matrix.matrix([after]).cells
            if one.cell == "aws.privilege_change.policies"
        )
        assert state.verdict in {Verdict.GAP, Verdict.ELSEWHERE}


def test_a_reading_that_differs_says_nothing_of_the_time_before_it() -> None:
    """Configured, then a gap, with no recorded change: nobody knows since when."""
    off = edited("cloudtrail:DescribeTrails", put(trailList=[]))(estate.reading("aws", 10 * HOUR))
    off = edited("observabilityadmin:GetTelemetryRule", lambda _: {"TelemetryRule": {}})(off)
    assert verdicts(VALIDATION, [*daily("aws", 2), off], []) == [
        ("UNKNOWN", 0, 2),
        ("CONFIGURED", 2, 2),
        ("UNKNOWN", 2, 10),
        ("GAP", 10, 10),
        ("UNKNOWN", 10, 48),
    ]


def test_a_change_of_something_else_says_nothing_of_when() -> None:
    """Nor does it, after the last reading, confirm anything."""
    off = edited("cloudtrail:DescribeTrails", put(trailList=[]))(estate.reading("aws", 10 * HOUR))
    off = edited("observabilityadmin:GetTelemetryRule", lambda _: {"TelemetryRule": {}})(off)
    same = record("StartLogging", 9 * HOUR, name=TRAIL)
    assert verdicts(VALIDATION, [*daily("aws", 2), off], same) == [
        ("UNKNOWN", 0, 2),
        ("CONFIGURED", 2, 2),
        ("UNKNOWN", 2, 10),
        ("GAP", 10, 10),
        ("UNKNOWN", 10, 48),
    ]
    unread = ("UNKNOWN", 0, 2)
    assert verdicts(VALIDATION, daily("aws", 2), same) == [
        unread, ("CONFIGURED", 2, 9), ("UNKNOWN", 9, 48)
    ]  # fmt: skip
    other = record("StopLogging", 9 * HOUR, name="another")
    assert verdicts(VALIDATION, daily("aws", 2), other) == [
        unread, ("CONFIGURED", 2, 2), ("UNKNOWN", 2, 48)
    ]  # fmt: skip


def delta(action: str, log_type: str, member: str | None = None) -> dict[str, Any]:
    change = {"action": action, "service": "allServices", "logType": log_type}
    return {**change, "exemptedMember": member} if member else change


def set_policy(*deltas: dict[str, Any]) -> dict[str, Any]:
    return {
        "methodName": "SetIamPolicy",
        "resourceName": google.ORGANIZATION,
        "serviceData": {"policyDelta": {"auditConfigDeltas": list(deltas)}},
    }


def test_audit_configuration_changes_as_the_deltas_say() -> None:
    off = google_entry(set_policy(delta("REMOVE", "DATA_READ")), "organization")
    on = google_entry(set_policy(delta("ADD", "DATA_READ")), "organization", 6 * HOUR)
    assert verdicts(SECRETS, daily("gcp", 2, 20), [*off, *on])[1:4] == [
        ("CONFIGURED", 2, 3),
        ("GAP", 3, 6),
        ("CONFIGURED", 6, 20),
    ]
    exempted = google_entry(
        set_policy(delta("ADD", "DATA_READ", "user:ann@example.com")), "organization"
    )
    assert verdicts(SECRETS, daily("gcp", 2), exempted)[2][0] == "GAP"


def test_a_policy_change_without_its_delta_is_unknown() -> None:
    edits = google_entry(
        {"methodName": "SetIamPolicy", "resourceName": google.ORGANIZATION}, "organization"
    )
    assert not edits[0].is_stated
    assert verdicts(SECRETS, daily("gcp", 2, 20), edits)[1:3] == [
        ("CONFIGURED", 2, 3),
        ("UNKNOWN", 3, 20),
    ]


@pytest.mark.parametrize(
    ("delta_", "kind"),
    [({"bindingDeltas": [{}]}, "organization"), ({"auditConfigDeltas": [{}]}, "gcs_bucket")],
)
def test_a_policy_of_something_else_changes_nothing(delta_: dict[str, Any], kind: str) -> None:
    payload = {"methodName": "x.SetIamPolicy", "resourceName": google.ORGANIZATION}
    assert google_entry({**payload, "serviceData": {"policyDelta": delta_}}, kind) == []


@pytest.mark.parametrize(
    ("method", "request_", "verdict"),
    [
        ("DeleteSink", {}, "ELSEWHERE"),
        ("UpdateSink", {"sink": {"disabled": True}, "updateMask": "disabled"}, "ELSEWHERE"),
        ("UpdateSink", {"sink": {"filter": "severity>=ERROR"}, "updateMask": "filter"}, "GAP"),
        ("UpdateSink", {"sink": {"description": "x"}, "updateMask": "description"}, "CONFIGURED"),
        ("UpdateSink", {}, "UNKNOWN"),
    ],
)
def test_a_sink_is_what_the_record_states(
    method: str, request_: dict[str, Any], verdict: str
) -> None:
    payload = {
        "methodName": f"google.logging.v2.ConfigServiceV2.{method}",
        "resourceName": f"{google.ORGANIZATION}/sinks/nhi-evidence",
        "request": request_,
    }
    edits = google_entry(payload, "logging_sink")
    states = history.stretches(SECRETS, daily("gcp", 2), edits, Span(3 * HOUR, 3 * HOUR + 1))
    assert [one.verdict for one in states] == [verdict]


def test_diagnostic_settings_deleted_and_written() -> None:
    assert verdicts(KEYS, daily("azure", 2), azure_record("DELETE"))[1:3] == [
        ("CONFIGURED", 2, 3),
        ("ELSEWHERE", 3, 3),
    ]
    assert verdicts(KEYS, daily("azure", 2, 20), azure_record("WRITE"))[1:3] == [
        ("CONFIGURED", 2, 3),
        ("UNKNOWN", 3, 20),
    ]
    narrowed = azure_record("WRITE", microsoft.setting(["Policy"]))
    assert verdicts(KEYS, daily("azure", 2), narrowed)[2][0] == "ELSEWHERE"
    same = azure_record("WRITE", microsoft.setting(["Administrative"]))
    assert verdicts(KEYS, daily("azure", 2, 20), same)[1] == ("CONFIGURED", 2, 20)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"eventName":1}', b"\xff", b"[" * 5000])
@pytest.mark.parametrize("pack", ["aws_cloudtrail", "gcp_audit", "azure_activity", "azure_entra"])
def test_any_other_record_changes_nothing(pack: str, raw: bytes) -> None:
    assert list(changes.of_record(pack, raw, at=0, uid="u", outcome="success")) == []


def test_a_change_before_any_reading_is_not_a_state() -> None:
    edits = record("StopLogging", HOUR, name=TRAIL)
    assert verdicts(VALIDATION, daily("aws", 2), edits)[0] == ("UNKNOWN", 0, 2)


def test_the_matrix_of_the_estate() -> None:
    judged = matrix.matrix(estate.readings(2 * HOUR))
    by_settings = [one for one in judged.cells if judges.needs_reading(CELLS[one.cell])]
    assert Counter(one.verdict for one in by_settings) == {
        Verdict.CONFIGURED: 112,
        Verdict.ELSEWHERE: 4,
        Verdict.UNKNOWN: 5,
    }
    assert judged.line.startswith(f"NO GAP KNOWN {len(CELLS)} cells: 112 CONFIGURED, ")
    assert judged.not_read == ()
    assert not judged.has_gap
    alone = matrix.matrix([estate.reading("gcp", 0)])
    platforms = {one.platform for one in alone.cells}
    assert platforms == {"gcp", "gcp_agent", "gke", *judges.never_read()}
    assert {"gateway", "kubernetes", "anthropic", "openai", "mcp"} <= platforms
    assert not {"aws", "okta", "vault"} & platforms
    assert "aws" in alone.not_read
    agents = [one for one in alone.cells if one.platform in judges.PULLED]
    assert {Verdict.UNKNOWN} == {one.verdict for one in agents}
    assert all(one.reasons[0] for one in agents)
    assert matrix.matrix([]).line == "NO READING of any platform"
