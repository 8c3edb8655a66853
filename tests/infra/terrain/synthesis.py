"""Stacks of a configuration as Terraform reads them, and ways to look into one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.teardown import Teardown
from nhi_evidence import config
from tests.infra.unstaged import unstaged

Stack = dict[str, Any]
Stacks = dict[str, Stack]

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "nhi-evidence.example.toml"


def synthesize(
    folder: Path,
    *,
    change: tuple[str, str] = ("", ""),
    text: str = "",
    teardown: Teardown = Teardown.NONE,
) -> Stacks:
    """Return the stacks of a configuration, the example's by default, `change` made to it first."""
    # Imported here: collecting tests starts no jsii.
    from infra.terrain import compose  # noqa: I001, PLC0415
    from cdktn import App  # noqa: PLC0415

    read = config.read(text or example(*change))
    folder.mkdir(parents=True, exist_ok=True)
    app = App(outdir=str(folder / "out"), skip_validation=True)  # as infra/terrain_app.py
    compose(app, read, staged=unstaged(folder), build=folder, teardown=teardown)
    app.synth()
    return {
        one.parent.name: json.loads(one.read_text())
        for one in sorted((folder / "out" / "stacks").glob("*/cdk.tf.json"))
    }


def example(before: str = "", after: str = "") -> str:
    """Return the example configuration with `before`, which must be in it, replaced."""
    text = EXAMPLE.read_text()
    assert before in text
    return text.replace(before, after) if before else text


def switched_on(*names: str) -> str:
    """Return the example configuration with these lines of it, which are comments, in force."""
    text = EXAMPLE.read_text()
    for name in names:
        assert f"\n# {name}" in text, name
        text = text.replace(f"\n# {name}", f"\n{name}", 1)
    return text


FEDERATED = ("token_issuer", "reconcile_projects", "[coverage]", 'accounts = ["999988887777"')
"""What has other clouds trust every function of the evidence account that may ask them."""


def only(stack: Stack, type_name: str) -> Stack:
    """Return the one resource of its type."""
    (body,) = stack["resource"][type_name].values()
    return dict(body)


def at(stack: Stack, path: str) -> tuple[str, Stack]:
    """Return the Terraform address and the body of what the constructs call `path`."""
    ((type_name, name, body),) = [
        (type_name, name, body)
        for type_name, bodies in stack["resource"].items()
        for name, body in bodies.items()
        if body.get("//", {}).get("metadata", {}).get("path", "").partition("/")[2] == path
    ]
    return f"{type_name}.{name}", body


def never_destroyed(stack: Stack) -> set[str]:
    """Return the addresses Terraform refuses to destroy."""
    return {
        f"{type_name}.{name}"
        for type_name, bodies in stack["resource"].items()
        for name, body in bodies.items()
        if body.get("lifecycle", {}).get("prevent_destroy")
    }


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
