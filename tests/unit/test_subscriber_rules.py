"""A subscriber of evidence: settings that must agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhi_evidence.config import ConfigError, read
from nhi_evidence.config.aws.subscription import subscriber_role, subscription

EXAMPLE = (Path(__file__).parents[2] / "nhi-evidence.example.toml").read_text()


def table(**changes: str) -> str:
    values = {
        "evidence": '"main"',
        "bucket": '"lines-222233334444"',
        "principals": '["arn:aws:iam::777788889999:role/siem"]',
        **changes,
    }
    return "\n[[subscribers]]\n" + "\n".join(f"{key} = {one}" for key, one in values.items())


def test_defaults_are_thirty_days_and_no_external_id() -> None:
    """Then only principals are trusted, each by its exact ARN."""
    config = read(EXAMPLE + table())
    what = subscription(config, config.bucket("main"))
    assert what is not None
    assert 30 == what.subscriber.keep_days
    (trust,) = subscriber_role(what).trust
    assert {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::777788889999:role/siem"}} == trust[
        "Condition"
    ]


@pytest.mark.parametrize(
    ("more", "key", "text"),
    [
        (table(evidence='"other"'), "subscribers.evidence", "not an evidence bucket"),
        (
            table(bucket='"nhi-evidence-222233334444"'),
            "subscribers.bucket",
            "is an evidence bucket",
        ),
        (
            table(bucket='"organization-trail-111122223333"'),
            "subscribers.bucket",
            "is a bucket that logs are delivered to",
        ),
        (table(principals="[]"), "subscribers.principals", "is empty"),
        (
            table() + table(bucket='"lines-of-another"'),
            "subscribers.evidence",
            "has a subscriber, entry 1",
        ),
        (
            table(principals='["arn:aws-cn:iam::777788889999:role/siem"]'),
            "subscribers.principals",
            "is not in the evidence's partition",
        ),
    ],
)
def test_contradictory_settings_are_named(more: str, key: str, text: str) -> None:
    """The error names the key, and what to write instead."""
    with pytest.raises(ConfigError) as caught:
        read(EXAMPLE + more)
    (problem,) = caught.value.problems
    assert key == problem.key
    assert text in problem.text
