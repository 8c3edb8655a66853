"""`nhi-evidence coverage` as people run it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nhi_evidence.cli import exit_codes
from nhi_evidence.demo import estate
from tests.cli.command import run
from tests.coverage import examples
from tests.coverage.sealed_estate import DAY, HOUR, TRAIL, Sealed, change, delivery

ROLE = "arn:aws:iam::333344445555:role/shop"


def test_the_shipped_examples_are_made_by_their_command() -> None:
    shipped = {file.name: file.read_bytes() for file in examples.FOLDER.glob("*.json")}
    assert examples.files() == shipped


def test_examples_offline_in_three_forms(tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    result = run("coverage", "--config-dir", examples.FOLDER, "--html", page)
    assert result.code == exit_codes.INCOMPLETE
    first = result.out.splitlines()[0]
    assert re.fullmatch(
        r"GAP \d+ cells: 95 CONFIGURED, 13 GAP, \d+ IMPOSSIBLE, 4 ELSEWHERE, \d+ UNKNOWN", first
    )
    assert "GAP azure.secret_access.key_vault" in result.out
    assert "fix: az monitor diagnostic-settings create" in result.out
    assert first in page.read_text()
    printed = run("coverage", "--config-dir", examples.FOLDER, "--controls", "--json")
    assert printed.json["schema"] == "nhi-evidence/coverage/1"
    assert printed.json["verdicts"]["GAP"] == 13
    verdicts = [one["verdict"] for one in printed.json["cells"]]
    assert first.startswith(f"GAP {len(verdicts)} cells: ")
    assert printed.json["verdict"] == "GAP"
    assert f"{verdicts.count('UNKNOWN')} UNKNOWN" in first
    assert printed.json["controls"][0]["evidence"] == "partial"
    decrypt = next(
        one for one in printed.json["cells"] if one["cell"] == "aws.secret_access.services"
    )
    assert [one["verdict"] for one in decrypt["stretches"]] == ["CONFIGURED", "UNKNOWN", "GAP"]


def test_verbose_shows_spans_and_controls_claim_no_more_than_they_may() -> None:
    result = run("coverage", "--config-dir", examples.FOLDER, "--verbose", "--controls")
    assert (
        "2026-03-02 08:00:00Z to 2026-03-02 12:00:00Z CONFIGURED: account 999988887777, "
        in result.out
    )
    assert "none of it shows that a control is met" in result.out
    assert "compliant" not in result.out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            ("--operation", "kms:Decrypt"),
            exit_codes.INCOMPLETE,
            "kms:Decrypt by anyone at the last reading: would not have been recorded",
        ),
        (
            ("--operation", "s3:GetObject", "--identity", ROLE, "--at", "2026-03-02T09:30:00Z"),
            exit_codes.OK,
            f"s3:GetObject by {ROLE} at 2026-03-02T09:30:00Z: would have been recorded here",
        ),
        (
            ("--operation", "s3:GetObject", "--at", "2026-03-02T13:00:00Z"),
            exit_codes.POLICY,
            "s3:GetObject by anyone at 2026-03-02T13:00:00Z: whether it would have been",
        ),
    ],
)
def test_one_operation_in_a_sentence(arguments: tuple[str, ...], code: int, sentence: str) -> None:
    result = run("coverage", "--config-dir", examples.FOLDER, *arguments)
    assert result.code == code
    assert result.out.startswith(sentence)
    assert "settings read at 2026-03-02T" in result.out
    printed = run("coverage", "--config-dir", examples.FOLDER, *arguments, "--json")
    assert printed.json["schema"] == "nhi-evidence/coverage-operation/1"
    assert printed.json["operations"][0]["operation"] == arguments[1].partition(":")[2]


def test_sealed_readings_and_changes(tmp_path: Path) -> None:
    sealed = Sealed(tmp_path / "evidence")
    sealed.lock(delivery(5, [change("StopLogging", 310, 2, name=TRAIL)]))
    sealed.state(estate.reading("aws", DAY + 2 * HOUR))
    sealed.seal()
    result = run("coverage", "--evidence", sealed.folder, "--key", sealed.vkey, "--json")
    assert result.code == exit_codes.INCOMPLETE
    verdicts = {one["cell"]: one["verdict"] for one in result.json["cells"]}
    assert verdicts["aws.privilege_change.policies"] == "GAP"
    early = ("--at", "2026-03-02T04:00:00Z")
    before = run("coverage", "--evidence", sealed.folder, "--key", sealed.vkey, "--json", *early)
    verdicts = {one["cell"]: one["verdict"] for one in before.json["cells"]}
    assert verdicts["aws.privilege_change.policies"] == "CONFIGURED"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{}", "bad.json: Object missing required field `v`"),
        ("[", "bad.json: "),
        (json.dumps({"v": 9, "platform": "aws", "at": 0, "answers": []}), "version 9"),
    ],
)
def test_a_file_that_is_not_a_reading_is_named(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "bad.json").write_text(content)
    result = run("coverage", "--config-dir", tmp_path)
    assert (result.code, result.out) == (exit_codes.FAILED, "")
    assert problem in result.err
    assert len(result.err.splitlines()) == 1


def test_wrong_use(tmp_path: Path) -> None:
    assert run("coverage").code == exit_codes.USAGE
    empty = run("coverage", "--config-dir", tmp_path)
    assert empty.code == exit_codes.FAILED
    assert "no readings" in empty.err
    unread = run("coverage", "--config-dir", examples.FOLDER, "--at", "2026-01-01")
    assert (exit_codes.POLICY, "NO READING of any platform") == (
        unread.code, unread.out.splitlines()[0],
    )  # fmt: skip
    assert "nhi-evidence collect -h" in unread.out
    no_key = run("coverage", "--evidence", tmp_path)
    assert no_key.code == exit_codes.FAILED
