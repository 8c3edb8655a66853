"""A small evidence store, sealed, with a proof; and programs that check one."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

from tests.cli import sealed_copy
from tests.cli.command import run
from tests.cli.sealed_copy import NAME
from tests.outsiders import Authority, Witness
from tests.proofs.three_checkers import TOOLS

OBJECTS = 2
"""Of the file's hour and of the digest's."""


class Sealed(NamedTuple):
    """A sealed and anchored directory, and what is needed to check it."""

    evidence: Path
    key: str
    uid: str
    policy: Path
    roots: Path
    provider_keys: Path
    proof: Path
    authority: Authority
    witness: Witness


def make(folder: Path, key_file: Path, trail: bytes | None = None) -> tuple[str, str]:
    """Lock evidence and seal it; return the verifier key and a record's id."""
    uid = sealed_copy.write(folder / "evidence", with_digest=True, trail=trail)
    result = run("keys", "--key-file", key_file, "--name", NAME)
    done = run("seal", folder / "evidence", "--name", NAME, "--key-file", key_file, "--json")
    assert (0, OBJECTS, []) == (done.code, done.json["added"], done.json["void"])
    return result.out.strip(), uid


def unpack(proof: Path, folder: Path) -> Path:
    with zipfile.ZipFile(proof) as bundle:
        bundle.extractall(folder)
    return folder


def repack(folder: Path, proof: Path) -> Path:
    with zipfile.ZipFile(proof, "w") as bundle:
        for path in folder.iterdir():
            bundle.write(path, path.name)
    return proof


def walk(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Follow the walkthrough with openssl alone: no Python is on its PATH."""
    tools = folder.parent / f"{folder.name}-tools"
    tools.mkdir()
    for name in TOOLS:
        program = shutil.which(name)
        assert program, f"{name} is what the walkthrough needs"
        (tools / name).symlink_to(program)
    return subprocess.run(
        [tools / "bash", "walkthrough.sh", *map(str, arguments)],
        cwd=folder,
        env={"PATH": str(tools), "TMPDIR": str(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def alone(proof: Path, key: str) -> subprocess.CompletedProcess[str]:
    """Run the bundle's own verifier: no package of ours, nothing but the standard library."""
    checker = proof.with_suffix(".py")
    with zipfile.ZipFile(proof) as bundle:
        checker.write_bytes(bundle.read("check_proof.py"))
    return subprocess.run(
        [sys.executable, "-I", "-S", checker, proof, key],
        capture_output=True,
        text=True,
        check=False,
    )


def copied(sealed: Sealed, tmp_path: Path) -> Path:
    copy = tmp_path / "copy"
    shutil.copytree(sealed.evidence, copy)
    return copy


def altered(path: Path, body: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(body)
