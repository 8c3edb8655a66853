"""The story in Google Cloud and Azure, as each cloud delivers its logs."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

from nhi_evidence.demo.story import azure, azure_noise, gcp, gcp_noise
from nhi_evidence.demo.story.records import START, Recorder

_FILE_MINUTES = 15
_EVENTS_PER_INVOCATION = 8
_RECORDS_PER_EVENT = 6
_FIRST_SEQUENCE = 1_000


class LogFile(NamedTuple):
    """One file of a Cloud Storage subscription, with one exported entry per line."""

    name: str
    body: bytes
    records: int


class HubEvent(NamedTuple):
    """One event of an event hub's partition."""

    sequence: int
    enqueued: str
    body: bytes
    """`{"records": [...]}`, as a diagnostic setting sends it."""
    records: int


@cache
def gcp_files(*, seed: int = 7, minutes: int = 45, per_minute: int = 6) -> tuple[LogFile, ...]:
    """Return the project's exported entries, by quarter of an hour."""
    recorder = Recorder(seed + 1)
    entries = [gcp.trusted(recorder), *gcp.attack(recorder)]
    shapes = [shape for shape, weight in gcp_noise.SHAPES for _ in range(weight)]
    for number in range(minutes * per_minute):
        at = timedelta(seconds=number * 60 / per_minute)
        entries.append(recorder.random.choice(shapes)(recorder, at, number))
    entries.sort(key=lambda entry: entry["timestamp"])
    files = []
    for quarter in range(0, minutes, _FILE_MINUTES):
        until = START + timedelta(minutes=quarter + _FILE_MINUTES)
        inside = [entry for entry in entries if _within(entry["timestamp"], quarter)]
        name = f"audit/{until:%Y-%m-%dT%H:%M:%S}+00:00_{recorder.random.getrandbits(24):06x}"
        body = b"".join(_compact(entry) + b"\n" for entry in inside)
        files.append(LogFile(name, body, len(inside)))
    return tuple(files)


@cache
def azure_batches(
    *, seed: int = 7, minutes: int = 45, per_minute: int = 5
) -> tuple[tuple[HubEvent, ...], ...]:
    """Return the tenant's events of one partition, in batches as one invocation gets them."""
    recorder = Recorder(seed + 2)
    records = [azure.trusted(recorder), *azure.attack(recorder)]
    shapes = [shape for shape, weight in azure_noise.SHAPES for _ in range(weight)]
    for number in range(minutes * per_minute):
        at = timedelta(seconds=number * 60 / per_minute)
        records += recorder.random.choice(shapes)(recorder, at, number)
    records.sort(key=lambda record: record["time"])
    events = []
    for start in range(0, len(records), _RECORDS_PER_EVENT):
        chunk = records[start : start + _RECORDS_PER_EVENT]
        body = b'{"records":[' + b",".join(map(_compact, chunk)) + b"]}"
        sequence = _FIRST_SEQUENCE + start // _RECORDS_PER_EVENT
        events.append(HubEvent(sequence, chunk[-1]["time"], body, len(chunk)))
    return tuple(
        tuple(events[start : start + _EVENTS_PER_INVOCATION])
        for start in range(0, len(events), _EVENTS_PER_INVOCATION)
    )


def _within(timestamp: str, quarter: int) -> bool:
    """Return whether an instant is in the quarter of the story's hour that begins at a minute."""
    return quarter <= int(timestamp[14:16]) < quarter + _FILE_MINUTES


def _compact(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
