"""What Google Cloud measures in a situation, and which alert policies that raises.

The series are written by hand, from what the function answers and logs under its own framework
(tests/runtimes/test_gcp_export.py) and what Google documents of its metrics. The policies are those
of the stack, evaluated from their own filters, thresholds, windows and durations, which are parsed
here and refused where they are of another form. Their queries are of one form, which Prometheus
itself is asked to confirm where it is installed (`test_alarm_tables.py`).
https://docs.cloud.google.com/monitoring/alerts/concepts-indepth
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from tests.infra.terrain.synthesis import Stack

SLOT = 300
"""Seconds of a slot, the alignment period of every threshold."""
HOUR = 3600 // SLOT
DAY = 24 * HOUR
BEFORE = DAY
LENGTH = 20 * DAY

Series = Callable[[int], float | None]
"""Slot since the deployment to what is measured in it; None: nothing."""

PUBLISHED = "topic_send_message_operation_count nhi-evidence-audit-logs"
SUCCEEDED = "request_count nhi-evidence-gcp-export 2xx"
FAILED = "request_count nhi-evidence-gcp-export 5xx"
REJECTED = "log rejected"
BATCHES_AGE = "oldest_unacked_message_age nhi-evidence-batches"
EXPORT_AGE = "oldest_unacked_message_age nhi-evidence-export"
DEAD_AGE = "oldest_unacked_message_age nhi-evidence-dead-letters"
DEAD = "num_undelivered_messages nhi-evidence-dead-letters"


def always(value: float | None) -> Series:
    """Return a series of one value."""
    return lambda _: value


def since(value: float | None, before: float | None) -> Series:
    """Return a series that changes when the situation begins."""
    return lambda slot: before if slot < BEFORE else value


def from_slot(first: int, value: float) -> Series:
    """Return a series that begins so many slots after the deployment."""
    return lambda slot: value if slot >= first else None


def once(value: float, before: float | None) -> Series:
    """Return a series with one value that is another, when the situation begins."""
    return lambda slot: value if slot == BEFORE else before


def aging(seconds: float, *, most: float) -> Series:
    """Return the age of the oldest message: it grows until messages are forgotten, or set aside."""
    return lambda slot: seconds if slot < BEFORE else min(seconds + (slot - BEFORE) * SLOT, most)


NORMAL: Mapping[str, Series] = {
    PUBLISHED: always(40),
    SUCCEEDED: always(1),
    FAILED: always(None),
    REJECTED: always(None),
    BATCHES_AGE: always(200),
    EXPORT_AGE: always(20),
    DEAD_AGE: always(0),
    DEAD: always(0),
}
WEEK, FORTNIGHT = 7 * 86_400, 14 * 86_400
SET_ASIDE_AFTER = 16 * HOUR
"""A hundred attempts with the backoff of the batch subscription."""

SITUATIONS: Mapping[str, Mapping[str, Series]] = {
    "a normal week, with evidence that expires": {},
    # Grants take some minutes to reach everything: the first calls fail.
    "first deployment, first file after half an hour": {
        PUBLISHED: from_slot(2, 40),
        FAILED: lambda slot: 1 if 4 <= slot < 6 else None,
        SUCCEEDED: from_slot(6, 1),
    },
    "nothing ever arrives": {PUBLISHED: always(None), SUCCEEDED: always(None)},
    "the sink is deleted": {PUBLISHED: since(None, 40), SUCCEEDED: since(None, 1)},
    "the evidence account is unavailable": {
        FAILED: since(12, None),
        SUCCEEDED: since(None, 1),
        EXPORT_AGE: aging(20, most=FORTNIGHT),
    },
    "the evidence account refuses once": {FAILED: once(1, None)},
    "the function's subscription is deleted": {
        SUCCEEDED: since(None, 1),
        EXPORT_AGE: since(None, 20),
    },
    "the function cannot be called": {
        SUCCEEDED: since(None, 1),
        EXPORT_AGE: aging(20, most=FORTNIGHT),
    },
    "files cannot be written": {
        SUCCEEDED: since(None, 1),
        BATCHES_AGE: aging(200, most=SET_ASIDE_AFTER * SLOT),
        DEAD: lambda slot: max(0, slot - BEFORE - SET_ASIDE_AFTER),
        DEAD_AGE: lambda slot: max(0, slot - BEFORE - SET_ASIDE_AFTER) * SLOT,
    },
    # Tried every ten minutes, so in every other slot.
    "one file cannot be locked": {
        FAILED: lambda slot: 1 if slot >= BEFORE and slot % 2 else None,
        EXPORT_AGE: aging(20, most=FORTNIGHT),
    },
    "a file that cannot be decoded, or a record that breaks the mapper": {REJECTED: once(1, None)},
    # Entries that were passed over are in no list of ours; the API's own list still has them.
    "a subscription is moved past messages": {},
}


class Policy(NamedTuple):
    """When a condition of a policy is met: `slots` in a row."""

    kinds: tuple[str, ...]
    """Series that are looked at, each for itself."""
    above: float | None
    """None: that nothing is counted in `window` slots is what is looked for."""
    slots: int
    window: int = 1


def policies(stack: Stack) -> dict[str, Policy]:
    """Return the policies of a stack that tell somebody, by the name of their construct."""
    by_name = {}
    for body in stack["resource"]["google_monitoring_alert_policy"].values():
        (condition,) = body["conditions"]
        assert "OR" == body["combiner"]
        assert body["notification_channels"]
        name = body["//"]["metadata"]["path"].rpartition("/")[2]
        ((form, settings),) = [
            (key, value) for key, value in condition.items() if key.startswith("condition_")
        ]
        by_name[name] = _FORMS[form](settings)
    return by_name


def _threshold(condition: Mapping[str, Any]) -> Policy:
    assert "COMPARISON_GT" == condition["comparison"]
    (aggregation,) = condition["aggregations"]
    assert f"{SLOT}s" == aggregation["alignment_period"]
    assert aggregation["per_series_aligner"] in {"ALIGN_MAX", "ALIGN_DELTA"}
    slots = max(1, _seconds(condition["duration"]) // SLOT)
    return Policy(_kinds(condition["filter"]), float(condition["threshold_value"]), slots)


def _kinds(text: str) -> tuple[str, ...]:
    """Return the series a filter chooses. Raises `AssertionError` for a form not known here."""
    terms = text.split(" AND ")
    (metric,) = re.findall(r'metric\.type = "[a-z.]+/(?:subscription/)?([a-z_]+)"', text)
    wanted = {metric}
    for term in terms:
        label = re.fullmatch(r'(NOT )?\w+\.labels\.\w+ = "([^"]+)"', term)
        assert label or re.fullmatch(r'(resource|metric)\.type = "[^"]+"', term), term
        if label and not label[1]:
            wanted.add(label[2])
    refused = re.findall(r'NOT \w+\.labels\.\w+ = "([^"]+)"', text)
    chosen = [
        kind
        for kind in NORMAL
        if wanted <= set(kind.split()) and not set(refused) & set(kind.split())
    ]
    assert chosen, text
    return tuple(chosen)


QUERY = re.compile(
    r"\(sum\(increase\((?P<metric>\w+):(?P<name>\w+)\{(?P<labels>[^}]*)\}\[(?P<window>\d+)s\]\)\)"
    r" or vector\(0\)\) == 0"
)
"""The one form of a query: nothing was counted in a window, or there is nothing to count."""


def _absence(condition: Mapping[str, Any]) -> Policy:
    query = QUERY.fullmatch(condition["query"])
    assert query, condition["query"]
    labels = re.findall(r'\w+="([^"]+)"', query["labels"])
    wanted = {query["name"], *labels} - {"pubsub_topic", "cloud_run_revision"}
    kinds = tuple(kind for kind in NORMAL if wanted == set(kind.split()))
    assert len(kinds) == 1, condition["query"]
    window = int(query["window"]) // SLOT
    return Policy(kinds, None, _seconds(condition["duration"]) // SLOT, window)


def _log(condition: Mapping[str, Any]) -> Policy:
    assert "rejected_deliveries" in condition["filter"]
    return Policy((REJECTED,), 0, 1)


_FORMS: Mapping[str, Callable[[Mapping[str, Any]], Policy]] = {
    "condition_threshold": _threshold,
    "condition_prometheus_query_language": _absence,
    "condition_matched_log": _log,
}


def _seconds(text: str) -> int:
    assert re.fullmatch(r"\d+s", text), text
    return int(text[:-1])


def raised(by_name: Mapping[str, Policy], situation: str) -> set[str]:
    """Return the policies a situation raises, at whatever time."""
    series = {**NORMAL, **SITUATIONS[situation]}
    return {
        name
        for name, policy in by_name.items()
        if any(_longest(policy, series[kind]) >= policy.slots for kind in policy.kinds)
    }


def _longest(policy: Policy, series: Series) -> int:
    """Return for how many slots in a row the condition holds at most.

    A threshold has nothing to compare where there is no data: the condition is then not met.
    """
    longest = in_a_row = 0
    for is_met in _condition(policy, [series(slot) for slot in range(LENGTH)]):
        in_a_row = in_a_row + 1 if is_met else 0
        longest = max(longest, in_a_row)
    return longest


def _condition(policy: Policy, values: list[float | None]) -> Iterator[bool]:
    for slot, value in enumerate(values):
        if policy.above is not None:
            yield value is not None and value > policy.above
        else:
            counted = values[max(0, slot + 1 - policy.window) : slot + 1]
            yield sum(one or 0 for one in counted) == 0
