"""What every metric does in a situation.

The series are written by hand, from what the functions emit and what AWS documents of its own
metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

SLOT = 300
"""Seconds of a slot, the shortest period of an alarm."""
HOUR = 12
DAY = 24 * HOUR
BEFORE = 2 * DAY
"""The situation begins after so many slots of normal running, where it does not begin at once."""
LENGTH = 11 * DAY

RETRIED = 6
"""Slots from one receive of a message to the next: half an hour."""

Series = Callable[[int], float | None]
"""Slot since the deployment to the metric's value; None: no data."""


def always(value: float | None) -> Series:
    """Return a series of one value."""
    return lambda _: value


def since(value: float | None, before: float | None = None, *, every: int = 1) -> Series:
    """Return a series that changes when the situation begins, from then in each `every`th slot."""

    def series(slot: int) -> float | None:
        if slot < BEFORE:
            return before
        return value if (slot - BEFORE) % every == 0 else before

    return series


def until(end: int, within: float | None, after: float | None) -> Series:
    """Return a series that changes so many slots after the deployment."""
    return lambda slot: within if slot < end else after


def hourly(value: float) -> Series:
    """Return a series of one value an hour."""
    return lambda slot: value if slot % HOUR == HOUR - 1 else None


def growing(step: float, before: float) -> Series:
    """Return a series that grows from the beginning of the situation by `step` a slot."""
    return lambda slot: before if slot < BEFORE else before + step * (slot - BEFORE)


def aging(end: int) -> Series:
    """Return the age of the oldest of many messages: what is older than `end` is given up."""
    return lambda slot: min(max(slot - BEFORE, 0), end) * SLOT


def retried_until(end: int) -> Series:
    """Return the age of one message, stated whenever it is tried, until it is given up."""

    def series(slot: int) -> float | None:
        is_tried = 0 <= slot - BEFORE < end and (slot - BEFORE) % RETRIED == 0
        return (slot - BEFORE) * SLOT if is_tried else 0

    return series


def once(value: float, before: float | None = 0) -> Series:
    """Return a series with one value that is another, when the situation begins."""
    return lambda slot: value if slot == BEFORE else before


NORMAL: Mapping[str, Series] = {
    # The exporter and its queue.
    "queue ApproximateNumberOfMessagesVisible": always(0),
    "queue ApproximateAgeOfOldestMessage": always(150),
    "dead ApproximateNumberOfMessagesVisible": always(0),
    "dead ApproximateAgeOfOldestMessage": always(None),
    "aws_export FailedMessages": always(0),
    "aws_export AgeOfOldestMessage": always(0),
    "aws_export RefusedMessages": always(0),
    "aws_export RejectedDeliveries": always(0),
    "aws_export UnmappedUnits": always(0),
    "aws_export ObjectsCreated": always(2),
    "exporter Errors": always(0),
    # The sealer, which reports zero in every run, and its clock.
    "seal Checkpoints": always(1),
    # With both keys of the log.
    "seal Signatures": always(2),
    "seal VoidPlans": always(0),
    "seal LogContradictions": always(0),
    "seal Flagged": always(0),
    "seal FlaggedExpired": always(0),
    # New evidence of one source; all share this series.
    "seal Sealed": always(2),
    # Of its records, some are always rejected.
    "seal Mapped": always(90),
    "seal Rejected": always(10),
    "sealer Errors": always(0),
    "TriggeredRules": always(1),
    # The function that reconciles runs by the hour, and reports zero in every run.
    "reconcile Statements": hourly(20),
    "reconcile Missing": hourly(0),
    "reconcile Unbacked": hourly(0),
    "reconcile Unproven": hourly(0),
    "reconcile Unsound": hourly(0),
    "reconcile Problems": hourly(0),
    "reconcile CanariesBroken": hourly(0),
    # The function that reads settings, likewise.
    "coverage Stated": hourly(1),
    "coverage Lost": hourly(0),
    "coverage Unreadable": hourly(0),
    "coverage Problems": hourly(0),
    # The digests of three coming hours.
    "coverage Promised": hourly(3),
    # The function that probes, likewise: three plans in every run.
    "canary Planned": hourly(3),
    "canary Unexpected": hourly(0),
    "canary Unanswered": hourly(0),
    # CloudTrail's records of signatures come a quarter of an hour late.
    "kms-signatures": until(3, None, 2),
    "kms-signatures-by-others": always(None),
    # What hands new evidence to a subscriber, and the subscriber.
    "forward queue ApproximateAgeOfOldestMessage": always(5),
    "forward dead ApproximateNumberOfMessagesVisible": always(0),
    "forward queue ApproximateNumberOfMessagesVisible": always(0),
    "forward AgeOfOldestMessage": always(0),
    "forward ObjectsForwarded": always(2),
    "forward UnsoundObjects": always(0),
    "forward RefusedMessages": always(0),
    "forwarder Errors": always(0),
    "subscriber queue ApproximateAgeOfOldestMessage": always(60),
    "subscriber dead ApproximateNumberOfMessagesVisible": always(0),
    # Firehose, which buffers for five minutes, and the events a rule could not put.
    "DeliveryToS3.DataFreshness": always(300),
    "ThrottledRecords": always(0),
    "sender dead ApproximateNumberOfMessagesVisible": always(0),
    # The buckets.
    "PutRequests": always(100),
    "OperationsFailedReplication": always(0),
    "ReplicationLatency": always(30),
}
SITUATIONS: Mapping[str, Mapping[str, Series]] = {
    "a normal week": {},
    "first deployment, first file after an hour": {
        "aws_export ObjectsCreated": until(HOUR, None, 2),
        "seal Sealed": until(HOUR, None, 2),
        "forward ObjectsForwarded": until(HOUR, None, 2),
    },
    "nothing ever arrives": {
        "aws_export ObjectsCreated": always(None),
        "seal Sealed": always(None),
        "forward ObjectsForwarded": always(None),
        "queue ApproximateAgeOfOldestMessage": always(0),
    },
    # Lifecycle leaves delete markers, which are flagged as expired, not as markers.
    "expiry": {"seal FlaggedExpired": since(500, 0)},
    "the source stops": {
        "aws_export ObjectsCreated": since(None, 2),
        "seal Sealed": since(None, 2),
        "forward ObjectsForwarded": since(None, 2),
        "queue ApproximateAgeOfOldestMessage": since(0, 150),
    },
    # What fails is received again and again, so that SQS soon leaves it out of the age.
    "the evidence account is unavailable": {
        "aws_export FailedMessages": since(200, 0),
        "aws_export AgeOfOldestMessage": aging(7 * DAY),
        "aws_export ObjectsCreated": since(None, 2),
        "queue ApproximateAgeOfOldestMessage": since(4 * 1920, 150),
        "seal Sealed": since(None, 2),
        "forward ObjectsForwarded": since(None, 2),
        "PutRequests": since(None, 100),
        "sealer Errors": since(1, 0),
        "seal Checkpoints": since(None, 1),
        "seal Signatures": since(None, 2),
        "kms-signatures": lambda slot: None if slot < 3 or slot >= BEFORE + 3 else 2,
        "dead ApproximateNumberOfMessagesVisible": until(BEFORE + 7 * DAY, 0, 500),
        "dead ApproximateAgeOfOldestMessage": lambda slot: (
            None if slot < BEFORE + 7 * DAY else (slot - BEFORE - 7 * DAY) * SLOT
        ),
    },
    # S3 counts refused requests, too, and the exporters of other clouds have no alarm here.
    "requests reach the bucket, which refuses them": {
        "seal Sealed": since(None, 2),
        "forward ObjectsForwarded": since(None, 2),
    },
    "the exporter is disabled": {
        "queue ApproximateAgeOfOldestMessage": growing(SLOT, 150),
        "queue ApproximateNumberOfMessagesVisible": growing(5, 0),
        "aws_export ObjectsCreated": since(None, 2),
        "seal Sealed": since(None, 2),
        "forward ObjectsForwarded": since(None, 2),
        "exporter Errors": since(None, 0),
    },
    "more files come than there is time for": {
        "aws_export AgeOfOldestMessage": aging(7 * DAY),
        "dead ApproximateNumberOfMessagesVisible": until(BEFORE + 7 * DAY, 0, 5),
    },
    "one file cannot be locked": {
        "aws_export FailedMessages": since(1, 0, every=RETRIED),
        "aws_export AgeOfOldestMessage": retried_until(7 * DAY),
        "dead ApproximateNumberOfMessagesVisible": until(BEFORE + 7 * DAY, 0, 1),
    },
    # Set aside long ago, and nobody has sent them again: SQS forgets them after two weeks.
    "what was set aside is left lying": {
        "dead ApproximateNumberOfMessagesVisible": since(5, 0),
        "dead ApproximateAgeOfOldestMessage": lambda slot: (
            None if slot < BEFORE else (slot - BEFORE) * SLOT
        ),
    },
    "one file kills the exporter": {
        "exporter Errors": since(1, 0, every=RETRIED),
        "dead ApproximateNumberOfMessagesVisible": until(BEFORE + 7 * DAY, 0, 1),
    },
    "a forged notification": {"aws_export RefusedMessages": once(1)},
    "a file that cannot be decoded": {"aws_export RejectedDeliveries": once(1)},
    "a provider changes the form of its records": {
        "seal Mapped": since(0, 90),
        "seal Rejected": since(100, 10),
    },
    "a burst of records that cannot be mapped": {"seal Rejected": once(800, 10)},
    "a record that breaks the mapper": {"aws_export UnmappedUnits": once(1)},
    "the sealer fails": {
        "sealer Errors": since(1, 0),
        "seal Sealed": since(None, 2),
        "seal Checkpoints": since(None, 1),
        "seal Signatures": since(None, 2),
        "kms-signatures": lambda slot: None if slot < 3 or slot >= BEFORE + 3 else 2,
    },
    "the sealer's clock is removed": {
        "TriggeredRules": since(None, 1),
        "seal Sealed": since(None, 2),
        "sealer Errors": since(None, 0),
        "seal Checkpoints": since(None, 1),
        "seal Signatures": since(None, 2),
        "kms-signatures": lambda slot: None if slot < 3 or slot >= BEFORE + 3 else 2,
    },
    "tampering with objects": {"seal Flagged": once(1)},
    "tampering with the log": {"seal LogContradictions": once(1), "sealer Errors": once(1)},
    "a stranger signs": {"kms-signatures-by-others": once(1, None)},
    "the sealer's role signs another log": {
        "kms-signatures": lambda slot: None if slot < 3 else 2 + (BEFORE <= slot < BEFORE + 12)
    },
    "the trail that counts signatures is stopped": {
        "kms-signatures": lambda slot: None if slot < 3 or slot >= BEFORE else 2
    },
    "a provider delivered what is not counted": {"reconcile Missing": once(1)},
    "something is counted that no provider names": {"reconcile Unbacked": once(1)},
    "log file validation is switched off": {
        "reconcile Unproven": since(6, 0),
        "coverage Promised": since(0, 3),
    },
    "another cloud no longer accepts our tokens": {
        "reconcile Problems": since(1, 0),
        "reconcile Unproven": since(2, 0),
        "coverage Unreadable": since(1, 0),
    },
    "another cloud refuses to list its log": {"reconcile Unproven": since(2, 0)},
    "a sealed object is not what it states": {"reconcile Unsound": once(1)},
    "a sealed statement cannot be read": {"coverage Problems": once(1)},
    "the function that reconciles fails": {
        "reconcile Statements": lambda slot: None if slot >= BEFORE else hourly(20)(slot),
        **{
            f"reconcile {metric}": since(None, 0)
            for metric in ("Missing", "Unbacked", "Unproven", "Unsound", "Problems")
        },
    },
    "a canary is allowed more than it should be": {"canary Unexpected": once(1)},
    "a canary's record does not arrive": {"reconcile CanariesBroken": since(1, 0)},
    "a canary's role is removed": {"canary Unanswered": since(1, 0)},
    "the function that probes fails": {
        "canary Planned": lambda slot: None if slot >= BEFORE else hourly(3)(slot),
        "canary Unexpected": since(None, 0),
        "canary Unanswered": since(None, 0),
    },
    "a trail is stopped, or a sink": {"coverage Lost": once(3)},
    "a cloud's settings cannot be read": {"coverage Unreadable": since(1, 0)},
    "the function that reads settings fails": {
        "coverage Stated": lambda slot: None if slot >= BEFORE else hourly(1)(slot),
        "coverage Lost": since(None, 0),
        "coverage Unreadable": since(None, 0),
        "coverage Problems": since(None, 0),
        "coverage Promised": lambda slot: None if slot >= BEFORE else hourly(3)(slot),
    },
    "the bucket no longer notifies the function that forwards": {
        "forward ObjectsForwarded": since(None, 2)
    },
    "new evidence cannot be handed on": {
        "forward ObjectsForwarded": since(0, 2),
        "forward AgeOfOldestMessage": aging(DAY),
        "forward dead ApproximateNumberOfMessagesVisible": until(BEFORE + DAY, 0, 50),
    },
    "one object kills the function that forwards": {
        "forwarder Errors": since(1, 0, every=3),
        "forward dead ApproximateNumberOfMessagesVisible": until(BEFORE + DAY, 0, 1),
    },
    "a forged notification of evidence": {"forward RefusedMessages": once(1)},
    "an object under an evidence key that is not valid evidence": {
        "forward UnsoundObjects": once(1)
    },
    "the subscriber stops": {
        "subscriber queue ApproximateAgeOfOldestMessage": growing(SLOT, 60),
    },
    # It receives each message and never finishes it, so that SQS leaves it out of the age.
    "the subscriber cannot read what it is told of": {
        "subscriber dead ApproximateNumberOfMessagesVisible": until(BEFORE + 100, 0, 9),
    },
    "objects by the million": {"PutRequests": since(50_000, 100)},
    "the replica is out of reach": {
        "OperationsFailedReplication": since(3, 0),
        "ReplicationLatency": growing(SLOT, 30),
    },
    # Of failures S3 publishes nothing where nothing is copied, as in most hours before.
    "replication is removed": {
        "OperationsFailedReplication": always(None),
        "ReplicationLatency": since(None, 30),
    },
}
