"""Two configurations in the same accounts and regions: neither touches what the other deployed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nhi_evidence.config import naming, read
from tests.infra.aws.conftest import production
from tests.infra.aws.estate import Estate
from tests.infra.unstaged import unstaged

NAMES = {
    "AWS::ApplicationAutoScaling::ScalableTarget": (),
    "AWS::Budgets::Budget": ("Budget", "BudgetName"),
    "AWS::CloudTrail::Trail": ("TrailName",),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::Events::Rule": ("Name",),
    "AWS::Glue::Database": ("DatabaseInput", "Name"),
    "AWS::IAM::OIDCProvider": ("Url",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::Logs::ResourcePolicy": ("PolicyName",),
    "AWS::Organizations::Policy": ("Name",),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::SQS::Queue": ("QueueName",),
    "AWS::Athena::WorkGroup": ("Name",),
}
"""By type, where a resource's own name is; two of one name cannot both exist."""

ONE_EACH = {"AWS::IAM::OIDCProvider"}
"""Types of which AWS has one in each account for what it stands for, here an Entra tenant. The
second configuration says that they exist."""


def second() -> str:
    """Return the production configuration for a second log, as somebody would copy it."""
    text = production()
    for name in sorted(set(re.findall(r'(?:bucket|results) = "([^"]+)"', text))):
        text = text.replace(f'"{name}"', f'"{name}-2"')
    text = text.replace('# aws_provider = "existing"', 'aws_provider = "existing"')
    assert 'provider = "new"' in text
    text = text.replace('provider = "new"', 'provider = "existing"')
    return text.replace('log = "example.org/evidence"', 'log = "example.org/second"')


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """The second configuration's stacks."""
    from infra.aws.application import compose  # noqa: I001, PLC0415 - starts jsii
    import aws_cdk as cdk  # noqa: PLC0415

    out = tmp_path_factory.mktemp("second")
    app = cdk.App(outdir=str(out / "cdk.out"), analytics_reporting=False)
    compose(app, read(second()), staged=unstaged(out / "functions"))
    app.synth()
    return Estate(Path(out / "cdk.out"))


def names(estate: Estate) -> Iterator[tuple[str, str]]:
    """Yield the type and name of every resource that is named."""
    for resource in estate.resources:
        value = resource.properties
        for key in NAMES.get(resource.kind, ()):
            value = value.get(key, {})
        if isinstance(value, str):
            yield resource.kind, value


def test_no_stack_of_one_configuration_is_a_stack_of_another(estate: Estate, other: Estate) -> None:
    """CloudFormation would update it: the first configuration's exporters would be gone."""
    assert set() == set(estate.templates) & set(other.templates)
    assert len(estate.templates) == len(other.templates)


def test_no_name_is_used_twice(estate: Estate, other: Estate) -> None:
    """Roles, queues, alarms, budgets, topics: each configuration has its own."""
    mine = set(names(estate))
    assert {kind for kind, place in NAMES.items() if place} <= {kind for kind, _ in mine} | {
        "AWS::CloudWatch::CompositeAlarm"
    }
    others = set(names(other))
    assert set() == mine & others
    assert ONE_EACH == {kind for kind, _ in mine} - {kind for kind, _ in others}


def test_every_name_says_which_deployment_it_belongs_to(estate: Estate) -> None:
    """The deployment id is readable: the bucket's name in the configuration, and a mark."""
    known = {name for kind, name in names(estate) if kind not in {"AWS::S3::Bucket", *ONE_EACH}}
    assert set() == {name for name in known if "main-170b2e" not in name.replace("_", "-")}


def test_no_name_of_the_other_is_in_a_template(estate: Estate, other: Estate) -> None:
    """A policy, an alarm or a trust that names the other's resources would be found here."""
    assert "main-170b2e" not in json.dumps(other.templates).replace("_", "-")
    assert naming.deployment("main", "example.org/second") not in json.dumps(estate.templates)
