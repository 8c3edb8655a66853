"""`nhi-evidence replay aws` as an operator runs it, against an emulated S3 and SQS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from nhi_evidence.adapters.aws import s3_notification, sqs_queue
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.adapters.store.s3_listing import S3Listing
from nhi_evidence.cli import app
from nhi_evidence.config import ConfigError, naming
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.errors import EvidenceError, SettingsError, SourceUnavailableError
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.replay import window

ROOT = Path(__file__).parents[2]
ACCOUNT = "123456789012"
REGION: Literal["eu-central-1"] = "eu-central-1"
TRAIL = "organization-trail"
QUEUE = naming.exporter("main-170b2e", "aws_cloudtrail", "organization")
FOLDER = "AWSLogs/o-exampleorg1/333344445555/"


def name(hour: str, day: str = "02") -> str:
    return (
        f"{FOLDER}CloudTrail/eu-central-1/2026/03/{day}/"
        f"333344445555_CloudTrail_eu-central-1_202603{day}T{hour}05Z_abcdefgh.json.gz"
    )


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket=TRAIL, CreateBucketConfiguration={"LocationConstraint": REGION})
        for key in (name("08"), name("09"), name("10"), name("08", "05"), "elsewhere/x.json.gz"):
            s3.put_object(Bucket=TRAIL, Key=key, Body=b"x")
        boto3.client("sqs", region_name=REGION).create_queue(QueueName=QUEUE)
        yield s3


@pytest.fixture
def config(tmp_path: Path) -> Path:
    text = (ROOT / "nhi-evidence.example.toml").read_text()
    text = text.replace('"111122223333"', f'"{ACCOUNT}"', 1)
    path = tmp_path / "nhi-evidence.toml"
    path.write_text(text.replace("organization-trail-111122223333", TRAIL))
    return path


def run(config: Path, *more: str, begins: str = "2026-03-02T08") -> Result:
    arguments = ["replay", "aws", "--from", begins, "--to", "2026-03-02T10"]
    return CliRunner().invoke(app, [*arguments, "--config", str(config), *more])


def messages() -> list[str]:
    sqs = boto3.client("sqs", region_name=REGION)
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [one["Body"] for one in received]


def test_dry_run_lists_and_sends_nothing(aws: Any, config: Path) -> None:
    """It names what would be sent, file by file; the queue stays empty."""
    result = run(config, "--dry-run")
    assert 0 == result.exit_code, result.output
    lines = result.output.splitlines()
    assert [f"would send s3://{TRAIL}/{name(h)} (unknown)" for h in ("08", "09")] == lines[:2]
    assert "files  2 in the window, 2 chosen, 0 sent" in lines
    assert f"queue  {QUEUE}" in lines
    assert [] == messages()


def test_the_window_is_sent_to_the_exporter(aws: Any, config: Path) -> None:
    """Every version of every file in the window becomes a notification the exporter accepts."""
    aws.put_bucket_versioning(Bucket=TRAIL, VersioningConfiguration={"Status": "Enabled"})
    aws.put_object(Bucket=TRAIL, Key=name("09"), Body=b"y")
    result = run(config, "--json")
    assert 0 == result.exit_code, result.output
    report = json.loads(result.output)
    assert (3, 3, False, QUEUE) == (
        report["found"],
        report["sent"],
        report["dry_run"],
        report["queue"],
    )
    sent = [ref for one in messages() for ref in s3_notification.objects(one)]
    assert sorted([name("08"), name("09"), name("09")]) == sorted(ref.key for ref in sent)
    assert 1 == sum(ref.version is not None for ref in sent)
    assert {(TRAIL, 1)} == {(ref.bucket, ref.size) for ref in sent}


def test_only_what_is_missing_is_sent(aws: Any, config: Path, tmp_path: Path) -> None:
    """Files with a unit line in the evidence are left alone."""
    etag = aws.head_object(Bucket=TRAIL, Key=name("08"))["ETag"].strip('"')
    mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=False)
    delivery = Delivery(f"{TRAIL}/{name('08')}@{etag}", b'{"Records":[]}')
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    lock_batch(mapper, [delivery], DirectoryStore(evidence)).ensure_locked()
    result = run(config, "--json", "--evidence", str(evidence), "--only-missing")
    assert 0 == result.exit_code, result.output
    summary = json.loads(result.stdout)
    assert [(name("09"), "missing")] == [
        (file["key"], file["standing"]) for file in summary["files"]
    ]
    assert (2, 1) == (summary["found"], summary["sent"])
    result = run(config, "--dry-run", "--evidence", str(evidence))
    assert f"would send s3://{TRAIL}/{name('08')} (present)" in result.output


def refusal(result: Result) -> str:
    assert isinstance(result.exception, EvidenceError)
    return str(result.exception)


def test_an_impossible_replay_is_reported(aws: Any, config: Path, tmp_path: Path) -> None:
    """Each error is one sentence that names what is wrong."""
    assert "is not after --from 2026-03-03" in refusal(run(config, begins="2026-03-03"))
    assert "--only-missing needs --evidence" in refusal(run(config, "--only-missing"))
    problem = refusal(run(config, "--source", "gcp_audit"))
    assert "has no files from gcp_audit; it has: aws_cloudtrail" in problem
    problem = refusal(run(config, "--trail", "other"))
    assert "has no files from aws_cloudtrail from trail other" in problem
    assert "nhi-evidence init writes one" in refusal(run(tmp_path / "none.toml"))
    config.write_text(config.read_text().replace("o-exampleorg1", "o-1"))
    result = run(config)
    assert isinstance(result.exception, ConfigError)


def test_several_feeds_have_to_be_distinguished(aws: Any, config: Path) -> None:
    """If a source has two trails, one has to be chosen."""
    second = (
        '\n[[trails]]\nname = "second"\nkind = "existing"\nbucket = "second"\n'
        'region = "eu-central-1"\n\n[[sources]]\nsource = "aws_cloudtrail"\nevidence = "main"\n'
        'trail = "second"\nkeep_out_of_scope_raw = true\n'
    )
    config.write_text(config.read_text() + second)
    assert "choose one with --trail: organization, second" in refusal(run(config))
    assert 0 == run(config, "--trail", "organization", "--dry-run").exit_code


def test_a_missing_queue_or_foreign_bucket_is_named(aws: Any, config: Path) -> None:
    """A missing queue and a foreign bucket are named; nothing is sent."""
    config.write_text(config.read_text().replace(ACCOUNT, "111122223333"))
    with pytest.raises(SettingsError, match="are these credentials of that account"):
        sqs_queue.Queue(boto3.client("sqs", region_name=REGION), "nobodys", account=ACCOUNT)
    listing = S3Listing(aws, "no-such-bucket", owner=ACCOUNT)
    with pytest.raises(SourceUnavailableError, match="no-such-bucket"):
        list(listing.files("", window("2026-03-02", "2026-03-03")))


def test_more_than_one_request(aws: Any) -> None:
    """SQS accepts ten at a time; the rest follow."""
    queue = sqs_queue.Queue(boto3.client("sqs", region_name=REGION), QUEUE, account=ACCOUNT)
    assert 23 == queue.send([f"message {number}" for number in range(23)])
    assert 0 == queue.send([])
    queue.url += "-gone"
    with pytest.raises(sqs_queue.QueueError, match="0 of 1 messages taken"):
        queue.send(["x"])


def test_listing_on_a_real_store(store: EmbeddedStore) -> None:
    """Only folders that can contain the window are walked; each version is one file."""
    client = store.client(store.admin)
    client.create_bucket(Bucket="replayed")
    client.put_bucket_versioning(Bucket="replayed", VersioningConfiguration={"Status": "Enabled"})
    for key in (name("08"), name("08"), name("09"), name("08", "05"), "x.json.gz"):
        client.put_object(Bucket="replayed", Key=key, Body=b"x")
    client.delete_object(Bucket="replayed", Key=name("09"))
    listing = S3Listing(client, "replayed", owner="222222222222")
    when = window("2026-03-02T08", "2026-03-02T10")
    files = list(listing.files("", when))
    assert ["x.json.gz", name("08"), name("08"), name("09")] == [one.key for one in files]
    assert 4 == len({(one.key, one.version) for one in files})
    assert [] == list(listing.files("AWSLogs/o-other/", when))
