"""Azure and Entra: categories, groups that do not exist, destinations, licenses.

- https://learn.microsoft.com/azure/azure-monitor/essentials/diagnostic-settings
- https://github.com/Azure/azure-policy/issues/1397
- https://learn.microsoft.com/entra/identity/monitoring-health/concept-audit-logs
"""

from __future__ import annotations

import pytest

from nhi_evidence.coverage import judges
from nhi_evidence.coverage.answers import Answer
from nhi_evidence.coverage.cells import cells
from nhi_evidence.coverage.verdict import Judgment, Verdict
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import microsoft
from nhi_evidence.demo.estate.edits import Change, added, edited, put, refused

CELLS = {cell.id: cell for cell in cells()}
SETTINGS = "Microsoft.Insights/diagnosticSettings"
GROUPS = "Microsoft.Insights/diagnosticSettingsCategories"
VAULTS, PODS = "azure.secret_access.key_vault", "aks.enumeration.objects"
OTHER = "/subscriptions/x/providers/Microsoft.EventHub/namespaces/other/authorizationRules/r"


def judged(cell: str, *changes: Change) -> Judgment:
    reading = estate.reading("azure", 0)
    for change in changes:
        reading = change(reading)
    return judges.judge(CELLS[cell], reading)


def test_a_group_switches_on_what_the_resource_says_it_holds() -> None:
    assert judged(VAULTS).verdict is Verdict.CONFIGURED
    empty = edited(GROUPS, put(value=[{"name": "AuditEvent"}]), microsoft.VAULT)
    judgment = judged(VAULTS, empty)
    assert judgment.verdict is Verdict.GAP
    assert "has no category group audit" in " ".join(judgment.reasons)


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("PastDue", Verdict.ELSEWHERE),
        ("Warned", Verdict.ELSEWHERE),
        ("Disabled", Verdict.ELSEWHERE),
        ("Deleted", Verdict.CONFIGURED),
    ],
)
def test_a_subscription_counts_until_it_is_deleted(state: str, verdict: Verdict) -> None:
    """https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-states"""

    def of_state(answer: dict[str, list[dict[str, object]]]) -> dict[str, object]:
        kept, other = answer["value"]
        return {"value": [kept, {**other, "state": state}]}

    unset = edited(SETTINGS, put(value=[]), microsoft.CROSSED)
    changed = edited("Microsoft.Resources/subscriptions", of_state)
    cell = next(
        each.id
        for each in CELLS.values()
        if judges.evaluator_of(each) == "azure_subscription" and each.confidence == "high"
    )
    assert judged(cell, unset, changed).verdict is verdict


def test_the_content_of_a_group_may_be_unknown() -> None:
    assert judged(VAULTS, refused(GROUPS)).verdict is Verdict.UNKNOWN
    named = [
        edited(SETTINGS, put(value=[microsoft.setting(["auditevent"])]), vault)
        for vault in (microsoft.VAULT, microsoft.CROSSED_VAULT)
    ]
    assert judged(VAULTS, refused(GROUPS), *named).verdict is Verdict.CONFIGURED


@pytest.mark.parametrize(
    ("setting", "verdict"),
    [
        (microsoft.setting(["kube-audit"]), Verdict.CONFIGURED),
        (microsoft.setting(["kube-audit-admin"]), Verdict.GAP),
        (microsoft.setting(["kube-audit"], rule=OTHER), Verdict.ELSEWHERE),
        (
            microsoft.setting(["kube-audit"], rule=f"{microsoft.NAMESPACE}-2/rules/r"),
            Verdict.ELSEWHERE,
        ),
        (microsoft.setting(["kube-audit"], rule=microsoft.RULE.upper()), Verdict.CONFIGURED),
    ],
)
def test_category_and_destination_decide(setting: dict[str, object], verdict: Verdict) -> None:
    change = edited(SETTINGS, put(value=[setting]), microsoft.CLUSTER)
    assert judged(PODS, change).verdict is verdict


def test_either_category_will_do_where_either_records_it() -> None:
    change = edited(
        SETTINGS, put(value=[microsoft.setting(["kube-audit-admin"])]), microsoft.CLUSTER
    )
    assert judged("aks.privilege_change.rbac", change).verdict is Verdict.CONFIGURED


def test_a_disabled_category_is_off() -> None:
    setting = microsoft.setting(["kube-audit"])
    setting["properties"]["logs"][0]["enabled"] = False
    change = edited(SETTINGS, put(value=[setting]), microsoft.CLUSTER)
    assert judged(PODS, change).verdict is Verdict.GAP


def test_two_settings_add_up() -> None:
    halves = [
        microsoft.setting(["StorageRead"]),
        microsoft.setting(["StorageWrite", "StorageDelete"]),
    ]
    service = f"{microsoft.STORAGE}/blobServices/default"
    assert judged(
        "azure.data_access.storage", edited(SETTINGS, put(value=halves), service)
    ).verdict is (Verdict.CONFIGURED)
    half = edited(SETTINGS, put(value=halves[:1]), service)
    assert "StorageWrite of" in " ".join(judged("azure.data_access.storage", half).missing)


def test_a_management_group_above_is_enough() -> None:
    name = microsoft.SUBSCRIPTION.rpartition("/")[2]
    group = "/providers/Microsoft.Management/managementGroups/root"
    below = Answer(
        call="Microsoft.Management/managementGroups/descendants",
        scope=group,
        answer={
            "value": [{"name": name, "type": "Microsoft.Management/managementGroups/subscriptions"}]
        },
    )
    off = edited(SETTINGS, put(value=[]), microsoft.SUBSCRIPTION)
    above = microsoft.diagnostics(group, microsoft.setting(["Administrative"]))
    cell = "azure.secret_access.list_keys"
    assert judged(cell, off).verdict is Verdict.ELSEWHERE
    assert judged(cell, off, added(below), added(above)).verdict is Verdict.CONFIGURED


def test_the_absence_of_resources_proves_nothing() -> None:
    nothing = edited("Microsoft.ResourceGraph/resources", put(data=[]))
    assert judged(VAULTS, nothing).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("change", "sign_ins", "audit"),
    [
        (refused("graph:subscribedSkus"), Verdict.UNKNOWN, Verdict.CONFIGURED),
        (edited("graph:subscribedSkus", put(value=[])), Verdict.GAP, Verdict.CONFIGURED),
        (
            edited(
                "graph:subscribedSkus",
                put(value=[{"servicePlans": [{"servicePlanName": "AAD_PREMIUM_P2"}]}]),
            ),
            Verdict.CONFIGURED,
            Verdict.CONFIGURED,
        ),
    ],
)
def test_sign_ins_need_a_license(change: Change, sign_ins: Verdict, audit: Verdict) -> None:
    """Without Entra ID P1 or P2 they are not exported; an unread license is unknown, not a gap."""
    assert judged("entra.credential_validation.service_principal", change).verdict is sign_ins
    assert judged("entra.privilege_change.grants", change).verdict is audit
