"""What `make deploy` shows and checks before deploying, by AWS's answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import EndpointConnectionError

from infra.deploy import organization_requirements, stack_requirements
from infra.deploy.assembly import Stack, stacks
from infra.deploy.requirement import Requirement, Standing, verdict
from infra.deploy.rolled_back import release
from nhi_evidence.config import Config, read
from nhi_evidence.errors import EvidenceError
from tests.infra.aws.conftest import production
from tests.infra.aws.deploy_answers import Answers, Reached, refused, stack
from tests.infra.aws.estate import ARCHIVE, EVIDENCE, MANAGEMENT, REPLICA
from tests.infra.aws.test_role_trusts import ISSUER


def test_every_stack_names_its_place_and_follows_its_dependencies(assembly: Path) -> None:
    """With account and region; a replica precedes its bucket, a trail follows its bucket."""
    every = stacks(assembly)
    places = {one.name: (one.account, one.region) for one in every}
    assert {
        "nhi-evidence-main-170b2e": (EVIDENCE, "eu-central-1"),
        "nhi-evidence-main-170b2e-replica": (REPLICA, "eu-west-1"),
        "nhi-evidence-main-170b2e-seal": (EVIDENCE, "eu-central-1"),
        "nhi-evidence-main-170b2e-reconcile": (EVIDENCE, "eu-central-1"),
        "nhi-evidence-main-170b2e-coverage": (EVIDENCE, "eu-central-1"),
        "nhi-evidence-main-170b2e-canary": (EVIDENCE, "eu-central-1"),
        "nhi-evidence-main-170b2e-canary-333344445555": ("333344445555", "eu-central-1"),
        "nhi-evidence-main-170b2e-athena": (EVIDENCE, "eu-central-1"),
        "nhi-evidence-main-170b2e-forward": (EVIDENCE, "eu-central-1"),
        f"nhi-evidence-main-170b2e-settings-{MANAGEMENT}": (MANAGEMENT, "eu-central-1"),
        "nhi-evidence-main-170b2e-settings-333344445555": ("333344445555", "eu-central-1"),
        "nhi-evidence-main-170b2e-eu-central-1-monitoring": (EVIDENCE, "eu-central-1"),
        "nhi-evidence-main-170b2e-eu-west-1-monitoring": (EVIDENCE, "eu-west-1"),
        "nhi-evidence-main-170b2e-export-eu-central-1": (ARCHIVE, "eu-central-1"),
        "nhi-evidence-main-170b2e-export-eu-central-1-monitoring": (ARCHIVE, "eu-central-1"),
        "nhi-evidence-main-170b2e-export-us-east-1": (ARCHIVE, "us-east-1"),
        "nhi-evidence-main-170b2e-export-us-east-1-monitoring": (ARCHIVE, "us-east-1"),
        "nhi-evidence-main-170b2e-trail-fresh": (MANAGEMENT, "us-east-1"),
        "nhi-evidence-main-170b2e-guardrails": (MANAGEMENT, "us-east-1"),
    } == places
    order = [one.name for one in every]
    for first, then in (
        ("nhi-evidence-main-170b2e-replica", "nhi-evidence-main-170b2e"),
        ("nhi-evidence-main-170b2e", "nhi-evidence-main-170b2e-seal"),
        ("nhi-evidence-main-170b2e-export-us-east-1", "nhi-evidence-main-170b2e-trail-fresh"),
    ):
        assert order.index(first) < order.index(then)
    assert all(one.meaning for one in every)
    (main,) = [one for one in every if one.name == "nhi-evidence-main-170b2e"]
    assert {
        ("AWS::S3::Bucket", "nhi-evidence-222233334444"),
        ("AWS::IAM::OIDCProvider", f"https://{ISSUER}"),
    } == set(main.retained)


def of_stacks(answers: Answers, *to_deploy: Stack) -> list[tuple[Standing, str]]:
    requirements = stack_requirements.requirements(Reached(answers), to_deploy or (stack(),))
    return [(one.standing, one.text) for one in requirements]


def test_an_account_that_is_not_bootstrapped_is_named_with_what_to_do() -> None:
    """Once per account and region, however many stacks go there."""
    answers = Answers(get_parameter=refused("ParameterNotFound"))
    ((standing, text),) = of_stacks(answers, stack(), stack("nhi-evidence-main-170b2e-seal"))
    assert Standing.MISSING is standing
    wanted = "make bootstrap, or cdk bootstrap aws://222233334444/eu-central-1"
    assert f"not bootstrapped: {wanted}" == text
    old = Answers(get_parameter={"Parameter": {"Value": "5"}})
    assert [(Standing.MISSING, f"bootstrapped with version 5, not 6: {wanted}")] == of_stacks(old)
    new = Answers(get_parameter={"Parameter": {"Value": "30"}})
    assert [(Standing.OK, "bootstrapped, version 30")] == of_stacks(new)


@pytest.mark.parametrize(
    "answer", [refused("AccessDenied"), EndpointConnectionError(endpoint_url="x")]
)
def test_what_cannot_be_checked_is_reported_and_stops_nothing(answer: Exception) -> None:
    """Not checked is neither ok nor missing."""
    ((standing, text),) = of_stacks(Answers(get_parameter=answer))
    assert Standing.UNSEEN is standing
    assert text.startswith("whether it is bootstrapped (")
    closed = stack_requirements.requirements(Reached(None), [stack()])
    assert [Standing.UNSEEN] == [one.standing for one in closed]


BUCKET = stack(retained=(("AWS::S3::Bucket", "nhi-evidence-222233334444"),))


GONE = refused("ValidationError")


LEFT = (
    "nhi-evidence-222233334444 is left over from a deleted stack: "
    "cdk import nhi-evidence-main-170b2e, or choose another name"
)


TAKEN = "the bucket name nhi-evidence-222233334444 is taken by somebody else: choose another"


@pytest.mark.parametrize(
    ("stack_answer", "bucket_answer", "missing"),
    [
        (GONE, refused("404"), []),
        (
            GONE,
            {},
            [LEFT],
        ),
        (
            GONE,
            refused("403"),
            ["the bucket name nhi-evidence-222233334444 is taken by somebody else: choose another"],
        ),
        ({"Stacks": [{"StackStatus": "CREATE_COMPLETE"}]}, {}, []),
        ({"Stacks": [{"StackStatus": "ROLLBACK_COMPLETE"}]}, refused("404"), []),
    ],
)
def test_a_taken_name_is_found_before_deploying(
    stack_answer: Any, bucket_answer: Any, missing: list[str]
) -> None:
    """What an earlier stack retained is to be imported; a name taken by others, changed."""
    answers = Answers(
        get_parameter={"Parameter": {"Value": "30"}},
        describe_stacks=stack_answer,
        head_bucket=bucket_answer,
    )
    requirements = of_stacks(answers, BUCKET)
    assert missing == [text for standing, text in requirements if standing is Standing.MISSING]


@pytest.mark.parametrize(
    "fault", [refused("Throttling"), EndpointConnectionError(endpoint_url="x")]
)
def test_a_name_that_cannot_be_checked_is_not_called_free(fault: Exception) -> None:
    """Neither a bucket's, nor any if the stack cannot be seen; and it does not crash."""
    known = {"get_parameter": {"Parameter": {"Value": "30"}}}
    bucket = Answers(**known, describe_stacks=GONE, head_bucket=fault)
    (_, (standing, text)) = of_stacks(bucket, BUCKET)
    assert Standing.UNSEEN is standing
    assert text.startswith("whether nhi-evidence-222233334444 is free (")
    (_, (standing, text)) = of_stacks(Answers(**known, describe_stacks=fault), BUCKET)
    assert Standing.UNSEEN is standing
    assert text.startswith("whether nhi-evidence-main-170b2e exists (")


def test_leftover_log_groups_trails_and_queues_are_found() -> None:
    """These are the other types that outlive a stack under a fixed name."""
    group, trail = "/aws/lambda/nhi-evidence-main-170b2e-sealer", "nhi-evidence-main-170b2e-fresh"
    queue = "nhi-evidence-main-170b2e-okta_system-sender-acme-dead"
    left = stack(
        retained=(
            ("AWS::Logs::LogGroup", group),
            ("AWS::CloudTrail::Trail", trail),
            ("AWS::SQS::Queue", queue),
        )
    )
    answers = Answers(
        get_parameter={"Parameter": {"Value": "30"}},
        describe_stacks=GONE,
        describe_log_groups={"logGroups": [{"logGroupName": group}]},
        get_trail={},
        get_queue_url={"QueueUrl": "https://sqs.eu-central-1.amazonaws.com/1/q"},
    )
    missing = [text for standing, text in of_stacks(answers, left) if standing is Standing.MISSING]
    assert [group, trail, queue] == [text.split()[0] for text in missing]


@pytest.mark.parametrize("answer", [{}, refused("NoSuchEntity")])
def test_a_provider_the_account_has_already_is_to_be_used(answer: Any) -> None:
    """It is left of a stack, or another deployment's; creating it again would be refused."""
    left = stack(retained=(("AWS::IAM::OIDCProvider", f"https://{ISSUER}"),))
    answers = Answers(
        get_parameter={"Parameter": {"Value": "30"}},
        describe_stacks=GONE,
        get_open_id_connect_provider=answer,
    )
    missing = [text for standing, text in of_stacks(answers, left) if standing is Standing.MISSING]
    assert bool(missing) == (answer == {})
    assert all('write aws_provider = "existing" in [azure]' in text for text in missing)
    arn = f"arn:aws:iam::{EVIDENCE}:oidc-provider/{ISSUER}"
    request = {"OpenIDConnectProviderArn": arn}
    assert ("get_open_id_connect_provider", request) in answers.asked


class Deployer(Reached):
    """Access that may also change stacks."""

    def deployer(self, service: str, stack: Stack) -> Any:
        """Return the one client."""
        return self.client(service, stack)


@pytest.mark.parametrize(
    ("status", "protected", "released"),
    [
        ("ROLLBACK_COMPLETE", True, True),
        ("ROLLBACK_FAILED", True, True),
        ("ROLLBACK_COMPLETE", False, False),
        ("CREATE_COMPLETE", True, False),
        ("UPDATE_ROLLBACK_COMPLETE", True, False),
    ],
)
def test_only_a_stack_that_was_never_created_loses_its_protection(
    status: str, protected: bool, released: bool
) -> None:
    """A created stack keeps it, whatever happened to its last change."""
    described = {"StackStatus": status, "EnableTerminationProtection": protected}
    answers = Answers(describe_stacks={"Stacks": [described]}, update_termination_protection={})
    release(Deployer(answers), [stack()])
    changes = [asked for name, asked in answers.asked if name != "describe_stacks"]
    wanted = {"StackName": "nhi-evidence-main-170b2e", "EnableTerminationProtection": False}
    assert ([wanted] if released else []) == changes


def test_a_missing_stack_is_created_directly() -> None:
    """A stack that cannot be read is an error that names it."""
    release(Deployer(Answers(describe_stacks=GONE)), [stack()])
    with pytest.raises(EvidenceError, match="nhi-evidence-main-170b2e"):
        release(Deployer(Answers(describe_stacks=refused("Throttling"))), [stack()])


MANAGED = stack("nhi-evidence-main-170b2e-guardrails", MANAGEMENT, region="us-east-1")


def of_organization(config: Config, **answers: Any) -> dict[str, Standing]:
    known = {
        "describe_organization": {"Organization": {"Id": "o-exampleorg1"}},
        "list_aws_service_access_for_organization": {
            "EnabledServicePrincipals": [{"ServicePrincipal": "cloudtrail.amazonaws.com"}]
        },
        "list_roots": {
            "Roots": [
                {
                    "Id": "r-1",
                    "PolicyTypes": [
                        {"Type": one, "Status": "ENABLED"}
                        for one in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
                    ],
                }
            ]
        },
    }
    reached = Reached(Answers(**{**known, **answers}))
    requirements = organization_requirements.requirements(reached, config, [MANAGED])
    return {one.text: one.standing for one in requirements}


def test_a_correct_organization_passes() -> None:
    """It is the configured one, trusts CloudTrail, and has both policy types enabled."""
    standings = of_organization(read(production()))
    assert {Standing.OK} == set(standings.values())
    assert 3 == len(standings)


def test_organization_problems_are_reported_with_the_command() -> None:
    """Each in one line with its fix."""
    standings = of_organization(
        read(production()),
        describe_organization={"Organization": {"Id": "o-another0000"}},
        list_aws_service_access_for_organization={"EnabledServicePrincipals": []},
        list_roots={"Roots": [{"Id": "r-1", "PolicyTypes": []}]},
    )
    assert {Standing.MISSING} == set(standings.values())
    organization, trust, types = standings
    assert 'id = "o-another0000"' in organization
    assert "enable-aws-service-access --service-principal cloudtrail.amazonaws.com" in trust
    assert "--root-id r-1 --policy-type RESOURCE_CONTROL_POLICY" in types
    assert all("\n" not in text for text in standings)


def test_an_account_outside_every_organization_is_missing_and_not_unseen() -> None:
    """AWS has a code of its own for that."""
    outside = refused("AWSOrganizationsNotInUseException")
    standings = of_organization(read(production()), describe_organization=outside)
    assert Standing.MISSING is standings[f"{MANAGEMENT} is in no organization"]


def test_the_root_may_be_on_a_later_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS may answer with an empty page and a token for the next."""

    class Paged:
        def paginate(self) -> list[Any]:
            return [{"Roots": []}, {"Roots": [{"Id": "r-1", "PolicyTypes": []}]}]

    one_page = Answers.get_paginator
    monkeypatch.setattr(
        Answers,
        "get_paginator",
        lambda self, name: Paged() if name == "list_roots" else one_page(self, name),
    )
    texts = of_organization(read(production()))
    assert any("--root-id r-1 --policy-type RESOURCE_CONTROL_POLICY" in text for text in texts)


def test_guardrails_before_the_web_identities_are_known_are_noted() -> None:
    """They then admit none, and have to be deployed again."""
    config = read(production().replace("service_account_id", "# service_account_id"))
    (text,) = [text for text, one in of_organization(config).items() if one is Standing.NOTE]
    assert text.startswith("[gcp] has no service_account_id yet")


def test_the_verdict_covers_all_requirements() -> None:
    """Anything missing means not ready; what was not checked is counted, but never as ok."""

    def of(*standings: Standing) -> str:
        return verdict(Requirement("x", one, "y") for one in standings)

    assert "ready: 2 ok, 1 not checked" == of(Standing.OK, Standing.OK, Standing.UNSEEN)
    assert "not ready: 1 ok, 1 missing" == of(Standing.OK, Standing.MISSING)
    assert "ready: nothing to check" == of()
    assert "x: y" in str(Requirement("x", Standing.NOTE, "y"))
    assert msgspec.json.encode(Requirement("x", Standing.NOTE, "y"))
