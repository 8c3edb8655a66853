"""Terminals that know few characters, and names of files that are no text."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.command import run, run_bytes
from tests.cli.local_forms import TRAIL

NAME = "b\N{LATIN SMALL LETTER U WITH DIAERESIS}t\N{EURO SIGN}\N{ROBOT FACE}"
ARN = f"arn:aws:iam::111122223333:user/{NAME}"
RUNS: tuple[tuple[str, ...], ...] = (
    ("summary",),
    ("timeline", "--identity", ARN),
    ("query", "--sql", "SELECT identity_name, uid FROM events"),
    ("normalize", "--format", "table"),
)
NO_TEXT = os.fsdecode(b"a\xff\xe9.json")
"""As Latin-1 names are, on a system of today."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.json"
    actor = {**TRAIL["userIdentity"], "userName": NAME, "arn": ARN}
    path.write_text(json.dumps({**TRAIL, "userIdentity": actor}), encoding="utf-8")
    return path


def in_ascii(*arguments: str | Path) -> tuple[int, bytes, bytes]:
    """Run a command where both streams are in ASCII."""
    done = run_bytes(*arguments, encoding="ascii")
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("arguments", RUNS, ids=lambda each: each[0])
def test_a_character_the_terminal_does_not_know_is_escaped(
    log: Path, arguments: tuple[str, ...]
) -> None:
    """A euro sign in a name ended the command, as a bug."""
    code, out, err = in_ascii(arguments[0], log, *arguments[1:])
    assert (0, False) == (code, b"bug in this program" in err), err
    assert b"\\u20ac" in out or NAME.encode() in out


@pytest.mark.parametrize("arguments", RUNS, ids=lambda each: each[0])
def test_json_is_utf_8_on_every_terminal(log: Path, arguments: tuple[str, ...]) -> None:
    """So it can be parsed: JSON has no escape of eight digits."""
    command = (arguments[0], str(log), *arguments[1:], "--json")
    code, out, err = in_ascii(*command)
    expected = run_bytes(*command)
    assert (0, expected.stdout, expected.stderr) == (code, out, err)
    (line,) = (err if arguments[0] == "normalize" else out).splitlines()
    assert json.loads(line)


@pytest.mark.parametrize("content", [json.dumps(TRAIL), '{"Records":[{'])
@pytest.mark.parametrize(
    "arguments",
    [
        ("normalize",),
        ("summary", "--json"),
        ("timeline", "--ip", "192.0.2.1", "--json"),
        ("timeline", "--ip", "192.0.2.1", "--format", "csv"),
        ("query", "--sql", "SELECT object, uid FROM events"),
        ("query", "--sql", "SELECT object, uid FROM events", "--json"),
    ],
)
def test_a_file_may_have_a_name_that_is_no_text(
    tmp_path: Path, arguments: tuple[str, ...], content: str
) -> None:
    """Names on a disk are bytes; one that is not UTF-8 ended the command, as a bug."""
    (tmp_path / NO_TEXT).write_text(content)
    (tmp_path / "other.json").write_text(json.dumps(TRAIL))
    done = run(arguments[0], tmp_path, *arguments[1:])
    assert (0 if content.endswith("}") else 2) == done.code, done.err


def test_an_argument_that_is_no_text_selects_nobody(log: Path) -> None:
    """Typed in another encoding, a name would be reported as none on record."""
    done = run("timeline", log, "--identity", os.fsdecode(NAME.encode("cp1252", "ignore")))
    assert (64, True) == (done.code, "is not UTF-8" in done.err)
