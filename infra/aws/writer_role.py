"""Who may put evidence of one source: one role, one verb, one prefix."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.aws import acknowledged
from nhi_evidence.config import documents
from nhi_evidence.config.documents import Statement, allow


def source_prefixes(source: str) -> tuple[str, ...]:
    """Return the prefixes of one source: its evidence."""
    return (f"ev/v1/{source}/",)


class PutOnlyRole(Construct):
    """A role that may put objects under its prefixes, and nothing else on anything.

    `trusted` are the statements of its trust policy. Sessions last an hour: what is stolen with
    one is worth that long.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        role_name: str,
        bucket_arn: str,
        prefixes: tuple[str, ...],
        trusted: list[Statement],
    ) -> None:
        super().__init__(scope, name)
        objects = [f"{bucket_arn}/{prefix}*" for prefix in prefixes]
        self.resource = iam.CfnRole(
            self,
            "Role",
            role_name=role_name,
            assume_role_policy_document=documents.document(trusted),
            max_session_duration=Duration.hours(1).to_seconds(),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="put",
                    policy_document=documents.document([allow("Put", ["s3:PutObject"], objects)]),
                )
            ],
        )
        acknowledged.prefixes(
            self, objects, "Keys below its own prefixes are what the role is for; it may put only."
        )
