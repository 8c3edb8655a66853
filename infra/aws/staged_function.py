"""A staged bundle as a Lambda function, with its log group, role and environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.bundle import Bundle, packed
from nhi_evidence.config import documents, naming
from nhi_evidence.config.aws.roles import RolePlan

LOG_DAYS = logs.RetentionDays.ONE_YEAR

_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}


class StagedFunction(Construct):
    """A function as its `deploy.toml` declares it, with exactly these permissions.

    Function and role are both called `function_name`, which other accounts' policies rely on.
    `role` makes the role's plan from the ARN of the function's log group.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        bundle: Bundle,
        function_name: str,
        architecture: str | None = None,
        environment: Mapping[str, str],
        role: Callable[[str], RolePlan],
    ) -> None:
        super().__init__(scope, name)
        declared = bundle.declaration.function
        self.function_name = function_name
        self.logs = logs.LogGroup(
            self,
            "Logs",
            log_group_name=naming.log_group(function_name),
            retention=LOG_DAYS,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        planned = role(self.logs.log_group_arn)
        self.role = iam.CfnRole(
            self,
            "Role",
            role_name=planned.name,
            assume_role_policy_document=documents.document(planned.trust),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name=planned.policy_name,
                    policy_document=documents.document(planned.policy),
                )
            ],
        )
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=function_name,
            runtime=lambda_.Runtime(declared.runtime, lambda_.RuntimeFamily.PYTHON),
            architecture=_ARCHITECTURES[architecture or declared.architecture],
            handler=declared.handler,
            # An archive of our own: AWS states its hash, and whoever builds the release gets the
            # same one.
            code=lambda_.Code.from_asset(str(packed(bundle))),
            role=iam.Role.from_role_arn(
                self, "RoleOf", self.role.attr_arn, mutable=False, add_grants_to_resources=False
            ),
            memory_size=declared.memory_mb,
            timeout=Duration.seconds(declared.timeout_seconds),
            environment=dict(environment),
            log_group=self.logs,
        )
