"""`query`: saved and custom questions in every output format, and refusals."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from nhi_evidence.demo.story import generate
from nhi_evidence.investigate.library import questions
from tests.cli.command import run

KEY, SESSION = "AKIAIOSFODNN7EXAMPLE", "ASIAI44QH8DHBEXAMPLE"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated story of a leaked key, in CloudTrail files."""
    folder = tmp_path_factory.mktemp("logs")
    for number, file in enumerate(generate()):
        (folder / f"{number}.json.gz").write_bytes(file.body)
    return folder


def rows(logs: Path, *arguments: str | Path) -> list[dict[str, object]]:
    result = run("query", logs, *arguments, "--json")
    assert result.code == 0, result.err
    answer = result.json
    assert answer["schema"] == "nhi-evidence/query/1"
    return [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]


@pytest.mark.parametrize("name", [each.name for each in questions()])
def test_every_saved_question_is_answered(logs: Path, name: str) -> None:
    rows(logs, "--question", name)


def test_the_planted_chain_and_the_unused_key_are_found(logs: Path) -> None:
    chains = rows(logs, "--question", "cross-account-chains")
    (chain,) = (each for each in chains if each["credential"] == SESSION)
    assert (chain["made_with"], chain["minted_in"], chain["used_in"]) == (
        KEY, "444455556666", "111122223333",
    )  # fmt: skip
    unused = {each["unused"] for each in rows(logs, "--question", "credentials-never-used")}
    assert "AKIAI55SVCQQQEXAMPLE" in unused
    first = rows(logs, "--question", "first-use-of-credentials")
    (use,) = (each for each in first if each["credential"] == KEY)
    assert (use["operation"], use["first_seen"]) == (
        "GetCallerIdentity", "2026-03-02T08:10:00.000Z",
    )  # fmt: skip


def test_a_record_delivered_twice_is_one_row(logs: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.json.gz"
    again.write_bytes((logs / "0.json.gz").read_bytes())
    count = ("--sql", "SELECT count(*) AS n FROM events", "--json")
    once, twice = (run("query", *inputs, *count).json["rows"] for inputs in ([logs], [logs, again]))
    assert once == twice
    assert once[0][0] > 100


def hostile(folder: Path) -> Path:
    record = {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/x",
                         "accountId": "111122223333", "userName": "=HYPERLINK(\x1b[31m)",
                         "principalId": "AIDAX", "accessKeyId": KEY},
        "eventTime": "2026-03-02T08:10:00Z", "eventSource": "sts.amazonaws.com",
        "eventName": "GetCallerIdentity", "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.77", "userAgent": "x\u202ey", "requestParameters": None,
        "responseElements": None, "eventID": "1", "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
    }  # fmt: skip
    path = folder / "hostile.json"
    path.write_text(json.dumps({"Records": [record]}))
    return path


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_text_of_records_is_inert_in_every_form(tmp_path: Path, form: str) -> None:
    sql = "SELECT identity_name, user_agent FROM events"
    result = run("query", hostile(tmp_path), "--sql", sql, "--format", form)
    assert result.code == 0, result.err
    assert not {"\x1b", "\u202e"} & set(result.out)
    if form == "csv":
        (_, (name, _)) = list(csv.reader(io.StringIO(result.out)))
        assert name.startswith("'=HYPERLINK")


def test_parquet_goes_to_a_new_file_only(logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "answer.parquet"
    arguments = ("query", logs, "--sql", "FROM events", "--format", "parquet", "-o", out)
    assert run(*arguments).code == 0
    assert pq.read_table(out).num_rows > 100
    refused = run(*arguments)
    assert (refused.code, "already exists" in refused.err) == (4, True)


def test_reports_are_findings_too(logs: Path, tmp_path: Path) -> None:
    verified, looked = tmp_path / "verify.json", tmp_path / "doctor.json"
    verified.write_text(json.dumps({
        "schema": "nhi-evidence/verify-report/1",
        "findings": [{"step": "V2", "code": "key_hash", "detail": "other bytes",
                      "key": "ev/v1/gcp_audit/h=2026030208/" + "0" * 64 + ".ndjson.zst"}],
    }))  # fmt: skip
    looked.write_text(json.dumps([
        {"scope": "account", "what": "rule", "state": "failed", "observed": "DISABLED"},
        {"scope": "account", "what": "role", "state": "ok", "observed": "as deployed"},
    ]))  # fmt: skip
    sql = "SELECT made_by, source, hour, code, detail FROM findings ORDER BY made_by"
    reports = ("--report", verified, "--report", looked)
    assert [list(row.values()) for row in rows(logs, "--sql", sql, *reports)] == [
        ["doctor", None, None, "failed", "rule: DISABLED"],
        ["verify", "gcp_audit", "2026030208", "key_hash", "other bytes"],
    ]
    refused = run("query", logs, "--sql", sql, "--report", logs / "0.json.gz")
    assert (refused.code, "not a report of" in refused.err) == (4, True)


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--sql", "COPY events TO 'x.csv'"), 4, "a single SELECT"),
        (("--sql", "SELECT * FROM read_text('/etc/hostname')"), 4, "cannot be answered"),
        (("--sql", "SELECT nothing FROM events"), 4, "cannot be answered"),
        (("--sql", "ASK events"), 4, "not SQL"),
        (("--question", "no-such"), 4, "known: "),
        ((), 64, "--sql"),
        (("--sql", "SELECT 1", "--question", "identities-in-use"), 64, "--sql"),
    ],
)
def test_an_invalid_query_is_one_line(
    logs: Path, arguments: tuple[str, ...], code: int, text: str
) -> None:
    result = run("query", logs, *arguments)
    assert (result.code, text in result.err, "Traceback" in result.err) == (code, True, False)


def test_the_list_names_every_question_and_column() -> None:
    result = run("query", "--list")
    assert result.code == 0
    assert all(each.name in result.out for each in questions())
