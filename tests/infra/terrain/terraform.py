"""The real `terraform`, offline: stub providers instead of a registry, mocks instead of a cloud."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from infra.bundle import uv_program
from tests.infra.terrain import provider_schema

ROOT = Path(__file__).parents[3]
VENV = ROOT / ".venv-terraform-stub"
STUB = Path(__file__).with_name("stub_provider.py")


class Terraform:
    """Checks synthesized stacks."""

    def __init__(self, program: str, folder: Path, stacks: Sequence[dict[str, Any]]) -> None:
        """Serve, from `folder`, the schemas of every provider the stacks use."""
        self._program = program
        self._folder = folder
        described = provider_schema.schemas(stacks)
        self.providers = sorted(described)
        (folder / "schema.json").write_text(json.dumps(described))
        python = _stub_python()
        for name in self.providers:
            script = folder / f"terraform-provider-{name}"
            script.write_text(f"#!{python}\n{STUB.read_text()}")
            script.chmod(0o755)
        overrides = "\n".join(f'    "hashicorp/{one}" = "{folder}"' for one in self.providers)
        (folder / "terraformrc").write_text(
            f"provider_installation {{\n  dev_overrides {{\n{overrides}\n  }}\n  direct {{}}\n}}\n"
        )

    def errors(self, stack: dict[str, Any], name: str) -> list[str]:
        """Return what `terraform validate` has against a stack."""
        done = self._run(self._lay_out(stack, name), "validate", "-json")
        return [
            f"{one['summary']}: {one.get('detail', '')}"
            for one in json.loads(done.stdout)["diagnostics"]
            if one["severity"] == "error"
        ]

    def test(self, stack: dict[str, Any], name: str, written: str) -> str:
        """Run `terraform test` with every provider mocked; return what it says, failed or not."""
        folder = self._lay_out(destructible(stack), name)
        (folder / "stack.tftest.hcl").write_text(f"{_mocks(stack)}\n{written}")
        done = self._run(folder, "test", "-no-color")
        return done.stdout + done.stderr

    def steps(self, steps: Mapping[str, dict[str, Any]], name: str) -> Steps:
        """Apply variants of one stack after another to one state, then destroy all that is left.

        As they are, with what they forbid; every provider is mocked.
        """
        folder = self._folder / name
        folder.mkdir()
        for step, stack in steps.items():
            self._lay_out(stack, f"{name}/{step}")
        (folder / "main.tf").write_text("")
        first = next(iter(steps.values()))
        runs = (_RUN.format(step=step) for step in steps)
        (folder / "steps.tftest.hcl").write_text("\n".join((_mocks(first), *runs)))
        self._run(folder, "get", "-no-color")
        printed = self._run(folder, "test", "-json", "-verbose").stdout
        messages = [json.loads(line) for line in printed.splitlines()]
        resources = {
            one["@testrun"]: one["test_state"]["root_module"]["resources"]
            for one in messages
            if one["type"] == "test_state"
        }
        errors = [one["diagnostic"] for one in messages if one["type"] == "diagnostic"]
        refused = [one for one in errors if one["summary"] == "Instance cannot be destroyed"]
        others = [one for one in errors if one["severity"] == "error" and one not in refused]
        assert not others, others
        return Steps(
            {
                step: {one["address"] for one in each if one["mode"] == "managed"}
                for step, each in resources.items()
            },
            {one["detail"].split()[1] for one in refused},
        )

    def _lay_out(self, stack: dict[str, Any], name: str) -> Path:
        folder = self._folder / name
        folder.mkdir()
        (folder / "cdk.tf.json").write_text(json.dumps(stack))
        return folder

    def _run(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._program, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,  # hung, however busy the machine
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._folder),
                "CHECKPOINT_DISABLE": "1",
                "STUB_SCHEMA": str(self._folder / "schema.json"),
                "TF_CLI_CONFIG_FILE": str(self._folder / "terraformrc"),
                "TF_IN_AUTOMATION": "1",
            },
        )


_RUN = """
run "{step}" {{
  state_key = "export"
  module {{
    source = "./{step}"
  }}
}}
"""


class Steps(NamedTuple):
    """What became of a state, step by step."""

    resources: dict[str, set[str]]
    """Step to the addresses that were there after it."""
    refused: set[str]
    """Addresses that Terraform names as not to be destroyed, at the end; it stops at some."""


def _mocks(stack: dict[str, Any]) -> str:
    return "\n".join(
        f'mock_provider "{name}" {{{_alias(one)}}}'
        for name in sorted(stack["provider"])
        for one in stack["provider"][name]
    )


def _alias(provider: dict[str, Any]) -> str:
    return f' alias = "{provider["alias"]}" ' if "alias" in provider else ""


def destructible(stack: dict[str, Any]) -> dict[str, Any]:
    """Return a stack whose resources a test may destroy when it is done with them."""
    copied = copy.deepcopy(stack)
    for bodies in copied["resource"].values():
        for body in bodies.values():
            lifecycle = body.get("lifecycle", {})
            if lifecycle.pop("prevent_destroy", None) and not lifecycle:
                del body["lifecycle"]
    return copied


def program() -> str:
    """Return the terraform on the path; without one the test is skipped, by allowance."""
    path = shutil.which("terraform")
    if path is None:
        pytest.skip("allowance:terraform there is no terraform on the path")
    return path


def _stub_python() -> Path:
    """Return the interpreter of the stub's own environment, made or brought up to the lock."""
    subprocess.run(
        [
            *(uv_program(), "sync", "--quiet", "--frozen", "--only-group", "terraform_stub"),
            *("--no-install-project", "--python", sys._base_executable),  # type: ignore[attr-defined]
        ],
        cwd=ROOT,
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(VENV)},
        timeout=300,  # hung, however busy the machine
        check=True,
    )
    return VENV / "bin" / "python"
