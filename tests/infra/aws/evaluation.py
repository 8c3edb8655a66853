"""Which alarms of the templates a situation raises, evaluated as CloudWatch does.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from tests.infra.aws.scenarios import (
    HOUR,
    LENGTH,
    NORMAL,
    SITUATIONS,
    SLOT,
    Series,
)

_BY_SOURCE = ("Sealed", "Mapped", "Rejected")
"""What the sealer counts of each source; all sources share a series."""


def kind_of(stat: Mapping[str, Any]) -> str:
    """Return the name the series of a metric go by here. Raises `KeyError` for an unknown one."""
    metric = stat["Metric"]
    name = str(metric["MetricName"])
    dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}
    if "service" in dimensions:
        is_flag = name.startswith("Flagged") and name != "FlaggedExpired"
        name = "Flagged" if is_flag else name
        if dimensions["service"] == "seal":
            name = next((one for one in _BY_SOURCE if name.startswith(one)), name)
        name = f"{dimensions['service']} {name}"
    elif "QueueName" in dimensions:
        name = f"{_queue(dimensions['QueueName'])} {name}"
    elif "FunctionName" in dimensions:
        name = f"{_function(dimensions['FunctionName'])} {name}"
    elif name.startswith("nhi-evidence-main-170b2e-"):
        name = name.removeprefix("nhi-evidence-main-170b2e-")
    if name not in NORMAL:
        raise KeyError(name)
    return name


def _queue(name: str) -> str:
    kind = "dead" if name.endswith("-dead") else "queue"
    if "-sender-" in name:
        return f"sender {kind}"
    for whose in ("forward", "subscriber"):
        if name.removesuffix("-dead") == f"nhi-evidence-main-170b2e-{whose}":
            return f"{whose} {kind}"
    return kind


def _function(name: str) -> str:
    known = {
        "nhi-evidence-main-170b2e-sealer": "sealer",
        "nhi-evidence-main-170b2e-forward": "forwarder",
    }
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
