"""The generated records as files: the story by account and five minutes, or one large document."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

from nhi_evidence.demo.story import aws_crossing, platforms
from nhi_evidence.demo.story.noise import SHAPES
from nhi_evidence.demo.story.records import (
    ACCOUNTS,
    REGIONS,
    SHARED_SERVICES,
    START,
    Recorder,
)
from nhi_evidence.demo.story.script import attack

_ORGANIZATION = "o-exampleorg1"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_FILE_MINUTES = 15


class TrailFile(NamedTuple):
    """One file as CloudTrail delivers it to an organization's bucket."""

    key: str
    body: bytes
    """Gzip of `{"Records":[...]}`."""
    records: int


@cache
def generate(*, seed: int = 7, minutes: int = 45, per_minute: int = 12) -> tuple[TrailFile, ...]:
    """Return the story's files, by account, region and quarter of an hour."""
    recorder = Recorder(seed)
    records = attack(recorder)
    records += aws_crossing.attack(Recorder(seed + 3))
    names = _weighted()
    for number in range(minutes * per_minute):
        at = timedelta(seconds=number * 60 / per_minute)
        account = recorder.random.choice(ACCOUNTS)
        region = recorder.random.choices(REGIONS, (4, 1))[0]
        shape = recorder.random.choice(names)
        records.append(shape(recorder, at, account, region, number))
    grouped: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record["eventTime"]):
        minute = int(record["eventTime"][14:16]) // _FILE_MINUTES
        grouped[record["recipientAccountId"], record["awsRegion"], minute].append(record)
    return tuple(
        _file(recorder, account, region, (quarter + 1) * _FILE_MINUTES, found)
        for (account, region, quarter), found in sorted(grouped.items())
    )


def agent_trail(*, seed: int = 7) -> TrailFile:
    """Return the file of an agent that lists its tools, and is refused one."""
    records = platforms.attack(Recorder(seed + 3), "aws_cloudtrail")
    return _file(Recorder(seed + 4), SHARED_SERVICES, REGIONS[0], 3 * _FILE_MINUTES, records)


def bulk(*, seed: int, records: int) -> bytes:
    """Return one uncompressed document of benign records, for measuring.

    About 1.1 kB per record; `make bench` prints the exact size and ratio of what it measures.
    """
    recorder = Recorder(seed)
    names = _weighted()
    lines = []
    for number in range(records):
        account = recorder.random.choice(ACCOUNTS)
        shape = recorder.random.choice(names)
        at = timedelta(seconds=number / 50)
        lines.append(
            _compact(shape(recorder, at, account, recorder.random.choice(REGIONS), number))
        )
    return b'{"Records":[' + b",".join(lines) + b"]}"


def _weighted() -> list[Any]:
    return [shape for shape, weight in SHAPES for _ in range(weight)]


def _file(
    recorder: Recorder, account: str, region: str, minute: int, records: list[dict[str, Any]]
) -> TrailFile:
    delivered = START + timedelta(minutes=minute)
    unique = "".join(recorder.random.choices(_ALPHABET, k=16))
    name = f"{account}_CloudTrail_{region}_{delivered:%Y%m%dT%H%MZ}_{unique}.json.gz"
    folder = f"AWSLogs/{_ORGANIZATION}/{account}/CloudTrail/{region}/{delivered:%Y/%m/%d}"
    document = b'{"Records":[' + b",".join(map(_compact, records)) + b"]}"
    return TrailFile(f"{folder}/{name}", gzip.compress(document, 6, mtime=0), len(records))


def _compact(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
