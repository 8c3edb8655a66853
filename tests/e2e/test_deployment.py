"""From a delivered file to sealed evidence, through what `cdk deploy` created, in this order."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from infra.deploy.running import PROGRAM
from nhi_evidence.adapters.aws import s3_notification
from nhi_evidence.adapters.aws.s3_notification import ObjectRef
from nhi_evidence.checks import WRONG
from nhi_evidence.config import naming as names
from tests.e2e import profile
from tests.e2e.acts import (
    EVENTS,
    HOUR,
    LACKING,
    LOG_KEY,
    QUEUE,
    STORY,
    account_of,
    addressed,
    altered,
    as_printed,
    deliver,
    doctor,
    fire,
    kept,
    key,
    locked_units,
    logged,
    principal,
    public_key,
    role_of,
    seal,
    units,
    versions,
)
from tests.e2e.deployment import (
    AUDITOR,
    EVIDENCE,
    LOGS,
    OPERATOR,
    STORE,
    SUBSCRIBER,
    TRAIL,
    Deployment,
)
from tests.e2e.emulator import wait_until
from tests.e2e.subscriber import Siem
from tests.ocsf_schema import problems

pytestmark = pytest.mark.e2e


WINDOW = ("--from", f"{HOUR:%Y-%m-%dT%H}", "--to", f"{HOUR + timedelta(hours=1):%Y-%m-%dT%H}")


def test_missing_requirements_are_reported_before_deploying(deployed: Deployment) -> None:
    """In unprepared accounts, it shows which stacks go where, and each requirement with its fix."""
    lines = deployed.history["first"].splitlines()
    assert lines[0].startswith("not ready: ")
    assert any("bootstrap" in line and LOGS in line for line in lines if "missing" in line), lines
    assert any(TRAIL.bucket in line for line in lines if "missing" in line), lines
    for stack in deployed.stacks:
        (line,) = [one for one in lines if f" {stack} " in one]
        assert f"{account_of(stack)} {deployed.aws.region}" in line
    assert "nothing was deployed" == lines[-1]


def test_cdk_deploys_through_a_pipe(deployed: Deployment) -> None:
    """`cdk deploy 'nhi-evidence-*' | cat`, with cdk.json: no prompts, and stacks are created."""
    output = deployed.history["failed"]
    printed = [one for one in deployed.stacks if re.search(rf"^\W+{one}$", output, re.MULTILINE)]
    assert printed, output[-3000:]
    assert "(y/n)" not in output


def test_a_first_creation_that_fails_can_be_repeated(deployed: Deployment) -> None:
    """It leaves no name taken and no undeletable stack; `make deploy` succeeds."""
    failed = "nhi-evidence-main-170b2e-export-eu-central-1"
    assert "ROLLBACK" in deployed.history["failed"]
    exporter = f"/aws/lambda/{QUEUE}"
    assert exporter not in deployed.history["left"].split()
    output = deployed.history["deployed"]
    assert f"{failed} was never created; it is deleted and created again" in output
    for stack in deployed.stacks:
        assert re.search(rf"^\W+{stack}( \(no changes\))?$", output, re.MULTILINE), output[-3000:]
    assert exporter in deployed.log_groups().split()
    described = deployed.aws.client("cloudformation", LOGS).describe_stacks(StackName=failed)
    assert described["Stacks"][0]["EnableTerminationProtection"], "it is protected again"


def test_the_repository_synthesizes_through_a_pipe(deployed: Deployment) -> None:
    """With its own cdk.json and bundles, despite the CDK's FORCE_COLOR=0."""
    deployed.synthesize()
    assert {one.name for one in deployed.templates("production")} == {
        one.name for one in deployed.templates("deployed")
    }


def test_the_profile_is_the_only_difference(deployed: Deployment) -> None:
    """The deployed templates are production's, with only the profile's listed changes."""
    production = {one.name: one for one in deployed.templates("production")}
    assert set(production) == {one.name for one in deployed.templates("deployed")}
    for path in deployed.templates("deployed"):
        expected = profile.as_deployed(json.loads(production[path.name].read_text()))
        actual = profile.without_bundles(json.loads(path.read_text()))
        assert _without_metadata(expected) == _without_metadata(actual), path.name
    # An entry nothing needs any more would hide what it takes out later.
    assert deployed.used == profile.entries()


def _without_metadata(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template without CDK's asset metadata."""
    for resource in template["Resources"].values():
        resource.pop("Metadata", None)
    return template


def test_a_delivered_file_becomes_sealed_evidence(deployed: Deployment) -> None:
    """A file in the trail's bucket becomes locked evidence in the other account, and is sealed."""
    stored = [deliver(deployed, number) for number in range(3)]
    expected = {f"{TRAIL.bucket}/{key(at)}@{version}" for at, version in enumerate(stored)}
    wait_until("evidence", lambda: expected <= set(units(deployed)))
    assert sorted(expected) == sorted(units(deployed))
    (epoch,) = seal(deployed)
    assert 1 <= epoch["added"]
    assert [] == epoch["void"]
    assert {} == epoch["flags"]


def test_the_printed_next_steps_work_as_printed(deployed: Deployment) -> None:
    """Fetching the public key with the evidence account's credentials, then the doctor, which sees
    evidence.
    """
    lines = [line.strip() for line in deployed.history["deployed"].splitlines()]
    (keys,) = [line for line in lines if line.startswith(f"{PROGRAM} keys ")]
    doctor_line = lines[-1]
    assert f"with credentials of {EVIDENCE}:" in lines[lines.index(keys) - 1]
    assert 4 == as_printed(deployed, keys, LOGS).returncode, "of the other account it is no key"
    result = as_printed(deployed, keys, EVIDENCE)
    assert 0 == result.returncode, result.stderr
    stored = deployed.folder / keys.rpartition("> ")[2]
    assert public_key(deployed) == stored.read_text()
    looked = as_printed(deployed, f"{doctor_line} --json", LOGS)
    assert 1 == looked.returncode, looked.stderr
    checks = json.loads(looked.stdout)["checks"]
    assert not [check for check in checks if check["what"] == "everything"], "all was reached"
    (newest,) = [check for check in checks if check["what"] == "evidence of aws_cloudtrail"]
    assert "ok" == newest["state"]
    assert newest["observed"].startswith("newest ")


def test_coverage_is_stated_and_canaries_probe(deployed: Deployment) -> None:
    """With roles of the other account: a reading, verdicts, plans for three hours, and calls."""
    covered, probed = fire(deployed, "coverage"), fire(deployed, "canary")
    assert ({"aws"}, []) == (set(covered["readings"]), covered["problems"])
    assert 0 < covered["refused"] < covered["answers"], "the emulator answers some calls"
    assert {LOGS} == {name.partition(" ")[0] for name in probed["planned"]}
    assert not [one for one in probed["unanswered"] if one.startswith(f"{LOGS}: ")]
    assert (3, True) == (len(probed["planned"]), probed["calls"] > 0)
    placed = {one["Key"] for one in deployed.objects("op/v1/")}
    assert {covered["readings"]["aws"], covered["stated"], *probed["planned"].values()} <= placed


def test_a_delivered_file_becomes_lines_in_the_subscribers_queue(deployed: Deployment) -> None:
    """Each kept record once, as valid OCSF, announced by S3, pointing back to the evidence."""
    mine = principal(deployed, SUBSCRIBER.principals[0], "sts:AssumeRole")
    siem = Siem(deployed, mine)
    expected = {(unit, at): record for unit, at, record in kept(deployed)}
    assert len(expected) > 10
    lines: list[dict[str, Any]] = []

    def all_taken() -> bool:
        lines.extend(siem.take())
        return len(lines) >= len(expected)

    wait_until("every line", all_taken)
    for line in lines:
        assert [] == problems(line)
        pointer = line.pop("nhi_evidence")
        assert expected.pop((pointer["stream_uid"], pointer["stream_sequence"])) == line
        body = deployed.aws.client("s3", EVIDENCE).get_object(**addressed(pointer["object_uri"]))
        digest = sha256(body["Body"].read()).hexdigest()
        assert pointer["object_fingerprint"] == {"algorithm_id": 3, "value": digest}
    assert not expected
    assert len(siem.keys) == len(set(siem.keys)), "announced once each"
    with pytest.raises(siem.s3.exceptions.ClientError, match="AccessDenied"):
        siem.s3.get_object(**addressed(pointer["object_uri"]))
    with pytest.raises(siem.s3.exceptions.ClientError, match="AccessDenied"):
        siem.s3.put_object(Bucket=SUBSCRIBER.bucket, Key=siem.keys[0], Body=b"")
    # The same object announced again: nothing is written, so nobody hears of it twice.
    sqs = deployed.aws.client("sqs", EVIDENCE)
    url = sqs.get_queue_url(QueueName=names.forwarder(STORE.id))["QueueUrl"]
    at = addressed(pointer["object_uri"])
    ref = ObjectRef(at["Bucket"], at["Key"], at["VersionId"])
    sqs.send_message(QueueUrl=url, MessageBody=s3_notification.again(ref))
    again = '"created":0'
    forwarded = f"/aws/lambda/{names.forwarder(STORE.id)}"
    wait_until("a repeat", lambda: logged(deployed, again, group=forwarded, account=EVIDENCE))
    assert [] == siem.take()


def test_the_auditor_verifies_from_an_account_of_their_own(deployed: Deployment) -> None:
    """With their own credentials and the external id they can read and check, but not change."""
    mine = principal(deployed, AUDITOR.principals[0], "sts:AssumeRole")
    access = ("--role-arn", role_of(AUDITOR), "--external-id", AUDITOR.external_id)
    (deployed.folder / "log.vkey").write_text(public_key(deployed))
    where = f"s3://{STORE.bucket}"
    checked = deployed.command(
        "verify", where, "--deep", "--key", "log.vkey", *access, "--json", credentials=mine
    )
    assert 0 == checked.returncode, checked.stdout + checked.stderr
    assert 0 < json.loads(checked.stdout)["size"]
    alias = ("--kms-key", LOG_KEY)
    sealing = deployed.command(
        "seal", where, "--name", STORE.log, *alias, *access, credentials=mine
    )
    assert 4 == sealing.returncode, sealing.stdout
    assert "AccessDenied" in sealing.stderr
    without = deployed.command(
        "verify", where, "--key", "log.vkey", "--role-arn", role_of(AUDITOR), credentials=mine
    )
    assert 4 == without.returncode
    assert "AccessDenied" in without.stderr


def test_a_forged_notification_is_refused(deployed: Deployment) -> None:
    """Another bucket or prefix is never read, which is reported, and yields no evidence."""
    sqs = deployed.aws.client("sqs", LOGS)
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    before = versions(deployed)
    s3 = deployed.aws.client("s3", LOGS)
    s3.put_object(Bucket=TRAIL.bucket, Key="elsewhere/x.json.gz", Body=STORY[3].body)
    for forged in (
        ObjectRef("bucket-of-somebody-else", key(3)),
        ObjectRef(TRAIL.bucket, "elsewhere/x.json.gz"),
    ):
        sqs.send_message(QueueUrl=url, MessageBody=s3_notification.again(forged))
    wait_until("two refusals", lambda: len(logged(deployed, '"refused":true')) >= 2)
    assert before == versions(deployed)


def test_replay_lists_sends_and_changes_nothing(deployed: Deployment) -> None:
    """Evidence already locked stays as it is."""
    listed = deployed.command("replay", "aws", *WINDOW, "--dry-run", "--json")
    assert 0 == listed.returncode, listed.stderr
    assert (3, 0) == (json.loads(listed.stdout)["found"], json.loads(listed.stdout)["sent"])
    before = set(units(deployed))
    sent = deployed.command("replay", "aws", *WINDOW, "--json")
    assert 0 == sent.returncode, sent.stderr
    assert 3 == json.loads(sent.stdout)["sent"]
    wait_until("three repeats", lambda: locked_units(deployed) >= 6)
    assert before == set(units(deployed)), "another grouping makes no other unit"


def test_a_file_whose_notification_was_lost_is_found_and_sent(deployed: Deployment) -> None:
    """Replay reads the evidence tables, and sends files without a unit."""
    unit = f"{TRAIL.bucket}/{key(3)}@{deliver(deployed, 3, silently=True)}"
    sent = deployed.command(
        "replay", "aws", *WINDOW, "--only-missing", "--json",
        *("--evidence", f"s3://{STORE.bucket}", "--role-arn", role_of(OPERATOR)),
        *("--external-id", OPERATOR.external_id),
        credentials=principal(
            deployed, OPERATOR.principals[0], "sts:AssumeRole", "s3:List*", "sqs:*"
        ),
    )  # fmt: skip
    assert 0 == sent.returncode, sent.stderr
    (file,) = json.loads(sent.stdout)["files"]
    assert (key(3), "missing") == (file["key"], file["standing"])
    wait_until("its evidence", lambda: unit in units(deployed))


def test_other_bytes_under_a_key_of_evidence_are_flagged(deployed: Deployment) -> None:
    """A key states its body's hash: a version that does not match is sealed as such."""
    deployed.aws.client("s3", EVIDENCE).put_object(
        Bucket=STORE.bucket,
        Key=f"{EVENTS}h={HOUR:%Y%m%d%H}/{'ab' * 32}.ndjson.zst",
        Body=b"other bytes",
        IfNoneMatch="*",
        ChecksumAlgorithm="SHA256",
    )
    (epoch,) = seal(deployed)
    assert {"key_hash": 1} == epoch["flags"]


def test_the_doctor_finds_what_is_wrong(deployed: Deployment) -> None:
    """What the emulator lacks and what is removed is wrong; what cannot be reached is not seen."""
    code, results = doctor(deployed, "evidence", "logs")
    assert 1 == code
    wrong = {what: told for what, told in results.items() if told[0] in WRONG}
    statements = {what: told for what, told in wrong.items() if what not in LACKING}
    assert wrong == LACKING | statements, wrong
    assert {"policy", "policy of alias/nhi-evidence-main-170b2e"} <= set(statements)
    named = {
        sid
        for state, observed in statements.values()
        for sids in re.findall(r"(?:missing|changed): ([^;]+)", observed)
        for sid in sids.split(", ")
        if state == "changed"
    }
    assert {"NotCreateOnly", "NobodyElseSigns"} <= named <= altered(deployed), wrong
    assert {"changed"} == {state for state, _ in statements.values()}, wrong
    s3 = deployed.aws.client("s3", LOGS)
    configuration = s3.get_bucket_notification_configuration(Bucket=TRAIL.bucket)
    configuration.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=TRAIL.bucket, NotificationConfiguration={})
    _, results = doctor(deployed, "logs")
    s3.put_bucket_notification_configuration(
        Bucket=TRAIL.bucket, NotificationConfiguration=configuration
    )
    assert ("changed", "notifies no queue") == results[f"notifications of {TRAIL.bucket}"]
    assert ("unknown", "no credentials for it were given") == results["everything of evidence"]


def test_deploying_again_changes_nothing(deployed: Deployment) -> None:
    """`make deploy` finds everything, changes nothing, and ends with how to see evidence."""
    assert len(deployed.stacks) == deployed.deploy().count("(no changes)")
    output = deployed.make("--yes", "aws")
    assert output.startswith("ready: "), output
    assert len(deployed.stacks) == output.count("(no changes)"), output
    assert f"nhi-evidence doctor --config {deployed.folder}" in output.splitlines()[-1]


def test_destroying_leaves_the_evidence(deployed: Deployment) -> None:
    """The stacks are deleted once unprotected; bucket, lock and log stay."""
    before = versions(deployed)
    cloudformation = {
        account: deployed.aws.client("cloudformation", account) for account in (EVIDENCE, LOGS)
    }
    for stack in deployed.stacks:
        cloudformation[account_of(stack)].update_termination_protection(
            StackName=stack, EnableTerminationProtection=False
        )
    deployed.destroy()
    assert before == versions(deployed)
    name, version = min(before)
    s3 = deployed.aws.client("s3", EVIDENCE)
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=STORE.bucket, Key=name, VersionId=version)
