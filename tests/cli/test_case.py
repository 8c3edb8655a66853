"""A case is created, checked by three programs, and both of ours find every change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import bagit
import pytest

from nhi_evidence.evidence import bundle
from tests.altering import altered
from tests.cli.command import Result, run
from tests.cli.sealed_copy import NAME
from tests.cli.sealing_case import make


class Case(NamedTuple):
    """A case, its unpacked copy, and the key to check it with."""

    evidence: Path
    zip: Path
    folder: Path
    key: str
    cache: Path


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp("case")
    run("keys", "--new", "--key-file", folder / "log.pem", "--name", NAME)
    key, _ = make(folder, folder / "log.pem")
    statement = folder / "absence.json"
    statement.write_text("{}")
    result = run(
        *("case", "create", folder / "evidence", "--key", key, "--index", folder / "index"),
        *("--ip", "192.0.2.11", "--ip", "203.0.113.77", *_everybody(folder, key)),
        *("--statement", statement, "--by", "A. Investigator", "-o", folder / "case.zip", "--json"),
    )
    assert result.code == 0, result.err
    assert result.json["records"] == result.json["proven"] > 1
    with zipfile.ZipFile(folder / "case.zip") as bag:
        bag.extractall(folder / "unpacked")
    yield Case(
        folder / "evidence",
        folder / "case.zip",
        folder / "unpacked" / "case",
        key,
        folder / "index",
    )


def _everybody(folder: Path, key: str) -> list[str]:
    """Return options that select every identity in the evidence."""
    sql = "SELECT identity FROM identities"
    result = run(
        *("query", folder / "evidence", "--key", key, "--index", folder / "index"),
        *("--sql", sql, "--json"),
    )
    return [text for (name,) in result.json["rows"] for text in ("--identity", name)]


def alone(path: Path, key: str, programs: Path) -> subprocess.CompletedProcess[str]:
    """Run the stand-alone checker, without this package and site packages."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", _RUN.format(str(programs)), str(path), key],
        capture_output=True, text=True, check=False, env={},
    )  # fmt: skip


_RUN = """
import runpy, sys
sys.path.insert(0, {0!r})
sys.argv[0] = "check_case.py"
runpy.run_path({0!r} + "/check_case.py", run_name="__main__")
"""


def programs(folder: Path) -> Path:
    """The released programs, not those in the case."""
    folder.mkdir(exist_ok=True)
    root = Path(bundle.__file__).parents[2]
    shutil.copy(root / "investigate/case/check_case.py", folder)
    shutil.copy(root / "evidence/bundle/check_proof.py", folder)
    return folder


def test_a_case_holds_for_every_checker(case: Case, tmp_path: Path) -> None:
    for path in (case.zip, case.folder):
        ours = run("case", "verify", path, "--key", case.key)
        assert (ours.code, ours.out[:5]) == (0, "HOLDS"), ours.out
        assert "warning" not in ours.err, "the copies in it are those of the release"
        theirs = alone(path, case.key, programs(tmp_path / "programs"))
        assert (theirs.returncode, theirs.stdout[:5]) == (0, "HOLDS"), theirs.stderr
    assert bagit.Bag(str(case.folder)).is_valid()


def test_checking_a_case_needs_no_network(case: Case, tmp_path: Path) -> None:
    if shutil.which("unshare") is None or os.geteuid() != 0:
        command = [sys.executable]
    else:
        command = ["unshare", "--net", sys.executable]
    checker = programs(tmp_path / "programs")
    done = subprocess.run(
        [*command, "-I", "-S", "-c", _RUN.format(str(checker)), str(case.zip), case.key],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_case_states_its_author_and_selection(case: Case) -> None:
    custody = json.loads((case.folder / "data/custody.json").read_text())
    assert custody["made_by"] == "A. Investigator"
    assert custody["question"]["addresses"] == ["192.0.2.11", "203.0.113.77"]
    document = json.loads((case.folder / "data/case.json").read_text())
    assert document["statements"] == ["absence.json"]
    assert (case.folder / "data/statements/absence.json").read_text() == "{}"


def manifested(folder: Path) -> None:
    """Rewrite the manifests, as a forger who follows BagIt would."""
    payload = sorted(path for path in (folder / "data").rglob("*") if path.is_file())
    _manifest(folder / "manifest-sha256.txt", payload, folder)
    oxum = f"{sum(path.stat().st_size for path in payload)}.{len(payload)}"
    info = folder / "bag-info.txt"
    kept = [line for line in info.read_text().splitlines() if "Oxum" not in line]
    info.write_text("\n".join([*kept, f"Payload-Oxum: {oxum}", ""]))
    tags = [folder / name for name in ("bagit.txt", "bag-info.txt", "manifest-sha256.txt")]
    _manifest(folder / "tagmanifest-sha256.txt", tags, folder)


def _manifest(path: Path, files: list[Path], folder: Path) -> None:
    path.write_text(
        "".join(
            f"{sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder).as_posix()}\n"
            for file in files
        )
    )


def _edit(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    path = folder / "data/case.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def _raw(folder: Path) -> None:
    path = folder / "data/proofs/000001/raw.txt"
    path.write_bytes(path.read_bytes().replace(b"2026", b"2025", 1))


def _normalized(folder: Path) -> None:
    path = folder / "data/proofs/000001/record.json"
    path.write_bytes(path.read_bytes().replace(b'"time":1', b'"time":2', 1))


def _swapped(folder: Path) -> None:
    proofs = folder / "data/proofs"
    (proofs / "000001").rename(proofs / "x")
    (proofs / "000002").rename(proofs / "000001")
    (proofs / "x").rename(proofs / "000002")


def _dropped(folder: Path) -> None:
    _edit(folder, lambda document: document["records"].pop(0))  # type: ignore[attr-defined]


def _retimed(folder: Path) -> None:
    def change(document: dict[str, object]) -> None:
        document["records"][0]["time"] -= 1  # type: ignore[index]

    _edit(folder, change)


def _story(folder: Path) -> None:
    path = folder / "data/timeline.json"
    timeline = json.loads(path.read_text())
    timeline["path"]["steps"].pop()
    path.write_text(json.dumps(timeline))


def _no_proof_files(folder: Path) -> None:
    for path in (folder / "data/proofs/000001").iterdir():
        path.unlink()
    (folder / "data/proofs/000001").rmdir()


def _missing_path(folder: Path) -> None:
    (folder / "data/proofs/000001/record-path.txt").unlink()


FORGERIES = (_raw, _normalized, _swapped, _dropped, _retimed, _no_proof_files, _missing_path)


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forgery_with_new_manifests_is_found(
    case: Case, tmp_path: Path, forge: Callable[[Path], None]
) -> None:
    folder = tmp_path / "case"
    shutil.copytree(case.folder, folder)
    forge(folder)
    manifested(folder)
    assert bagit.Bag(str(folder)).is_valid(), "to a bag tool it is whole"
    ours = run("case", "verify", folder, "--key", case.key)
    assert (ours.code, ours.out[:13]) == (1, "DOES NOT HOLD"), ours.out
    theirs = alone(folder, case.key, programs(tmp_path / "programs"))
    assert (theirs.returncode, theirs.stdout[:13]) == (1, "DOES NOT HOLD"), theirs.stdout


def test_a_timeline_of_other_records_is_found(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(case.folder, folder)
    _story(folder)
    manifested(folder)
    assert run("case", "verify", folder, "--key", case.key).code == 1


@pytest.mark.parametrize("forge", [_raw, _story], ids=lambda forge: forge.__name__)
def test_without_new_manifests_any_bag_tool_finds_it(
    case: Case, tmp_path: Path, forge: Callable[[Path], None]
) -> None:
    folder = tmp_path / "case"
    shutil.copytree(case.folder, folder)
    forge(folder)
    assert not bagit.Bag(str(folder)).is_valid()
    assert run("case", "verify", folder, "--key", case.key).code == 1
    assert alone(folder, case.key, programs(tmp_path / "programs")).returncode == 1


def test_a_file_in_no_manifest_is_found(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(case.folder, folder)
    (folder / "data/extra.txt").write_text("more")
    assert run("case", "verify", folder, "--key", case.key).code == 1
    assert alone(folder, case.key, programs(tmp_path / "programs")).returncode == 1


def refused(result: Result, text: str) -> None:
    assert (result.code, text in result.err, "Traceback" in result.err) == (4, True, False), result


@pytest.mark.parametrize("kind", ["link", "pipe", "name"])
def test_links_and_special_files_are_not_followed(case: Case, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "case"
    shutil.copytree(case.folder, folder)
    extra = folder / "data" / ("a\x1b[31mb" if kind == "name" else "extra")
    if kind == "link":
        extra.symlink_to("/etc/hostname")
    elif kind == "pipe":
        os.mkfifo(extra)
    else:
        extra.write_text("x")
    result = run("case", "verify", folder, "--key", case.key)
    refused(result, "not a regular file")
    assert "\x1b" not in result.err
    theirs = alone(folder, case.key, programs(tmp_path / "programs"))
    assert (theirs.returncode, "\x1b" in theirs.stderr) == (2, False)


@pytest.mark.parametrize("name", ["case/../out", "case//x", "other/x", "case/data/x\ny"])
def test_a_zip_with_paths_that_leave_it_is_refused(case: Case, tmp_path: Path, name: str) -> None:
    hostile = tmp_path / "hostile.zip"
    shutil.copy(case.zip, hostile)
    with zipfile.ZipFile(hostile, "a") as bag:
        bag.writestr(name, b"x")
    refused(run("case", "verify", hostile, "--key", case.key), "hostile.zip")
    assert alone(hostile, case.key, programs(tmp_path / "programs")).returncode == 2


def test_another_key_proves_nothing(case: Case, tmp_path: Path) -> None:
    run("keys", "--new", "--key-file", tmp_path / "other.pem", "--name", NAME)
    other = run("keys", "--key-file", tmp_path / "other.pem", "--name", NAME).out.strip()
    result = run("case", "verify", case.zip, "--key", other, "--json")
    assert (result.code, result.json["verdict"], result.json["proven"]) == (1, "DOES NOT HOLD", 0)


def test_an_altered_program_in_it_is_named(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(case.folder, folder)
    (folder / "data/check_case.py").write_text("print('HOLDS')")
    manifested(folder)
    result = run("case", "verify", folder, "--key", case.key)
    assert (result.code, "do not run it" in result.err) == (0, True)


def test_nothing_is_overwritten_and_raw_logs_make_no_case(case: Case, tmp_path: Path) -> None:
    base = ("case", "create", case.evidence, "--key", case.key, "--index", case.cache)
    refused(run(*base, "--ip", "192.0.2.11", "-o", case.zip), "already exists")
    (tmp_path / "log.json").write_text("{}")
    refused(
        run(
            *("case", "create", tmp_path / "log.json", "--key", case.key, "--ip", "192.0.2.11"),
            *("-o", tmp_path / "x.zip"),
        ),
        "raw logs prove nothing",
    )


def test_an_object_altered_since_it_was_indexed_leaves_its_records_unproven(
    case: Case, tmp_path: Path
) -> None:
    evidence = tmp_path / "evidence"
    shutil.copytree(case.evidence, evidence)
    index = tmp_path / "index"
    everybody = _everybody(evidence.parent, case.key)
    base: list[str | Path] = ["--key", case.key, "--index", index, *everybody]
    run("timeline", evidence, *base)
    for path in evidence.glob("ev/v1/*/*/*.zst"):
        path.write_bytes(altered(path.read_bytes()))
    result = run("case", "create", evidence, *base, "-o", tmp_path / "case.zip", "--json")
    assert result.code == 2, result.err
    assert result.json["proven"] == 0
    assert "body hash does not match its key" in result.json["unproven"][0]
    checked = run("case", "verify", tmp_path / "case.zip", "--key", case.key)
    assert (checked.code, checked.out[:10]) == (2, "INCOMPLETE")
    theirs = alone(tmp_path / "case.zip", case.key, programs(tmp_path / "programs"))
    assert (theirs.returncode, theirs.stdout[:10]) == (2, "INCOMPLETE"), theirs.stderr


@pytest.mark.parametrize(
    "document", ["[]", "{}", '{"v":1,"records":[1]}', '{"v":1,"records":[[]]}', "["]
)
def test_a_malformed_case_is_unreadable_to_both_without_a_traceback(
    case: Case, tmp_path: Path, document: str
) -> None:
    folder = tmp_path / "case"
    shutil.copytree(case.folder, folder)
    (folder / "data/case.json").write_text(document)
    manifested(folder)
    refused(run("case", "verify", folder, "--key", case.key), "case.json")
    theirs = alone(folder, case.key, programs(tmp_path / "programs"))
    assert (theirs.returncode, "Traceback" in theirs.stderr) == (2, False), theirs.stderr


def test_a_policy_that_requires_a_cosignature_is_enforced(case: Case, tmp_path: Path) -> None:
    run("keys", "--new", "--post-quantum", "--key-file", tmp_path / "pq.pem", "--name", NAME)
    other = run("keys", "--key-file", tmp_path / "pq.pem", "--name", NAME).out.strip()
    policy = tmp_path / "policy.toml"
    policy.write_text(f'keys = ["{case.key}", "{other}"]\nrequire_cosignature = true\n')
    result = run("case", "verify", case.zip, "--policy", policy)
    assert (result.code, "ML-DSA-44" in result.out) == (1, True), result
