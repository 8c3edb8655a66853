"""The alarms and dashboards that `nhi-evidence cost` counts are those deployed."""

from __future__ import annotations

from nhi_evidence.cost import measured
from tests.infra.aws.estate import Estate

EXPORTER = "nhi-evidence-main-170b2e-aws_cloudtrail-organization-"
FORWARDER = "nhi-evidence-main-170b2e-forward-"
CANARY = "nhi-evidence-main-170b2e-canary-"
REPLICATION = "nhi-evidence-main-170b2e-replication-"
SECOND_EXPORTER = "nhi-evidence-main-170b2e-aws_cloudtrail-fresh-"


def test_alarms_and_dashboards_are_counted_from_the_templates(estate: Estate) -> None:
    """Each metric in an alarm is charged; the estate's second exporter is not counted."""
    watched = {
        str(one.properties["AlarmName"]): sum(
            "MetricStat" in query for query in one.properties["Metrics"]
        )
        for one in estate.of("AWS::CloudWatch::Alarm")
    }
    exporter = sum(number for name, number in watched.items() if name.startswith(EXPORTER))
    others = sum(
        number
        for name, number in watched.items()
        if not name.startswith((EXPORTER, SECOND_EXPORTER, FORWARDER, CANARY, REPLICATION))
    )
    replica = sum(number for name, number in watched.items() if name.startswith(REPLICATION))
    assert measured.REPLICA_ALARM_METRICS == replica
    probing = sum(number for name, number in watched.items() if name.startswith(CANARY))
    assert measured.CANARY_ALARM_METRICS == probing
    forwarder = sum(number for name, number in watched.items() if name.startswith(FORWARDER))
    assert measured.FORWARD_ALARM_METRICS == forwarder
    assert (exporter, others) == (
        measured.EXPORTER_ALARM_METRICS,
        measured.BUCKET_ALARM_METRICS,
    )
    composites = len(list(estate.of("AWS::CloudWatch::CompositeAlarm")))
    apart = [
        str(one.properties["AlarmName"])
        for one in estate.of("AWS::CloudWatch::CompositeAlarm")
        if str(one.properties["AlarmName"]).startswith((SECOND_EXPORTER, CANARY, FORWARDER))
    ]
    for function in (CANARY, FORWARDER):
        assert 1 == sum(name.startswith(function) for name in apart)
    assert measured.COMPOSITE_ALARMS == composites - len(apart)
    # One in each account: beside the exporter, and beside the evidence; and beside the replica.
    exporters = [
        name
        for name in watched
        if name.endswith("-silence-absent") and not name.startswith(FORWARDER)
    ]
    dashboards = len(list(estate.of("AWS::CloudWatch::Dashboard")))
    counted = measured.DASHBOARDS + measured.REPLICA_DASHBOARDS
    assert counted == dashboards - (len(exporters) - 1)
