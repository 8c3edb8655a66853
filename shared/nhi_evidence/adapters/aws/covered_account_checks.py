"""Checks of an account that is read or probed: only the roles that do so."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.adapters.aws.aws_checks import AwsChecks, Clients
from nhi_evidence.adapters.aws.role_checks import role
from nhi_evidence.checks import Check
from nhi_evidence.config import Config
from nhi_evidence.config.aws import canary_roles, coverage_roles


def checks(config: Config, clients: Clients, account: str) -> Iterator[Check]:
    """Yield the check of the role that reads settings for each evidence bucket."""
    checks_of = AwsChecks(f"account whose settings are read {account}")
    for store in config.evidence.buckets:
        plan = coverage_roles.settings_reader(config, store, account)
        yield from role(checks_of, clients.client("iam", store.region), plan)


def canary_checks(config: Config, clients: Clients, account: str) -> Iterator[Check]:
    """Yield the check of the canary of an account."""
    checks_of = AwsChecks(f"account with a canary {account}")
    for canaries in config.canaries:
        if account in canaries.accounts:
            store = config.bucket(canaries.evidence)
            plan = canary_roles.identity(config, store)
            yield from role(checks_of, clients.client("iam", store.region), plan)
