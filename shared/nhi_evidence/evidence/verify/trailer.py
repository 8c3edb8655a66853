"""V3: the lines after the records, which say what the object holds besides them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from nhi_evidence.evidence.batch import (
    OUT_OF_SCOPE_DIGITS,
    Header,
    Messages,
    OutOfScopeIds,
    is_record,
)

_decode = msgspec.json.Decoder(Messages | OutOfScopeIds).decode
_HASH_DIGITS = 64


def split(lines: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """Split the lines after the header into those of records and those after them."""
    end = len(lines)
    while end and not is_record(lines[end - 1]):
        end -= 1
    return lines[:end], lines[end:]


def problems(header: Header, lines: Sequence[bytes]) -> Iterator[str]:
    """Say where the lines after the records are not what the header says."""
    try:
        found = [_decode(line) for line in lines]
    except msgspec.MsgspecError as error:
        yield f"a line after the records: {error}"
        return
    if header.out_of_scope_ids != bool(found and isinstance(found[-1], OutOfScopeIds)):
        yield f"header says out_of_scope_ids {header.out_of_scope_ids}, the last line does not"
    out_of_scope_ids = [one for one in found if isinstance(one, OutOfScopeIds)]
    messages = [one for one in found if isinstance(one, Messages)]
    if len(out_of_scope_ids) > 1 or len(messages) > (header.part == 1):
        yield f"{len(out_of_scope_ids)} lines of what was left out, {len(messages)} of messages"
    for named in out_of_scope_ids:
        total = sum(header.out_of_scope.values())
        if len(named.h) != total:
            yield f"header leaves out {total} records, the last line names {len(named.h)}"
        yield from _not_hashes(named.h, OUT_OF_SCOPE_DIGITS)
    for stated in messages:
        if len(stated.h) != len(stated.n) or min(stated.n, default=0) < 0:
            yield f"{len(stated.h)} messages with {len(stated.n)} counts of records"
        if header.parts == 1 and sum(stated.n) != header.n:
            yield f"the messages hold {sum(stated.n)} records, the header {header.n}"
        yield from _not_hashes(stated.h, _HASH_DIGITS)


def _not_hashes(texts: Sequence[str], digits: int) -> Iterator[str]:
    for text in texts:
        if len(text) != digits or not set(text) <= set("0123456789abcdef"):
            yield f"not a hash: {text[:80]!r}"
            return
