"""Google Cloud: audit configuration up the tree, exemptions, sinks, filters and exclusions.

- https://cloud.google.com/logging/docs/audit/configure-data-access
- https://cloud.google.com/logging/docs/view/logging-query-language
- https://cloud.google.com/logging/docs/export/aggregated_sinks
"""

from __future__ import annotations

from typing import Any

import pytest

from nhi_evidence.coverage import accounts, judges
from nhi_evidence.coverage.answers import Answer
from nhi_evidence.coverage.cells import cells
from nhi_evidence.coverage.gcp import tree
from nhi_evidence.coverage.gcp.log_filter import FilterError, holds
from nhi_evidence.coverage.judges import Subject
from nhi_evidence.coverage.verdict import Judgment, Verdict
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import google
from nhi_evidence.demo.estate.edits import Change, added, edited, put, refused

CELLS = {cell.id: cell for cell in cells()}
POLICY, SINKS = "cloudresourcemanager.getIamPolicy", "logging.sinks.list"
SHOP = google.PROJECTS[0]
BOT = "bot@example-shop.iam.gserviceaccount.com"


def judged(cell: str, *changes: Change, identity: str | None = None) -> Judgment:
    reading = estate.reading("gcp", 0)
    for change in changes:
        reading = change(reading)
    return judges.judge(CELLS[cell], reading, Subject(identity))


def config(service: str, *types: str, exempted: tuple[str, ...] = ()) -> dict[str, Any]:
    return {**google.audit_config(*types, exempted=exempted), "service": service}


def only(scope: str, *configs: dict[str, Any]) -> tuple[Change, Change]:
    """Put audit configurations at one level alone."""
    return (
        edited(POLICY, put(auditConfigs=[]), google.ORGANIZATION),
        edited(POLICY, put(auditConfigs=list(configs)), scope),
    )


SECRETS = "secretmanager.googleapis.com"


@pytest.mark.parametrize("level", [google.ORGANIZATION, google.FOLDER])
@pytest.mark.parametrize("service", [SECRETS, "allServices"])
def test_configuration_is_inherited(level: str, service: str) -> None:
    changes = only(level, config(service, "DATA_READ"))
    assert judged("gcp.secret_access.secret_manager", *changes).verdict is Verdict.CONFIGURED


def test_levels_and_entries_add_up() -> None:
    """ADMIN_READ above and DATA_READ below, for all services and for one: the union applies."""
    changes = (
        edited(
            POLICY, put(auditConfigs=[config("allServices", "ADMIN_READ")]), google.ORGANIZATION
        ),
        edited(POLICY, put(auditConfigs=[config("allServices", "DATA_READ")]), google.FOLDER),
    )
    assert judged("gcp.failed_attempt.read", *changes).verdict is Verdict.CONFIGURED


def test_the_service_that_hands_credentials_to_agents_has_a_log_of_its_own() -> None:
    """The service of agents' identities does not record it.

    https://docs.cloud.google.com/iam/docs/audit-logging/audit-logging-agentidentitycredentials
    """
    cell = "gcp_agent.token_issuance.agent_identity"
    types = ("ADMIN_READ", "DATA_READ")
    beside = judged(cell, *only(SHOP, config("agentidentity.googleapis.com", *types)))
    assert beside.verdict is Verdict.GAP
    on = only(google.FOLDER, config("agentidentitycredentials.googleapis.com", "DATA_READ"))
    assert judged(cell, *on).verdict is Verdict.UNKNOWN, "documented, and not tried by a canary"


def test_half_enabled_is_not_enabled() -> None:
    judgment = judged(
        "gcp.secret_access.secret_manager", *only(SHOP, config(SECRETS, "ADMIN_READ"))
    )
    assert judgment.verdict is Verdict.GAP
    assert "DATA_READ" in judgment.reason


def test_one_project_does_not_count_for_another() -> None:
    judgment = judged("gcp.secret_access.secret_manager", *only(SHOP, config(SECRETS, "DATA_READ")))
    assert judgment.verdict is Verdict.GAP
    assert google.PROJECTS[1] in judgment.reason


def test_another_service_does_not_count_for_this_one() -> None:
    changes = only(google.ORGANIZATION, config("storage.googleapis.com", "DATA_READ"))
    assert judged("gcp.secret_access.secret_manager", *changes).verdict is Verdict.GAP


EXEMPT = "gcp.secret_access.secret_manager"


@pytest.mark.parametrize(
    ("member", "identity", "verdict"),
    [
        (f"serviceAccount:{BOT}", BOT, Verdict.GAP),
        (f"serviceAccount:{BOT}", f"serviceAccount:{BOT}", Verdict.GAP),
        (f"serviceAccount:{BOT}", "other@example-shop.iam.gserviceaccount.com", Verdict.CONFIGURED),
        ("user:ann@example.com", "ann@example.com", Verdict.GAP),
        ("domain:example.com", "ann@example.com", Verdict.GAP),
        ("domain:example.com", "ann@sub.example.com", Verdict.CONFIGURED),
        ("domain:example.com", BOT, Verdict.CONFIGURED),
        ("group:quiet@example.com", BOT, Verdict.UNKNOWN),
        ("principalSet://iam.googleapis.com/x/*", BOT, Verdict.UNKNOWN),
    ],
)
@pytest.mark.parametrize("level", [google.ORGANIZATION, SHOP])
def test_exemptions_at_any_level_apply(
    member: str, identity: str, verdict: Verdict, level: str
) -> None:
    """A child cannot revoke an exemption; a group decides by its members, or not at all."""
    exempting = config("allServices", "DATA_READ", exempted=(member,))
    base = edited(
        POLICY, put(auditConfigs=[config("allServices", "DATA_READ")]), google.ORGANIZATION
    )
    change = edited(POLICY, put(auditConfigs=[exempting]), level)
    assert judged(EXEMPT, base, change, identity=identity).verdict is verdict
    everyone = judged(EXEMPT, base, change)
    assert everyone.verdict is Verdict.GAP
    assert member in " ".join(everyone.missing)


@pytest.mark.parametrize(("members", "verdict"), [([BOT], "GAP"), (["a@b.c"], "CONFIGURED")])
def test_group_membership_decides(members: list[str], verdict: str) -> None:
    exempting = config("allServices", "DATA_READ", exempted=("group:quiet@example.com",))
    listed = {"memberships": [{"preferredMemberKey": [{"id": name}]} for name in members]}
    group = Answer(call=google.MEMBERS, scope="group:quiet@example.com", answer=listed)
    change = edited(POLICY, put(auditConfigs=[exempting]), google.ORGANIZATION)
    assert judged(EXEMPT, change, added(group), identity=BOT).verdict == verdict


def test_an_exemption_of_another_type_of_call_changes_nothing() -> None:
    exempting = config("allServices", "ADMIN_READ", exempted=(f"serviceAccount:{BOT}",))
    reading = config("allServices", "DATA_READ")
    change = edited(POLICY, put(auditConfigs=[exempting, reading]), google.ORGANIZATION)
    assert judged(EXEMPT, change, identity=BOT).verdict is Verdict.CONFIGURED


@pytest.mark.parametrize("scope", [google.ORGANIZATION, google.FOLDER, SHOP])
def test_an_unreadable_level_leaves_cells_unknown(scope: str) -> None:
    """It may exempt somebody, or enable what seems disabled."""
    assert judged(EXEMPT, refused(POLICY, scope)).verdict is Verdict.UNKNOWN


def sink(**members: Any) -> dict[str, Any]:
    return {
        "name": "nhi-evidence",
        "destination": google.DESTINATION,
        "includeChildren": True,
        **members,
    }


ADMIN = "gcp.privilege_change.policies"


@pytest.mark.parametrize(
    ("members", "admin", "reads"),
    [
        ({}, "CONFIGURED", "CONFIGURED"),
        ({"filter": ""}, "CONFIGURED", "CONFIGURED"),
        ({"disabled": True}, "ELSEWHERE", "ELSEWHERE"),
        ({"includeChildren": False}, "ELSEWHERE", "ELSEWHERE"),
        ({"destination": "storage.googleapis.com/other"}, "ELSEWHERE", "ELSEWHERE"),
        ({"filter": 'log_id("cloudaudit.googleapis.com/activity")'}, "CONFIGURED", "GAP"),
        ({"filter": "severity>=ERROR"}, "GAP", "GAP"),
        ({"filter": 'logName:"cloudaudit" AND severity>=NOTICE'}, "CONFIGURED", "GAP"),
        ({"filter": 'protoPayload.methodName="SetIamPolicy"'}, "GAP", "GAP"),
        ({"filter": 'protoPayload.serviceName="storage.googleapis.com"'}, "GAP", "GAP"),
        ({"filter": "any words"}, "UNKNOWN", "UNKNOWN"),
        ({"exclusions": [{"name": "e", "filter": "severity<ERROR"}]}, "GAP", "GAP"),
        (
            {"exclusions": [{"name": "e", "filter": "severity<ERROR", "disabled": True}]},
            "CONFIGURED",
            "CONFIGURED",
        ),
        (
            {
                "exclusions": [
                    {"name": "e", "filter": 'log_id("cloudaudit.googleapis.com/data_access")'}
                ]
            },
            "CONFIGURED",
            "GAP",
        ),
        ({"exclusions": [{"name": "e", "filter": 'resource.type="gce_instance"'}]}, "GAP", "GAP"),
        ({"exclusions": [{"name": "e", "filter": 'logName:"stdout"'}]}, "CONFIGURED", "CONFIGURED"),
    ],
)
def test_a_sink_exports_what_its_filters_pass(
    members: dict[str, Any], admin: str, reads: str
) -> None:
    change = edited(SINKS, put(sinks=[sink(**members)]), google.ORGANIZATION)
    assert (judged(ADMIN, change).verdict, judged(EXEMPT, change).verdict) == (admin, reads)


def test_one_lossless_sink_is_enough() -> None:
    """One lossless sink is enough, whatever the others leave out."""
    both = [sink(filter="severity>=ERROR"), sink(name="all")]
    change = edited(SINKS, put(sinks=both), google.ORGANIZATION)
    assert judged(ADMIN, change).verdict is Verdict.CONFIGURED


def test_an_intercepting_sink_above_keeps_entries_from_one_below() -> None:
    away = sink(name="central", destination="logging.googleapis.com/x", interceptChildren=True)
    above = edited(SINKS, put(sinks=[away]), google.ORGANIZATION)
    below = [edited(SINKS, put(sinks=[sink()]), project) for project in google.PROJECTS]
    judgment = judged(ADMIN, above, *below)
    assert judgment.verdict is Verdict.ELSEWHERE
    assert google.ORGANIZATION in judgment.reason
    with_both = edited(SINKS, put(sinks=[sink(), away]), google.ORGANIZATION)
    assert judged(ADMIN, with_both).verdict is Verdict.CONFIGURED


def test_what_could_not_be_read_above_may_keep_entries_from_a_sink_below() -> None:
    below = [edited(SINKS, put(sinks=[sink()]), project) for project in google.PROJECTS]
    nothing = edited(SINKS, put(sinks=[]), google.ORGANIZATION)
    assert judged(ADMIN, nothing, *below).verdict is Verdict.CONFIGURED
    judgment = judged(ADMIN, refused(SINKS, google.ORGANIZATION), *below)
    assert judgment.verdict is Verdict.UNKNOWN
    assert google.ORGANIZATION in judgment.reason


def test_unreadable_sinks_leave_cells_unknown() -> None:
    assert judged(ADMIN, refused(SINKS, google.ORGANIZATION)).verdict is Verdict.UNKNOWN


ENTRY = {"logName": "projects/p/logs/cloudaudit.googleapis.com/activity", "severity": "NOTICE"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", True),
        ('logName:"cloudaudit.googleapis.com"', True),
        ('logName="projects/p/logs/cloudaudit.googleapis.com%2Factivity"', True),
        ('logName="projects/p/logs/stdout"', False),
        ('severity=("INFO" OR "NOTICE")', True),
        ("severity>=NOTICE", True),
        ("severity>NOTICE", False),
        ("NOT severity>NOTICE", True),
        ("-severity>NOTICE", True),
        ("severity>NOTICE OR severity=NOTICE", True),
        ("severity=NOTICE severity>NOTICE", False),
        # OR binds tighter than AND, and a new line is an AND.
        ("severity=NOTICE OR severity=INFO AND severity=INFO", False),
        ("severity=NOTICE\nseverity!=INFO", True),
        ("(severity=INFO AND severity=NOTICE) OR severity=NOTICE", True),
        ("-- a remark\nseverity=NOTICE", True),
        ('logName=~"cloudaudit"', True),
        ('logName!~"cloudaudit"', False),
        ('resource.type="x"', None),
        ('resource.type="x" AND severity=INFO', False),
        ('resource.type="x" OR severity=NOTICE', True),
        ('NOT resource.type="x"', None),
        ("sample(insertId, 0.5)", None),
    ],
)
def test_filters_evaluate_to_three_values(text: str, value: bool | None) -> None:
    assert value is holds(text, ENTRY)


@pytest.mark.parametrize(
    "text", ["words", "(severity=INFO", "severity=", "severity=LOUD", 'a =~ "("', "(" * 60, "=="]
)
def test_unsupported_filters_are_refused(text: str) -> None:
    entry = {**ENTRY, "a": "b"}
    with pytest.raises(FilterError):
        holds(text, entry)


@pytest.mark.parametrize(
    "change",
    [
        refused("cloudresourcemanager.projects.getAncestry", SHOP),
        added(
            Answer(
                call="cloudresourcemanager.projects.list",
                scope="all",
                answer={"projects": [{"projectId": "another"}]},
            )
        ),
    ],
    ids=["throttled or refused", "listed, and the collector ended before it"],
)
def test_a_project_that_was_not_read_is_unknown_and_not_left_out(change: Change) -> None:
    cell = "gcp.secret_access.secret_manager"
    assert judged(cell).verdict is Verdict.CONFIGURED
    judgment = judged(cell, change)
    assert judgment.verdict is Verdict.UNKNOWN
    reading = change(estate.reading("gcp", 0))
    (left,) = tree.unread(reading)
    name = left.removeprefix("projects/")
    overall = judgment.verdict, judgment.reason
    assert judgment.extent.of(name, overall)[0] is Verdict.UNKNOWN
    assert judgment.extent.of("projects/of-another-name", overall)[0] is Verdict.CONFIGURED
    assert name in accounts.over_time([reading])["gcp"]
