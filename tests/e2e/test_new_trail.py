"""A trail of `kind = "new"`, as far as the emulator can: its bucket, its exporter, the trail.

The CDK deploys the export stack in a separate region. The emulator's CloudFormation has no trails,
so the trail is created by the calls CloudFormation would make, in the management account and in its
order: create, selectors, start.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from nhi_evidence import config
from nhi_evidence.config import naming
from tests.e2e.configuration import TEXT
from tests.e2e.deployment import LOGS, Deployment
from tests.e2e.emulator import Emulator, wait_until

pytestmark = pytest.mark.e2e

REGION, MANAGEMENT = "eu-west-1", "999988887777"
NEW = f"""
[[trails]]
name = "fresh"
kind = "new"
bucket = "fresh-trail-{LOGS}"
region = "{REGION}"
data_events = ["AWS::S3::Object"]
keep_days = 90

[[sources]]
source = "aws_cloudtrail"
evidence = "main"
trail = "fresh"
keep_out_of_scope_raw = false

[gcp]"""
FRESH = TEXT.replace("# management_account", "management_account").replace("[gcp]", NEW, 1)
TRAIL = config.read(FRESH).trail("fresh")
EXPORTER = naming.exporter("main-170b2e", "aws_cloudtrail", TRAIL.name)
EXPORT, TRAIL_STACK = (
    f"nhi-evidence-main-170b2e-export-{REGION}",
    f"nhi-evidence-main-170b2e-trail-{TRAIL.name}",
)


@pytest.fixture(scope="module")
def fresh(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The new trail's bucket and exporter, deployed before the trail is created."""
    deployment = Deployment(aws, tmp_path_factory.mktemp("fresh"))
    deployment.prepare(FRESH)
    deployment.make("bootstrap")
    chosen = f"{EXPORT} --exclusively -c config={deployment.folder / 'nhi-evidence.toml'}"
    deployment.history["deployed"] = deployment.piped(f"deploy {chosen}")
    return deployment


def template(fresh: Deployment, stack: str) -> dict[str, Any]:
    """Return a synthesized production template."""
    document: dict[str, Any] = json.loads(
        (fresh.folder / "production" / f"{stack}.template.json").read_text()
    )
    return document


@pytest.fixture(scope="module")
def properties(fresh: Deployment) -> dict[str, Any]:
    """Return the trail's CloudFormation properties in production's stack."""
    fresh.synthesize()
    ((resource),) = template(fresh, TRAIL_STACK)["Resources"].values()
    assert resource["Type"] == "AWS::CloudTrail::Trail"
    request: dict[str, Any] = resource["Properties"]
    return request


def test_the_trail_is_created_in_the_management_account_after_its_bucket(
    fresh: Deployment, properties: dict[str, Any]
) -> None:
    """CloudTrail tests the bucket before it accepts it, so the stack waits for the bucket's."""
    manifest = json.loads((fresh.folder / "production" / "manifest.json").read_text())
    stack = manifest["artifacts"][TRAIL_STACK]
    assert f"aws://{MANAGEMENT}/{REGION}" == stack["environment"]
    assert EXPORT in stack["dependencies"]
    assert TRAIL.bucket == properties["S3BucketName"]
    fresh.aws.client("s3", LOGS).head_bucket(Bucket=TRAIL.bucket)
    policy = json.loads(
        fresh.aws.client("s3", LOGS).get_bucket_policy(Bucket=TRAIL.bucket)["Policy"]
    )
    arn = naming.trail_arn(REGION, MANAGEMENT, naming.trail("main-170b2e", TRAIL.name))
    writes = [one for one in policy["Statement"] if "cloudtrail.amazonaws.com" in str(one)]
    assert writes
    assert all(arn in json.dumps(one) for one in writes), "no other trail may write there"


def test_cloudtrail_accepts_what_the_stack_states(
    fresh: Deployment, properties: dict[str, Any]
) -> None:
    """It is created, given selectors and started, by name, in the account that owns it."""
    cloudtrail = fresh.aws.client("cloudtrail", MANAGEMENT, REGION)
    name = properties["TrailName"]
    cloudtrail.create_trail(
        Name=name,
        S3BucketName=properties["S3BucketName"],
        IncludeGlobalServiceEvents=properties["IncludeGlobalServiceEvents"],
        IsMultiRegionTrail=properties["IsMultiRegionTrail"],
        IsOrganizationTrail=properties["IsOrganizationTrail"],
        EnableLogFileValidation=properties["EnableLogFileValidation"],
    )
    selectors = properties["AdvancedEventSelectors"]
    cloudtrail.put_event_selectors(TrailName=name, AdvancedEventSelectors=selectors)
    assert properties["IsLogging"] is True
    cloudtrail.start_logging(Name=name)
    (trail,) = cloudtrail.describe_trails(trailNameList=[name])["trailList"]
    assert (
        naming.trail_arn(REGION, MANAGEMENT, naming.trail("main-170b2e", TRAIL.name))
        == trail["TrailARN"]
    )
    for setting in ("IsMultiRegionTrail", "IsOrganizationTrail", "LogFileValidationEnabled"):
        assert trail[setting] is True, setting
    assert cloudtrail.get_trail_status(Name=name)["IsLogging"] is True
    kept = cloudtrail.get_event_selectors(TrailName=name)["AdvancedEventSelectors"]
    assert [one["Name"] for one in selectors] == [one["Name"] for one in kept]


def test_a_trail_is_not_found_by_name_from_another_account(
    fresh: Deployment, properties: dict[str, Any]
) -> None:
    """That is why it is not created in the log archive: CloudFormation starts it by name (decision
    50).
    """
    elsewhere = fresh.aws.client("cloudtrail", LOGS, REGION)
    with pytest.raises(elsewhere.exceptions.TrailNotFoundException):
        elsewhere.start_logging(Name=properties["TrailName"])


def test_a_file_of_the_trail_reaches_its_exporter(fresh: Deployment) -> None:
    """The bucket notifies the queue, and the queue the function, whose log has the attempt."""
    folder = f"{TRAIL.prefix}AWSLogs/o-exampleorg1/{LOGS}/CloudTrail/{REGION}/2026/03/02"
    name = f"{LOGS}_CloudTrail_{REGION}_20260302T0800Z_AbCdEfGhIjKlMnOp.json.gz"
    fresh.aws.client("s3", LOGS).put_object(
        Bucket=TRAIL.bucket, Key=f"{folder}/{name}", Body=b"no file of CloudTrail's"
    )
    logs = fresh.aws.client("logs", LOGS, REGION)
    group = naming.log_group(EXPORTER)

    def has_tried() -> bool:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return any(name in one["message"] for page in pages for one in page["events"])

    wait_until("the exporter's attempt", has_tried)
