"""`nhi-evidence init` writes a valid file, from options or answers, or none."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nhi_evidence import config
from nhi_evidence.cli import app
from nhi_evidence.errors import EvidenceError

AWS = {
    "organization": "o-exampleorg1",
    "log-archive-account": "111122223333",
    "evidence-account": "222233334444",
    "region": "eu-central-1",
    "log-name": "example.org/evidence",
    "retention-days": "0",
    "trail-kind": "existing",
    "trail-bucket": "organization-trail",
    "trail-region": "eu-west-1",
    "keep-out-of-scope-raw": "no",
    "email": "security@example.org",
    "budget": "200",
    "objects-per-hour": "100000",
}
GCP = {
    "gcp-organization": "123456789012",
    "gcp-project": "example-evidence",
    "gcp-region": "europe-west1",
}
AZURE = {
    "azure-tenant": "11111111-2222-3333-4444-555555555555",
    "azure-subscriptions": "22222222-3333-4444-5555-666666666666, "
    "33333333-3333-4444-5555-666666666666",
    "azure-location": "westeurope",
}
AUDITOR = {
    "auditor": "arn:aws:iam::444455556666:role/auditor",
    "external-id": "an-external-id-of-theirs",
    "auditor-mfa": "no",
}


def run(path: Path, answers: dict[str, str], *more: str) -> Result:
    flags = [part for name, value in answers.items() for part in (f"--{name}", value)]
    return CliRunner().invoke(app, ["init", "--no-input", "-o", str(path), *flags, *more])


def refusal(result: Result) -> str:
    assert isinstance(result.exception, EvidenceError), result.output
    return str(result.exception)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nhi-evidence.toml"


def test_options_alone_are_enough(path: Path) -> None:
    """Nothing is asked; the written configuration has the given values."""
    result = run(path, AWS | GCP | AZURE | AUDITOR, "--json")
    assert 0 == result.exit_code, result.output
    printed = json.loads(result.stdout)
    assert (str(path), True, 5) == (printed["file"], printed["trial"], len(printed["next"]))
    read = config.read(path.read_text())
    assert ["aws_cloudtrail", "gcp_audit", "azure_monitor"] == [one.source for one in read.sources]
    assert {False} == {one.keep_out_of_scope_raw for one in read.sources}
    assert "nhi-evidence-222233334444-eu-central-1" == read.bucket("main").bucket
    assert read.gcp is not None
    assert ("nhi-evidence", None) == (read.gcp.audience, read.gcp.service_account_id)
    assert read.azure is not None
    assert 2 == len(read.azure.subscriptions)
    assert "an-external-id-of-theirs" == read.auditors[0].external_id


def test_an_unsuitable_log_name_is_refused(path: Path) -> None:
    """A number meant for the retention is refused, and nothing is written."""
    message = refusal(run(path, AWS | {"log-name": "365"}))
    assert "a domain of yours and a path" in message
    assert not path.exists()


def test_a_new_trail_asks_for_what_it_costs(path: Path) -> None:
    """A new trail needs its data events, and the management account it belongs to."""
    new = AWS | {"trail-kind": "new"}
    message = refusal(run(path, new))
    assert "--data-events" in message
    assert "--management-account" in message
    answers = new | {"data-events": "none", "management-account": "999988887777"}
    assert 0 == run(path, answers).exit_code
    assert () == config.read(path.read_text()).trails[0].data_events


def test_a_long_lock_has_to_be_confirmed(path: Path) -> None:
    """More than 30 days needs the same number again."""
    long = AWS | {"retention-days": "400"}
    assert "--confirm-compliance-days" in refusal(run(path, long))
    message = refusal(run(path, long | {"confirm-compliance-days": "40"}))
    assert '--confirm-compliance-days: "40" is not 400 again' in message
    assert not path.exists()
    assert 0 == run(path, long | {"confirm-compliance-days": "400"}).exit_code
    assert 400 == config.read(path.read_text()).bucket("main").retention_days


def test_everything_missing_is_named_at_once(path: Path) -> None:
    """Without a terminal, one error names every required option."""
    message = refusal(run(path, {}))
    assert {f"--{name}" for name in AWS} == set(
        message.removeprefix("--no-input was given, so these are required: ").split(", ")
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("organization", "x", '--organization: "x" is not the id of an AWS organization'),
        ("evidence-account", "12", '--evidence-account: "12" is not an AWS account id'),
        (
            "keep-out-of-scope-raw",
            "maybe",
            "--keep-out-of-scope-raw: 'maybe' is neither yes nor no",
        ),
        ("budget", "much", '--budget: "much" is not a whole number of US dollars'),
        ("evidence-account", "111122223333", "is already the log-archive account"),
        ("auditor", ", ", "--auditor: no value was given"),
    ],
)
def test_a_wrong_option_is_named(path: Path, option: str, value: str, message: str) -> None:
    """The error names the option and what is wrong; nothing is written."""
    assert message in refusal(run(path, AWS | {option: value}))
    assert not path.exists()


def test_a_file_is_never_overwritten(path: Path) -> None:
    """The existing file stays, byte for byte."""
    path.write_text("mine")
    assert "already exists" in refusal(run(path, AWS))
    assert "mine" == path.read_text()


QUESTIONS = [
    *("existing", "organization-trail", "eu-west-1", "o-1", "o-exampleorg1", "111122223333"),
    *("222233334444", "eu-central-1", "", "example.org/evidence", "400", "40", "400", ""),
    *("maybe", "yes", "no", "no", "yes", "arn:aws:iam::444455556666:role/auditor", "", "no"),
    *("security@example.org", "200", "100000"),
]


def test_questions_are_repeated_until_valid(path: Path) -> None:
    """A wrong answer is explained and asked again; an empty one takes the default."""
    result = CliRunner().invoke(app, ["init", "-o", str(path)], input="\n".join(QUESTIONS) + "\n")
    assert 0 == result.exit_code, result.output
    assert '"o-1" is not the id of an AWS organization' in result.stderr
    assert '"40" is not 400 again' in result.stderr
    assert "'maybe' is neither yes nor no" in result.stderr
    read = config.read(path.read_text())
    assert (400, "ed25519") == (read.bucket("main").retention_days, read.evidence.signer)
    assert 32 == len(read.auditors[0].external_id)
    assert f"{path} written" in result.stdout


def test_answers_are_checked_as_they_come(path: Path) -> None:
    """A contradiction to an earlier answer is asked again at once, not refused at the end."""
    lines = [
        *("existing", "organization-trail", "xx-west-1", "eu-west-1", "o-exampleorg1"),
        *("111122223333", "111122223333", "222233334444"),
        *("us-gov-west-1", "eu-central-1", "organization-trail", "", "example.org/evidence", "0"),
        *("", "no", "no", "no", "no", "security@example.org", "200", "100000"),
    ]
    result = CliRunner().invoke(app, ["init", "-o", str(path)], input="\n".join(lines) + "\n")
    assert 0 == result.exit_code, result.output
    for refusal in (
        '"xx-west-1" is not in any known AWS partition',
        '"111122223333" is already the log-archive account: name another',
        '"us-gov-west-1" is in aws-us-gov, but the trail\'s bucket is in aws',
        '"organization-trail" is already the bucket of the trail',
    ):
        assert refusal in result.stderr
    read = config.read(path.read_text())
    assert "nhi-evidence-222233334444-eu-central-1" == read.bucket("main").bucket


def test_every_question_says_what_is_wanted_by_an_example(path: Path) -> None:
    """The example comes before the answer, not after a wrong one."""
    result = CliRunner().invoke(app, ["init", "-o", str(path)], input="\n".join(QUESTIONS) + "\n")
    for example in (
        "one of: existing, new",
        "the id of an AWS organization (aws organizations describe-organization), such as o-exam",
        "an AWS account id: 12 digits, such as 222233334444",
        "a whole number of days, up to 36500, or 0 for a trial, such as 365",
        "an e-mail address, such as security@example.org",
    ):
        assert example in result.stderr


def test_answers_are_kept_if_input_ends_early(path: Path) -> None:
    """The printed command continues from there, and asks nothing again."""
    short = CliRunner().invoke(
        app, ["init", "-o", str(path)], input="\n".join(["existing", "organization-trail"]) + "\n"
    )
    (line,) = (line for line in short.stderr.splitlines() if "nhi-evidence init" in line)
    arguments = shlex.split(line)[1:]
    assert ["--trail-kind", "existing", "--trail-bucket", "organization-trail"] == arguments[3:]
    rest = ["eu-west-1", *QUESTIONS[4:]]
    done = CliRunner().invoke(app, arguments, input="\n".join(rest) + "\n")
    assert 0 == done.exit_code, done.output
    assert "organization-trail" == config.read(path.read_text()).trails[0].bucket


def test_ended_input_names_the_option(path: Path) -> None:
    """The error names the option that would have answered."""
    result = CliRunner().invoke(app, ["init", "-o", str(path)], input="existing\n")
    assert "no answer to 'Bucket of the trail'; give it with --trail-bucket" == refusal(result)
    assert not path.exists()


def test_an_empty_answer_says_what_to_do(path: Path) -> None:
    """It is not just the prompt again."""
    result = CliRunner().invoke(app, ["init", "-o", str(path)], input="\n")
    assert "an answer is required; Ctrl-C quits" in result.stderr
    assert not path.exists()
