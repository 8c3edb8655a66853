"""Gaps to plant in the estate, each with exactly the cells it removes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo.estate import amazon, google, microsoft
from nhi_evidence.demo.estate.amazon import field, selector
from nhi_evidence.demo.estate.edits import Change, edited, put


class Plant(msgspec.Struct, frozen=True):
    """One planted gap."""

    name: str
    """What was done, in words."""
    platform: str
    change: Change
    expected: dict[str, Verdict]
    """Every cell whose verdict changes, and the new verdict."""


def _kms() -> Change:
    management = selector(
        field("eventCategory", "Management"),
        field("eventSource", "kms.amazonaws.com", operator="NotEquals"),
    )
    selectors = [management, *amazon.selectors()[1:]]
    return _of_the_organization(selectors)


def _without_topics() -> Change:
    chosen = [
        one
        for one in amazon.selectors()
        if field("resources.type", "AWS::SNS::Topic") not in one["FieldSelectors"]
    ]
    return _of_the_organization(chosen)


def _of_the_organization(selectors: Sequence[object]) -> Change:
    """Change its trail: accounts with a trail of their own are recorded by that."""
    chosen = put(AdvancedEventSelectors=list(selectors))
    return edited("cloudtrail:GetEventSelectors", chosen, amazon.SCOPE)


def _without_data_read() -> Change:
    config = google.audit_config("ADMIN_READ", "DATA_WRITE")
    return edited(
        "cloudresourcemanager.getIamPolicy", put(auditConfigs=[config]), google.ORGANIZATION
    )


def _setting(scope: str, *categories: str) -> Change:
    settings = [microsoft.setting(categories)] if categories else []
    return edited("Microsoft.Insights/diagnosticSettings", put(value=settings), scope)


_GAP = Verdict.GAP
PLANTS = (
    Plant(
        "the trail excludes kms.amazonaws.com",
        "aws",
        _kms(),
        dict.fromkeys(
            (
                "aws.enumeration.control_plane",
                "aws.failed_attempt.control_plane",
                "aws.secret_access.services",
                "aws.privilege_change.policies",
            ),
            _GAP,
        ),
    ),
    Plant(
        "no data events of SNS",
        "aws",
        _without_topics(),
        {"aws.credential_validation.error_text": _GAP},
    ),
    Plant(
        "the cluster writes no audit log",
        "aws",
        edited(
            "eks:DescribeCluster",
            put(cluster={"name": "production"}),
            f"{amazon.WORKLOAD}/{amazon.REGION}",
        ),
        dict.fromkeys(
            (
                "eks.credential_validation.whoami",
                "eks.enumeration.objects",
                "eks.permission_probing.can_i",
                "eks.secret_access.secrets",
                "eks.token_issuance.token_request",
                "eks.failed_attempt.forbidden",
                "eks.privilege_change.rbac",
                "eks.execution.exec",
            ),
            _GAP,
        ),
    ),
    Plant(
        "DATA_READ is off in Google Cloud",
        "gcp",
        _without_data_read(),
        {
            **dict.fromkeys(
                (
                    "gcp.failed_attempt.read",
                    "gcp.secret_access.secret_manager",
                    "gcp.data_access.objects",
                    "gcp_agent.agent_action.vertex",
                    "gcp_agent.agent_action.mcp",
                    "gke.enumeration.objects",
                    "gke.secret_access.secrets",
                ),
                _GAP,
            ),
            "gcp_agent.token_issuance.agent_identity": _GAP,
        },
    ),
    Plant(
        "a vault without a diagnostic setting",
        "azure",
        _setting(microsoft.VAULT),
        {"azure.secret_access.key_vault": _GAP},
    ),
    Plant(
        "managed identities' sign-ins are not exported",
        "azure",
        _setting(
            microsoft.TENANT,
            *(name for name in microsoft.ENTRA if name != "ManagedIdentitySignInLogs"),
        ),
        {"entra.credential_validation.managed_identity": _GAP},
    ),
    Plant(
        "the cluster's kube-audit is kube-audit-admin",
        "azure",
        _setting(microsoft.CLUSTER, "kube-audit-admin"),
        dict.fromkeys(("aks.enumeration.objects", "aks.secret_access.secrets"), _GAP),
    ),
)
"""Every gap a demo may draw."""


def planted(reading: Reading, plants: tuple[Plant, ...]) -> Reading:
    """Return a reading with its platform's gaps planted; two for one answer do not combine."""
    for plant in plants:
        if plant.platform == reading.platform:
            reading = plant.change(reading)
    return reading
