"""Runs of Event Hub messages, and the bytes of a run's delivery (docs/evidence-format.md).

A batch is split into runs: messages of one partition with consecutive sequence numbers. A run's
bytes depend on its messages alone, so the same run delivered again is the same unit with the same
bytes, whatever batch it is in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

import msgspec

VERSION = 1

RUN_BYTES = 8 * 1024 * 1024
"""The most bytes of messages in a run; a larger message is a run of its own."""

_NUMBERED = re.compile(r"(.+/.+#.+/.+)/(\d{1,20})-(\d{1,20})(?:!h=\d{10})?", re.ASCII)
_HOUR_DIGITS = len("YYYYMMDDHH")
_encode = msgspec.json.Encoder().encode


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message as received from the hub."""

    body: bytes
    sequence: int | None = None
    """Its number in the partition; None if the host states none."""
    offset: str | None = None
    enqueued: str | None = None
    """When the hub received it, ISO 8601 in UTC."""


class Run(msgspec.Struct, frozen=True, gc=False):
    """Consecutively numbered messages of one partition."""

    stream: str
    """`<namespace>/<hub>#<hub creation id>/<partition>`."""
    messages: tuple[Message, ...]

    @property
    def unit(self) -> str:
        """The stable name of the run: by its numbers or, if it has none, by its bytes.

        Includes the hour in which the first message was enqueued, if the host states it.
        """
        first, last = self.messages[0].sequence, self.messages[-1].sequence
        enqueued = self.messages[0].enqueued
        hour = "".join(filter(str.isdigit, enqueued[:13])) if enqueued else ""
        ending = f"!h={hour}" if len(hour) == _HOUR_DIGITS else ""
        if first is None:
            return f"{self.stream}/unnumbered/{sha256(frame(self)).hexdigest()}{ending}"
        return f"{self.stream}/{first}-{last}{ending}"


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The first line of a framed run."""

    k: str
    v: int
    stream: str
    messages: int


class _Head(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The line before each message."""

    sequence: int | None = None
    offset: str | None = None
    enqueued: str | None = None
    size: int


class Framed(msgspec.Struct, frozen=True, gc=False):
    """Where a message is in a framed run."""

    sequence: int | None
    start: int
    end: int


_decode_opening = msgspec.json.Decoder(Opening).decode
_decode_head = msgspec.json.Decoder(_Head).decode


def runs(stream: str, messages: Iterable[Message]) -> list[Run]:
    """Split a batch into runs, regardless of the order of its messages.

    A repeated message is taken once. Messages with the same number but different bytes go into
    different runs: which of them counts is not decided here.
    """
    numbered: dict[int, list[Message]] = {}
    unnumbered = []
    for message in messages:
        if message.sequence is None:
            unnumbered.append(message)
        elif message not in (same_number := numbered.setdefault(message.sequence, [])):
            same_number.append(message)
    for same_number in numbered.values():
        same_number.sort(key=_content)
    cut = []
    layer = 0
    while here := [numbered[n][layer] for n in sorted(numbered) if len(numbered[n]) > layer]:
        cut += [Run(stream, tuple(following)) for following in _contiguous(here)]
        layer += 1
    cut += [Run(stream, (message,)) for message in unnumbered]
    return cut


def _content(message: Message) -> tuple[bytes, str, str]:
    return message.body, message.offset or "", message.enqueued or ""


def _contiguous(messages: Iterable[Message]) -> Iterator[list[Message]]:
    following: list[Message] = []
    size = 0
    for message in messages:
        follows = following and message.sequence == (following[-1].sequence or 0) + 1
        if following and (not follows or size + len(message.body) > RUN_BYTES):
            yield following
            following, size = [], 0
        following.append(message)
        size += len(message.body)
    if following:
        yield following


def frame(run: Run) -> bytes:
    """Return the bytes of a run's delivery: its messages byte for byte, each after its head."""
    pieces = [_encode(Opening(k="run", v=VERSION, stream=run.stream, messages=len(run.messages)))]
    for message in run.messages:
        head = _Head(
            sequence=message.sequence,
            offset=message.offset,
            enqueued=message.enqueued,
            size=len(message.body),
        )
        pieces += [_encode(head), message.body]
    return b"\n".join((*pieces, b""))


def read(data: bytes) -> tuple[Opening, list[Framed]]:
    """Return the opening of a framed run, and where its messages are.

    Raises `ValueError` saying where `data` is not what `frame` writes.
    """
    line, position = _line(data, 0)
    try:
        opening = _decode_opening(line)
        if (opening.k, opening.v) != ("run", VERSION):
            raise ValueError(f"not a run of version {VERSION}: {line[:80]!r}")
        framed = []
        while position < len(data):
            line, start = _line(data, position)
            head = _decode_head(line)
            end = start + head.size
            if head.size < 0 or data[end : end + 1] != b"\n":
                raise ValueError(f"message at byte {start} does not end at byte {end}")
            framed.append(Framed(head.sequence, start, end))
            position = end + 1
    except msgspec.MsgspecError as error:
        raise ValueError(f"at byte {position}: {error}") from error
    _check(opening, framed)
    return opening, framed


def _check(opening: Opening, framed: Sequence[Framed]) -> None:
    if not framed or len(framed) != opening.messages:
        raise ValueError(f"{len(framed)} messages, {opening.messages} announced")
    first = framed[0].sequence
    for place, message in enumerate(framed):
        if message.sequence != (None if first is None else first + place):
            raise ValueError(f"message {place} has number {message.sequence} after {first}")


def _line(data: bytes, start: int) -> tuple[bytes, int]:
    end = data.find(b"\n", start)
    if end < 0:
        raise ValueError(f"no line at byte {start}")
    return data[start:end], end + 1


def claimed(unit: str) -> tuple[str, int, int] | None:
    """Return stream, first and last number from a unit's name; None if it has no numbers."""
    # Called for every unit that is verified; most are files.
    named = _NUMBERED.fullmatch(unit) if "#" in unit else None
    return (named[1], int(named[2]), int(named[3])) if named else None
