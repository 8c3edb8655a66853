"""Raw records of a local file: as the provider delivers it, or one record per line."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.event import Rejection, Undecodable
from nhi_evidence.export import Mapper

_LINE_SUFFIXES = (".ndjson", ".jsonl")


def records(mapper: Mapper, name: str, body: bytes) -> Iterator[tuple[bytes, Rejection | None]]:
    """Yield each raw record of a file, with a rejection where the file itself is unreadable.

    A file that holds no readable records yields its whole content once. Blank lines of a
    line-delimited file are no records.
    """
    if name.endswith(_LINE_SUFFIXES):
        lines = (line.strip(b" \t\r") for line in body.split(b"\n"))
        yield from ((line, None) for line in lines if line)
        return
    decoded = mapper.source.decode(body, mapper.limits)
    if isinstance(decoded, Undecodable):
        yield body, Rejection(decoded.reason, decoded.detail)
        return
    for index in range(len(decoded.spans)):
        yield decoded.record(index).raw, None
