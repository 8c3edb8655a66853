"""`timeline` of evidence and raw logs, for readers and as JSON, and its refusals."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from tests.cli.command import Result, run
from tests.cli.local_forms import TRAIL
from tests.cli.sealed_copy import NAME
from tests.cli.sealing_case import make

KEY_ID = "AKIAIOSFODNN7EXAMPLE"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of a key that assumes a role, as a CloudTrail file."""
    folder = tmp_path_factory.mktemp("logs")
    (folder / "trail.json").write_text(json.dumps({"Records": [validated(), assumed(), used()]}))
    return folder


def validated() -> dict[str, object]:
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser", "principalId": "AIDACIDEPLOY44EXAMPLE",
            "arn": "arn:aws:iam::444455556666:user/ci-deploy", "accountId": "444455556666",
            "accessKeyId": KEY_ID, "userName": "ci-deploy",
        },
        "eventTime": "2026-03-02T08:10:00Z", "eventSource": "sts.amazonaws.com",
        "eventName": "GetCallerIdentity", "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.77", "userAgent": "\x1b[31mred\x1b[0m\u202e",
        "requestParameters": None, "responseElements": None,
        "eventID": "11111111-1111-1111-1111-111111111111", "readOnly": True,
        "eventType": "AwsApiCall", "managementEvent": True,
        "recipientAccountId": "444455556666", "eventCategory": "Management",
    }  # fmt: skip


def assumed() -> dict[str, object]:
    return {
        **validated(),
        "eventTime": "2026-03-02T08:21:18Z",
        "eventName": "AssumeRole",
        "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/deploy-prod"},
        "responseElements": {
            "credentials": {"accessKeyId": "ASIAI44QH8DHBEXAMPLE"},
            "assumedRoleUser": {"arn": "arn:aws:sts::111122223333:assumed-role/deploy-prod/ci"},
        },
        "eventID": "22222222-2222-2222-2222-222222222222",
    }


def used() -> dict[str, object]:
    return {
        **validated(),
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROADEPLOYPRODEXAMPLE:ci",
            "arn": "arn:aws:sts::111122223333:assumed-role/deploy-prod/ci",
            "accountId": "111122223333", "accessKeyId": "ASIAI44QH8DHBEXAMPLE",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": "AROADEPLOYPRODEXAMPLE",
                    "arn": "arn:aws:iam::111122223333:role/deploy-prod",
                    "accountId": "111122223333", "userName": "deploy-prod",
                },
            },
        },
        "eventTime": "2026-03-02T08:24:22Z", "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue", "requestParameters": {"secretId": "prod/=cmd()/db"},
        "eventID": "33333333-3333-3333-3333-333333333333",
    }  # fmt: skip


def test_raw_logs_are_shown_in_order_and_prove_nothing(raw: Path) -> None:
    result = run("timeline", raw, "--credential", KEY_ID)
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[0] == f"FOUND 3 records of {KEY_ID}, over 14 min 22 s, in AWS"
    assert "none of this is proven" in lines[1]
    operations = [line.split()[2] for line in lines if "  AWS  " in line]
    assert operations == ["GetCallerIdentity", "AssumeRole", "GetSecretValue"]
    assert "credential ASIAI44QH8DHBEXAMPLE: 1 use; its making is seen" in result.out
    assert "absence here proves nothing" in lines[-1]


def test_stages_are_by_effective_phase_and_name_failed_attempts(tmp_path: Path) -> None:
    """The phases are those in `summary`: a dry run executes nothing, a denied read is no access."""
    dry = {
        **used(), "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances",
        "errorCode": "Client.DryRunOperation", "eventID": "44444444-4444-4444-4444-444444444444",
        "requestParameters": {"instanceType": "p5.48xlarge"},
    }  # fmt: skip
    refused = {**used(), "errorCode": "AccessDenied", "eventID": "5" * 36}
    file = tmp_path / "trail.json"
    file.write_text(json.dumps({"Records": [validated(), assumed(), dry, refused]}))
    document = run("timeline", file, "--credential", KEY_ID, "--json").json
    stages = {each["phase"]: each for each in document["stages"]}
    assert {"Execution": 1} == stages["Permission Probing"]["base_phases"]
    assert {"Secret Access": 1} == stages["Failed Attempt"]["base_phases"]
    assert not {"Execution", "Secret Access"} & set(stages)
    counted = {
        phase: number
        for who in run("summary", file, "--json").json["identities"]
        for phase, number in who["phases"].items()
    }
    assert counted == {phase: each["records"] for phase, each in stages.items()}
    result = run("timeline", file, "--credential", KEY_ID).out
    assert "Permission Probing (base phase: Execution)" in result
    assert "Failed Attempt (tried: Secret Access)" in result
    assert "phases    effective, as in summary and query: after parameters and outcome;" in result


def test_the_option_for_every_record_applies_only_to_text(raw: Path) -> None:
    assert run("timeline", raw, "--credential", KEY_ID, "--every-record").code == 0
    result = run("timeline", raw, "--credential", KEY_ID, "--every-record", "--json")
    assert result.code == 4
    assert result.err.endswith("the other formats have every record\n")


def test_text_from_records_cannot_control_the_terminal(raw: Path) -> None:
    for more in ([], ["--json"]):
        result = run("timeline", raw, "--credential", KEY_ID, *more)
        assert "\x1b" not in result.out
        assert "\u202e" not in result.out


def test_json_names_its_form_and_every_record(raw: Path) -> None:
    document = run("timeline", raw, "--identity", "ci-deploy", "--json").json
    assert (document["schema"], document["verdict"]) == ("nhi-evidence/timeline/2", "FOUND")
    assert [step["row"]["operation"] for step in document["path"]["steps"]] == [
        "GetCallerIdentity", "AssumeRole", "GetSecretValue",
    ]  # fmt: skip
    assert document["visibility"] is None


@pytest.mark.parametrize(
    ("option", "value", "count"),
    [
        ("--ip", "203.0.113.77", 3),
        ("--resource", "PROD/=CMD()/DB", 1),
        ("--identity", "arn:aws:iam::444455556666:user/ci-deploy", 3),
        ("--identity", "nobody", 0),
    ],
)
def test_a_timeline_can_be_selected_by_identity_address_or_target(
    raw: Path, option: str, value: str, count: int
) -> None:
    result = run("timeline", raw, option, value)
    assert result.code == 0
    first = result.out.splitlines()[0]
    assert first.startswith(
        f"FOUND {count} records" if count > 1 else "FOUND 1" if count else "NONE ON RECORD"
    )


def test_a_timeline_can_be_limited_in_time(raw: Path) -> None:
    def count(*bounds: str) -> int:
        document = run("timeline", raw, "--credential", KEY_ID, *bounds, "--json").json
        return len(document["path"]["steps"])

    assert count("--from", "2026-03-02T08:21:18Z") == 2
    assert count("--to", "2026-03-02T08:21:18Z") == 1
    assert count("--to", "2026-03-02T09:21:18+01:00") == 1


def told_of(result: Result, code: int, text: str) -> None:
    assert result.code == code, (result.out, result.err)
    assert text in result.err
    assert "Traceback" not in result.err


def test_an_impossible_request_is_one_line(raw: Path, tmp_path: Path) -> None:
    told_of(run("timeline", raw), 64, "select whose")
    told_of(run("timeline", raw, "--ip", "1.2.3.4", "--from", "yesterday"), 64, "write 2026-03-01")
    nothing = ("--from", "2026-03-02", "--to", "2026-03-02")
    told_of(run("timeline", raw, "--ip", "1.2.3.4", *nothing), 64, "--from must be before --to")
    told_of(run("timeline", raw, "--identity", ""), 64, "an empty text names nobody")
    for text in ("notanip", "203.0.113.0/24", ""):
        told_of(run("timeline", raw, "--ip", text), 64, f"--ip: {text!r} is not an IP address")
    told_of(run("timeline", raw, "--ip", "1.2.3.4", "--index", tmp_path), 4, "--index")


def test_an_address_is_found_however_it_is_spelled(tmp_path: Path) -> None:
    """A record may have it in full; another spelling of it was reported as none on record."""
    (trail := tmp_path / "trail.json").write_text(
        json.dumps({**TRAIL, "sourceIPAddress": "2001:0db8:0000:0000:0000:0000:0000:0001"})
    )
    assert run("timeline", trail, "--ip", "2001:DB8::1").out.startswith("FOUND 1 record")


def test_a_timeline_of_evidence_names_the_seal_and_refuses_a_wrong_key(tmp_path: Path) -> None:
    run("keys", "--new", "--key-file", tmp_path / "log.pem", "--name", NAME)
    key, _ = make(tmp_path, tmp_path / "log.pem")
    store, index = tmp_path / "evidence", tmp_path / "index"
    arguments = ("timeline", store, "--index", index, "--ip", "203.0.113.77")
    result = run(*arguments, "--key", key)
    assert result.code == 0, result.err
    assert re.search(rf"{re.escape(NAME)}/\d{{4}} size \d+, signed ", result.out)
    run("keys", "--new", "--key-file", tmp_path / "other.pem", "--name", NAME)
    other = run("keys", "--key-file", tmp_path / "other.pem", "--name", NAME).out.strip()
    told_of(run(*arguments, "--key", other), 4, "checkpoint")
    told_of(run(*arguments), 4, "no trusted key")


@pytest.mark.parametrize("form", ["timesketch", "csv", "json"])
def test_exports_for_other_tools_are_inert_and_complete(raw: Path, form: str) -> None:
    result = run("timeline", raw, "--credential", KEY_ID, "--format", form)
    assert result.code == 0, result.err
    assert not {"\x1b", "\u202e"} & set(result.out)
    if form == "timesketch":
        events = [json.loads(line) for line in result.out.splitlines()]
        assert all({"message", "datetime", "timestamp_desc"} <= set(event) for event in events)
        assert events[0]["datetime"] == "2026-03-02T08:10:00.000Z"
    if form == "csv":
        head, *rows = csv.reader(io.StringIO(result.out))
        assert [row[head.index("operation")] for row in rows] == [
            "GetCallerIdentity", "AssumeRole", "GetSecretValue",
        ]  # fmt: skip
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_ocsf_output_is_the_evidence_itself_and_raw_logs_are_refused(
    raw: Path, tmp_path: Path
) -> None:
    run("keys", "--new", "--key-file", tmp_path / "log.pem", "--name", NAME)
    key, uid = make(tmp_path, tmp_path / "log.pem")
    arguments = ("timeline", tmp_path / "evidence", "--key", key, "--index", tmp_path / "index")
    answer = run("query", *arguments[1:], "--sql", "SELECT uid, identity FROM events", "--json")
    who = dict(answer.json["rows"])[uid]
    result = run(*arguments, "--identity", who, "--format", "ocsf")
    assert result.code == 0, result.err
    records = [json.loads(line) for line in result.out.splitlines()]
    assert uid in [record["metadata"]["uid"] for record in records]
    assert {record["metadata"]["version"] for record in records} == {"1.8.0"}
    told_of(run("timeline", raw, "--identity", who, "--format", "ocsf"), 4, "normalize")
