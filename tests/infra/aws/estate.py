"""The synthesized stacks as one thing to ask: roles, policies, functions, by their real names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

EVIDENCE = "222233334444"
ARCHIVE = "111122223333"
REPLICA = "555566667777"
MANAGEMENT = "999988887777"
ORGANIZATION = "o-exampleorg1"
BUCKET = "arn:aws:s3:::nhi-evidence-222233334444"
TENANT = "11111111-2222-3333-4444-555555555555"


class Resource(msgspec.Struct, frozen=True):
    """One resource of a template, its references resolved as far as they are known."""

    stack: str
    id: str
    kind: str
    properties: dict[str, Any]
    definition: dict[str, Any]


class Estate:
    """Every resource of an assembly."""

    def __init__(self, assembly: Path) -> None:
        self.templates = {
            path.name.removesuffix(".template.json"): json.loads(path.read_text())
            for path in sorted(assembly.glob("*.template.json"))
        }
        self.resources = [
            Resource(
                stack,
                name,
                one["Type"],
                _resolve(one.get("Properties", {}), template["Resources"]),
                one,
            )
            for stack, template in self.templates.items()
            for name, one in template["Resources"].items()
        ]

    def of(self, kind: str, stack: str = "") -> list[Resource]:
        """Return every resource of one CloudFormation type, of all stacks or of one."""
        return [
            one for one in self.resources if one.kind == kind and (not stack or one.stack == stack)
        ]

    def only(self, kind: str, stack: str = "") -> Resource:
        """Return the only resource of its type."""
        (resource,) = self.of(kind, stack)
        return resource

    def role(self, name: str) -> Resource:
        """Return the role of this name."""
        (role,) = [
            one for one in self.of("AWS::IAM::Role") if one.properties.get("RoleName") == name
        ]
        return role

    def roles(self, containing: str) -> list[Resource]:
        """Return every named role whose name holds a text."""
        return [
            one
            for one in self.of("AWS::IAM::Role")
            if containing in one.properties.get("RoleName", "")
        ]

    @property
    def bucket_policy(self) -> dict[str, Any]:
        """The evidence bucket's policy."""
        document: dict[str, Any] = self.only(
            "AWS::S3::BucketPolicy", "nhi-evidence-main-170b2e"
        ).properties["PolicyDocument"]
        return document

    @property
    def signing_keys(self) -> tuple[Resource, ...]:
        """The keys the log is signed with: the signer, and the cosigner if there is one."""
        keys = self.of("AWS::KMS::Key")
        return tuple(sorted(keys, key=lambda key: key.properties["KeySpec"] == "ML_DSA_44"))

    @property
    def key_policy(self) -> dict[str, Any]:
        """The signer's policy; the cosigner's differs in its algorithm alone."""
        document: dict[str, Any] = self.signing_keys[0].properties["KeyPolicy"]
        return document


def documents(role: Resource) -> list[dict[str, Any]]:
    """Return a role's own policies."""
    return [one["PolicyDocument"] for one in role.properties["Policies"]]


def arn(account: str, role: str) -> str:
    """Return the ARN of a role."""
    return f"arn:aws:iam::{account}:role/{role}"


def _resolve(value: Any, resources: dict[str, Any]) -> Any:
    """Put ARNs and names in the place of references, symbolic where the real ones are not known."""
    if isinstance(value, list):
        return [_resolve(one, resources) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return _name(value["Ref"], resources)
    if set(value) == {"Fn::GetAtt"}:
        return f"arn:{_name(value['Fn::GetAtt'][0], resources)}"
    if set(value) == {"Fn::Join"}:
        separator, parts = value["Fn::Join"]
        return separator.join(str(_resolve(one, resources)) for one in parts)
    return {key: _resolve(one, resources) for key, one in value.items()}


def _name(logical: str, resources: dict[str, Any]) -> str:
    if logical == "AWS::Partition":
        return "aws"
    properties = resources.get(logical, {}).get("Properties", {})
    names = ("RoleName", "FunctionName", "QueueName", "BucketName", "LogGroupName", "TopicName")
    return next((properties[one] for one in names if one in properties), logical)
