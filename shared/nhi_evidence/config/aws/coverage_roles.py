"""Roles of the function that reads settings: its own, and the reader in each account."""

from __future__ import annotations

from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws.roles import LISTS, RolePlan, function_role, identity_tokens
from nhi_evidence.config.documents import Statement, allow, role_trust

KINDS = ("config", "coverage")
"""Kinds of `op/` object that the function writes: readings, and the verdicts on them."""

CANARY_STATEMENTS = ("op/v1/recon/*", "op/v1/recon/*.canaries.ndjson.zst")
"""What it may list and read of the objects written by the function that reconciles: canaries."""

WITHOUT_RESOURCE = (
    "account:ListRegions",
    "cloudtrail:DescribeTrails",
    "eks:ListClusters",
    "events:ListRules",
    "observabilityadmin:ListTelemetryRules",
    "organizations:ListAccounts",
)
"""Actions that AWS cannot restrict to a resource, or that list a whole account by nature."""


def collector(config: Config, store: EvidenceBucket, *, log_group: str) -> RolePlan:
    """Return the function's role: it reads its own statements, and assumes the roles it needs.

    It reads no evidence. `log_group` is the ARN of its own log group, with its streams.
    """
    coverage, account = config.coverage, config.evidence.account
    bucket = naming.bucket_arn(store.region, store.bucket)
    own = [f"op/v1/{kind}/*" for kind in KINDS]
    listed, read = stated_elsewhere(config, store)
    accounts = () if coverage is None else coverage.accounts
    return function_role(
        naming.function(store.id, naming.OPERATORS["coverage"]),
        log_group,
        [
            allow(
                "Read",
                ["s3:GetObject", "s3:GetObjectVersion"],
                [f"{bucket}/{each}" for each in (*own, *read)],
            ),
            allow("List", LISTS, bucket, {"StringLike": {"s3:prefix": [*own, *listed]}}),
            allow("Lock", ["s3:GetBucketObjectLockConfiguration"], bucket),
            allow(
                "State",
                ["sts:AssumeRole"],
                [
                    naming.role_arn(store.region, account, naming.operator(store.id, kind))
                    for kind in KINDS
                ],
            ),
            allow("Settings", ["sts:AssumeRole"], [reader_arn(store, each) for each in accounts]),
            *identity_tokens(
                provider=None if coverage is None else coverage.gcp_provider,
                client_id=None if coverage is None else coverage.azure_client_id,
                others=[coverage.vault.address] if coverage and coverage.vault else [],
            ),
        ],
    )


def stated_elsewhere(
    config: Config, store: EvidenceBucket
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the prefixes it lists, and reads, besides its own; none without canaries."""
    if config.canaries_of(store.name) is None:
        return (), ()
    listed, read = CANARY_STATEMENTS
    return (listed,), (read,)


def reader_arn(store: EvidenceBucket, account: str) -> str:
    """Return the ARN of the role that reads an account's settings."""
    return naming.role_arn(store.region, account, naming.settings_reader(store.id))


def settings_reader(config: Config, store: EvidenceBucket, account: str) -> RolePlan:
    """Return the role that reads settings in an account, but no data and no secrets."""
    function = naming.role_arn(
        store.region,
        config.evidence.account,
        naming.function(store.id, naming.OPERATORS["coverage"]),
    )
    inside = {"StringEquals": {"aws:PrincipalOrgID": config.organization.id}}
    return RolePlan(
        name=naming.settings_reader(store.id),
        trust=[role_trust("Coverage", [function], inside)],
        policy_name="read-settings",
        policy=[
            *_reads(naming.partition(store.region), account),
            *_states(config, account),
        ],
    )


def _states(config: Config, account: str) -> list[Statement]:
    """Return the permission to read the state of the configured identities, and of no others."""
    arns = () if config.coverage is None else config.coverage.arns
    own = [one for one in arns if one.split(":")[4] == account]
    users = [one for one in own if ":user/" in one]
    named = [one for one in own if ":role/" in one]
    keys = ["iam:GetAccessKeyLastUsed", "iam:GetUser", "iam:ListAccessKeys"]
    return [
        *([allow("Users", keys, users)] if users else []),
        *([allow("Roles", ["iam:GetRole"], named)] if named else []),
    ]


def _reads(partition: str, account: str) -> list[Statement]:
    """Return exactly what the calls of `adapters.aws.settings_reader` need."""
    arn = f"arn:{partition}"
    return [
        allow("Lists", WITHOUT_RESOURCE, "*"),
        allow(
            "Trails",
            [
                "cloudtrail:GetEventConfiguration",
                "cloudtrail:GetEventSelectors",
                "cloudtrail:GetTrailStatus",
            ],
            # In member accounts, an organization trail has the ARN of its own account.
            f"{arn}:cloudtrail:*:*:trail/*",
        ),
        allow("Buckets", ["s3:GetBucketNotification"], f"{arn}:s3:::*"),
        allow("Rules", ["events:DescribeRule"], f"{arn}:events:*:{account}:rule/*"),
        allow(
            "Telemetry",
            ["observabilityadmin:GetTelemetryRule"],
            f"{arn}:observabilityadmin:*:{account}:telemetry-rule/*",
        ),
        allow("Clusters", ["eks:DescribeCluster"], f"{arn}:eks:*:{account}:cluster/*"),
        allow(
            "Gateways",
            ["apigateway:GET"],
            [
                f"{arn}:apigateway:*::/{path}"
                for path in ("restapis", "restapis/*/stages", "apis", "apis/*/stages")
            ],
        ),
    ]
