"""`nhi-evidence demo`: what it shows is what happened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nhi_evidence.adapters.directory import DirectoryStore
from nhi_evidence.cli.demo import _failed, refusals, show_clouds
from nhi_evidence.cli.story import generate


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("nhi-evidence")
    return subprocess.run(
        [program, "demo", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_the_story(tmp_path: Path) -> None:
    """Counts add up to the generated records, refusals are refused, redelivery changes nothing."""
    keep = tmp_path / "copy"
    result = run("--json", "--keep", keep)
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["ok"]
    assert sum(one["seen"] for one in report["deliveries"]) == sum(
        one.records for one in generate()
    )
    assert len(report["deliveries"]) == len(generate())
    assert all(one["adds_up"] for one in report["deliveries"])
    assert all(one["refused"] for one in report["refusals"])
    assert [] == report["redelivery_changed"]
    kept = list(DirectoryStore(keep).keys(""))
    assert len([key for key in kept if key.startswith("ev/")]) == len(generate())
    assert len([key for key in kept if key.startswith("src/")]) == 2 * len(generate())


def test_own_files_and_plain_output(tmp_path: Path) -> None:
    """A user's folder is delivered the same way; nothing of a record acts on the terminal."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "one.json.gz").write_bytes(generate()[5].body)
    (tmp_path / "broken.json").write_bytes(b"{")
    result = run("--input", tmp_path)
    assert result.returncode == 0, result.stderr
    assert "malformed_json" in result.stdout
    assert "The lock holds at the S3 API" in result.stdout
    assert "\x1b" not in result.stdout
    for shown in ("AccessDenied", "PreconditionFailed", "adds up", "changed by the second"):
        assert shown in result.stdout


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    """A folder without log files is an error that says what was looked for."""
    result = run("--input", tmp_path)
    assert result.returncode == 4
    assert "holds no .json or .json.gz files" in result.stderr


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"failures": ["m1"]}, "message m1 was not locked"),
        ({"changed": [("k", "v")]}, "a second delivery changed 1 versions"),
        ({"counts": []}, "no file was delivered"),
        ({"adds_up": False}, "counts of u do not add up"),
        ({"refused": False}, "not refused: act"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)
def test_a_demo_that_fails_says_so(change: dict[str, object], expected: str) -> None:
    """No failed check passes as shown."""
    count = show_clouds.ObjectCount(
        "aws_cloudtrail", "u", "1/1", 1, 1, 0, {}, bool(change.get("adds_up", True))
    )
    refusal = refusals.Refusal("who", "act", refused=bool(change.get("refused", True)), error="")
    counts: list[show_clouds.ObjectCount] = [] if "counts" in change else [count]
    changed: list[tuple[str, str]] = [("k", "v")] if "changed" in change else []
    failures = ["message m1"] if "failures" in change else []
    problems = _failed(counts, [refusal], changed, failures)
    assert any(expected in one for one in problems)
