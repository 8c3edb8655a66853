"""What can go wrong with the signed log of one evidence bucket (docs/operations.md)."""

from __future__ import annotations

from functools import partial

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.alarm import AT_ONCE, NAMESPACE, Absence, Alarm, metric, own
from infra.aws.signature_log import SignatureLog
from nhi_evidence.config import naming
from nhi_evidence.evidence import flags

SERVICE = "seal"

LATE = 4
"""Checkpoints of a quarter of an hour, and one more. CloudTrail delivers records up to that late,
so a day, which begins and ends at any moment, may count signatures that were made before it."""

UNCOUNTED = 12
"""Checkpoints of an hour: how many signatures of a day may not have been recorded yet."""

_FLAGS = (
    flags.KEY_HASH,
    flags.SHADOW,
    flags.MARKER,
    flags.SHORT_LOCK,
    flags.ENCRYPTION,
    flags.NO_CHECKSUM,
    flags.UNDESCRIBED,
)
"""Leaf flags that no writer of ours ever causes."""


class SealAlarms(Construct):
    """A stalled or failing sealer, a log that contradicts itself, a key used by others."""

    def __init__(
        self, scope: Construct, name: str, *, function: str, signed: SignatureLog, target: str
    ) -> None:
        super().__init__(scope, name)

        def ours(metric_name: str) -> object:
            return own(metric_name, function, SERVICE)

        alarm = partial(_alarm, self, function=function, target=target)
        signatures = {"signed": metric(NAMESPACE, signed.signatures), "made": ours("Signatures")}
        day = Duration.days(1)
        self.alarms: list[Alarm | Absence] = [
            Absence(
                self,
                "Stalled",
                alarm_name=f"{function}-stalled",
                meaning="No checkpoint for two hours; even an idle log gets one every hour.",
                metric=ours("Checkpoints"),
                # The clock ticks whether or not the function runs, or succeeds.
                alive=metric("AWS/Events", "TriggeredRules", {"RuleName": naming.clock(function)}),
                hours=2,
                target=target,
            ),
            alarm(
                "Failing",
                "failing",
                "More than half of the sealer's runs in an hour failed.",
                {"failed": metric("AWS/Lambda", "Errors", {"FunctionName": function})},
                period=Duration.hours(1),
                above=6,
            ),
            alarm(
                "Contradiction",
                "contradiction",
                "The log contradicts itself, or a plan is void: treat it as tampering.",
                {"void": ours("VoidPlans"), "broken": ours("LogContradictions")},
            ),
            alarm(
                "Flagged",
                "flagged",
                "Squatted or overwritten keys, delete markers, short locks, foreign keys, no hash.",
                {flag: ours(_metric_of(flag)) for flag in _FLAGS},
            ),
            alarm(
                "ForeignSignature",
                "foreign-signature",
                "Somebody other than the sealer signed, or tried to sign, with the log's key.",
                {"others": metric(NAMESPACE, signed.strangers)},
            ),
            alarm(
                "MoreSignatures",
                "more-signatures",
                (
                    "More signatures in a day than the sealer made: somebody may be signing "
                    "another log."
                ),
                signatures,
                expression="FILL(signed, 0) - FILL(made, 0)",
                period=day,
                above=LATE * signed.keys,
            ),
            alarm(
                "FewerSignatures",
                "fewer-signatures",
                (
                    "CloudTrail recorded fewer signatures than the sealer made: foreign ones may "
                    "go unseen."
                ),
                signatures,
                expression="FILL(made, 0) - FILL(signed, 0)",
                period=day,
                above=UNCOUNTED * signed.keys,
            ),
        ]


def _alarm(
    scope: Construct,
    construct: str,
    kind: str,
    meaning: str,
    metrics: dict[str, cloudwatch.CfnAlarm.MetricProperty],
    *,
    function: str,
    target: str,
    expression: str | None = None,
    period: Duration = AT_ONCE,
    above: float = 0,
) -> Alarm:
    """Return the alarm `<function>-<kind>` on a formula, by default the sum of the metrics.

    A period without data does not breach.
    """
    if expression is None:
        several = " + ".join(f"FILL({name}, 0)" for name in metrics)
        expression = several if len(metrics) > 1 else next(iter(metrics))
    return Alarm(
        scope,
        construct,
        alarm_name=f"{function}-{kind}",
        meaning=meaning,
        metrics=metrics,
        expression=expression,
        period=period,
        above=above,
        missing="notBreaching",
        target=target,
    )


def sealed(function: str, source: str) -> cloudwatch.CfnAlarm.MetricProperty:
    """Return the sealer's count of a source's new evidence: of what is locked, not what was tried.

    S3's own `PutRequests` counts refused requests, too, and is a sample.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
    """
    return own("Sealed" + source.title().replace("_", ""), function, SERVICE)


def records(function: str, source: str) -> dict[str, cloudwatch.CfnAlarm.MetricProperty]:
    """Return the sealer's counts of a source's new records, by what their writer did with them."""
    name = source.title().replace("_", "")
    return {what.lower(): own(what + name, function, SERVICE) for what in ("Mapped", "Rejected")}


def _metric_of(flag: str) -> str:
    """Return the metric of a flag, as `functions/seal/handler.py` names it."""
    return "Flagged" + flag.title().replace("_", "")
