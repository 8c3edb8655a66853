"""Which AWS roles other clouds must trust, and what the canaries there are and may do."""

from __future__ import annotations

from collections.abc import Sequence

from nhi_evidence.config import Config, naming
from nhi_evidence.config.tables import Canaries

CANARY_PERMISSION = "iam.serviceAccounts.list"
"""The only permission of a canary's role in Google Cloud; every other probe is refused, or needs no
permission."""
CANARY_TAKEN_BY = "roles/iam.workloadIdentityUser"
"""Role that lets an identity of a pool act as a service account."""
ENTRA_AUDIENCE = "api://AzureADTokenExchange"
"""Audience of the tokens that a federated credential accepts."""


def subjects(config: Config, *, lists: bool = True) -> dict[str, tuple[str, ...]]:
    """Return, by function, the AWS roles that other clouds must trust.

    These are the roles of the deployed functions of every evidence bucket; `lists` includes the
    function that reconciles.
    """
    functions = {"reconcile"} if lists else set()
    if config.coverage is not None:
        functions.add(naming.OPERATORS["coverage"])
    return {
        function: tuple(
            naming.role_arn(
                store.region, config.evidence.account, naming.function(store.id, function)
            )
            for store in config.evidence.buckets
        )
        for function in sorted(functions)
    }


def google_canaries(config: Config) -> dict[str, str]:
    """Return each Google Cloud project with a canary, and the AWS role that acts as the canary."""
    entries = [entry for entry in config.canaries if entry.google is not None]
    projects = [entry.google.project for entry in entries if entry.google is not None]
    return dict(zip(projects, _probing(config, entries), strict=True))


def entra_canaries(config: Config) -> tuple[str, ...]:
    """Return the AWS roles that act as the tenant's canary."""
    return _probing(config, [entry for entry in config.canaries if entry.entra is not None])


def google_condition(config: Config) -> str:
    """Return the condition by which the pool's provider accepts subjects."""
    lists = config.gcp is not None and bool(config.gcp.reconcile_projects)
    trusted = {arn for arns in subjects(config, lists=lists).values() for arn in arns}
    return condition(trusted | set(google_canaries(config).values()))


def condition(arns: set[str]) -> str:
    """Return the condition of a provider that accepts only these subjects."""
    return " || ".join(f"assertion.sub == '{arn}'" for arn in sorted(arns))


def _probing(config: Config, entries: Sequence[Canaries]) -> tuple[str, ...]:
    """Return the roles of the functions that probe for these entries."""
    stores = [config.bucket(entry.evidence) for entry in entries]
    return tuple(
        naming.role_arn(
            store.region, config.evidence.account, naming.function(store.id, naming.CANARY)
        )
        for store in stores
    )
