"""What is written into an evidence bucket, and what no longer is (docs/operations.md)."""

from __future__ import annotations

from aws_cdk import Duration
from constructs import Construct

from infra.aws.alarm import Absence, Alarm, metric
from infra.aws.evidence_bucket import REQUEST_METRICS
from infra.aws.replica_alarms import failures
from infra.aws.seal_alarms import records, sealed
from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.silence import silence_hours


class StoreAlarms(Construct):
    """Growth, sources that fall silent or are no longer understood, and copies that fail.

    A locked object is paid for until its lock ends, so growth is watched. A source of any cloud
    that stops is noticed here, whatever happened to its exporter and to that cloud's own alarms:
    the sealer counts what is locked, so that requests which the bucket refuses hide nothing.
    """

    def __init__(
        self, scope: Construct, name: str, *, config: Config, store: EvidenceBucket, target: str
    ) -> None:
        super().__init__(scope, name)
        per_hour = config.alarms.objects_per_hour
        self.alarms: list[Alarm | Absence] = [
            Alarm(
                self,
                "Rate",
                alarm_name=f"nhi-evidence-{store.id}-object-rate",
                meaning=(
                    f"More than {per_hour} objects in an hour: each is locked, and paid for until "
                    "its lock ends."
                ),
                metrics={"puts": _puts(store)},
                expression="puts",
                period=Duration.hours(1),
                above=per_hour,
                missing="notBreaching",
                target=target,
            )
        ]
        sealer = naming.function(store.id, "sealer")
        for source in dict.fromkeys(one.source for one in config.sources_in(store.name)):
            self.alarms.append(_rejected(self, store, source, sealer=sealer, target=target))
            hours = silence_hours(config, store.name, source)
            if hours is not None:
                self.alarms.append(
                    Absence(
                        self,
                        f"Absence-{source}",
                        alarm_name=f"nhi-evidence-{store.id}-{source}-absence",
                        meaning=f"No new evidence of {source} has been sealed for {hours} hours.",
                        metric=sealed(sealer, source),
                        alive=metric(
                            "AWS/Events", "TriggeredRules", {"RuleName": naming.clock(sealer)}
                        ),
                        hours=hours,
                        target=target,
                    )
                )
        if store.replica is not None:
            self.alarms.append(failures(self, store, store.replica, target=target))


def _rejected(
    scope: Construct, store: EvidenceBucket, source: str, *, sealer: str, target: str
) -> Alarm:
    """Make the alarm on a source whose records the mapper no longer understands."""
    return Alarm(
        scope,
        f"MostlyRejected-{source}",
        alarm_name=f"nhi-evidence-{store.id}-{source}-mostly-rejected",
        meaning=(
            f"More records of {source} were rejected in six hours than mapped: its format may have "
            "changed. They are locked as they arrived."
        ),
        metrics=records(sealer, source),
        expression="FILL(rejected, 0) - FILL(mapped, 0)",
        period=Duration.hours(6),
        above=0,
        missing="notBreaching",
        target=target,
    )


def _puts(store: EvidenceBucket) -> object:
    where = {"BucketName": store.bucket, "FilterId": REQUEST_METRICS}
    return metric("AWS/S3", "PutRequests", where)
