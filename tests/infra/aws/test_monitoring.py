"""Each alarm: what it watches, since when, and that somebody is notified."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.infra.aws.emitted import emitted as emitted_by
from tests.infra.aws.estate import EVIDENCE, Estate

ROOT = Path(__file__).parents[3]
EXPORTER = "nhi-evidence-main-170b2e-aws_cloudtrail-organization"
SEALER = "nhi-evidence-main-170b2e-sealer"


def alarms(estate: Estate) -> dict[str, dict[str, Any]]:
    return {
        one.properties["AlarmName"]: one.properties for one in estate.of("AWS::CloudWatch::Alarm")
    }


def watched(alarm: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the metrics of an alarm by name, each with its dimensions, period and statistic."""
    metrics = {}
    for query in alarm["Metrics"]:
        if "MetricStat" in query:
            stat = query["MetricStat"]
            metrics[stat["Metric"]["MetricName"]] = {
                "dimensions": {
                    one["Name"]: one["Value"] for one in stat["Metric"].get("Dimensions", [])
                },
                "period": stat["Period"],
                "stat": stat["Stat"],
            }
    return metrics


def bound(alarm: dict[str, Any]) -> tuple[str, float, str]:
    return alarm["ComparisonOperator"], alarm["Threshold"], alarm["TreatMissingData"]


def test_a_dead_letter_a_refusal_and_a_stranger_raise_an_alarm_at_once(estate: Estate) -> None:
    """One is enough, and missing data does not count."""
    every = alarms(estate)
    for name in (
        f"{EXPORTER}-dead-letters",
        f"{EXPORTER}-refused",
        f"{EXPORTER}-rejected",
        f"{SEALER}-contradiction",
        f"{SEALER}-flagged",
        f"{SEALER}-foreign-signature",
    ):
        assert ("GreaterThanThreshold", 0, "notBreaching") == bound(every[name]), name
        assert {300} == {one["period"] for one in watched(every[name]).values()}
    dead = watched(every[f"{EXPORTER}-dead-letters"])["ApproximateNumberOfMessagesVisible"]
    assert {"QueueName": f"{EXPORTER}-dead"} == dead["dimensions"]


def test_lag_is_raised_long_before_loss(estate: Estate) -> None:
    """After an hour, and after half the retention of queue or source, whichever is shorter."""
    every = alarms(estate)
    assert 3600 == every[f"{EXPORTER}-lag"]["Threshold"]
    assert 7 * 86_400 == every[f"{EXPORTER}-loss"]["Threshold"]
    age = watched(every[f"{EXPORTER}-loss"])["ApproximateAgeOfOldestMessage"]
    assert ({"QueueName": EXPORTER}, "Maximum") == (age["dimensions"], age["stat"])


def test_silence_raises_an_alarm_but_deployment_does_not(estate: Estate) -> None:
    """Missing data is what is watched for, once it could have arrived."""
    every = alarms(estate)
    composite = {
        one.properties["AlarmName"]: one.properties
        for one in estate.of("AWS::CloudWatch::CompositeAlarm")
    }
    for name in (
        f"{EXPORTER}-silence",
        f"{SEALER}-stalled",
        "nhi-evidence-main-170b2e-gcp_audit-absence",
    ):
        rule = f'ALARM("{name}-absent") AND ALARM("{name}-alive")'
        assert rule == composite[name]["AlarmRule"]
        absent, alive = every[f"{name}-absent"], every[f"{name}-alive"]
        assert ("LessThanThreshold", 1, "breaching") == bound(absent)
        assert ("GreaterThanThreshold", 0, "ignore") == bound(alive)
        assert absent["EvaluationPeriods"] == alive["EvaluationPeriods"] > 1
        assert "AlarmActions" not in absent | alive


def test_silence_is_as_long_as_each_source_may_be_silent(estate: Estate) -> None:
    """Only CloudTrail has hourly digests, and no other source's alarm mentions them."""
    every = alarms(estate)
    for name, hours in (
        (f"{EXPORTER}-silence", 3),
        ("nhi-evidence-main-170b2e-aws_cloudtrail-absence", 3),
        ("nhi-evidence-main-170b2e-gcp_audit-absence", 24),
        ("nhi-evidence-main-170b2e-azure_monitor-absence", 24),
    ):
        assert hours == every[f"{name}-absent"]["EvaluationPeriods"]


def test_signatures_are_compared_with_those_the_sealer_made(estate: Estate) -> None:
    """AWS's daily count for both keys is compared with the sealer's, allowing for late records."""
    every = alarms(estate)
    more, fewer = every[f"{SEALER}-more-signatures"], every[f"{SEALER}-fewer-signatures"]
    for alarm in (more, fewer):
        assert {"nhi-evidence-main-170b2e-kms-signatures", "Signatures"} == set(watched(alarm))
        assert {86_400} == {metric["period"] for metric in watched(alarm).values()}
    assert (2 * 4, 2 * 12) == (more["Threshold"], fewer["Threshold"])


def test_growth_and_cost_are_watched(estate: Estate) -> None:
    """Objects per hour by S3's count, with the configured bound, and a budget of the account."""
    rate = alarms(estate)["nhi-evidence-main-170b2e-object-rate"]
    assert 100_000 == rate["Threshold"]
    (puts,) = watched(rate).values()
    bucket = estate.only("AWS::S3::Bucket", "nhi-evidence-main-170b2e").properties
    assert [{"Id": puts["dimensions"]["FilterId"]}] == bucket["MetricsConfigurations"]
    budget = estate.only("AWS::Budgets::Budget").properties
    assert {"Amount": 200, "Unit": "USD"} == budget["Budget"]["BudgetLimit"]
    assert len(budget["NotificationsWithSubscribers"]) == 2


def test_every_alarm_reaches_somebody_and_says_what_it_means(estate: Estate) -> None:
    """Its topic exists, has a subscriber, and accepts only messages of this account's alarms."""
    composite = {
        one.properties["AlarmName"]: one.properties
        for one in estate.of("AWS::CloudWatch::CompositeAlarm")
    }
    parts = {f"{name}-{part}" for name in composite for part in ("absent", "alive")}
    for name, alarm in (alarms(estate) | composite).items():
        assert len(alarm["AlarmDescription"]) > 20, name
        if name not in parts:
            assert alarm["AlarmActions"] == alarm["OKActions"] != [], name
    endpoints = {
        (one.stack, one.properties["Endpoint"])
        for one in estate.of("AWS::SNS::Subscription")
        if one.properties["Protocol"] == "email"
    }
    assert {one.stack for one in estate.of("AWS::SNS::Topic")} == {stack for stack, _ in endpoints}
    assert {"security@example.org"} == {endpoint for _, endpoint in endpoints}
    policy = estate.only(
        "AWS::SNS::TopicPolicy", "nhi-evidence-main-170b2e-eu-central-1-monitoring"
    ).properties
    allowed = policy["PolicyDocument"]["Statement"][0]
    assert {"StringEquals": {"aws:SourceAccount": EVIDENCE}} == allowed["Condition"]


def test_replication_is_watched_in_the_region_where_s3_publishes_it(estate: Estate) -> None:
    """Failures in the bucket's, latency in the replica's: an alarm elsewhere never has data.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html
    """
    stacks: dict[str, set[str]] = {}
    for alarm in estate.of("AWS::CloudWatch::Alarm"):
        for name in watched(alarm.properties):
            if "Replication" in name:
                stacks.setdefault(name, set()).add(alarm.stack)
    assert {
        "OperationsFailedReplication": {"nhi-evidence-main-170b2e-eu-central-1-monitoring"},
        "ReplicationLatency": {"nhi-evidence-main-170b2e-eu-west-1-monitoring"},
    } == stacks


def test_every_custom_metric_in_alarms_is_emitted_by_a_function(estate: Estate) -> None:
    """An alarm on a name that nothing emits would never fire."""
    emitted = {
        path.parent.name: emitted_by(path.parent.name)
        for path in (ROOT / "functions").glob("*/handler.py")
    }
    seen = 0
    for alarm in alarms(estate).values():
        for name, metric in watched(alarm).items():
            service = metric["dimensions"].get("service")
            if service is not None:
                seen += 1
                assert name in emitted[service], name
                assert {"service", "function"} == set(metric["dimensions"])
    assert seen > 10
