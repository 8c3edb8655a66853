"""What can go wrong with the signed log of one evidence bucket (docs/operations.md)."""

from __future__ import annotations

from aws_cdk import Duration
from constructs import Construct

from infra.aws.alarm import NAMESPACE, Absence, Alarm, metric, own
from infra.aws.signature_log import SignatureLog
from nhi_evidence.config import naming
from nhi_evidence.evidence import flags

SERVICE = "seal"

LATE = 4
"""Checkpoints of a quarter of an hour and one: CloudTrail hands over its records so late, so that
a day, which begins and ends at any moment, may hold signatures that were made before it."""

UNCOUNTED = 12
"""Checkpoints of an hour, for the other direction."""

_FLAGS = (
    flags.KEY_HASH,
    flags.SHADOW,
    flags.MARKER,
    flags.SHORT_LOCK,
    flags.ENCRYPTION,
    flags.UNDESCRIBED,
)
"""Flags of a leaf that no writer of ours gives cause for."""


class SealAlarms(Construct):
    """A stalled or failing sealer, a log that contradicts itself, a key used by others."""

    def __init__(
        self, scope: Construct, name: str, *, function: str, signed: SignatureLog, target: str
    ) -> None:
        super().__init__(scope, name)

        def ours(metric_name: str) -> object:
            return own(metric_name, function, SERVICE)

        signatures = metric(NAMESPACE, signed.signatures)
        hour, day = Duration.hours(1), Duration.days(1)
        self.alarms: list[Alarm | Absence] = [
            Absence(
                self,
                "Stalled",
                alarm_name=f"{function}-stalled",
                meaning="No checkpoint for two hours; even an idle log gets one every hour.",
                metric=ours("Checkpoints"),
                # The clock ticks whether or not the function runs, or ends well.
                alive=metric("AWS/Events", "TriggeredRules", {"RuleName": naming.clock(function)}),
                hours=2,
                target=target,
            ),
            Alarm(
                self,
                "Failing",
                alarm_name=f"{function}-failing",
                meaning="More than half an hour's runs of the sealer failed.",
                metrics={"failed": metric("AWS/Lambda", "Errors", {"FunctionName": function})},
                expression="failed",
                period=hour,
                above=6,
                missing="notBreaching",
                target=target,
            ),
            Alarm(
                self,
                "Contradiction",
                alarm_name=f"{function}-contradiction",
                meaning="The log contradicts itself, or a plan is void: treat it as tampering.",
                metrics={"void": ours("VoidPlans"), "broken": ours("LogContradictions")},
                expression="FILL(void, 0) + FILL(broken, 0)",
                period=Duration.minutes(5),
                above=0,
                missing="notBreaching",
                target=target,
            ),
            Alarm(
                self,
                "Flagged",
                alarm_name=f"{function}-flagged",
                meaning="Squatted or overwritten keys, delete markers, short locks, foreign keys.",
                metrics={flag: ours(_metric_of(flag)) for flag in _FLAGS},
                expression=" + ".join(f"FILL({flag}, 0)" for flag in _FLAGS),
                period=Duration.minutes(5),
                above=0,
                missing="notBreaching",
                target=target,
            ),
            Alarm(
                self,
                "ForeignSignature",
                alarm_name=f"{function}-foreign-signature",
                meaning="Somebody but the sealer signed, or tried to sign, with the log's key.",
                metrics={"others": metric(NAMESPACE, signed.strangers)},
                expression="others",
                period=Duration.minutes(5),
                above=0,
                missing="notBreaching",
                target=target,
            ),
            Alarm(
                self,
                "MoreSignatures",
                alarm_name=f"{function}-more-signatures",
                meaning="More signatures in a day than the sealer made: another log may be signed.",
                metrics={"signed": signatures, "made": ours("Signatures")},
                expression="FILL(signed, 0) - FILL(made, 0)",
                period=day,
                above=LATE * signed.keys,
                missing="notBreaching",
                target=target,
            ),
            Alarm(
                self,
                "FewerSignatures",
                alarm_name=f"{function}-fewer-signatures",
                meaning="CloudTrail saw fewer signatures than the sealer made: it is blind.",
                metrics={"signed": signatures, "made": ours("Signatures")},
                expression="FILL(made, 0) - FILL(signed, 0)",
                period=day,
                above=UNCOUNTED * signed.keys,
                missing="notBreaching",
                target=target,
            ),
        ]


def _metric_of(flag: str) -> str:
    """As `functions/seal/handler.py` names it."""
    return "Flagged" + flag.title().replace("_", "")
