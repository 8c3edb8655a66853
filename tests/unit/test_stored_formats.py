"""Evidence written by a released version stays readable, whatever this version writes."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.evidence import lines, objects
from nhi_evidence.evidence.lines import FORMAT_VERSION
from tests.cases.reader import FOLDER as CASES
from tests.cli.command import run

FIXTURES = Path(__file__).parents[1] / "fixtures"
FORMATS = sorted(FIXTURES.glob("format-v*"))


def test_every_format_is_stored() -> None:
    """The format this version writes is among them."""
    assert f"format-v{FORMAT_VERSION}" in {folder.name for folder in FORMATS}


@pytest.mark.parametrize("folder", FORMATS, ids=lambda folder: folder.name)
def test_stored_evidence_verifies(folder: Path) -> None:
    """Every byte, record and proof of it verifies with only its key."""
    key = folder / "log.vkey"
    policy = folder / "policy.toml"
    report = run("verify", folder / "evidence", "--deep", "--policy", policy, "--json")
    assert (0, []) == (report.code, report.json["findings"]), report.out
    assert {"aws_cloudtrail", "azure_monitor", "gcp_audit", "k8s_audit"} == set(
        report.json["records_counted"]
    )
    assert 1 == report.json["rejected_deliveries"]
    assert report.json["records"] > 10
    assert 6 == report.json["units"]["counted"]
    checked = run("check-proof", folder / "proof.zip", "--key", key)
    assert 0 == checked.code, checked.out + checked.err


@pytest.mark.parametrize("folder", FORMATS, ids=lambda folder: folder.name)
def test_the_owner_of_the_original_can_prove_its_cuts(folder: Path) -> None:
    """The hash of each is as the format says, and what is kept is JSON."""
    original = (CASES / "k8s_audit" / "leaks" / "api-server.ndjson").read_bytes()
    delivered = sha256(original).hexdigest()
    store = DirectoryStore(folder / "evidence")
    (key,) = store.keys("ev/v1/k8s_audit/")
    _, own = objects.read_object(store.get(key))
    records = original.splitlines()
    proven = 0
    for line in map(lines.decode_line, own):
        gone = 0
        for cut in line.c:
            start = cut.offset + gone
            value = records[line.i or 0][start : start + cut.length]
            assert cut.hash == lines.cut_hash(delivered, line.i or 0, cut.rule, value)
            gone += cut.length
            proven += 1
        assert isinstance(json.loads(line.raw or b""), dict)
    assert proven


@pytest.mark.parametrize("folder", FORMATS, ids=lambda folder: folder.name)
def test_any_change_to_stored_evidence_is_found(folder: Path, tmp_path: Path) -> None:
    """Removing one byte from any object is a finding, so the test can fail."""
    copy = tmp_path / "copy"
    shutil.copytree(folder / "evidence", copy)
    object_ = copy / next(iter(DirectoryStore(copy).keys("ev/")))
    object_.chmod(0o644)
    object_.write_bytes(object_.read_bytes()[:-1])
    report = run("verify", copy, "--key", folder / "log.vkey", "--json")
    assert 1 == report.code
    assert "object_altered" in {finding["code"] for finding in report.json["findings"]}
