"""Looking at an account whose settings are read: the roles that read there."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.adapters.aws.aws_checks import AwsChecks, Clients
from nhi_evidence.adapters.aws.role_checks import role
from nhi_evidence.checks import Check
from nhi_evidence.config import Config
from nhi_evidence.config.aws import coverage_roles


def checks(config: Config, clients: Clients, account: str) -> Iterator[Check]:
    """Yield the check of the role of each evidence bucket."""
    checks_of = AwsChecks(f"account whose settings are read {account}")
    for store in config.evidence.buckets:
        plan = coverage_roles.settings_reader(config, store, account)
        yield from role(checks_of, clients.client("iam", store.region), plan)
