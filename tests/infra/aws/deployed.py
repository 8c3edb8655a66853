"""What AWS would answer of the synthesized stacks, were they deployed: for the doctor to look at.

Names and ARNs are AWS's; everything else comes from the templates, and can be changed before it
is looked at.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

from infra.deploy.assembly import Stack, stacks
from tests.infra.aws.deployed_services import Account
from tests.infra.aws.deployed_streams import absent


class Deployed:
    """The accounts of an estate."""

    def __init__(self, assembly: Path) -> None:
        """Take the stacks of an assembly."""
        self.things: dict[str, dict[str, Any]] = {}
        """Type and name to properties with real ARNs."""
        self.mutes: dict[str, list[str]] = {}
        """Rules that mute alarms, in every account and region, with the alarms' names."""
        self.topics: set[str] = set()
        """ARNs of topics that were there before."""
        for stack in stacks(assembly):
            template = json.loads((assembly / f"{stack.name}.template.json").read_text())
            self._add(stack, template["Resources"], assembly)

    def account(self, number: str) -> Account:
        """Return one of the accounts, to look at."""
        return Account(self, number)

    def named(self, kind: str, name: str, code: str) -> dict[str, Any]:
        """Return the properties of a resource. Raises `ClientError` where it is not."""
        resource = self.things.get(f"{kind} {name}")
        if resource is None:
            raise absent(code)
        return resource

    def of(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield every resource of a type."""
        for key, resource in self.things.items():
            if key.startswith(f"{kind} "):
                yield resource

    def _add(self, stack: Stack, resources: dict[str, Any], assembly: Path) -> None:
        where = (stack.region, stack.account)
        for logical, resource in resources.items():
            properties = deepcopy(_resolve(resource.get("Properties", {}), resources, where))
            name = _name(resource["Type"], logical, properties)
            properties["Arn"] = _arn(resource["Type"], name, logical, where)
            properties["_where"] = [*where]
            if resource["Type"] == "AWS::Lambda::Function" and "S3Key" in properties["Code"]:
                code = (assembly / f"asset.{properties['Code']['S3Key']}").read_bytes()
                properties["_code"] = b64encode(sha256(code).digest()).decode()
            # Topics of several regions have one name.
            if resource["Type"].startswith("AWS::SNS::"):
                name = f"{stack.name}/{logical}"
            if stack.name.startswith(
                ("nhi-evidence-main-170b2e-settings-", "nhi-evidence-main-170b2e-canary-")
            ):
                name = f"{name}@{stack.account}"
            self.things[f"{resource['Type']} {name}"] = properties


_NAMES = (
    "RoleName", "FunctionName", "QueueName", "BucketName", "LogGroupName", "TopicName",
    "AliasName", "AlarmName", "Bucket", "Name",
)  # fmt: skip


def _name(kind: str, logical: str, properties: dict[str, Any]) -> str:
    if kind in {"AWS::Lambda::EventSourceMapping"}:
        return logical
    return str(next((properties[one] for one in _NAMES if properties.get(one)), logical))


def _arn(kind: str, name: str, logical: str, where: tuple[str, str]) -> str:
    region, account = where
    return {
        "AWS::IAM::Role": f"arn:aws:iam::{account}:role/{name}",
        "AWS::KMS::Key": f"arn:aws:kms:{region}:{account}:key/{logical}",
        "AWS::SQS::Queue": f"arn:aws:sqs:{region}:{account}:{name}",
        "AWS::SNS::Topic": f"arn:aws:sns:{region}:{account}:{name}",
        "AWS::S3::Bucket": f"arn:aws:s3:::{name}",
        "AWS::Lambda::Function": f"arn:aws:lambda:{region}:{account}:function:{name}",
        "AWS::Logs::LogGroup": f"arn:aws:logs:{region}:{account}:log-group:{name}:*",
    }.get(kind, f"arn:aws:other:{region}:{account}:{name}")


def _resolve(value: Any, resources: dict[str, Any], where: tuple[str, str]) -> Any:
    if isinstance(value, list):
        return [_resolve(one, resources, where) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) in ({"Ref"}, {"Fn::GetAtt"}):
        logical = value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]
        if logical == "AWS::Partition":
            return "aws"
        target = resources.get(logical)
        if target is None:
            return logical
        name = _name(target["Type"], logical, target.get("Properties", {}))
        by_arn = "Ref" not in value or target["Type"] == "AWS::SNS::Topic"
        return _arn(target["Type"], name, logical, where) if by_arn else name
    if set(value) == {"Fn::Join"}:
        separator, parts = value["Fn::Join"]
        return separator.join(str(_resolve(one, resources, where)) for one in parts)
    return {key: _resolve(one, resources, where) for key, one in value.items()}
