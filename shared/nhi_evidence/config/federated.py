"""Which roles of AWS other clouds are to trust, and what the canaries there are and may."""

from __future__ import annotations

from collections.abc import Sequence

from nhi_evidence.config import Config, naming
from nhi_evidence.config.tables import Canaries

CANARY_ROLE = "nhiEvidenceCanary"
"""Id of the custom role of Google Cloud that a canary has in its project."""
CANARY_PERMISSION = "iam.serviceAccounts.list"
"""All that role allows; every other probe is refused, or needs no permission."""
CANARY_TAKEN_BY = "roles/iam.workloadIdentityUser"
"""To act as a service account, as somebody of a pool."""
ENTRA_AUDIENCE = "api://AzureADTokenExchange"
"""Of the tokens that a federated credential takes."""


def subjects(config: Config, *, lists: bool = True) -> dict[str, tuple[str, ...]]:
    """Return the roles of AWS that other clouds are to trust, by what they do.

    Those of the functions that are deployed, of every evidence bucket.
    """
    functions = {"reconcile"} if lists else set()
    if config.coverage is not None:
        functions.add(naming.OPERATORS["coverage"])
    return {
        function: tuple(
            naming.role_arn(
                store.region, config.evidence.account, naming.function(store.name, function)
            )
            for store in config.evidence.buckets
        )
        for function in sorted(functions)
    }


def google_canaries(config: Config) -> dict[str, str]:
    """Return each project of Google Cloud with a canary, and the role of AWS that takes it."""
    entries = [entry for entry in config.canaries if entry.google is not None]
    projects = [entry.google.project for entry in entries if entry.google is not None]
    return dict(zip(projects, _probing(config, entries), strict=True))


def entra_canaries(config: Config) -> tuple[str, ...]:
    """Return the roles of AWS that act as the canary of the tenant."""
    return _probing(config, [entry for entry in config.canaries if entry.entra is not None])


def google_condition(config: Config) -> str:
    """Return whom the provider of the pool takes, as its condition says it."""
    lists = config.gcp is not None and bool(config.gcp.reconcile_projects)
    trusted = {arn for arns in subjects(config, lists=lists).values() for arn in arns}
    return condition(trusted | set(google_canaries(config).values()))


def condition(arns: set[str]) -> str:
    """Return the condition of a provider that takes these subjects alone."""
    return " || ".join(f"assertion.sub == '{arn}'" for arn in sorted(arns))


def _probing(config: Config, entries: Sequence[Canaries]) -> tuple[str, ...]:
    """Return the roles of the functions that probe for these entries."""
    stores = [config.bucket(entry.evidence) for entry in entries]
    return tuple(
        naming.role_arn(
            store.region, config.evidence.account, naming.function(store.name, naming.CANARY)
        )
        for store in stores
    )
