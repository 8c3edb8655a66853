"""What is done to a deployed estate, and what is asked of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from infra.deploy.running import PROGRAM
from nhi_evidence.checks import WRONG
from nhi_evidence.config import naming as names
from nhi_evidence.config import readers
from nhi_evidence.demo.story import generate
from nhi_evidence.evidence import objects
from nhi_evidence.terminal.doctor_report import SCHEMA
from tests.e2e import profile
from tests.e2e.deployment import (
    EVIDENCE,
    LOGS,
    PREFIX,
    STORE,
    SUBSCRIBER,
    TRAIL,
    Deployment,
)

STORY = generate()


HOUR = datetime.now(UTC) - timedelta(hours=1)
"""Files are of the last hour: those of older hours are sealed when their hour is due."""


FOLDER = f"{PREFIX}111122223333/CloudTrail/eu-central-1/{HOUR:%Y/%m/%d}/"


NAME = f"111122223333_CloudTrail_eu-central-1_{HOUR:%Y%m%dT%H}{{:02}}Z_{{}}.json.gz"


QUEUE = names.exporter(STORE.id, "aws_cloudtrail", TRAIL.name)


SEALER = names.function(STORE.id, "sealer")


LOG_KEY = f"alias/nhi-evidence-{STORE.id}"


EVENTS = "ev/v1/aws_cloudtrail/"


def deliver(deployed: Deployment, number: int, *, silently: bool = False) -> str:
    """Put one file of the story where the trail would; return its version."""
    s3 = deployed.aws.client("s3", LOGS)
    notify = s3.get_bucket_notification_configuration(Bucket=TRAIL.bucket)
    existing = {name: value for name, value in notify.items() if name != "ResponseMetadata"}
    if silently:
        s3.put_bucket_notification_configuration(Bucket=TRAIL.bucket, NotificationConfiguration={})
    stored = s3.put_object(Bucket=TRAIL.bucket, Key=key(number), Body=STORY[number].body)
    s3.put_bucket_notification_configuration(
        Bucket=TRAIL.bucket, NotificationConfiguration=existing
    )
    return str(stored["VersionId"])


def key(number: int) -> str:
    return FOLDER + NAME.format(number, "AbCdEfGhIjKlMnOp")


def seal(deployed: Deployment) -> Any:
    """Run the sealer once, as its schedule would."""
    answer = deployed.aws.client("lambda", EVIDENCE).invoke(FunctionName=SEALER, Payload=b"{}")
    payload = answer["Payload"].read()
    assert "FunctionError" not in answer, payload
    return json.loads(payload)


def fire(deployed: Deployment, function: str) -> Any:
    """Run a function of the evidence account once, as its schedule would."""
    name = names.function(STORE.id, function)
    answer = deployed.aws.client("lambda", EVIDENCE).invoke(FunctionName=name, Payload=b"{}")
    payload = answer["Payload"].read()
    assert "FunctionError" not in answer, payload
    return json.loads(payload)


def account_of(stack: str) -> str:
    """Return the account a stack of this deployment goes to."""
    return LOGS if "export" in stack or stack.endswith(LOGS) else EVIDENCE


def units(deployed: Deployment) -> list[str]:
    """Names of the units in the evidence, as often as they are there."""
    s3 = deployed.aws.client("s3", EVIDENCE)
    return [
        line.unit
        for stored in deployed.objects(EVENTS)
        for line in objects.read_object(
            s3.get_object(Bucket=STORE.bucket, Key=stored["Key"])["Body"].read()
        )[0].units
    ]


def kept(deployed: Deployment) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield unit, index and normalized form of every kept record of the evidence."""
    s3 = deployed.aws.client("s3", EVIDENCE)
    for stored in deployed.objects(EVENTS):
        body = s3.get_object(Bucket=STORE.bucket, Key=stored["Key"])["Body"].read()
        for unit, own in objects.lines_of(*objects.read_object(body)):
            for line in map(json.loads, own):
                if "n" in line:
                    yield unit.unit, line["i"], line["n"]


def addressed(uri: str) -> dict[str, str]:
    """Return what `get_object` takes for the place a line names."""
    place = urlsplit(uri)
    version = parse_qs(place.query)["versionId"][0]
    return {"Bucket": place.netloc, "Key": place.path[1:], "VersionId": version}


def role_of(auditor: readers.Auditor) -> str:
    return f"arn:aws:iam::{EVIDENCE}:role/{names.auditor(STORE.id, auditor.name)}"


def principal(deployed: Deployment, arn: str, *actions: str) -> dict[str, str]:
    """Make the principal somebody is named by, in their account; return its credentials."""
    account, name = arn.split(":")[4], arn.rsplit("/", 1)[1]
    iam = deployed.aws.client("iam", account)
    trust = {"Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
    allowed = policy({"Action": list(actions), "Resource": "*"})
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=allowed)
    return deployed.aws.credentials(arn, account)


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def public_key(deployed: Deployment) -> str:
    """Return the verifier key of the log, as its owner shows it."""
    result = deployed.command(
        "keys", "--name", STORE.log, "--kms-key", LOG_KEY,
        credentials={"AWS_ACCESS_KEY_ID": EVIDENCE},
    )  # fmt: skip
    assert 0 == result.returncode, result.stderr
    return result.stdout


def locked_units(deployed: Deployment) -> int:
    """How many units the exporter logged as locked, whether they were there or not."""
    return sum(
        json.loads(line)["object"]["units"] for line in logged(deployed, '"message":"locked"')
    )


def versions(deployed: Deployment) -> set[tuple[str, str]]:
    return {(one["Key"], one["VersionId"]) for one in deployed.objects("")}


def logged(
    deployed: Deployment,
    *words: str,
    group: str = f"/aws/lambda/{QUEUE}",
    account: str = LOGS,
) -> list[str]:
    """Return what a function logged that holds all of these words, without its spaces."""
    logs = deployed.aws.client("logs", account)
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    lines = [one["message"].replace(" ", "") for page in pages for one in page["events"]]
    return [line for line in lines if all(word in line for word in words)]


def as_printed(deployed: Deployment, line: str, account: str) -> subprocess.CompletedProcess[str]:
    """Run a line that `make deploy` printed, by a shell, with one account's credentials alone.

    No region is chosen. Of each account of the deployment there is a profile, named as the line
    has it.
    """
    program = Path(sys.executable).with_name("nhi-evidence")
    environment = deployed.aws.environment(account)
    del environment["AWS_REGION"], environment["AWS_DEFAULT_REGION"]
    file = _profiles(deployed, {"EVIDENCE": EVIDENCE, "LOG-ARCHIVE": LOGS})
    return subprocess.run(
        ["/bin/sh", "-c", line.replace(PROGRAM, str(program))],
        cwd=deployed.folder,
        env=environment | {"AWS_SHARED_CREDENTIALS_FILE": str(file)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _profiles(deployed: Deployment, accounts: dict[str, str]) -> Path:
    file = deployed.folder / "credentials"
    file.write_text(
        "".join(
            f"[{name}]\naws_access_key_id = {account}\naws_secret_access_key = test\n"
            for name, account in accounts.items()
        )
    )
    return file


def doctor(deployed: Deployment, *profiles: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Run the doctor with credentials of these accounts; return what each check came to."""
    file = _profiles(deployed, {"evidence": EVIDENCE, "logs": LOGS})
    chosen = [part for name in profiles for part in ("--profile", name)]
    environment = {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
    done = deployed.command("doctor", *chosen, "--json", credentials=environment)
    assert done.returncode in {0, 1}, done.stderr
    report = json.loads(done.stdout)
    assert SCHEMA == report["schema"]
    checks = report["checks"]
    assert all(check["remediation"] for check in checks if check["state"] in WRONG)
    named = {_named(one): (one["state"], one["observed"]) for one in checks}
    return done.returncode, named


def _named(check: dict[str, str]) -> str:
    """What a check is about, with whose it is where another account or bucket has the same."""
    account, *rest = check["scope"].split()
    if check["what"] == "everything":
        return f"everything of {account}"
    of_lines = rest[-1:] == [SUBSCRIBER.bucket]
    return f"{check['what']} of {SUBSCRIBER.bucket}" if of_lines else check["what"]


LACKING = {
    "lifecycle": ("not deployed", "NoSuchLifecycleConfiguration"),  # the emulator makes none
    f"lifecycle of {SUBSCRIBER.bucket}": ("not deployed", "NoSuchLifecycleConfiguration"),
    "alarms of eu-central-1": ("failed", "there are none"),
    "identity provider of tenant 11111111-2222-3333-4444-555555555555": (
        "not deployed",
        "NoSuchEntity",
    ),
    "evidence of gcp_audit": ("failed", "none"),
    "evidence of azure_monitor": ("failed", "none"),
    f"trail into {TRAIL.bucket}": ("failed", "without the organization, log-file validation"),
    f"trail into {TRAIL.bucket}, logging": ("failed", "stopped"),
}
"""What the doctor finds of the emulator, beside statements that the profile puts otherwise."""


def altered(deployed: Deployment) -> set[str]:
    """Return the Sids of statements that the profile takes out or puts otherwise."""

    def statements(which: str) -> set[tuple[str, str]]:
        return {
            (statement["Sid"], json.dumps(statement, sort_keys=True))
            for path in deployed.templates(which)
            for listed in profile.statement_lists(json.loads(path.read_text()))
            for statement in listed
            if "Sid" in statement
        }

    return {sid for sid, _ in statements("production") - statements("deployed")}
