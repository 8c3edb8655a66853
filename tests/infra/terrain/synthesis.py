"""Stacks of a configuration as Terraform reads them, and ways to look into one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra import jsii_node

jsii_node.choose()

from cdktn import App  # noqa: E402 - the Node is chosen first

from infra.azure.stacks import AzureExportStack, AzureIdentityStack  # noqa: E402
from infra.declaration import CloudEvent, Declaration, EventHub, Function  # noqa: E402
from infra.gcp.stacks import GcpExportStack, GcpIdentityStack  # noqa: E402
from nhi_evidence import config  # noqa: E402

Stack = dict[str, Any]
Stacks = dict[str, Stack]

EXAMPLE = Path(__file__).parents[3] / "nhi-evidence.example.toml"


def synthesise(folder: Path, *, change: tuple[str, str] = ("", "")) -> Stacks:
    """Return the stacks of the example configuration, `change` made to its text first."""
    text = EXAMPLE.read_text()
    assert change[0] in text
    read = config.read(text.replace(*change) if change[0] else text)
    package = folder / "package.zip"
    package.write_bytes(b"the bundle, which is tested elsewhere")
    app = App(outdir=str(folder / "out"))
    assert read.gcp is not None
    GcpIdentityStack(app, "gcp-identity", gcp=read.gcp)
    GcpExportStack(
        app,
        "gcp-export",
        gcp=read.gcp,
        declared=GCP,
        package=package,
        environment={"NHI_EVIDENCE_SOURCE": "gcp_audit"},
        alarm_email=read.alarms.email,
    )
    assert read.azure is not None
    AzureIdentityStack(app, "azure-identity", azure=read.azure)
    AzureExportStack(
        app,
        "azure-export",
        azure=read.azure,
        declared=AZURE,
        package=package,
        environment={"NHI_EVIDENCE_SOURCE": "azure_monitor"},
        alarm_email=read.alarms.email,
    )
    app.synth()
    return {
        one.parent.name: json.loads(one.read_text())
        for one in sorted((folder / "out" / "stacks").glob("*/cdk.tf.json"))
    }


GCP = Declaration(
    function=Function(
        name="gcp_export",
        entry="main.py",
        handler="main.handler",
        runtime="python3.13",
        architecture="x86_64",
        dependency_group="gcp_export",
        memory_mb=1024,
        timeout_seconds=300,
        settings="nhi_evidence.adapters.gcp_line:Settings",
    ),
    trigger=CloudEvent(event_type="google.cloud.storage.object.v1.finalized"),
    environment={},
)


AZURE = Declaration(
    function=Function(
        name="azure_export",
        entry="function_app.py",
        handler="function_app.app",
        runtime="python3.13",
        architecture="x86_64",
        dependency_group="azure_export",
        memory_mb=2048,
        timeout_seconds=300,
        settings="nhi_evidence.adapters.azure_line:Settings",
    ),
    trigger=EventHub(consumer_group="nhi-evidence"),
    environment={},
)


def only(stack: Stack, type_name: str) -> Stack:
    """Return the one resource of its type."""
    (found,) = stack["resource"][type_name].values()
    return dict(found)


def at(stack: Stack, path: str) -> tuple[str, Stack]:
    """Return the Terraform address and the body of what the constructs call `path`."""
    ((type_name, name, body),) = [
        (type_name, name, body)
        for type_name, bodies in stack["resource"].items()
        for name, body in bodies.items()
        if body.get("//", {}).get("metadata", {}).get("path", "").partition("/")[2] == path
    ]
    return f"{type_name}.{name}", body


def values(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a stack with its dotted path."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key != "//":
                yield from values(value, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for value in node:
            yield from values(value, path)
    else:
        yield path, node
