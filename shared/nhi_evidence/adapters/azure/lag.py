"""How far the function lags behind a partition, as stated in its log.

The standard tier of Event Hubs has no such metric by partition. How long the oldest message of a
batch has waited expresses the lag as time, and grows with every attempt while a batch fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from nhi_evidence.adapters.azure import event_hub_trigger
from nhi_evidence.adapters.azure.event_hub_trigger import Event


def describe(events: Sequence[Event], *, now_ms: int) -> str:
    """Return `read partition 3, 128 messages, oldest 42 s`; `now_ms` is since the epoch, UTC.

    An alarm reads this line (`infra/azure/queries.py`). If no message has a time, the age is
    `unknown`, which raises no alarm.
    """
    partition = event_hub_trigger.partition(events)
    return f"read partition {partition}, {len(events)} messages, oldest {_age(events, now_ms)} s"


def _age(events: Sequence[Event], now_ms: int) -> int | str:
    times = [event.enqueued_time for event in events if event.enqueued_time is not None]
    if not times:
        return "unknown"
    oldest = min(time if time.tzinfo else time.replace(tzinfo=UTC) for time in times)
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return max(0, int((now - oldest).total_seconds()))
