"""The records of a sealed store, and the claims on their units, from signed epochs alone.

The newest checkpoint of each shard is checked against the pinned keys, the entries against its
root, and every object against the hash in its key. Whether the log has only ever grown, and
whether the store is complete, is for `verify` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence.completeness import statement_file
from nhi_evidence.evidence import counting, flags, keys, objects, signed_leaves
from nhi_evidence.evidence.leaf import EpochLeaf, ObjectLeaf
from nhi_evidence.evidence.lines import decode_line
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.unit_hours import is_in_place
from nhi_evidence.evidence.verify import sound
from nhi_evidence.investigate import findings, row_reading, trust
from nhi_evidence.investigate.findings import StatementRows
from nhi_evidence.investigate.row import Place, Row, Standing
from nhi_evidence.investigate.row_reading import Values
from nhi_evidence.investigate.trust import Trust


class Head(msgspec.Struct, frozen=True):
    """The newest signed state of one shard."""

    shard: str
    size: int
    root: str
    """Hex."""


class SealedObject(msgspec.Struct, frozen=True):
    """One evidence object in a signed epoch."""

    shard: str
    leaf: int
    """Index of its leaf in the shard."""
    order: int
    """Position of its leaf among those of all shards, in the order of sealing."""
    key: str
    vid: str
    source: str
    hour: str
    brief: str
    """What the object is compared with (`sound.brief`)."""


class UnitClaim(msgspec.Struct, frozen=True):
    """What an object claims about one unit, and whether it may."""

    claim: counting.Claim
    is_void: bool
    """Whether it is under a different source or hour than the unit's, and so does not count."""


NumberedRow = tuple[int, Row]
"""Number of the claim, and the row; its standing is not decided here."""


class ObjectContent(msgspec.Struct, frozen=True):
    """What one object contains besides its rows."""

    at: SealedObject
    claims: tuple[UnitClaim, ...]
    """One for each unit line, in the order of the table."""
    trusts: tuple[tuple[int, Trust], ...]
    """Acts of trust, each with the number of its claim."""
    unreadable: tuple[str, ...]
    """The first lines that could not be read, and why."""
    unreadable_count: int
    """How many there are in all."""


class ObjectRows(ObjectContent, frozen=True):
    """Everything one object contains, in memory."""

    rows: tuple[NumberedRow, ...]


def heads(stored: StoredLog) -> list[Head]:
    """Return the newest signed state of each shard. Raises `LogError` if a signature is invalid."""
    every = []
    for shard in stored.shards():
        newest = stored.newest_signed(shard)
        checkpoint = stored.checkpoint(shard, newest) if newest else None
        if checkpoint is not None:
            every.append(Head(shard, checkpoint.size, checkpoint.root.hex()))
    return every


class Listed(msgspec.Struct, frozen=True):
    """What signed heads commit to."""

    objects: tuple[SealedObject, ...]
    """Evidence objects, oldest first."""
    statements: tuple[SealedObject, ...]
    """Objects with statements on completeness, oldest first."""
    custody: tuple[SealedObject, ...]
    """Custody records of cases, oldest first."""
    signed_at: int | None
    """The sealer's clock at the newest log epoch, in Unix milliseconds; None without any."""


def listed(stored: StoredLog, signed: Iterable[Head]) -> Listed:
    """Return the objects under signed heads.

    Raises `LogError` if a shard's entries are not those its head signs, or cannot be read:
    nothing in it can be believed then.
    """
    order = 0
    objects_of: list[SealedObject] = []
    statements: list[SealedObject] = []
    custody: list[SealedObject] = []
    signed_at: int | None = None
    for head in signed:
        root = bytes.fromhex(head.root)
        for index, leaf in signed_leaves.read(stored, head.shard, head.size, root):
            order += 1
            if isinstance(leaf, EpochLeaf):
                signed_at = leaf.at
            elif isinstance(leaf, ObjectLeaf):
                named = keys.parse_key(leaf.key)
                if not (named.hour and named.body_sha256) or flags.SHADOW in leaf.flags:
                    continue  # a later version of a key never counts
                at = SealedObject(
                    head.shard, index, order, leaf.key, leaf.vid, named.source, named.hour,
                    sound.brief(leaf),
                )  # fmt: skip
                if named.kind == "ev":
                    objects_of.append(at)
                elif statement_file.is_statements(leaf.key):
                    statements.append(at)
                elif named.source == "custody":
                    custody.append(at)
    return Listed(tuple(objects_of), tuple(statements), tuple(custody), signed_at)


def read_statements(at: SealedObject, body: bytes | None) -> tuple[StatementRows, ...]:
    """Return what an object of statements says.

    Raises `ValueError` as `read` does, and for a malformed object or one of a different hour.
    """
    statements = statement_file.read(_stored(at, body))
    if statements.hour != at.hour:
        raise ValueError(f"is about a different hour, {statements.hour}")
    return tuple(findings.of_statements(at.key, statements))


def _stored(at: SealedObject, body: bytes | None) -> bytes:
    if body is None:
        raise ValueError("it is gone")
    if sha256(body).hexdigest() != keys.parse_key(at.key).body_sha256:
        raise ValueError("body hash does not match its key")
    return body


Put = Callable[[int, int, Values], None]
"""Takes a record: the number of its claim, its index in the unit, and a row's values. Must not
raise."""


def read(at: SealedObject, body: bytes | None) -> ObjectRows:
    """Return what an object contains, with its records as rows.

    Raises `ValueError`, saying why, if it is gone, its hash does not match its key, or it is not
    a valid evidence object.
    """
    records: list[tuple[int, int, Values]] = []
    content = read_values(at, body, lambda *record: records.append(record))

    def row(number: int, index: int, values: Values) -> Row:
        unit = content.claims[number].claim.unit
        return Row(*(*values, Place(at.key, unit, index, at.shard, at.leaf, Standing.VOID)))

    rows = tuple((number, row(number, index, values)) for number, index, values in records)
    return ObjectRows(**msgspec.structs.asdict(content), rows=rows)


def read_values(at: SealedObject, body: bytes | None, put: Put) -> ObjectContent:
    """Pass the records of an object to `put` as they are decompressed; return what else it has.

    Raises `ValueError` as `read` does: the records passed before must then be discarded.
    """
    table, lines = sound.opened(sound.of_brief(at.key, at.brief), body)
    source = table.header.source
    trusts: list[tuple[int, Trust]] = []
    unreadable: list[str] = []
    unreadable_count = 0
    for number, place, line in objects.each_line_of(table, lines):
        try:
            kept = row_reading.read_values(line, source)
            if kept is None:
                continue
            if trust.may_state(kept[0][_SOURCE], line):
                trusts += [(number, each) for each in _trusts(kept[0], line)]
            put(number, kept[1], kept[0])
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            unreadable_count += 1
            if len(unreadable) < _MAX_UNREADABLE:
                unit = table.units[number].unit
                unreadable.append(f"{at.key}: unit {unit} line {place}: {error}")
    return ObjectContent(at, _claims(at, table), tuple(trusts), tuple(unreadable), unreadable_count)


_MAX_UNREADABLE = 20
"""How many lines of one object are named; all are counted, and `verify` names every one."""


_SOURCE = Row.__struct_fields__.index("source")
_NOWHERE = Place("", "", 0)


def _trusts(values: Values, line: bytes) -> Iterator[Trust]:
    yield from trust.trusts(Row(*(*values, _NOWHERE)), decode_line(line).raw or b"")


def _claims(at: SealedObject, table: Table) -> tuple[UnitClaim, ...]:
    claims = counting.claims(at.order, at.key, table.header, table.units)
    return tuple(
        UnitClaim(claim, not is_in_place(at.source, at.hour, table.header, claim.unit))
        for claim in claims
    )


def standings(
    claims: Sequence[tuple[int, UnitClaim]], accepted: Sequence[str] = ()
) -> dict[int, Standing]:
    """Weigh all claims of one source and hour; return the standing of each, by its number.

    `accepted` as in `counting.count`.
    """
    weighed = counting.count((each.claim for _, each in claims if not each.is_void), accepted)
    by_place: dict[tuple[int, str, int], Standing] = {}
    for unit in weighed.values():
        groups = (
            (unit.counted, Standing.COUNTED),
            (unit.duplicates, Standing.DUPLICATE),
            (unit.disputed, _DISPUTED[unit.status]),
        )
        for group, standing in groups:
            for claim in group:
                by_place[claim.index, claim.unit, claim.part] = standing
    return {
        number: Standing.VOID
        if each.is_void
        else by_place[each.claim.index, each.claim.unit, each.claim.part]
        for number, each in claims
    }


_DISPUTED = {
    counting.Status.COUNTED: Standing.INCOMPLETE,
    counting.Status.INCOMPLETE: Standing.INCOMPLETE,
    counting.Status.CONTESTED: Standing.CONTESTED,
}
