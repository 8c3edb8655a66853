"""Raw records of a local file: in any form the provider hands them out, or one per line."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.event import Rejection, Undecodable
from nhi_evidence.pipeline.export import Mapper

_LINE_SUFFIXES = (".ndjson", ".jsonl")


def records(mapper: Mapper, name: str, body: bytes) -> Iterator[tuple[bytes, Rejection | None]]:
    """Yield each raw record of a file, with a rejection where a document is unreadable.

    A document (a file, or a line of a line-delimited file) that holds no readable records
    yields its whole content once. Blank lines are no documents.
    """
    documents = [body]
    if name.endswith(_LINE_SUFFIXES):
        documents = [line for raw in body.split(b"\n") if (line := raw.strip(b" \t\r"))]
    for document in documents:
        decoded = mapper.source.unwrap(document, mapper.settings.limits)
        if isinstance(decoded, Undecodable):
            yield document, Rejection(decoded.reason, decoded.detail)
            continue
        for index in range(len(decoded.spans)):
            yield decoded.record(index).raw, None
