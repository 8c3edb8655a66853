"""`nhi-evidence collect`: what it refuses, and what it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhi_evidence.adapters.aws import settings_reader
from nhi_evidence.cli import exit_codes, reading_output
from nhi_evidence.config import read
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate.edits import refused
from tests.cli.command import run

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "nhi-evidence.example.toml"


def test_a_reading_is_written_and_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def read_settings(*_: object, **named: object) -> Reading:
        seen.append(named["deployment"])
        return refused("eks:ListClusters")(estate.reading("aws", 1_772_438_400_000))

    monkeypatch.setattr(settings_reader, "read_settings", read_settings)
    out = tmp_path / "settings"
    result = run("collect", "aws", "--config", EXAMPLE, "--out", out)
    assert result.code == exit_codes.INCOMPLETE
    assert "denied: eks:ListClusters 333344445555/eu-central-1: AccessDenied" in result.err
    assert "organization-trail-111122223333" in str(seen[0])
    judged = run("coverage", "--config-dir", out, "--json")
    assert judged.json["read"]["aws"] == 1_772_438_400_000
    again = run("collect", "aws", "--config", EXAMPLE, "--out", out)
    assert again.code == exit_codes.FAILED  # nothing is overwritten


@pytest.mark.parametrize("content", ["", "two words", "\N{SNOWMAN}"])
def test_a_token_is_one_word(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    common = ("--config", EXAMPLE, "--out", tmp_path / "x", "--token", file)
    for command in (
        ("collect", "gcp", *common, "--destination", "d"),
        ("collect", "azure", *common, "--event-hub", "h"),
    ):
        result = run(*command)
        assert result.code == exit_codes.FAILED
        assert "must hold a token" in result.err


def test_sources_of_a_deployment() -> None:
    of = reading_output.deployment(read(EXAMPLE.read_text()))
    trail = of.source("aws_cloudtrail")
    assert trail is not None
    assert trail.buckets == ("organization-trail-111122223333",)
    opened = reading_output.with_doors(of, "gcp_audit", destinations=["d"], hubs=[])
    google = opened.source("gcp_audit")
    assert google is not None
    assert google.destinations == ("d",)
