"""Which principals the roles of the evidence account trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws.feeds import feeds
from nhi_evidence.config.aws.web_trust import entra_issuer, entra_trust, google_trust
from nhi_evidence.config.documents import Statement, role_trust
from nhi_evidence.config.readers import Auditor
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE


def writer_trusts(config: Config, store: EvidenceBucket) -> Mapping[str, list[Statement]]:
    """Return each source kept in a bucket, with the trust of its writer role.

    A source outside AWS whose writer is not known yet is left out: its role is made once someone
    may assume it.
    """
    exporters: dict[str, list[str]] = {}
    for feed, entry in feeds(config):
        if entry.evidence == store.name:
            exporters.setdefault(feed.source, []).append(feed.role_arn)
    condition = {"StringEquals": {"aws:PrincipalOrgID": config.organization.id}}
    trusts = {
        source: [role_trust("Exporter", arns, condition)] for source, arns in exporters.items()
    }
    for entry in config.sources_in(store.name):
        statement = _web_trust(config, store, entry.source)
        if statement is not None:
            trusts[entry.source] = [statement]
    return trusts


def operator_trust(config: Config, store: EvidenceBucket, functions: Sequence[str]) -> Statement:
    """Return trust in functions of the evidence account, by their deployed names."""
    arns = [
        naming.role_arn(store.region, config.evidence.account, naming.function(store.id, each))
        for each in functions
    ]
    return role_trust(
        "Operator", arns, {"StringEquals": {"aws:PrincipalOrgID": config.organization.id}}
    )


def auditor_trust(auditor: Auditor) -> Statement:
    """Return trust in an auditor's principals, requiring the external id and, if so set, MFA."""
    condition: dict[str, dict[str, str]] = {"StringEquals": {"sts:ExternalId": auditor.external_id}}
    if auditor.mfa:
        condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
    return role_trust("Auditor", auditor.principals, condition)


def web_identities(config: Config) -> Mapping[str, str]:
    """Return the subject key of each provider, with its only known subject."""
    known: dict[str, str] = {}
    if config.gcp is not None and config.gcp.service_account_id is not None:
        known["accounts.google.com:sub"] = config.gcp.service_account_id
    if config.azure is not None and config.azure.managed_identity_object_id is not None:
        issuer = entra_issuer(config.azure.tenant)
        known[f"{issuer}:sub"] = config.azure.managed_identity_object_id
    return known


def unknown_writers(config: Config) -> tuple[tuple[str, str], ...]:
    """Return configuration table and key of each writer outside AWS whose identity is unknown."""
    unknown = []
    if config.gcp is not None and config.gcp.service_account_id is None:
        unknown.append(("gcp", "service_account_id"))
    if config.azure is not None and config.azure.managed_identity_object_id is None:
        unknown.append(("azure", "managed_identity_object_id"))
    return tuple(unknown)


def _web_trust(config: Config, store: EvidenceBucket, source: str) -> Statement | None:
    gcp, azure = config.gcp, config.azure
    if source == GCP_SOURCE and gcp is not None and gcp.service_account_id is not None:
        return google_trust(service_account_id=gcp.service_account_id, audience=gcp.audience)
    if source == AZURE_SOURCE and azure is not None and azure.managed_identity_object_id:
        return entra_trust(
            region=store.region,
            account=config.evidence.account,
            tenant=azure.tenant,
            object_id=azure.managed_identity_object_id,
            audience=azure.audience,
        )
    return None
