"""What the organization forbids even the administrators of the evidence account.

Service control policies bound the principals of the accounts they are attached to, root included;
a resource control policy bounds their resources, whoever asks. Neither binds the management
account.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from nhi_evidence.config.aws.guardrail_actions import (
    ACCOUNT_CHANGES,
    ALARM_CHANGES,
    ASSET_CHANGES,
    BUCKET_CHANGES,
    BUS_CHANGES,
    CATALOG_CHANGES,
    FUNCTION_CHANGES,
    KEY_CHANGES,
    LOG_CHANGES,
    LOG_WRITES,
    OBJECT_CHANGES,
    PROVIDER_CHANGES,
    ROLE_CHANGES,
    RULE_CHANGES,
    STACK_CHANGES,
    TOPIC_CHANGES,
    UNBOUND_CHANGES,
    WORKGROUP_CHANGES,
)
from nhi_evidence.config.aws.web_trust import WEB_IDENTITY
from nhi_evidence.config.documents import NONE, Condition, Statement, document

LONGEST_DOCUMENT = 5_120
"""Characters either kind may have."""

OURS = "nhi-evidence-*"
"""How everything the deployment names begins."""

OURS_OF_ENTRA = f"OIDC_{OURS}"
"""A role of ours whose name somebody else prescribes: Microsoft Sentinel's."""

OURS_IN_GLUE = "nhi_evidence_*"
"""As Glue's names have it, without hyphens."""


class Protected(msgspec.Struct, frozen=True, kw_only=True):
    """What the guardrails speak of, by name: they may be attached to other accounts as well."""

    partition: str
    account: str
    """The evidence account."""
    replica_accounts: tuple[str, ...] = ()
    buckets: tuple[str, ...]
    """ARNs of the evidence buckets and of their replicas."""
    sealers: tuple[str, ...]
    """ARNs of the roles that may lock the log."""
    pipeline_roles: tuple[str, ...]
    """ARNs of the roles CloudFormation deploys with, which may still change everything."""
    pipeline_principals: tuple[str, ...]
    """ARNs of those who may start a deployment."""

    @property
    def accounts(self) -> tuple[str, ...]:
        """The evidence account and the accounts of its replicas."""
        return tuple(dict.fromkeys((self.account, *self.replica_accounts)))

    def arns(self, service: str, resource: str, region: str = "*") -> list[str]:
        """Return the ARNs of a resource's name in every protected account."""
        where = f"arn:{self.partition}:{service}:{region}"
        return [f"{where}:{account}:{resource}" for account in self.accounts]

    @property
    def deployers(self) -> list[str]:
        """Principals that may change stacks: pipelines, and the role the CDK deploys with.

        Nobody else can become that role: assuming and changing `cdk-*` is denied below.
        """
        pipeline = [*self.pipeline_roles, *self.pipeline_principals]
        return [*pipeline, *self.arns("iam", "role/cdk-*-deploy-role-*", region="")]

    @property
    def assets(self) -> list[str]:
        """The CDK's buckets in the protected accounts, and what is in them."""
        names = [f"arn:{self.partition}:s3:::cdk-*-assets-{one}-*" for one in self.accounts]
        return [part for one in names for part in (one, f"{one}/*")]

    @property
    def publishers(self) -> list[str]:
        """Principals that may write packages: those who deploy, and the role made for it."""
        return [
            *self.deployers,
            *self.arns("iam", "role/cdk-*-file-publishing-role-*", region=""),
        ]


def service_control_policies(protected: Protected) -> dict[str, dict[str, Any]]:
    """Return the documents by name: no principal of the protected accounts may, but for pipelines.

    More than one, because the sum is longer than AWS takes.
    """
    pipeline = _but([*protected.pipeline_roles, *protected.pipeline_principals])
    return {
        "nhi-evidence-data": document(_data(protected, pipeline)),
        "nhi-evidence-identities": document(_identities(protected, pipeline)),
        "nhi-evidence-monitoring": document(_monitoring(protected, pipeline)),
    }


def _data(protected: Protected, pipeline: Condition) -> list[Statement]:
    """The buckets, the objects, the keys, the accounts."""
    objects = [
        *(f"{one}/*" for one in protected.buckets),
        # An access point may have been made before the guardrails were.
        *protected.arns("s3", "accesspoint/*"),
    ]
    in_account = {"StringEquals": {"aws:PrincipalAccount": list(protected.accounts)}}
    writers = _but(protected.arns("iam", f"role/{OURS}", region=""))
    return [
        _deny("Buckets", BUCKET_CHANGES, protected.buckets, pipeline),
        _deny("Objects", OBJECT_CHANGES, objects),
        _deny("Retention", ["s3:PutObjectRetention"], objects, _but(protected.sealers)),
        _deny("Writes", ["s3:PutObject"], objects, writers),
        _deny(
            "Keys",
            KEY_CHANGES,
            [*protected.arns("kms", "key/*"), *protected.arns("kms", f"alias/{OURS}")],
            pipeline,
        ),
        _deny("Account", ACCOUNT_CHANGES, "*", in_account),
    ]


def _identities(protected: Protected, pipeline: Condition) -> list[Statement]:
    """Roles, who may become or hand on one, and the stacks that make them.

    Whoever may change a role, pass it to a service or change the stack it belongs to has its
    rights, so these are one subject.
    """
    ours = [
        *protected.arns("iam", f"role/{OURS}", region=""),
        *protected.arns("iam", f"role/{OURS_OF_ENTRA}", region=""),
    ]
    deploying = [
        *protected.arns("iam", "role/cdk-*", region=""),
        *(role for role in protected.pipeline_roles if ":role/cdk-" not in role),
    ]
    stacks = [
        arn
        for name in (OURS, "CDKToolkit")
        for arn in protected.arns("cloudformation", f"stack/{name}/*")
    ]
    return [
        _deny("Roles", ROLE_CHANGES, [*ours, *deploying], pipeline),
        _deny("Pass", ["iam:PassRole"], [*ours, *deploying], _but(protected.deployers)),
        _deny(
            "Providers",
            PROVIDER_CHANGES,
            protected.arns("iam", "oidc-provider/*", region=""),
            pipeline,
        ),
        _deny("Stacks", STACK_CHANGES, stacks, _but(protected.deployers)),
        _deny(
            "Functions", FUNCTION_CHANGES, protected.arns("lambda", f"function:{OURS}"), pipeline
        ),
        _deny("Assets", ASSET_CHANGES, protected.assets, _but(protected.publishers)),
    ]


def _monitoring(protected: Protected, pipeline: Condition) -> list[Statement]:
    """Clocks, alarms, who is told, and the logs that are counted."""
    groups = [
        arn
        for group in ("/aws/lambda/", "/aws/events/")
        for arn in protected.arns("logs", f"log-group:{group}{OURS}")
    ]
    ours = _but(
        [
            *protected.pipeline_roles,
            *protected.arns("iam", f"role/{OURS}", region=""),
        ]
    )
    catalog = [
        arn
        for name in (f"database/{OURS_IN_GLUE}", f"table/{OURS_IN_GLUE}/*")
        for arn in protected.arns("glue", name)
    ]
    own_metrics = {
        "StringEquals": {
            "cloudwatch:namespace": "nhi-evidence",
            "aws:PrincipalAccount": list(protected.accounts),
        }
    }
    return [
        _deny("Rules", RULE_CHANGES, protected.arns("events", f"rule/{OURS}"), pipeline),
        _deny("Bus", BUS_CHANGES, protected.arns("events", "event-bus/default"), pipeline),
        _deny("Alarms", ALARM_CHANGES, protected.arns("cloudwatch", f"alarm:{OURS}"), pipeline),
        _deny("Metrics", ["cloudwatch:PutMetricData"], "*", own_metrics),
        _deny("Catalog", CATALOG_CHANGES, catalog, pipeline),
        _deny(
            "Workgroups",
            WORKGROUP_CHANGES,
            protected.arns("athena", f"workgroup/{OURS}"),
            pipeline,
        ),
        _deny("Topics", TOPIC_CHANGES, protected.arns("sns", OURS), pipeline),
        _deny(
            "Unbound",
            UNBOUND_CHANGES,
            "*",
            {**pipeline, "StringEquals": {"aws:PrincipalAccount": list(protected.accounts)}},
        ),
        _deny("Logs", LOG_CHANGES, groups, pipeline),
        _deny("LogWrites", LOG_WRITES, groups, ours),
        _deny(
            "Budgets",
            ["budgets:ModifyBudget"],
            protected.arns("budgets", "budget/nhi-evidence", region=""),
            pipeline,
        ),
    ]


def resource_control_policy(
    protected: Protected,
    *,
    organization: str,
    auditors: Sequence[str],
    web_identities: Mapping[str, str],
) -> dict[str, Any]:
    """Return who may reach the buckets and the roles of the protected accounts at all.

    `auditors` are the ARNs outside the organization that may take a role to read with, an auditor's
    or a subscriber's, whose own trust asks for their external id. `web_identities` are subject
    keys, such as `accounts.google.com:sub`, with the one subject each.
    """
    outside = {"aws:PrincipalOrgID": organization}
    not_a_service = {"aws:PrincipalIsAWSService": "false"}
    # A negated operator holds where its key is missing. So a principal without an organization,
    # and a token without a subject, are refused; and a token of one provider lacks the other's
    # subject, so that all of them must differ for a refusal.
    unknown: dict[str, Any] = {"StringNotEquals": dict(web_identities)} if web_identities else {}
    not_an_auditor = {"ArnNotEquals": {"aws:PrincipalArn": list(auditors)}} if auditors else {}
    roles = protected.arns("iam", "role/*", region="")
    deploying = [
        *protected.arns("iam", "role/cdk-*", region=""),
        *(role for role in protected.pipeline_roles if ":role/cdk-" not in role),
    ]
    statements = [
        _deny(
            "Evidence",
            ["s3:*"],
            [part for one in protected.buckets for part in (one, f"{one}/*")],
            {"StringNotEquals": outside, "BoolIfExists": not_a_service},
        ),
        _deny(
            "Roles",
            ["sts:AssumeRole"],
            roles,
            {"StringNotEquals": outside, "BoolIfExists": not_a_service, **not_an_auditor},
        ),
        _deny(
            "Deployment",
            ["sts:AssumeRole"],
            deploying,
            {**_but(protected.pipeline_principals), "BoolIfExists": not_a_service},
        ),
        _deny("WebIdentities", [WEB_IDENTITY], roles, unknown),
    ]
    return document({**one, "Principal": "*"} for one in statements)


def _but(principals: Sequence[str]) -> dict[str, dict[str, str | Sequence[str]]]:
    """Return the condition that the caller is none of these; `*` may stand in their names."""
    return {"ArnNotLike": {"aws:PrincipalArn": list(principals)}}


def _deny(
    sid: str, actions: Sequence[str], resources: Sequence[str] | str, condition: Condition = NONE
) -> Statement:
    statement: Statement = {
        "Sid": sid,
        "Effect": "Deny",
        "Action": list(actions),
        "Resource": resources if isinstance(resources, str) else list(resources),
    }
    return {**statement, "Condition": dict(condition)} if condition else statement
