"""Data Access audit logs, enabled for the whole organization."""

from __future__ import annotations

from collections.abc import Iterable

from cdktn_provider_google.organization_iam_audit_config import (
    OrganizationIamAuditConfig,
    OrganizationIamAuditConfigAuditLogConfig,
)
from constructs import Construct

EVERY_TYPE = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")

TYPES = {
    # Listing, permission probing, Policy Troubleshooter, STS token exchange, and the minting of
    # service account credentials: iamcredentials.googleapis.com has no setting of its own and
    # follows iam.googleapis.com or allServices.
    # https://docs.cloud.google.com/iam/docs/audit-logging/audit-logging-iamcreds
    "allServices": ("ADMIN_READ",),
    "iam.googleapis.com": ("ADMIN_READ",),
    # https://docs.cloud.google.com/iam/docs/audit-logging/audit-logging-sts
    "sts.googleapis.com": ("ADMIN_READ",),
    "cloudresourcemanager.googleapis.com": ("ADMIN_READ",),
    # ADMIN_READ records that secrets are listed, DATA_READ that one is read.
    "secretmanager.googleapis.com": ("ADMIN_READ", "DATA_READ"),
    "storage.googleapis.com": ("DATA_READ", "DATA_WRITE"),
    "aiplatform.googleapis.com": ("DATA_READ",),
    # k8s.io: lists, gets and reads of secrets; only changes are logged by default.
    "container.googleapis.com": ("DATA_READ",),
}
"""The log types that the coverage of a service needs. Any other service, such as mcp.googleapis.com
(the one setting of every remote MCP server), gets all three. What they cost: docs/deploy-gcp.md."""


class DataAccessLogs(Construct):
    """One audit configuration per service, at the root: no child can turn off what it enables.

    No member is exempted. The provider's resource is authoritative for its service, so an exemption
    that somebody added at the organization is a difference that the next plan shows and reverts.
    Exemptions further down accumulate and remain: the coverage report lists those.
    """

    def __init__(
        self, scope: Construct, name: str, *, organization: str, services: Iterable[str]
    ) -> None:
        super().__init__(scope, name)
        for service in services:
            OrganizationIamAuditConfig(
                self,
                service.removesuffix(".googleapis.com"),
                org_id=organization,
                service=service,
                audit_log_config=[
                    OrganizationIamAuditConfigAuditLogConfig(log_type=log_type)
                    for log_type in TYPES.get(service, EVERY_TYPE)
                ],
            )
