"""Readings under `op/v1/config/`: one object each, in one spelling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.coverage import answers
from nhi_evidence.coverage.answers import Reading, ReadingError
from nhi_evidence.coverage.signed import Placed
from nhi_evidence.evidence import frame, keys
from nhi_evidence.ports import EvidenceVersions

KIND = "config"
ENDING = ".reading.json.zst"


def write(reading: Reading) -> Operation:
    """Return the object that holds a reading, under the hour it was asked in."""
    body, _ = frame.pack([answers.write(reading)])
    hour = keys.hour_of(reading.at)
    key = f"op/v1/{KIND}/h={hour}/{sha256(body).hexdigest()}{ENDING}"
    metadata = {"platform": reading.platform, "answers": str(len(reading.answers))}
    return Operation(key, body, metadata)


def read(body: bytes, name: str) -> Reading:
    """Read it back. Raises `ReadingError` for anything `write` would not have written."""
    try:
        lines = frame.unpack(body, limit=answers.MAX_READING_BYTES)
    except ValueError as error:
        raise ReadingError(f"{name}: {error}") from error
    if len(lines) != 1:
        raise ReadingError(f"{name}: {len(lines)} lines, not one")
    reading = answers.read(lines[0], name)
    if answers.write(reading) != lines[0]:
        raise ReadingError(f"{name}: not in its own form")
    return reading


def sealed(
    store: EvidenceVersions, placed: Iterable[Placed], problems: dict[str, str]
) -> Iterator[tuple[Placed, Reading]]:
    """Yield the readings of sealed objects; say in `problems`, by key, which cannot be read."""
    chosen = [one for one in placed if one.key.endswith(ENDING)]
    bodies = store.bodies((one.key, one.vid) for one in chosen)
    for at, body in zip(chosen, bodies, strict=True):
        try:
            if body is None or sha256(body).hexdigest() != keys.parse_key(at.key).body_sha256:
                raise ReadingError(f"{at.key}: gone, or other bytes than were sealed")
            reading = read(body, at.key)
            if keys.hour_of(reading.at) != at.hour:
                raise ReadingError(f"{at.key}: asked in another hour than its key says")
        except ReadingError as error:
            problems[at.key] = str(error)
        else:
            yield at, reading
