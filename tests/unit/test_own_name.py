"""The name under which the user can run the program again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nhi_evidence.adapters.own_name import own_name


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name in a virtual environment under the working directory."""
    path = tmp_path / ".venv" / "bin" / "nhi-evidence"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return path


@pytest.mark.parametrize(
    ("started", "folder", "on_path", "expected"),
    [
        (".venv/bin/nhi-evidence", ".", False, ".venv/bin/nhi-evidence"),
        ("{whole}", ".", False, ".venv/bin/nhi-evidence"),
        ("{whole}", "elsewhere", False, "{whole}"),
        ("{whole}", "elsewhere", True, "nhi-evidence"),
        ("nhi-evidence", ".", False, "nhi-evidence"),
        ("/usr/bin/pytest", ".", False, "nhi-evidence"),
    ],
)
def test_the_name_is_what_the_shell_finds(
    program: Path, monkeypatch: pytest.MonkeyPatch, *, started: str, folder: str, on_path: bool,
    expected: str,
) -> None:  # fmt: skip
    """Only its name if that runs this one; a relative path if it is below."""
    (program.parents[2] / "elsewhere").mkdir()
    monkeypatch.chdir(program.parents[2] / folder)
    if on_path:
        monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(sys, "argv", [started.format(whole=program), "demo"])
    assert expected.format(whole=program) == own_name()


def test_another_program_of_the_same_name_is_not_used(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise an older installation on the path would run."""
    other = tmp_path / "other" / "nhi-evidence"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert ".venv/bin/nhi-evidence" == own_name()
