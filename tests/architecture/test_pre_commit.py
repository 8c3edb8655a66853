"""The checks git runs before a commit are part of `make check`."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_hooks_are_of_the_locked_tools() -> None:
    """No hook fetches a tool in another version than that of `make check`."""
    settings = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = settings["repos"]
    assert "local" == repository["repo"]
    entries = {hook["id"]: hook["entry"].split() for hook in repository["hooks"]}
    assert {"ruff-format", "ruff-check", "typos", "import-contracts", "layout"} == set(entries)
    assert {"system"} == {hook["language"] for hook in repository["hooks"]}
    check = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ncheck:")[2]
    for name, (program, *_) in entries.items():
        tool = program.rpartition("/")[2]
        assert tool == "python" or f"$(BIN)/{tool}" in check, name
