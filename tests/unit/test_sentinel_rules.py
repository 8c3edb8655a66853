"""Microsoft Sentinel uses one provider per account, for the tenant of its partition."""

from __future__ import annotations

import pytest

from nhi_evidence.config import ConfigError, read
from nhi_evidence.config.aws.subscription import sentinel_role, subscription
from tests.unit.test_subscriber_rules import EXAMPLE, table

WORKSPACE = "66666666-7777-8888-9999-aaaaaaaaaaaa"
SECOND = """
[[evidence.buckets]]
name = "second"
bucket = "second-222233334444"
region = "eu-west-1"
log = "example.org/second"
"""


def sentinel(provider: str) -> str:
    return f'{{ workspace = "{WORKSPACE}", provider = "{provider}" }}'


def two(first: str, second: str) -> str:
    """Return a configuration of two buckets, a subscriber with Sentinel for each."""
    return (
        EXAMPLE
        + SECOND
        + table(sentinel=sentinel(first))
        + table(evidence='"second"', bucket='"lines-second"', sentinel=sentinel(second))
    )


def test_a_second_new_provider_is_refused_with_a_fix() -> None:
    """An account can have one provider per issuer: a second would fail the deployment."""
    with pytest.raises(ConfigError) as caught:
        read(two("new", "new"))
    (problem,) = caught.value.problems
    assert problem.key == "subscribers.sentinel.provider"
    assert 'as in entry 1, but an account has one: write "existing"' in problem.text


@pytest.mark.parametrize(("first", "second"), [("new", "existing"), ("existing", "existing")])
def test_the_second_can_use_the_provider_of_the_first(first: str, second: str) -> None:
    config = read(two(first, second))
    subscriptions = [subscription(config, config.bucket(name)) for name in ("main", "second")]
    roles = [sentinel_role(each) for each in subscriptions if each is not None]
    trusted = [each.trust[0]["Principal"] for each in roles if each is not None]
    assert len(trusted) == 2
    assert trusted[0] == trusted[1]


def elsewhere(region: str, partition: str) -> str:
    text = EXAMPLE + table(sentinel=sentinel("new"))
    return text.replace("eu-central-1", region).replace("arn:aws:", f"arn:{partition}:")


def test_each_partition_has_its_own_tenant() -> None:
    config = read(elsewhere("us-gov-west-1", "aws-us-gov"))
    what = subscription(config, config.bucket("main"))
    assert what is not None
    role = sentinel_role(what)
    assert role is not None
    tenant = "sts.windows.net/cab8a31a-1906-4287-a0d8-4eef66b95f6e/"
    (trust,) = role.trust
    assert trust["Principal"] == {
        "Federated": f"arn:aws-us-gov:iam::222233334444:oidc-provider/{tenant}"
    }
    audience = trust["Condition"]["StringEquals"][f"{tenant}:aud"]
    assert audience == "api://d4230588-5f84-4281-a9c7-2c15194b28f7"


@pytest.mark.parametrize(
    ("region", "partition"), [("cn-north-1", "aws-cn"), ("eusc-de-east-1", "aws-eusc")]
)
def test_a_partition_without_sentinel_is_refused(region: str, partition: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(elsewhere(region, partition))
    texts = [problem.text for problem in caught.value.problems]
    assert f"Microsoft Sentinel cannot access accounts in the partition {partition}" in texts
