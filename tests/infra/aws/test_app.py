"""The app as it is run: the documented example, every other choice, and errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.adapters.aws.reconciler import Settings
from nhi_evidence.adapters.environ import read_settings
from nhi_evidence.adapters.listing.activity import ActivityScope
from nhi_evidence.adapters.listing.google import GoogleScope
from nhi_evidence.config.azure_names import ACTIVITY_CATEGORIES
from tests.infra.aws.conftest import EXAMPLE, ROOT
from tests.infra.aws.estate import ARCHIVE, Estate, documents
from tests.infra.aws.iam import Request, allows, statements
from tests.infra.unstaged import unstaged

EXAMPLE_FILE = ROOT / "nhi-evidence.example.toml"
TOPIC = "arn:aws:sns:eu-central-1:111122223333:trail"
TRAIL_KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SECOND_BUCKET = """
[[evidence.buckets]]
name = "second"
bucket = "nhi-evidence-second"
region = "eu-central-1"
log = "example.org/second"

[[sources]]
source = "aws_cloudtrail"
evidence = "second"
trail = "organization"
keep_out_of_scope_raw = true

[gcp]"""
ELSEWHERE = """
[[sources]]
source = "aws_cloudtrail"
evidence = "main"
files = { account = "777788889999", bucket = "other-logs", region = "eu-central-1" }
keep_out_of_scope_raw = true

[[sources]]
source = "aws_cloudtrail"
evidence = "main"
files = { account = "111122223333", bucket = "plain-logs", region = "eu-central-1" }
keep_out_of_scope_raw = true

[[sources]]
source = "aws_api_gateway"
evidence = "main"
files = { account = "777788889999", bucket = "api-logs", region = "eu-central-1", prefix = "api/" }
keep_out_of_scope_raw = true
silence_hours = 48
"""


def synthesized(text: str, out: Path) -> Estate:
    from infra.aws_app import main  # noqa: PLC0415 - starts jsii

    config = out / "nhi-evidence.toml"
    config.write_text(text)
    arguments = ["--config", str(config), "--out", str(out / "cdk.out")]
    assert 0 == main(arguments, staged=unstaged(out / "functions"))
    return Estate(out / "cdk.out")


def changed(text: str, *changes: tuple[str, str]) -> str:
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """Every choice that the production configuration does not make."""
    text = changed(
        EXAMPLE,
        ('signer = "ed25519"', 'signer = "p256"'),
        ("# cosigner", "cosigner"),
        ("# topic =", "topic ="),
        ("# kms_key =", "kms_key ="),
        ("mfa = false", "mfa = true"),
        ("# reconcile_provider =", "reconcile_provider ="),
        ("# reconcile_projects =", "reconcile_projects ="),
        ("# reconcile_client_id =", "reconcile_client_id ="),
        ('service_account_id = "', '# service_account_id = "'),
        ('email = "security@example.org"', f'email = "security@example.org"\ntopics = ["{TOPIC}"]'),
        ("[gcp]", f"{ELSEWHERE}\n[gcp]"),
    )
    return synthesized(text, tmp_path_factory.mktemp("other"))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """The unchanged documented example."""
    return synthesized(EXAMPLE, tmp_path_factory.mktemp("example"))


EXAMPLE_STACKS = {
    "nhi-evidence-main-170b2e",
    "nhi-evidence-main-170b2e-seal",
    "nhi-evidence-main-170b2e-reconcile",
    "nhi-evidence-main-170b2e-export-eu-central-1",
    "nhi-evidence-main-170b2e-export-eu-central-1-monitoring",
    "nhi-evidence-main-170b2e-eu-central-1-monitoring",
}
"""The stacks it configures, which do not include guardrails or a replica."""


@pytest.mark.slow
def test_every_stack_is_synthesized_without_credentials(example: Estate, tmp_path: Path) -> None:
    """`make synth` stages complete bundles, in a process without AWS credentials."""
    out = tmp_path / "cdk.out"
    done = subprocess.run(
        [sys.executable, "-m", "infra.aws_app", "--out", str(out), "--config", str(EXAMPLE_FILE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={
            **{key: one for key, one in os.environ.items() if not key.startswith("AWS_")},
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        },
    )
    assert done.returncode == 0, done.stderr
    templates = Estate(out).templates
    assert EXAMPLE_STACKS == set(templates)
    printed = re.fullmatch(rf"{out}: {len(templates)} stacks: (.*)\n", done.stdout)
    assert printed and set(templates) == set(printed[1].split(", "))
    # Apart from the hashes of the packages, all is as with the function's own files alone.
    assert _without_hashes(example.templates) == _without_hashes(templates)


def _without_hashes(templates: dict[str, Any]) -> str:
    return re.sub(r"[0-9a-f]{64}|CurrentVersion[0-9A-F]{8}[0-9a-f]{32}", "", json.dumps(templates))


def test_the_example_gives_every_stack(example: Estate) -> None:
    """The names of its stacks."""
    assert EXAMPLE_STACKS == set(example.templates)


def test_a_trial_locks_for_a_day(example: Estate) -> None:
    """As in the example: one day, and no replica."""
    bucket = example.only("AWS::S3::Bucket", "nhi-evidence-main-170b2e").properties
    rule = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert {"Mode": "COMPLIANCE", "Days": 1} == rule
    assert "ReplicationConfiguration" not in bucket


def test_a_partition_without_ed25519_uses_another_key(other: Estate) -> None:
    """It has the other key spec, and that spec's one algorithm."""
    key = other.signing_keys[0].properties
    assert ["ECC_NIST_P256"] == [one.properties["KeySpec"] for one in other.signing_keys]
    sign = next(one for one in statements(key["KeyPolicy"]) if one["Sid"] == "Sign")
    assert "ECDSA_SHA_256" == sign["Condition"]["StringEquals"]["kms:SigningAlgorithm"]


def test_a_writer_without_a_known_identity_has_no_role(other: Estate) -> None:
    """Until the service account is known, there is no role for Google Cloud in AWS."""
    assert [] == other.roles("writer-gcp_audit")
    assert 1 == len(other.roles("writer-azure_monitor"))


def test_an_auditor_with_mfa(other: Estate) -> None:
    """The condition exists, and requires MFA to be present."""
    (role,) = other.roles("auditor-external")
    (statement,) = statements(role.properties["AssumeRolePolicyDocument"])
    assert {"aws:MultiFactorAuthPresent": "true"} == statement["Condition"]["Bool"]


def test_a_topic_notifies_the_queue(other: Estate) -> None:
    """The queue subscribes to it and accepts only its messages, and no bucket is changed."""
    subscription = other.only("AWS::SNS::Subscription").properties
    assert (TOPIC, "sqs", "eu-central-1") == (
        subscription["TopicArn"],
        subscription["Protocol"],
        subscription["Region"],
    )
    notifying = [
        str(one.properties["BucketName"]) for one in other.of("Custom::S3BucketNotifications")
    ]
    assert ["plain-logs"] == notifying
    name = "nhi-evidence-main-170b2e-aws_cloudtrail-organization"
    policies = [
        one.properties["PolicyDocument"]
        for one in other.of("AWS::SQS::QueuePolicy")
        if one.properties["Queues"] == [name]
    ]

    def may_send(**context: str) -> bool:
        queue = f"arn:aws:sqs:eu-central-1:{ARCHIVE}:{name}"
        request = Request("service:sns.amazonaws.com", "sqs:SendMessage", queue, context)
        return allows(request, resource=policies, owner=ARCHIVE)

    assert may_send(**{"aws:SourceArn": TOPIC})
    assert not may_send(**{"aws:SourceArn": f"{TOPIC}2"})
    assert not may_send()


def test_an_encrypted_trail_can_be_read(other: Estate) -> None:
    """The exporter may decrypt with that key, and no other."""
    (role,) = other.roles("aws_cloudtrail-organization")
    (policy,) = role.properties["Policies"]
    (decrypt,) = [one for one in statements(policy["PolicyDocument"]) if one["Sid"] == "Decrypt"]
    assert (["kms:Decrypt"], TRAIL_KEY) == (decrypt["Action"], decrypt["Resource"])
    # Not a ciphertext of its own: only what S3 decrypts while it reads the bucket.
    through = {"kms:ViaService": ["s3.eu-central-1.amazonaws.com"]}
    assert {"StringEquals": through} == decrypt["Condition"]


def test_files_of_another_account_are_pinned_to_it(other: Estate) -> None:
    """Its bucket may notify; the stack outputs the queue, since it cannot change that bucket."""
    name = "nhi-evidence-main-170b2e-aws_cloudtrail-other-logs"
    (policy,) = [
        one.properties["PolicyDocument"]
        for one in other.of("AWS::SQS::QueuePolicy")
        if one.properties["Queues"] == [name]
    ]
    (allowed,) = statements(policy)
    assert {
        "ArnEquals": {"aws:SourceArn": "arn:aws:s3:::other-logs"},
        "StringEquals": {"aws:SourceAccount": "777788889999"},
    } == allowed["Condition"]
    outputs = json.dumps(other.templates["nhi-evidence-main-170b2e-export-eu-central-1"]["Outputs"])
    assert name in outputs


def test_the_format_of_access_logs_is_shipped(other: Estate) -> None:
    """The stack outputs it for whoever enables access logging; it has no API key or free text."""
    outputs = other.templates["nhi-evidence-main-170b2e-export-eu-central-1"]["Outputs"]
    (shipped,) = [one["Value"] for one in outputs.values() if "$context." in str(one["Value"])]
    fields = json.loads(shipped)
    assert "$context.identity.apiKeyId" in fields.values()
    assert not {"$context.identity.apiKey", "$context.path"} & set(fields.values())
    assert "nhi-evidence/1" == fields["format"]


def test_an_existing_alarm_topic_is_used(other: Estate) -> None:
    """No other topic is created in its region."""
    assert [] == other.of("AWS::SNS::Topic")
    assert {TOPIC} == {
        action
        for one in other.of("AWS::CloudWatch::Alarm")
        for action in one.properties.get("AlarmActions", [])
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[organization]", "[organization"), "is not TOML"),
        (('signer = "ed25519"', 'signer = "rsa"'), "evidence.signer"),
        (
            ("[gcp]", SECOND_BUCKET),
            "feeds two exporters",
        ),
    ],
)
def test_a_wrong_configuration_is_reported_and_nothing_written(
    change: tuple[str, str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, the error on standard error, and no assembly."""
    from infra.aws_app import main  # noqa: PLC0415 - starts jsii

    config = tmp_path / "nhi-evidence.toml"
    config.write_text(changed(EXAMPLE, change))
    assert 2 == main(["--config", str(config), "--out", str(tmp_path / "cdk.out")])
    assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("cdk.out/*.template.json"))


def test_no_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error says what to do."""
    from infra.aws_app import main  # noqa: PLC0415 - starts jsii

    assert 2 == main(["--config", str(tmp_path / "nothing.toml"), "--out", str(tmp_path)])
    assert "copy nhi-evidence.example.toml" in capsys.readouterr().err


def test_files_without_a_prefix_are_all_notified(other: Estate) -> None:
    """A bucket with only one source needs no prefix, and gets no filter."""
    (configurations,) = [
        one.properties["NotificationConfiguration"]["QueueConfigurations"]
        for one in other.of("Custom::S3BucketNotifications")
        if "plain-logs" in str(one.properties["BucketName"])
    ]
    assert [None] == [one.get("Filter") for one in configurations]


def test_the_reconciling_function_gets_tokens_only_for_clouds_it_asks(
    example: Estate, other: Estate
) -> None:
    """It may get a short-lived token for each configured cloud, and none if no cloud is asked."""
    name = "nhi-evidence-main-170b2e-reconcile"
    pool = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools"
    (policy,) = documents(other.role(name))
    (outward,) = (one for one in policy["Statement"] if one["Sid"] == "Outward")
    assert ["sts:GetWebIdentityToken"] == outward["Action"]
    audiences = outward["Condition"]["ForAllValues:StringEquals"]["sts:IdentityTokenAudience"]
    assert ["api://AzureADTokenExchange", f"https:{pool}/nhi-evidence/providers/aws"] == audiences
    assert {"sts:IdentityTokenAudience": "false"} == outward["Condition"]["Null"]
    (none,) = documents(example.role(name))
    assert not [one for one in none["Statement"] if one["Sid"] == "Outward"]
    (function,) = (
        one.properties
        for one in other.of("AWS::Lambda::Function")
        if one.properties.get("FunctionName") == name
    )
    variables = function["Environment"]["Variables"]
    settings = read_settings(Settings, variables)
    assert ["projects/example-payments"] == [
        one.resource for one in settings.listings if isinstance(one, GoogleScope)
    ]
    subscriptions = [one for one in settings.listings if isinstance(one, ActivityScope)]
    assert [ACTIVITY_CATEGORIES] == [one.categories for one in subscriptions]
    assert 5 == len(settings.listings)
