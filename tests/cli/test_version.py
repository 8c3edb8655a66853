"""`nhi-evidence version`: what an auditor may have to cite."""

from __future__ import annotations

import json
import re
from importlib import metadata, resources
from pathlib import Path

import pytest

from nhi_evidence import __version__
from nhi_evidence.adapters import build_info
from nhi_evidence.pipeline.release import mapper_identity
from tests.cli.command import run
from tests.cli.screens import looked_at

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Installed:
    """A distribution whose installer recorded its origin."""

    def __init__(self, note: str | None) -> None:
        self._note = note

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self._note


def test_version_output_is_short_by_default() -> None:
    """`--version` and `version` print the same."""
    assert f"nhi-evidence {__version__}\n" == run("--version").out == run("version").out


def test_a_terminal_is_told_that_there_is_more() -> None:
    """Piped it is one line, for scripts."""
    out, _ = looked_at("version", ())
    hint = "add --verbose for commit, mapper digest and formats"
    assert [f"nhi-evidence {__version__}", hint] == out.splitlines()
    assert hint not in run("version").out


def test_verbose_names_the_mapper_of_the_evidence() -> None:
    """The digest is the one in objects by this release."""
    lines = dict(re.findall(r"^(\w+) +(.*)$", run("version", "--verbose").out, re.MULTILINE))
    assert mapper_identity().digest == lines["mapper"]
    assert {"commit", "formats", "schema", "python"} <= set(lines)
    assert mapper_identity().digest == run("version", "--json").json["mapper"]


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (json.dumps({"url": "https://example.org", "vcs_info": {"commit_id": COMMIT}}), COMMIT),
        (json.dumps({"url": "https://example.org", "vcs_info": {"commit_id": "no"}}), None),
        (json.dumps({"url": "file:///a", "dir_info": {}}), None),
        (None, None),
    ],
)
def test_the_installer_notes_the_commit(
    note: str | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PEP 610: pip and uv record the commit of a git install; none is invented."""
    monkeypatch.setattr(metadata, "distribution", lambda _: Installed(note))
    monkeypatch.setattr(build_info, "_checked_out", lambda: None)
    assert expected == build_info.commit()


def test_an_archive_carries_its_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`git archive` replaces the placeholder with the commit."""
    (tmp_path / "commit.txt").write_text(COMMIT + "\n")
    monkeypatch.setattr(build_info, "files", lambda _: tmp_path)
    assert COMMIT == build_info.commit()
    placeholder = resources.files("nhi_evidence").joinpath("commit.txt").read_text()
    assert re.fullmatch(r"\$Format:%H\$\n|[0-9a-f]{40}\n", placeholder)
