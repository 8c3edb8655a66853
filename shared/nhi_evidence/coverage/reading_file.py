"""Store readings under `op/v1/config/`: one object each, in canonical form."""

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
    """Return a reading's object, under the hour it was made in."""
    body, _ = frame.pack([answers.write(reading)])
    hour = keys.hour_of(reading.at)
    key = f"op/v1/{KIND}/h={hour}/{sha256(body).hexdigest()}{ENDING}"
    metadata = {"platform": reading.platform, "answers": str(len(reading.answers))}
    return Operation(key, body, metadata)


def read(body: bytes, name: str) -> Reading:
    """Decode a reading. Raises `ReadingError` for anything `write` would not have written."""
    try:
        lines = frame.unpack(body, limit=answers.MAX_READING_BYTES)
    except ValueError as error:
        raise ReadingError(f"{name}: {error}") from error
    if len(lines) != 1:
        raise ReadingError(f"{name}: {len(lines)} lines, not one")
    reading = answers.read(lines[0], name)
    if answers.write(reading) != lines[0]:
        raise ReadingError(f"{name}: not in canonical form")
    return reading


def sealed(
    store: EvidenceVersions, placed: Iterable[Placed], problems: dict[str, str]
) -> Iterator[tuple[Placed, Reading]]:
    """Yield the readings of sealed objects; add those that cannot be read to `problems`, by key."""
    chosen = [one for one in placed if one.key.endswith(ENDING)]
    bodies = store.bodies((one.key, one.vid) for one in chosen)
    for at, body in zip(chosen, bodies, strict=True):
        try:
            if body is None or sha256(body).hexdigest() != keys.parse_key(at.key).body_sha256:
                raise ReadingError(f"{at.key}: gone, or not the bytes that were sealed")
            reading = read(body, at.key)
            if keys.hour_of(reading.at) != at.hour:
                raise ReadingError(f"{at.key}: the reading's hour does not match its key")
        except ReadingError as error:
            problems[at.key] = str(error)
        else:
            yield at, reading
