"""An incomplete case never holds, and the programs in it check it as its README says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import bagit
import pytest

from nhi_evidence.investigate.case import contents
from tests.altering import altered
from tests.cli.command import Result, run
from tests.cli.sealed_copy import NAME
from tests.cli.sealing_case import make
from tests.cli.test_case import manifested

ADDRESS = "203.0.113.77"


class Sealed(NamedTuple):
    """Evidence, its log's key, and an unpacked case of it that holds."""

    evidence: Path
    key: str
    folder: Path


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    folder = tmp_path_factory.mktemp("lacking")
    run("keys", "--new", "--key-file", folder / "log.pem", "--name", NAME)
    key, _ = make(folder, folder / "log.pem")
    evidence = folder / "evidence"
    assert created(evidence, key, folder, *everybody(evidence, key, folder)).code == 0
    return Sealed(evidence, key, unpacked(folder))


def everybody(evidence: Path, key: str, folder: Path) -> list[str]:
    result = run(
        *("query", evidence, "--key", key, "--index", folder / "index"),
        *("--sql", "SELECT identity FROM identities", "--json"),
    )
    return [text for (name,) in result.json["rows"] for text in ("--identity", name)]


def created(evidence: Path, key: str, folder: Path, *more: str) -> Result:
    return run(
        *("case", "create", evidence, "--key", key, "--index", folder / "index"),
        *("-o", folder / "case.zip"),
        *more,
    )


def unpacked(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "case.zip") as bag:
        bag.extractall(folder / "unpacked")
    return folder / "unpacked" / "case"


def inside(folder: Path, key: str) -> subprocess.CompletedProcess[str]:
    """Run the README's command inside the case; Python may write compiled files."""
    plain = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, "check_case.py", "..", key],
        cwd=folder / "data", capture_output=True, text=True, check=False, env=plain,
    )  # fmt: skip


def altered_copy(evidence: Path, to: Path) -> Path:
    """Return a copy in which no object's bytes match its name."""
    shutil.copytree(evidence, to)
    for path in to.glob("ev/v1/*/*/*.zst"):
        path.write_bytes(altered(path.read_bytes()))
    return to


def test_checking_a_case_from_inside_writes_nothing(sealed: Sealed) -> None:
    for _ in range(2):
        done = inside(sealed.folder, sealed.key)
        assert (done.returncode, done.stdout[:5]) == (0, "HOLDS"), done
    assert run("case", "verify", sealed.folder, "--key", sealed.key).code == 0
    assert bagit.Bag(str(sealed.folder)).is_valid()
    assert not list(sealed.folder.rglob("__pycache__"))


def test_the_readme_has_the_commands_run_here() -> None:
    text = contents.shipped(contents.README).decode()
    assert re.search(r"    cd case/data\n    python3 check_case.py \.\. 'NAME\+ID\+KEY'\n", text)


def test_a_case_of_altered_evidence_does_not_hold(sealed: Sealed, tmp_path: Path) -> None:
    evidence = altered_copy(sealed.evidence, tmp_path / "evidence")
    result = created(evidence, sealed.key, tmp_path, "--ip", ADDRESS)
    assert result.code == 2, result
    assert "WRITTEN 0 records" in result.out
    assert f"no record of {ADDRESS} in what could be read" in result.out
    assert re.search(r"lacking   [1-9]\d* objects? or lines? could not be read", result.out)
    assert "body hash does not match its key" in result.out
    folder = unpacked(tmp_path)
    document = json.loads((folder / "data/case.json").read_text())
    assert document["unreadable_count"] >= len(document["unreadable"]) > 0
    for code, out in lines(folder, sealed.key):
        assert (code, out[:10]) == (2, "INCOMPLETE"), out
        assert "could not be read" in out.splitlines()[0]


def lines(folder: Path, key: str) -> list[tuple[int, str]]:
    """Return the output of both checkers."""
    ours, theirs = run("case", "verify", folder, "--key", key), inside(folder, key)
    return [(ours.code, ours.out), (theirs.returncode, theirs.stdout)]


def test_a_timeline_of_altered_evidence_is_not_called_empty(sealed: Sealed, tmp_path: Path) -> None:
    evidence = altered_copy(sealed.evidence, tmp_path / "evidence")
    arguments = ("--key", sealed.key, "--index", tmp_path / "index", "--ip", ADDRESS)
    result = run("timeline", evidence, *arguments)
    first = result.out.splitlines()[0]
    assert result.code == 2
    assert first.startswith(f"INCOMPLETE nothing for {ADDRESS} in what could be read; ")
    assert first.endswith("could not be read")
    assert "hash of every object were checked" not in result.out
    assert "or do not match; see verify" in result.out
    assert run("timeline", evidence, *arguments, "--json").json["verdict"] == "INCOMPLETE"


def test_a_case_without_a_record_proves_nothing(sealed: Sealed, tmp_path: Path) -> None:
    result = created(sealed.evidence, sealed.key, tmp_path, "--ip", "198.51.100.250")
    assert (result.code, "no record of 198.51.100.250 in what was read" in result.out) == (2, True)
    for code, out in lines(unpacked(tmp_path), sealed.key):
        assert (code, out[:16]) == (2, "NOTHING TO PROVE"), out


@pytest.mark.parametrize(
    "change",
    [
        {"incomplete": ["200: the rest is left out; narrow the time"]},
        {"unreadable_count": 3},
        {"unreadable": ["ev/v1/x: body hash does not match its key"]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_case_lacks_is_on_the_first_line(
    sealed: Sealed, tmp_path: Path, change: dict[str, Any]
) -> None:
    folder = tmp_path / "case"
    shutil.copytree(sealed.folder, folder)
    path = folder / "data/case.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    manifested(folder)
    for code, out in lines(folder, sealed.key):
        assert (code, out[:10]) == (2, "INCOMPLETE"), out
        assert re.search("left out|could not be read", out.splitlines()[0])


@pytest.mark.parametrize("key", ["nonsense", "example.org/evidence+00000000+" + "A" * 400, ""])
def test_an_invalid_key_is_one_line(sealed: Sealed, key: str) -> None:
    done = inside(sealed.folder, key)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
    assert done.stderr.startswith("NOT READABLE: ")


def test_the_key_may_be_in_a_file(sealed: Sealed, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text(sealed.key + "\n")
    assert inside(sealed.folder, str(tmp_path / "key.txt")).returncode == 0
