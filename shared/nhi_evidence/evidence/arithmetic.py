"""V2: the numbers, hashes and gaps of unit lines are in bounds and add up.

Nearly every unit line is a correct one of a plain delivered file. That is tested first, in few
calls for the whole table; only the remaining lines are examined one by one for what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256

from nhi_evidence.evidence import gaps, lines
from nhi_evidence.evidence.lines import UnitLine

_HASH = re.compile("[0-9a-f]{64}")
_DIGITS = re.compile("[0-9a-f]*")
_HASH_DIGITS = 64
_RAW_FORMS = (None, "api")
_LONGEST_NAME = 4_096
"""Maximum characters of a unit's name: no store's bucket, key and version take more, and whoever
judges completeness keeps the name once for each hour."""
_LARGEST = 1 << 53
"""Upper bound of every number in a table: any JSON reader can represent it exactly."""


def problems(units: Sequence[UnitLine]) -> Iterator[tuple[UnitLine, str]]:
    """Yield each unit line that does not add up, with the first thing wrong with it."""
    for unit in in_doubt(units):
        what = problem(unit)
        if what is not None:
            yield unit, what


def problem(unit: UnitLine) -> str | None:
    """Return the first thing wrong with a unit line, or None."""
    return next(_problems(unit), None)


def in_doubt(units: Sequence[UnitLine]) -> Sequence[UnitLine]:
    """Return the unit lines that may be wrong; all others are certainly right."""
    hashes = [
        each
        for unit in units
        for each in (unit.src_sha256, unit.root, unit.raw_sha256 or unit.root)
    ]
    if set(map(len, hashes)) != {_HASH_DIGITS} or not _DIGITS.fullmatch("".join(hashes)):
        return units
    return [unit for unit in units if not _is_plain(unit)]


def _is_plain(unit: UnitLine) -> bool:
    """Whether a line, apart from its hashes, is that of a one-part file of records and adds up."""
    start, end = unit.span
    if (
        unit.kind != "records"
        or unit.rejection is not None
        or unit.raw_sha256 is None
        or unit.messages is not None
        or len(unit.unit) > _LONGEST_NAME
        or unit.raw_form not in _RAW_FORMS
        or not unit.part == unit.parts == 1
        or not start == unit.first == 0
        or not end == unit.raw_size <= _LARGEST
    ):
        return False
    records, excluded = unit.records, unit.out_of_scope.values()
    number = size = 0
    for gap in unit.gaps:
        if len(gap) != _OF_TEXT:
            return False
        count, text = gap
        if not isinstance(count, int) or not isinstance(text, str) or not text.isascii():
            return False
        if count <= 0:
            return False
        number += count
        size += count * len(text)
    return (
        number == records + 1 <= gaps.MAX_GAPS
        and (unit.rebuild != "no" or any(excluded))
        and size <= end
        and unit.kept + unit.rejected + sum(excluded) == records <= end
        and min(unit.kept, unit.rejected, unit.lines, *excluded) >= 0
        and unit.lines <= _LARGEST
        and sha256(unit.unit.encode()).hexdigest().startswith(unit.u)
        and len(unit.u) == lines.ID_DIGITS
    )


_OF_TEXT = len(("count", "text"))


def _problems(unit: UnitLine) -> Iterator[str]:
    start, end = unit.span
    excluded = unit.out_of_scope.values()
    numbers = (
        *(unit.part, unit.parts, unit.raw_size, start, end, unit.first, unit.lines),
        *(unit.records, unit.kept, unit.rejected, *excluded),
    )
    if min(numbers) < 0 or max(numbers) > _LARGEST:
        yield "a number below 0 or above 2^53"
    if len(unit.unit) > _LONGEST_NAME:
        yield f"a name of {len(unit.unit)} characters"
    if unit.raw_form not in _RAW_FORMS:
        # No checker of a proof takes it: records would count of which nobody could prove one.
        yield "a raw form that does not exist"
    if unit.u != lines.unit_id(unit.unit):
        yield "unit id does not match the name"
    if not 1 <= unit.part <= unit.parts or not start <= end <= unit.raw_size:
        yield f"part {unit.part} of {unit.parts}, span {unit.span} of {unit.raw_size}"
    if unit.records != unit.kept + unit.rejected + sum(excluded):
        yield f"{unit.records} records, {unit.kept} + {unit.rejected} + {sum(excluded)}"
    hashes = (unit.src_sha256, unit.root, unit.raw_sha256 or unit.root)
    if not all(map(_HASH.fullmatch, hashes)):
        yield "not a hash"
    if unit.records > end - start + 1:
        # Each record, or the text around it, takes at least a byte, so there cannot be more.
        yield f"{unit.records} records in {end - start} bytes"
    yield from _problems_of_kind(unit)
    if unit.messages is not None:
        yield from _problems_of_messages(unit)


def _problems_of_kind(unit: UnitLine) -> Iterator[str]:
    is_rejection = unit.kind == "rejection"
    if {unit.rejection is not None, unit.raw_sha256 is None} != {is_rejection}:
        yield "a rejection, and nothing else, has a reason and no inflated bytes"
    if unit.kind != "records":
        is_whole = unit.is_exact or (unit.kind == "rejection" and unit.rebuild == "cut")
        if unit.records or unit.gaps or not is_whole:
            yield f"a {unit.kind} with records or gaps, or incomplete"
        return
    if unit.rebuild == "no" and not any(unit.out_of_scope.values()):
        # Only the text of a record that is out of scope may be missing, and each is counted.
        yield "its bytes are said to be missing, but no record is out of scope"
    try:
        number, size = gaps.extent(unit.gaps)
        if number != unit.records + 1:
            yield f"{number} gaps around {unit.records} records"
        if size > unit.span[1] - unit.span[0]:
            yield "gaps longer than the span"
    except ValueError as error:
        yield str(error)


def _problems_of_messages(unit: UnitLine) -> Iterator[str]:
    messages = unit.messages
    if messages is None:
        return
    if unit.part != 1 or len(messages.h) != len(messages.n) or not messages.h:
        yield f"{len(messages.h)} messages with {len(messages.n)} counts, part {unit.part}"
    if not all(0 <= number <= _LARGEST for number in (messages.first, *messages.n)):
        yield "a number of messages below 0 or above 2^53"
    if not all(map(_HASH.fullmatch, messages.h)):
        yield "not a hash of a message"
    if unit.kind == "records" and unit.parts == 1 and sum(messages.n) != unit.records:
        yield f"the messages hold {sum(messages.n)} records, the unit {unit.records}"
