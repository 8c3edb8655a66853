"""If no input could be read, that is an error that names them, never an empty answer."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from unittest import mock

import pytest

from tests.cli import sealed_copy
from tests.cli.command import Result, run

ARGUMENTS = {
    "timeline": ("--identity", "ci-deploy"),
    "query": ("--sql", "SELECT count(*) AS n FROM events"),
}
COMMANDS = pytest.mark.parametrize("command", list(ARGUMENTS))


def read_with(command: str, *inputs: Path | str) -> Result:
    return run(command, *inputs, *ARGUMENTS[command])


def records(path: Path) -> Path:
    """Write a delivered CloudTrail file without records, which can be read."""
    path.write_text('{"Records":[]}')
    return path


@COMMANDS
@pytest.mark.parametrize("as_json", [False, True])
def test_reading_nothing_is_an_error(command: str, as_json: bool, tmp_path: Path) -> None:
    """A missing file, an empty directory, or only a broken file: each is named, with exit 4."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.json").write_text('{"Records":[{"eventTi')
    for name, why in (
        ("missing.json", "No such file"),
        ("empty", "directory contains no files"),
        ("broken.json", "malformed_json"),
    ):
        result = read_with(command, tmp_path / name, *(["--json"] if as_json else []))
        assert (4, "") == (result.code, result.out), name
        assert f"nothing could be read: {tmp_path / name}" in result.err
        assert why in result.err


@COMMANDS
def test_some_read_and_some_not_is_incomplete(command: str, tmp_path: Path) -> None:
    """A readable file without records makes the answer valid, if not complete."""
    file = records(tmp_path / "a.json")
    assert 0 == read_with(command, file).code
    result = read_with(command, file, tmp_path / "missing.json")
    assert 2 == result.code, result.err
    assert f"{tmp_path / 'missing.json'}: cannot be read: No such file" in result.err


@COMMANDS
def test_special_files_in_a_directory_are_named(command: str, tmp_path: Path) -> None:
    """A broken link, a link to a directory, a pipe; hidden ones are skipped like hidden files."""
    folder, other = tmp_path / "logs", tmp_path / "other"
    other.mkdir()
    folder.mkdir()
    records(folder / "a.json")
    (folder / "linked.json").symlink_to(folder / "a.json")
    (folder / "gone.json").symlink_to(tmp_path / "nowhere")
    (folder / "other").symlink_to(other)
    (folder / ".hidden").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe")
    result = read_with(command, folder)
    assert 2 == result.code, result.err
    for name, why in (
        ("gone.json", "a broken link; not read"),
        ("other", "a link to a directory; not followed"),
        ("pipe", "a pipe, socket or device; not read"),
    ):
        assert f"{folder / name}: {why}" in result.err
    assert ".hidden" not in result.err
    same = f"{folder / 'linked.json'}: the same file as {folder / 'a.json'}; read once"
    assert [same] == [line for line in result.err.splitlines() if "linked.json" in line]


@COMMANDS
def test_evidence_without_its_log_is_not_taken_for_raw_logs(command: str, tmp_path: Path) -> None:
    """The message is that of `verify`; nothing can be counted from objects alone."""
    copy = tmp_path / "copy"
    sealed_copy.write(copy)
    shutil.rmtree(copy / "log", ignore_errors=True)
    result = read_with(command, copy)
    assert (4, "") == (result.code, result.out)
    assert f"{copy}: not an evidence store: it has no folder log/" in result.err


@pytest.mark.parametrize("library", ["duckdb", "pyarrow"])
def test_an_index_without_its_libraries_names_the_extra(library: str, tmp_path: Path) -> None:
    """This is as in an installation without the extra."""
    file = records(tmp_path / "a.json")
    (tmp_path / "log").mkdir()
    with mock.patch.dict(sys.modules, {library: None}):
        results = [
            read_with("query", file),
            read_with("timeline", tmp_path, "--index", tmp_path / "i"),
        ]
        assert 0 == read_with("timeline", file).code, "needs neither"
    for result in results:
        assert 4 == result.code
        needed = "install nhi-evidence with its extra `investigate`"
        assert f"needs DuckDB and Arrow: {needed}\n" in result.err
        assert "a bug in this program" not in result.err
