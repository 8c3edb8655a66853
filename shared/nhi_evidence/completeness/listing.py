"""What a provider's API lists for an hour when the deployment queries it: ids, kept as evidence.

An object under `op/v1/recon/` lists the native ids of records, sorted and without duplicates; a
long listing is divided into several objects (docs/evidence-format.md, "Listings").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, pairwise

import msgspec

from nhi_evidence.completeness.statement import Scope
from nhi_evidence.completeness.statement_file import PREFIX, Operation, operation_key
from nhi_evidence.evidence import frame, keys

FORMAT_VERSION = 1
ENDING = ".listing.ndjson.zst"
MOST_IDS = 200_000
"""Maximum number of ids in one object."""
MOST_PARTS = 10_000
"""Maximum number of objects of one listing: whoever reads it names each that is missing."""
MAX_ID_BYTES = 2_000
_MAX_LINES_BYTES = 512 << 20


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A request to an API, and how it was answered."""

    source: str
    """The pack of the listed records."""
    hour: str
    """Hour of the records, by their own time."""
    scope: Scope
    request: str
    """The filter, or the path with its query."""
    at: int
    """Time of the request, milliseconds since the epoch."""
    refused: str = ""
    """Why there is no answer, a code of `REASONS`; empty if there is one."""


class Listing(msgspec.Struct, frozen=True):
    """One object of a listing."""

    question: Question
    part: int
    parts: int
    ids: tuple[str, ...]


class _Header(msgspec.Struct, frozen=True, tag_field="k", tag="listing", omit_defaults=True):
    v: int
    source: str
    hour: str
    scope: Scope
    request: str
    at: int
    part: int
    parts: int
    ids: int
    refused: str = ""


_encode = msgspec.json.Encoder(order="deterministic").encode
_header = msgspec.json.Decoder(_Header).decode
_id = msgspec.json.Decoder(str).decode


def is_listing(key: str) -> bool:
    """Whether a key is one of a listing."""
    stated = keys.parse_key(key)
    return key.startswith(PREFIX) and key.endswith(ENDING) and stated.body_sha256 is not None


def write(question: Question, ids: Iterable[str], count: int) -> Iterator[Operation]:
    """Yield the objects of a listing of `count` `ids`, which come sorted, without duplicates."""
    parts = max(1, -(-count // MOST_IDS))
    remaining = iter(ids)
    for part in range(1, parts + 1):
        chunk = list(islice(remaining, MOST_IDS))
        header = _Header(
            FORMAT_VERSION,
            question.source,
            question.hour,
            question.scope,
            question.request,
            question.at,
            part,
            parts,
            len(chunk),
            question.refused,
        )
        body, _ = frame.pack([_encode(header), *map(_encode, chunk)])
        yield Operation(
            operation_key("recon", question.hour, body, ENDING),
            body,
            {"source": question.source, "ids": str(len(chunk)), "part": f"{part}/{parts}"},
        )


def read(body: bytes) -> Listing:
    """Read one object of a listing. Raises `ValueError` naming what is invalid."""
    lines = frame.unpack(body, limit=_MAX_LINES_BYTES)
    try:
        header = _header(lines[0])
        ids = tuple(map(_id, lines[1:]))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"listing: {error}") from error
    if header.v != FORMAT_VERSION or header.ids != len(ids) or len(ids) > MOST_IDS:
        raise ValueError(f"listing: version {header.v}, {header.ids} ids, {len(ids)} lines")
    if [_encode(header), *map(_encode, ids)] != lines:
        raise ValueError("listing: not in canonical form")
    if any(one >= next_ for one, next_ in pairwise(ids)):
        raise ValueError("listing: ids out of order or duplicated")
    is_part = 1 <= header.part <= header.parts <= MOST_PARTS
    if any(len(each) > MAX_ID_BYTES for each in ids) or not is_part:
        raise ValueError("listing: an id that is too long, or an impossible part number")
    question = Question(
        source=header.source,
        hour=header.hour,
        scope=header.scope,
        request=header.request,
        at=header.at,
        refused=header.refused,
    )
    return Listing(question, header.part, header.parts, ids)
