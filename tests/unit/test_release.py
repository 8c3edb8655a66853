"""The mapper digest covers the code and tables that decide a line, and nothing else."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nhi_evidence
from infra.bundle import stage
from nhi_evidence.pipeline import release

PACKAGE = Path(nhi_evidence.__file__).parent

NO_LINE = {
    "__init__",  # the version, which stands in the header
    "errors",
    "evidence/frame",  # the codec, which stands in the header
    "evidence/keys",  # where an object lies, and its hour
    "evidence/merkle",  # RFC 6962; the format's own
    "evidence/objects",  # how units are packed; their lines are the same in any object
    "evidence/__init__",
    "pipeline/__init__",
    "pipeline/release",  # this digest
    "ports",
    "stored",
}
"""Modules the mapper imports that cannot change a unit's lines."""


def imported(module: Path) -> set[str]:
    """Return the package's modules that a module imports, as paths without extension."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nhi_evidence"):
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    paths = {
        name.removeprefix("nhi_evidence").removeprefix(".").replace(".", "/") for name in names
    }
    modules = set()
    for path in paths:
        if (PACKAGE / f"{path}.py").is_file():
            modules.add(path)
        elif (PACKAGE / path / "__init__.py").is_file():
            modules.add(f"{path}/__init__".removeprefix("/"))
    return modules


def test_the_digest_covers_everything_the_mapper_imports() -> None:
    """A module that takes part in mapping but is not hashed would change lines unnoticed."""
    reached: set[str] = set()
    waiting = {"pipeline/export"}
    waiting |= {
        path.relative_to(PACKAGE).with_suffix("").as_posix()
        for path in (PACKAGE / "sources").rglob("*.py")
    }
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= imported(PACKAGE / f"{name}.py") - reached
    hashed = {name.removesuffix(".py") for name, _ in release._contents()}
    assert set() == reached - hashed - NO_LINE


def test_every_path_the_digest_names_exists() -> None:
    """A moved module is not silently left out."""
    hashed = {name for name, _ in release._contents()}
    missing = {name for name in release.MODULES if name not in hashed}
    assert missing <= {"partitions.py"}
    assert {"azure", "catalog", "ocsf", "reading", "sources"} <= {
        name.partition("/")[0] for name in hashed
    }


def digest_in(folder: Path) -> str:
    """Return the digest of the package in a folder."""
    program = "from nhi_evidence.pipeline.release import mapper_identity as m; print(m().digest)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("function", ["aws_export", "gcp_export", "azure_export"])
def test_a_function_states_the_digest_of_the_release(function: str, tmp_path: Path) -> None:
    """A staged function has the same digest as the package an auditor installs."""
    staged = stage(function, into=tmp_path / "build").path
    shutil.copytree(staged / "nhi_evidence", tmp_path / "nhi_evidence")
    assert release.mapper_identity().digest == digest_in(tmp_path)


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("sources/aws_cloudtrail/identity.py", True),
        ("sources/aws_cloudtrail/catalog.json", True),
        ("ocsf/write.py", True),
        ("pipeline/scope.py", True),
        ("evidence/lines.py", True),
        ("pipeline/lock.py", False),
        ("evidence/frame.py", False),
        ("catalog/lexicon.json", True),
        ("catalog/atlas/lookup.py", False),
        ("sources/vault_audit/atlas.csv", False),
        ("cli/verify.py", False),
        ("adapters/aws/exporter.py", False),
    ],
)
def test_the_digest_changes_with_mapping_code_and_nothing_else(
    file: str, changes: bool, tmp_path: Path
) -> None:
    """A bug fix in a pack is another release; one in the command line is not."""
    copy = tmp_path / "nhi_evidence"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    path = copy / file
    path.write_bytes(path.read_bytes() + b"\n")
    assert changes == (release.mapper_identity().digest != digest_in(tmp_path))
