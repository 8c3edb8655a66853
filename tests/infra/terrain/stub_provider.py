"""A Terraform provider that knows the schema of another, and makes nothing.

Run in an environment of its own: it needs `tf`, whose protobuf is not the clouds' libraries'. It
serves whichever provider its file is named after, from the schemas `STUB_SCHEMA` names.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import tf.provider
import tf.runner
from tf.gen import tfplugin_pb2 as pb

NAME = Path(sys.argv[0]).name.removeprefix("terraform-provider-")
SCHEMA = json.loads(Path(os.environ["STUB_SCHEMA"]).read_text())[NAME]
NESTING = pb.Schema.NestedBlock.NestingMode


def block(described: dict[str, Any]) -> Any:
    """Return a block in the plugin protocol's terms."""
    return pb.Schema.Block(
        attributes=[
            pb.Schema.Attribute(
                name=name,
                type=json.dumps(one["type"]).encode(),
                required=one["required"],
                optional=one["settable"] and not one["required"],
                computed=one["computed"],
            )
            for name, one in described["attributes"].items()
        ],
        block_types=[
            pb.Schema.NestedBlock(
                type_name=name,
                block=block(one["block"]),
                nesting=NESTING.LIST if one["nesting"] == "list" else NESTING.SINGLE,
                min_items=one["min"] if one["nesting"] == "list" else 0,
                max_items=one["max"] if one["nesting"] == "list" else 0,
            )
            for name, one in described["blocks"].items()
        ],
    )


def schema(described: dict[str, Any]) -> Any:
    """Return a schema in the plugin protocol's terms."""
    return pb.Schema(version=0, block=block(described))


class Servicer(tf.provider.ProviderServicer):  # type: ignore[misc]
    """Answers what `terraform validate` and a mocked `terraform test` ask."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def GetMetadata(self, request: Any, context: Any) -> Any:
        return pb.GetMetadata.Response(
            server_capabilities=pb.ServerCapabilities(get_provider_schema_optional=False),
            resources=[
                pb.GetMetadata.ResourceMetadata(type_name=one) for one in SCHEMA["resources"]
            ],
            data_sources=[
                pb.GetMetadata.DataSourceMetadata(type_name=one) for one in SCHEMA["data"]
            ],
        )

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        return pb.GetProviderSchema.Response(
            provider=schema(SCHEMA["provider"]),
            resource_schemas={name: schema(one) for name, one in SCHEMA["resources"].items()},
            data_source_schemas={name: schema(one) for name, one in SCHEMA["data"].items()},
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateDataResourceConfig.Response()


class Stub:
    """What the runner needs to know of a provider."""

    def full_name(self) -> str:
        return f"registry.terraform.io/hashicorp/{NAME}"


tf.provider.ProviderServicer = Servicer
tf.runner.run_provider(Stub(), argv=[sys.argv[0]])
