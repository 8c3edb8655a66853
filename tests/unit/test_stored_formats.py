"""Evidence that a released version wrote stays readable, whatever this one writes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.evidence.lines import FORMAT_VERSION
from tests.cli.command import run

FIXTURES = Path(__file__).parents[1] / "fixtures"
FORMATS = sorted(FIXTURES.glob("format-v*"))


def test_every_format_is_stored() -> None:
    """The format this version writes is among them."""
    assert f"format-v{FORMAT_VERSION}" in {folder.name for folder in FORMATS}


@pytest.mark.parametrize("folder", FORMATS, ids=lambda folder: folder.name)
def test_it_verifies(folder: Path) -> None:
    """Every byte, record and proof of it, with its key alone."""
    key = folder / "log.vkey"
    policy = folder / "policy.toml"
    report = run("verify", folder / "evidence", "--deep", "--policy", policy, "--json")
    assert (0, []) == (report.code, report.json["findings"]), report.out
    assert {"aws_cloudtrail", "azure_monitor", "gcp_audit"} == set(report.json["records_counted"])
    assert 1 == report.json["rejected_deliveries"]
    assert report.json["records"] > 10
    assert 6 == report.json["units"]["counted"]
    checked = run("check-proof", folder / "proof.zip", "--key", key)
    assert 0 == checked.code, checked.out + checked.err


@pytest.mark.parametrize("folder", FORMATS, ids=lambda folder: folder.name)
def test_what_is_changed_in_it_is_found(folder: Path, tmp_path: Path) -> None:
    """The stored evidence can fail: one byte less of any object is found."""
    copy = tmp_path / "copy"
    shutil.copytree(folder / "evidence", copy)
    object_ = copy / next(iter(DirectoryStore(copy).keys("ev/")))
    object_.chmod(0o644)
    object_.write_bytes(object_.read_bytes()[:-1])
    report = run("verify", copy, "--key", folder / "log.vkey", "--json")
    assert 1 == report.code
    assert "object_altered" in {finding["code"] for finding in report.json["findings"]}
