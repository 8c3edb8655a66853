"""A failed first creation leaves no name taken, for every retained type, in every stack.

The emulator's CloudFormation creates each stack's retained resources together with an impossible
one, rolls back, and creates them again under the same names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.emulator import Emulator, wait_until

pytestmark = pytest.mark.e2e

ACCOUNT, REGION = "444455556666", "eu-north-1"
"""A region without other deployments, so that names are free."""
NOT_HERE = {
    "AWS::CloudTrail::Trail": "not among the emulator's types (test_new_trail.py)",
    "AWS::IAM::OIDCProvider": "nor this (tests/infra/aws/test_role_trusts.py)",
}
IMPOSSIBLE = {
    "Type": "AWS::Logs::LogGroup",
    "Properties": {"LogGroupName": {"Fn::ImportValue": "nobody-exports-this"}},
}


@pytest.fixture(scope="module")
def kept(
    aws: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, dict[str, Any]]]:
    """Retained resources by synthesized stack, with names that no other test uses."""
    deployment = Deployment(aws, tmp_path_factory.mktemp("kept"))
    deployment.prepare()
    deployment.synthesize()
    stacks = {
        path.name.removesuffix(".template.json"): dict(_kept(json.loads(path.read_text())))
        for path in deployment.templates("production")
    }
    return {stack: resources for stack, resources in stacks.items() if resources}


def _kept(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    resources = template["Resources"]
    kept = {
        logical
        for logical, one in resources.items()
        if one.get("DeletionPolicy", "Delete") != "Delete" and one["Type"] not in NOT_HERE
    }
    for logical in kept:
        resource = {name: _known(part, kept) for name, part in resources[logical].items()}
        resource.pop("Metadata", None)
        resource.pop("DependsOn", None)
        # The bucket's own name is all of Amazon's, and its notifications need a queue.
        resource["Properties"].pop("NotificationConfiguration", None)
        resource["Properties"].pop("ReplicationConfiguration", None)
        yield logical, resource


def _known(value: Any, kept: set[str]) -> Any:
    """Replace references to resources that are not retained with a string."""
    if isinstance(value, dict):
        ((key, target),) = value.items() if len(value) == 1 else (("", None),)
        logical = target[0] if key == "Fn::GetAtt" and target else target
        if key in {"Ref", "Fn::GetAtt"} and logical not in kept and "::" not in str(logical):
            return f"arn:aws:iam::{ACCOUNT}:role/{re.sub(r'[^A-Za-z0-9]', '', str(logical))}"
        return {name: _known(one, kept) for name, one in value.items()}
    if isinstance(value, list):
        return [_known(one, kept) for one in value]
    return value


def create(cloudformation: Any, stack: str, resources: dict[str, Any]) -> str:
    """Create a stack and return how it ended."""
    template = json.dumps({"Resources": resources})
    # S3's names are all accounts': these are of a stack that nobody has.
    own = template.replace("222233334444", ACCOUNT).replace("111122223333", ACCOUNT)
    cloudformation.create_stack(StackName=stack, TemplateBody=own)

    def ended() -> str | None:
        (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        status = str(described["StackStatus"])
        return None if status.endswith("IN_PROGRESS") else status

    return str(wait_until(f"the end of {stack}", ended))


def test_stacks_with_retained_resources(kept: dict[str, Any]) -> None:
    """The reconciling function's stack is among them."""
    assert {
        "nhi-evidence-main-170b2e",
        "nhi-evidence-main-170b2e-seal",
        "nhi-evidence-main-170b2e-reconcile",
        "nhi-evidence-main-170b2e-export-eu-central-1",
    } <= {*kept}


def left(aws: Emulator) -> set[str]:
    """Return the existing resources of retained types, by name."""
    logs, s3 = aws.client("logs", ACCOUNT, REGION), aws.client("s3", ACCOUNT, REGION)
    kms = aws.client("kms", ACCOUNT, REGION)
    keys = (kms.describe_key(KeyId=one["KeyId"]) for one in kms.list_keys()["Keys"])
    return {
        *(one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]),
        *(one["Name"] for one in s3.list_buckets()["Buckets"]),
        *(one["KeyMetadata"]["KeyId"] for one in keys if one["KeyMetadata"]["Enabled"]),
    }


def test_each_stack_can_be_created_again_after_a_failed_creation(
    aws: Emulator, kept: dict[str, dict[str, dict[str, Any]]]
) -> None:
    """After a rollback nothing is left; created again under the same names, they stay."""
    cloudformation = aws.client("cloudformation", ACCOUNT, REGION)
    for stack, resources in kept.items():
        before = left(aws)
        failing = {**IMPOSSIBLE, "DependsOn": list(resources)}
        failed = create(cloudformation, stack, {**resources, "Impossible": failing})
        assert "ROLLBACK_COMPLETE" == failed, stack
        assert before == left(aws), stack
        cloudformation.delete_stack(StackName=stack)
        assert "CREATE_COMPLETE" == create(cloudformation, stack, resources), stack
        created = left(aws)
        assert created - before, stack
        cloudformation.delete_stack(StackName=stack)
        assert created == left(aws), f"{stack}: what is kept outlives it"


def test_plain_retain_leaves_the_name_taken(
    aws: Emulator, kept: dict[str, dict[str, dict[str, Any]]]
) -> None:
    """The failure the test above would find: a log group left by a failed creation."""
    cloudformation = aws.client("cloudformation", ACCOUNT, REGION)
    (group, *_) = (
        one
        for resources in kept.values()
        for one in resources.values()
        if one["Type"] == "AWS::Logs::LogGroup"
    )
    properties = {**group["Properties"], "LogGroupName": "/aws/lambda/nhi-evidence-left"}
    plain = {"Group": {**group, "Properties": properties, "DeletionPolicy": "Retain"}}
    failing = {**IMPOSSIBLE, "DependsOn": ["Group"]}
    assert "ROLLBACK_COMPLETE" == create(cloudformation, "left", {**plain, "Impossible": failing})
    assert "/aws/lambda/nhi-evidence-left" in left(aws)
