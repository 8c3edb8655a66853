"""Command-line errors: one line each, the right exit code, and nothing overwritten."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nhi_evidence import cli
from nhi_evidence.adapters.store import directory
from nhi_evidence.cli import exit_codes
from tests.cli import command, screens

PROGRAM = Path(sys.executable).with_name("nhi-evidence")
RECORD = b'{"Records":[{"eventTime":"2026-03-02T08:15:30Z"},{}]}'


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def main(monkeypatch: pytest.MonkeyPatch, error: BaseException, *more: str) -> int:
    """Run `main` with a command that raises `error`; return the exit code."""

    def raises(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", raises)
    monkeypatch.setattr(sys, "argv", ["nhi-evidence", *more])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    code = ended.value.code
    assert isinstance(code, int)
    return code


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PermissionError(13, "Permission denied", "/nowhere/x"), "/nowhere/x: Permission denied"),
        (OSError("no space"), "no space"),
        (KeyError("surprise"), "KeyError: 'surprise'; a bug in this program"),
        (RecursionError("too deep\x1b[31m"), "too deep\\u001b[31m"),
    ],
)
def test_an_error_is_a_line_and_never_a_finding(
    error: BaseException,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit 1 means a finding; any other problem is 4, without a traceback."""
    assert exit_codes.FAILED == main(monkeypatch, error)
    printed = capsys.readouterr().err
    assert line in printed
    assert "Traceback" not in printed


def test_debug_shows_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The option works anywhere on the line."""
    assert exit_codes.FAILED == main(monkeypatch, KeyError("x"), "verify", "--debug")
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_no_bug_whatever_it_broke(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It also ends the store a command talks to, which then cannot be reached to clean up."""
    failed = ConnectionError("no such endpoint")
    failed.__context__ = KeyboardInterrupt()
    for error in (failed, RuntimeError("Query interrupted")):  # DuckDB's own
        assert (exit_codes.INTERRUPTED, "") == (main(monkeypatch, error), capsys.readouterr().err)


def test_a_closed_pipe_is_not_an_error(tmp_path: Path) -> None:
    """`| head` ends the output without an error message."""
    file = tmp_path / "many.json"
    file.write_bytes(b'{"Records":[' + b",".join([RECORD[12:-2]] * 20_000) + b"]}")
    with subprocess.Popen(
        [PROGRAM, "normalize", "--source", "aws_cloudtrail", "--scope", "all", file, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
        assert exit_codes.FAILED == process.wait(), "1 would be a finding"


def test_rejects_never_empty_an_input(tmp_path: Path) -> None:
    """An input that a shell pattern puts after --rejects stays as it is."""
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_bytes(RECORD)
    second.write_bytes(RECORD)
    normalize = ("normalize", "--source", "aws_cloudtrail", "--rejects")
    for extra in ((), ("--overwrite",)):
        done = run(*normalize, first, first, second, *extra)
        assert (4, RECORD) == (done.returncode, first.read_bytes()), done.stderr
    assert "is an input" in done.stderr


def test_existing_files_are_overwritten_only_on_request(tmp_path: Path) -> None:
    """A rejects file of an earlier run stays, or is rewritten on request."""
    file, rejects = tmp_path / "a.json", tmp_path / "rejects.ndjson"
    file.write_bytes(RECORD)
    rejects.write_text("earlier")
    normalize = ("normalize", "--source", "aws_cloudtrail", file, "--rejects", rejects)
    refused = run(*normalize)
    assert (4, "earlier") == (refused.returncode, rejects.read_text())
    assert "--overwrite" in refused.stderr
    done = run(*normalize, "--overwrite")
    assert (4, "") == (done.returncode, done.stdout), "nothing of it is a record"
    assert "event_name_missing" in rejects.read_text()
    assert "earlier" not in rejects.read_text()


def test_a_directory_without_a_log_is_not_an_evidence_store(tmp_path: Path) -> None:
    """An empty folder, or somebody's documents, is never reported as tampered."""
    (tmp_path / "letter.txt").write_text("x")
    key = Path(__file__).parents[1] / "fixtures" / "format-v1" / "log.vkey"
    for words in (("verify", tmp_path), ("prove", tmp_path, "x", "-o", tmp_path / "p.zip")):
        done = run(*words, "--key", key)
        assert 4 == done.returncode
        assert "not an evidence store" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("collect", "aws", "--out", "settings", "--profile", "unknown"),
        ("replay", "aws", "--from", "2026-03-02T08", "--to", "2026-03-02T09",
         "--profile", "unknown"),
        ("doctor", "--profile", "unknown"),
    ],
    ids=lambda words: " ".join(words[:2]),
)  # fmt: skip
def test_no_access_is_no_bug(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile that does not exist is the user's to correct."""
    monkeypatch.chdir(tmp_path)
    assert 0 == command.run("init", "--no-input", *screens.INIT).code
    done = command.run(*words)
    assert exit_codes.FAILED == done.code
    assert "unknown" in done.err
    assert "a bug in this program" not in done.err


def test_a_full_disk_is_named_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as Python shows an error, with its number and quotes."""

    def full(_: Path, to: Path) -> bool:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(to))

    monkeypatch.setattr(directory, "_link", full)
    (source := tmp_path / "evidence").mkdir()
    (source / "x").write_text("x")
    done = command.run("copy", source, tmp_path / "copy")
    assert (4, True) == (done.code, done.err.startswith(f"nhi-evidence: x: {tmp_path}"))
    assert done.err.endswith("x.json: No space left on device\n")


def test_init_is_named_only_where_there_is_no_configuration(tmp_path: Path) -> None:
    """One that cannot be read is there; a second one would not help."""
    (other := tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    for path, text in (
        (tmp_path / "none.toml", "No such file or directory; nhi-evidence init writes one"),
        (other / "x.toml", "Not a directory"),
        (other, "is not UTF-8, as TOML is: 'utf-8' codec can't decode"),
    ):
        done = command.run("doctor", "--config", path)
        assert (4, True) == (done.code, f"{path}: {text}" in done.err), done.err
        assert text.endswith("init writes one") or "init writes" not in done.err
