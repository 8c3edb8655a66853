"""An environment of its own is made by one worker, while others wait."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from tests import own_environment


def test_whoever_makes_an_environment_holds_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker would clear it under the feet of this one; what is made is made once."""
    (tmp_path / ".tools").mkdir()
    (tmp_path / "lock.txt").write_text("")
    steps: list[str] = []

    def uv(step: str, *arguments: str | Path) -> None:
        (claimed,) = (tmp_path / ".tools").glob("*.lock")
        with claimed.open("w") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if step == "venv":
            Path(arguments[-1]).mkdir()
        steps.append(step)

    monkeypatch.setattr(own_environment, "ROOT", tmp_path)
    monkeypatch.setattr(own_environment, "_run", uv)
    for _ in range(2):
        own_environment.interpreter_of("x", Path("python"), tmp_path / "lock.txt")
    assert ["venv", "pip"] == steps
