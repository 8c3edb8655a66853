"""Other estates: each is synthesized, linted, and as the doctor expects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nhi_evidence.checks import State
from nhi_evidence.config import read
from tests.infra.aws.conftest import EXAMPLE, NEW_TRAIL
from tests.infra.aws.deployed import Deployed
from tests.infra.aws.linting import complaints
from tests.infra.aws.test_app import synthesized
from tests.infra.aws.test_doctor import deviations

TOPICS = (
    'topics = ["arn:aws:sns:eu-central-1:111122223333:alarms", '
    '"arn:aws:sns:us-east-1:111122223333:alarms"]'
)


def without(text: str, source: str, begin: str, end: str) -> str:
    """Return a configuration without a cloud's source and table."""
    at = text.index(f'[[sources]]\nsource = "{source}"')
    text = text[:at] + text[text.index("\n\n", at) + 2 :]
    return text[: text.index(begin)] + text[text.index(end) :]


def no_google(text: str = EXAMPLE) -> str:
    return without(text, "gcp_audit", "[gcp]", "[azure]")


def no_azure(text: str = EXAMPLE) -> str:
    return without(text, "azure_monitor", "[azure]", "# Who may read")


def two_regions() -> str:
    trail = NEW_TRAIL.replace('kind = "new"', 'kind = "existing"').replace(
        'data_events = ["AWS::S3::Object", "AWS::Lambda::Function"]\n', ""
    )
    return EXAMPLE.replace("[gcp]", f"{trail}\n[gcp]", 1)


def topics_only() -> str:
    text = no_azure(no_google(two_regions()))
    return text.replace('email = "security@example.org"', TOPICS, 1)


def commented(text: str, *names: str) -> str:
    """Return a configuration with the lines that begin like this uncommented."""
    for name in names:
        assert f"# {name}" in text, name
        text = text.replace(f"# {name}", name, 1)
    return text


def replicated() -> str:
    return commented(
        EXAMPLE, "[evidence.buckets.replica]", 'account = "5555', 'region = "eu-west-1"',
        'bucket = "nhi-evidence-replica',
    )  # fmt: skip


def guarded() -> str:
    return commented(
        EXAMPLE, "management_account", "[guardrails]", "targets", "pipeline_roles",
        "pipeline_principals",
    )  # fmt: skip


def provided() -> str:
    return commented(EXAMPLE, 'aws_provider = "existing"')


VARIANTS = {
    "two regions": (two_regions(), {"nhi-evidence-main-170b2e-export-us-east-1"}, set()),
    "a replica": (replicated(), {"nhi-evidence-main-170b2e-replica"}, set()),
    "guardrails": (guarded(), {"nhi-evidence-main-170b2e-guardrails"}, set()),
    "no Google Cloud": (no_google(), set(), {"gcp_audit", "accounts.google.com"}),
    "no Azure": (no_azure(), set(), {"azure_monitor", "sts.windows.net", "OIDCProvider"}),
    "no provider": (provided(), set(), {"OIDCProvider"}),
    "topics only": (topics_only(), set(), {'AWS::SNS::Topic"', "security@example.org"}),
}
"""Name to configuration, stacks beyond the example's, and strings that no template contains."""


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_has_its_stacks_and_passes_the_doctor(name: str, tmp_path: Path) -> None:
    """Its stacks exist, nothing it leaves out does, and the doctor agrees."""
    text, more, never = VARIANTS[name]
    estate = synthesized(text, tmp_path)
    assert more <= set(estate.templates)
    written = json.dumps(estate.templates)
    assert [] == [one for one in never if one in written]
    aws, config = Deployed(tmp_path / "cdk.out"), read(text)
    aws.topics = set(config.alarms.topics)
    if name == "no provider":
        _provide(aws, AUDIENCE, "api://another")
    assert {} == deviations(aws, config)


AUDIENCE = "api://11111111-2222-3333-4444-555555555555/nhi-evidence"


def _provide(aws: Deployed, *audiences: str) -> None:
    """Make the tenant a provider, as somebody else did, for these audiences."""
    url = "https://sts.windows.net/11111111-2222-3333-4444-555555555555/"
    aws.things["AWS::IAM::OIDCProvider theirs"] = {"Url": url, "ClientIdList": [*audiences]}


def test_a_provider_that_exists_has_to_list_the_audience(tmp_path: Path) -> None:
    """Without it, or without a provider, AWS refuses every token of the exporter."""
    what = "evidence identity provider of tenant 11111111-2222-3333-4444-555555555555"
    synthesized(provided(), tmp_path)
    aws, config = Deployed(tmp_path / "cdk.out"), read(provided())
    assert {what: State.NOT_DEPLOYED} == {
        name: state for name, (state, _) in deviations(aws, config).items()
    }
    _provide(aws, "api://another")
    assert {what: (State.CHANGED, "audiences api://another")} == deviations(aws, config)


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_the_linter_accepts_a_variant(name: str, tmp_path: Path) -> None:
    """It accepts every template of the variant."""
    synthesized(VARIANTS[name][0], tmp_path)
    assert [] == complaints(tmp_path / "cdk.out")
