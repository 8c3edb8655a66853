"""Roles of the function that probes: its own, and the harmless canary in each account."""

from __future__ import annotations

from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws.roles import RolePlan, function_role, identity_tokens
from nhi_evidence.config.documents import allow, role_trust

HARMLESS = ("s3:ListAllMyBuckets",)
"""All that a canary may do; AWS cannot restrict it to a resource. Every other probe is refused, or
needs no permission (`sts:GetCallerIdentity`)."""


def runner(config: Config, store: EvidenceBucket, *, log_group: str) -> RolePlan:
    """Return the function's role: it may only put plans, through another role, and be the canaries.

    It reads no evidence. `log_group` is the ARN of its own log group, with its streams.
    """
    account, entry = config.evidence.account, config.canaries_of(store.name)
    writer = naming.role_arn(store.region, account, naming.operator(store.id, naming.PLANS))
    accounts = () if entry is None else entry.accounts
    google = None if entry is None else entry.google
    entra = None if entry is None else entry.entra
    roles = [canary_arn(store, each) for each in accounts]
    return function_role(
        naming.function(store.id, naming.CANARY),
        log_group,
        [
            allow("Announce", ["sts:AssumeRole"], writer),
            *([allow("Probe", ["sts:AssumeRole"], roles)] if roles else []),
            *identity_tokens(
                provider=None if google is None else google.provider,
                client_id=None if entra is None else entra.client_id,
            ),
        ],
    )


def canary_arn(store: EvidenceBucket, account: str) -> str:
    """Return the ARN of an account's canary."""
    return naming.role_arn(store.region, account, naming.canary(store.id))


def identity(config: Config, store: EvidenceBucket) -> RolePlan:
    """Return an account's canary: it may do almost nothing, and only one function may assume it."""
    function = naming.role_arn(
        store.region, config.evidence.account, naming.function(store.id, naming.CANARY)
    )
    inside = {"StringEquals": {"aws:PrincipalOrgID": config.organization.id}}
    return RolePlan(
        name=naming.canary(store.id),
        trust=[role_trust("Canary", [function], inside)],
        policy_name="probe",
        policy=[allow("Harmless", HARMLESS, "*")],
    )
