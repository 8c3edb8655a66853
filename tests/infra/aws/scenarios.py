"""What every metric does in a situation, and which alarms are raised by it.

The series are written by hand, from what the functions emit and what AWS documents of its own
metrics. The alarms are those of the templates, evaluated as CloudWatch does.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

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
    "sealer Errors": always(0),
    "TriggeredRules": always(1),
    # The function that reconciles runs by the hour, and reports zero in every run.
    "reconcile Statements": hourly(20),
    "reconcile Missing": hourly(0),
    "reconcile Unbacked": hourly(0),
    "reconcile CanariesBroken": hourly(0),
    # The function that reads settings, likewise.
    "coverage Stated": hourly(1),
    "coverage Lost": hourly(0),
    "coverage Unreadable": hourly(0),
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
    "forward AgeOfOldestMessage": always(0),
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
    "source PutRequests": always(2),
    "OperationsFailedReplication": always(0),
    "ReplicationLatency": always(30),
}
SITUATIONS: Mapping[str, Mapping[str, Series]] = {
    "a normal week": {},
    "first deployment, first file after an hour": {
        "aws_export ObjectsCreated": until(HOUR, None, 2),
        "source PutRequests": until(HOUR, None, 2),
    },
    "nothing ever arrives": {
        "aws_export ObjectsCreated": always(None),
        "source PutRequests": always(None),
        "queue ApproximateAgeOfOldestMessage": always(0),
    },
    # Lifecycle leaves delete markers, which are flagged as expired, not as markers.
    "expiry": {"seal FlaggedExpired": since(500, 0)},
    "the source stops": {
        "aws_export ObjectsCreated": since(None, 2),
        "source PutRequests": since(None, 2),
        "queue ApproximateAgeOfOldestMessage": since(0, 150),
    },
    # What fails is received again and again, so that SQS soon leaves it out of the age.
    "the evidence account is unavailable": {
        "aws_export FailedMessages": since(200, 0),
        "aws_export AgeOfOldestMessage": aging(7 * DAY),
        "aws_export ObjectsCreated": since(None, 2),
        "queue ApproximateAgeOfOldestMessage": since(4 * 1920, 150),
        "source PutRequests": since(None, 2),
        "PutRequests": since(None, 100),
        "sealer Errors": since(1, 0),
        "seal Checkpoints": since(None, 1),
        "seal Signatures": since(None, 2),
        "kms-signatures": lambda slot: None if slot < 3 or slot >= BEFORE + 3 else 2,
        "ReplicationLatency": since(None, 30),
        "dead ApproximateNumberOfMessagesVisible": until(BEFORE + 7 * DAY, 0, 500),
        "dead ApproximateAgeOfOldestMessage": lambda slot: (
            None if slot < BEFORE + 7 * DAY else (slot - BEFORE - 7 * DAY) * SLOT
        ),
    },
    "the exporter is disabled": {
        "queue ApproximateAgeOfOldestMessage": growing(SLOT, 150),
        "queue ApproximateNumberOfMessagesVisible": growing(5, 0),
        "aws_export ObjectsCreated": since(None, 2),
        "source PutRequests": since(None, 2),
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
    "a record that breaks the mapper": {"aws_export UnmappedUnits": once(1)},
    "the sealer fails": {
        "sealer Errors": since(1, 0),
        "seal Checkpoints": since(None, 1),
        "seal Signatures": since(None, 2),
        "kms-signatures": lambda slot: None if slot < 3 or slot >= BEFORE + 3 else 2,
    },
    "the sealer's clock is removed": {
        "TriggeredRules": since(None, 1),
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
    "the trail that counts is stopped": {
        "kms-signatures": lambda slot: None if slot < 3 or slot >= BEFORE else 2
    },
    "a provider delivered what is not counted": {"reconcile Missing": once(1)},
    "something is counted that no provider names": {"reconcile Unbacked": once(1)},
    "the function that reconciles fails": {
        "reconcile Statements": lambda slot: None if slot >= BEFORE else hourly(20)(slot),
        "reconcile Missing": since(None, 0),
        "reconcile Unbacked": since(None, 0),
    },
    "a canary may more than it should": {"canary Unexpected": once(1)},
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
    },
    "new evidence cannot be handed on": {
        "forward AgeOfOldestMessage": aging(DAY),
        "forward dead ApproximateNumberOfMessagesVisible": until(BEFORE + DAY, 0, 50),
    },
    "one object kills the function that forwards": {
        "forwarder Errors": since(1, 0, every=3),
        "forward dead ApproximateNumberOfMessagesVisible": until(BEFORE + DAY, 0, 1),
    },
    "a forged notification of evidence": {"forward RefusedMessages": once(1)},
    "an object of evidence that is none inside": {"forward UnsoundObjects": once(1)},
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
}


def kind_of(stat: Mapping[str, Any]) -> str:
    """Return the name the series of a metric go by here. Raises `KeyError` for an unknown one."""
    metric = stat["Metric"]
    name = str(metric["MetricName"])
    dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}
    if "service" in dimensions:
        is_flag = name.startswith("Flagged") and name != "FlaggedExpired"
        name = "Flagged" if is_flag else name
        name = f"{dimensions['service']} {name}"
    elif "QueueName" in dimensions:
        name = f"{_queue(dimensions['QueueName'])} {name}"
    elif "FunctionName" in dimensions:
        name = f"{_function(dimensions['FunctionName'])} {name}"
    elif name == "PutRequests" and dimensions["FilterId"] != "evidence":
        name = f"source {name}"
    elif name.startswith("nhi-evidence-main-"):
        name = name.removeprefix("nhi-evidence-main-")
    if name not in NORMAL:
        raise KeyError(name)
    return name


def _queue(name: str) -> str:
    kind = "dead" if name.endswith("-dead") else "queue"
    if "-sender-" in name:
        return f"sender {kind}"
    for whose in ("forward", "subscriber"):
        if name.removesuffix("-dead") == f"nhi-evidence-main-{whose}":
            return f"{whose} {kind}"
    return kind


def _function(name: str) -> str:
    known = {"nhi-evidence-main-sealer": "sealer", "nhi-evidence-main-forward": "forwarder"}
    return known.get(name, "exporter")


def raised(alarms: Mapping[str, Mapping[str, Any]], situation: str) -> set[str]:
    """Return the alarms with somebody to tell that a situation raises, at whatever time."""
    return raised_by(alarms, SITUATIONS[situation])


def raised_by(alarms: Mapping[str, Mapping[str, Any]], changes: Mapping[str, Series]) -> set[str]:
    """Return the alarms that are raised where these metrics do otherwise than normally."""
    series = {**NORMAL, **changes}
    states = {
        name: _states_of(json.dumps(alarm), tuple((kind, series[kind]) for kind in _kinds(alarm)))
        for name, alarm in alarms.items()
        if "AlarmRule" not in alarm
    }
    notifying = {name for name, alarm in alarms.items() if alarm.get("AlarmActions")}
    for name, alarm in alarms.items():
        if "AlarmRule" in alarm:
            parts = re.findall(r'ALARM\("([^"]+)"\)', alarm["AlarmRule"])
            states[name] = [all(at) for at in zip(*(states[one] for one in parts), strict=True)]
    return {name for name in notifying if any(states[name])}


def _kinds(alarm: Mapping[str, Any]) -> list[str]:
    return sorted({kind_of(one["MetricStat"]) for one in alarm["Metrics"] if "MetricStat" in one})


@cache
def _states_of(alarm: str, series: tuple[tuple[str, Series], ...]) -> list[bool]:
    """Evaluate an alarm once for the same series: most of a situation's are those of any week."""
    return list(_states(json.loads(alarm), {kind: _hours(one) for kind, one in series}))


@cache
def _hours(series: Series) -> _Hours:
    return _Hours(series)


class _Hours:
    """A series by the hour: sum, maximum and number of values."""

    def __init__(self, series: Series) -> None:
        values = [series(slot) for slot in range(LENGTH)]
        self.slots = values
        parts = [values[at : at + HOUR] for at in range(0, LENGTH, HOUR)]
        known = [[one for one in part if one is not None] for part in parts]
        self.sums = [sum(part) if part else None for part in known]
        self.maxima = [max(part) if part else None for part in known]
        self.counts = [float(len(part)) if part else None for part in known]


def _states(alarm: Mapping[str, Any], hours: Mapping[str, _Hours]) -> Iterator[bool]:
    queries = alarm["Metrics"]
    stats = {one["Id"]: one["MetricStat"] for one in queries if "MetricStat" in one}
    expression = next(
        (one["Expression"] for one in queries if "Expression" in one), next(iter(stats))
    )
    period = next(iter(stats.values()))["Period"]
    periods, wanted = alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]
    by_slot = period == SLOT
    length = LENGTH if by_slot else LENGTH // HOUR
    step = 1 if by_slot else period // (SLOT * HOUR)
    kinds = {key: (hours[kind_of(stat)], stat["Stat"]) for key, stat in stats.items()}

    def point(stop: int) -> float | None:
        values = {
            key: _value(of, stat, stop - step, stop, by_slot=by_slot)
            for key, (of, stat) in kinds.items()
        }
        return _evaluated(expression, tuple(values.items()))

    first = 1 - (periods - 1) * step
    every = {stop: point(stop) for stop in range(first, length + 1)}
    state = False
    for end in range(1, length + 1):
        points = [every[end - back * step] for back in range(periods)]
        state = _decided(alarm, points, wanted, state)
        yield state


def _value(hours: _Hours, stat: str, start: int, stop: int, *, by_slot: bool) -> float | None:
    by_hour = {"SampleCount": hours.counts, "Sum": hours.sums, "Maximum": hours.maxima}
    values = hours.slots if by_slot else by_hour[stat]
    known = [one for one in values[max(start, 0) : max(stop, 0)] if one is not None]
    if not known:
        return None
    return float(max(known) if stat == "Maximum" else sum(known))


@cache
def _evaluated(expression: str, named_values: tuple[tuple[str, float | None], ...]) -> float | None:
    """Evaluate a sum, a difference or the largest of metrics, with FILL.

    Missing data make the result missing where nothing fills them.
    """
    values = dict(named_values)
    if expression.startswith("MAX(["):
        filled = re.findall(r"FILL\((\w+), 0\)", expression)
        assert expression == f"MAX([{', '.join(f'FILL({one}, 0)' for one in filled)}])"
        return max(values[one] or 0.0 for one in filled)
    total = 0.0
    for sign, filled, bare in re.findall(r"([+-]?)\s*(?:FILL\((\w+), 0\)|(\w+))", expression):
        value = values[filled or bare]
        if value is None:
            if not filled:
                return None
            value = 0.0
        total += -value if sign == "-" else value
    return total


def _decided(
    alarm: Mapping[str, Any], points: list[float | None], wanted: int, before: bool
) -> bool:
    missing, threshold = alarm["TreatMissingData"], alarm["Threshold"]
    is_above = alarm["ComparisonOperator"] == "GreaterThanThreshold"
    if missing == "ignore" and None in points:
        return before
    breaching = [
        missing == "breaching"
        if one is None
        else (one > threshold if is_above else one < threshold)
        for one in points
    ]
    return bool(sum(breaching) >= wanted)
