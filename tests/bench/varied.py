"""Golden records of a source, over and over, each with ids and a time of its own.

A record that is the same bytes again costs compression nothing, and no log has one. So what names
the record itself (its id, its request's, what it is joined by) and when it happened is drawn anew
for each; who acts and what on stays, as it does in a log. Lengths and characters' kinds are kept.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256

from nhi_evidence.event import Event
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.mapping import Normalized
from tests.cases.reader import cases, read

_WITHIN_HOUR = re.compile(r"(?<=[T ]\d\d:)\d\d:\d\d(?:\.\d+)?")
_HEX_LETTERS = "abcdef"
_SHORTEST_ID = 8
_LOW_DIGITS = 6
"""Of a time that is a number: what may change and leave it in the same hour, nearly always."""


def records(source: str, mapper: Mapper, count: int) -> list[bytes]:
    """Return so many records of a source that are kept, in turns."""
    raws = [
        json.dumps(read(path).record, separators=(",", ":")).encode()
        for path in cases(source).values()
    ]
    kept = [(raw, event) for raw in raws if (event := _event(source, mapper, raw)) is not None]
    return [_varied(*kept[number % len(kept)], number) for number in range(count)]


def _event(source: str, mapper: Mapper, raw: bytes) -> Event | None:
    read = mapper.records.read(raw)
    event = mapper.packs[source].normalize(read.kept.text)
    return event if isinstance(read.mapped, Normalized) and isinstance(event, Event) else None


def _varied(raw: bytes, event: Event, number: int) -> bytes:
    logged = event.logged
    named = (logged.uid, logged.correlation_uid, event.call.request_uid)
    ids = {part for each in named if each for part in each.split() if _is_id(part)}
    for part in sorted(ids):
        raw = raw.replace(part.encode(), _drawn(part, number).encode())
    time = event.original_time
    return raw.replace(time.encode(), _moment(time, number).encode())


def _is_id(text: str) -> bool:
    return len(text) >= _SHORTEST_ID and any(letter.isdigit() for letter in text)


def _drawn(text: str, number: int) -> str:
    """Replace each digit by another digit, and each letter of hex by another letter."""
    drawn = sha256(f"{text} {number}".encode()).digest()
    return "".join(
        str(drawn[at % 32] % 10)
        if letter.isdigit()
        else _HEX_LETTERS[drawn[at % 32] % 6]
        if letter in _HEX_LETTERS
        else letter
        for at, letter in enumerate(text)
    )


def _moment(text: str, number: int) -> str:
    if text.isdigit():
        return text[:-_LOW_DIGITS] + _drawn(text[-_LOW_DIGITS:], number)
    return _WITHIN_HOUR.sub(
        lambda match: f"{number // 60 % 60:02}:{number % 60:02}{_drawn(match[0][5:], number)}", text
    )
