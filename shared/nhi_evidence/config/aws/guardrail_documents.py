"""What the organization denies even to administrators of the evidence account.

Service control policies limit the principals of the accounts they are attached to, including root;
a resource control policy limits access to their resources, whoever asks. Neither applies to the
management account.
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
    QUEUE_CHANGES,
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
"""Maximum characters in a document of either kind."""

OURS = "nhi-evidence-*"
"""Matches every name that the deployment assigns."""

OURS_OF_ENTRA = f"OIDC_{OURS}"
"""Matches our roles for Microsoft Sentinel, which prescribes the prefix."""

OURS_IN_GLUE = "nhi_evidence_*"
"""Matches our names in Glue, which have no hyphens."""


class Protected(msgspec.Struct, frozen=True, kw_only=True):
    """What the guardrails protect, by name, as they may be attached to other accounts as well."""

    partition: str
    account: str
    """The evidence account."""
    replica_accounts: tuple[str, ...] = ()
    buckets: tuple[str, ...]
    """ARNs of the evidence buckets and their replicas."""
    copies: tuple[str, ...] = ()
    """ARNs of the buckets for a subscriber's lines and for an auditor's answers."""
    topics: tuple[str, ...] = ()
    """ARNs of topics that the configuration names for alarms, in the protected accounts."""
    sealers: tuple[str, ...]
    """ARNs of the roles that may lock the log."""
    pipeline_roles: tuple[str, ...]
    """ARNs of the roles with which CloudFormation deploys, which may still change everything."""
    pipeline_principals: tuple[str, ...]
    """ARNs of the principals that may start a deployment."""

    @property
    def accounts(self) -> tuple[str, ...]:
        """The evidence account and the accounts of its replicas."""
        return tuple(dict.fromkeys((self.account, *self.replica_accounts)))

    def arns(self, service: str, resource: str, region: str = "*") -> list[str]:
        """Return the ARNs of a resource, given its name, in every protected account."""
        where = f"arn:{self.partition}:{service}:{region}"
        return [f"{where}:{account}:{resource}" for account in self.accounts]

    @property
    def pipeline(self) -> list[str]:
        """Principals that may change everything."""
        return [*self.pipeline_roles, *self.pipeline_principals]

    @property
    def deployers(self) -> list[str]:
        """Principals that may change stacks: pipelines, and the role with which the CDK deploys.

        Nobody else can become that role: assuming and changing `cdk-*` is denied below.
        """
        return [*self.pipeline, *self.arns("iam", "role/cdk-*-deploy-role-*", region="")]

    @property
    def assets(self) -> list[str]:
        """The CDK's buckets in the protected accounts, and their objects."""
        names = [f"arn:{self.partition}:s3:::cdk-*-assets-{one}-*" for one in self.accounts]
        return [part for one in names for part in (one, f"{one}/*")]

    @property
    def roles(self) -> list[str]:
        """Our own roles, whose names nobody else's can have: creating them is denied below."""
        return [
            *self.arns("iam", f"role/{OURS}", region=""),
            *self.arns("iam", f"role/{OURS_OF_ENTRA}", region=""),
        ]

    @property
    def workers(self) -> list[str]:
        """Principals that may move messages and copies: pipelines, and our own roles."""
        return [*self.pipeline, *self.roles]

    @property
    def publishers(self) -> list[str]:
        """Principals that may write packages: deployers, and the CDK's role for publishing."""
        return [
            *self.deployers,
            *self.arns("iam", "role/cdk-*-file-publishing-role-*", region=""),
        ]


def service_control_policies(protected: Protected) -> dict[str, dict[str, Any]]:
    """Return the documents that limit all principals of the accounts, by the last word of a name.

    Pipelines are exempt. There are several because together they would be too long for AWS.
    """
    return {
        "data": document(_data(protected)),
        "identities": document(_identities(protected)),
        "monitoring": document(_monitoring(protected)),
    }


def _data(protected: Protected) -> list[Statement]:
    """Return the statements on buckets, objects, their copies and tables, keys and accounts."""
    objects = [
        *(f"{one}/*" for one in protected.buckets),
        # An access point may have been created before the guardrails.
        *protected.arns("s3", "accesspoint/*"),
    ]
    in_account = {"StringEquals": {"aws:PrincipalAccount": list(protected.accounts)}}
    writers = _except(protected.arns("iam", f"role/{OURS}", region=""))
    copies = [part for one in protected.copies for part in (one, f"{one}/*")]
    changes = [
        (BUCKET_CHANGES, protected.buckets),
        (KEY_CHANGES, protected.arns("kms", "key/*")),
        (KEY_CHANGES, protected.arns("kms", f"alias/{OURS}")),
        (CATALOG_CHANGES, protected.arns("glue", f"database/{OURS_IN_GLUE}")),
        (CATALOG_CHANGES, protected.arns("glue", f"table/{OURS_IN_GLUE}/*")),
        (WORKGROUP_CHANGES, protected.arns("athena", f"workgroup/{OURS}")),
    ]
    return [
        _deny_all("Changes", changes, protected.pipeline),
        _deny("Objects", OBJECT_CHANGES, objects),
        _deny("Retention", ["s3:PutObjectRetention"], objects, _except(protected.sealers)),
        _deny("Writes", ["s3:PutObject"], objects, writers),
        *([_deny("Copies", ASSET_CHANGES, copies, _except(protected.workers))] if copies else []),
        _deny("Account", ACCOUNT_CHANGES, "*", in_account),
    ]


def _identities(protected: Protected) -> list[Statement]:
    """Return the statements on roles, who may assume or pass them, and the stacks that make them.

    Whoever may change a role, pass it to a service or change its stack has its permissions, so
    these are one subject.
    """
    roles = [
        *protected.roles,
        *protected.arns("iam", "role/cdk-*", region=""),
        *(role for role in protected.pipeline_roles if ":role/cdk-" not in role),
    ]
    changes = [
        (ROLE_CHANGES, roles),
        (PROVIDER_CHANGES, protected.arns("iam", "oidc-provider/*", region="")),
        (FUNCTION_CHANGES, protected.arns("lambda", f"function:{OURS}")),
        # What reads a queue for a function has no name.
        (FUNCTION_CHANGES, protected.arns("lambda", "event-source-mapping:*")),
    ]
    deploying = [
        (["iam:PassRole"], roles),
        (STACK_CHANGES, protected.arns("cloudformation", f"stack/{OURS}/*")),
        (STACK_CHANGES, protected.arns("cloudformation", "stack/CDKToolkit/*")),
    ]
    return [
        _deny_all("Changes", changes, protected.pipeline),
        _deny_all("Deploying", deploying, protected.deployers),
        _deny("Assets", ASSET_CHANGES, protected.assets, _except(protected.publishers)),
    ]


def _monitoring(protected: Protected) -> list[Statement]:
    """Return the statements on schedules, queues, alarms, and the logs that are counted."""
    groups = [
        arn
        for group in ("/aws/lambda/", "/aws/events/")
        for arn in protected.arns("logs", f"log-group:{group}{OURS}")
    ]
    in_account = {"StringEquals": {"aws:PrincipalAccount": list(protected.accounts)}}
    own_metrics = {
        "StringEquals": {**in_account["StringEquals"], "cloudwatch:namespace": "nhi-evidence"}
    }
    changes = [
        (RULE_CHANGES, protected.arns("events", f"rule/{OURS}")),
        (BUS_CHANGES, protected.arns("events", "event-bus/default")),
        (ALARM_CHANGES, protected.arns("cloudwatch", f"alarm:{OURS}")),
        (TOPIC_CHANGES, [*protected.arns("sns", OURS), *protected.topics]),
        (LOG_CHANGES, groups),
        (["budgets:ModifyBudget"], protected.arns("budgets", f"budget/{OURS}", region="")),
    ]
    ours = [*protected.pipeline_roles, *protected.arns("iam", f"role/{OURS}", region="")]
    return [
        _deny_all("Changes", changes, protected.pipeline),
        _deny("Queues", QUEUE_CHANGES, protected.arns("sqs", OURS), _except(protected.workers)),
        _deny("Metrics", ["cloudwatch:PutMetricData"], "*", own_metrics),
        _deny("Unbound", UNBOUND_CHANGES, "*", {**_except(protected.pipeline), **in_account}),
        _deny("LogWrites", LOG_WRITES, groups, _except(ours)),
    ]


def resource_control_policy(
    protected: Protected,
    *,
    organization: str,
    auditors: Sequence[str],
    web_identities: Mapping[str, str],
) -> dict[str, Any]:
    """Return the policy on who may reach the protected accounts' buckets and roles at all.

    `auditors` are the ARNs outside the organization that may assume an auditor's or a subscriber's
    role, whose own trust requires their external id. `web_identities` are subject keys, such as
    `accounts.google.com:sub`, each with its only accepted subject.
    """
    outside = {"aws:PrincipalOrgID": organization}
    not_a_service = {"aws:PrincipalIsAWSService": "false"}
    # A negated operator is true if its key is missing. So principals without an organization and
    # tokens without a subject are refused; and because a token of one provider lacks the other's
    # subject, it is refused only if all of them differ.
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
            [part for one in (*protected.buckets, *protected.copies) for part in (one, f"{one}/*")],
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
            {**_except(protected.pipeline_principals), "BoolIfExists": not_a_service},
        ),
        _deny("WebIdentities", [WEB_IDENTITY], roles, unknown),
    ]
    return document({**one, "Principal": "*"} for one in statements)


def _except(principals: Sequence[str]) -> dict[str, dict[str, str | Sequence[str]]]:
    """Return the condition that the caller is none of these, whose names may contain `*`."""
    return {"ArnNotLike": {"aws:PrincipalArn": list(principals)}}


def _deny_all(
    sid: str,
    changes: Sequence[tuple[Sequence[str], Sequence[str]]],
    exempt: Sequence[str],
) -> Statement:
    """Return one statement for several kinds of resources, each with its own actions.

    Its actions must not apply to any other kind in it: then one statement denies as much as one for
    each, and repeats the names of those who are exempt less often.
    """
    actions = dict.fromkeys(action for each, _ in changes for action in each)
    resources = dict.fromkeys(resource for _, each in changes for resource in each)
    return _deny(sid, list(actions), list(resources), _except(exempt))


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
