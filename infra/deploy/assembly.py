"""The synthesized AWS stacks: where each goes, after which others, and the names it needs free."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import msgspec

_STACK = "aws:cloudformation:stack"

_FIXED_NAMES = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::CloudTrail::Trail": "TrailName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::IAM::OIDCProvider": "Url",
}
"""Types of resources retained when a stack is deleted, and the property that holds their name."""


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """One stack of an assembly."""

    name: str
    account: str
    region: str
    meaning: str
    """Its description."""
    bootstrap_version: int
    """The lowest bootstrap version its account and region must have."""
    retained: tuple[tuple[str, str], ...]
    """Type and name of each named resource that outlives the stack."""


def stacks(assembly: Path) -> tuple[Stack, ...]:
    """Return every stack of an assembly, each after those it depends on."""
    manifest = msgspec.json.decode((assembly / "manifest.json").read_bytes())
    artifacts = {name: one for name, one in manifest["artifacts"].items() if one["type"] == _STACK}
    after = {
        name: [other for other in one.get("dependencies", ()) if other in artifacts]
        for name, one in artifacts.items()
    }
    order = TopologicalSorter(after).static_order()
    return tuple(_stack(assembly, name, artifacts[name]) for name in order)


def _stack(assembly: Path, name: str, artifact: dict[str, Any]) -> Stack:
    account, region = artifact["environment"].removeprefix("aws://").split("/")
    properties = artifact["properties"]
    template = msgspec.json.decode((assembly / properties["templateFile"]).read_bytes())
    return Stack(
        name=name,
        account=account,
        region=region,
        meaning=template.get("Description", ""),
        bootstrap_version=properties.get("requiresBootstrapStackVersion", 0),
        retained=tuple(_retained(template["Resources"])),
    )


def _retained(resources: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for resource in resources.values():
        name = resource.get("Properties", {}).get(_FIXED_NAMES.get(resource["Type"], ""))
        if name and str(resource.get("DeletionPolicy", "")).startswith("Retain"):
            yield resource["Type"], name
