"""V2: the bytes of a sealed version, and the table of an evidence object."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain, islice, pairwise

import msgspec

from nhi_evidence import sources
from nhi_evidence.evidence import flags, frame, keys
from nhi_evidence.evidence.leaf import Leaf, MarkerLeaf, ObjectLeaf
from nhi_evidence.evidence.objects import MAX_LINES_BYTES, Table, metadata, read_table
from nhi_evidence.evidence.unit_hours import hour_of
from nhi_evidence.evidence.verify import arithmetic
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.stored import Description, Version

MOST_FINDINGS = 20
"""Maximum for one object and step."""

MAX_TABLE_BYTES = MAX_LINES_BYTES
"""Maximum inflated size of a table."""


class Content(msgspec.Struct, frozen=True):
    """The table of an object with the sealed bytes, and what is wrong with it."""

    table: Table | None
    findings: list[Finding]
    void: frozenset[int] = frozenset()
    """Places in the table of unit lines whose claims do not count: the unit is of another hour, or
    this release does not know the source and so cannot tell its hour."""

    @property
    def counts(self) -> bool:
        """Whether its claims may be weighed."""
        return self.table is not None and not self.findings


def policy_deviations(leaf: Leaf, retention_ms: int) -> Iterator[str]:
    """Yield the code of each way in which a leaf's version deviates from the policy's lock."""
    if isinstance(leaf, MarkerLeaf) and flags.EXPIRED not in leaf.flags:
        yield "marker"
    if not isinstance(leaf, ObjectLeaf):
        return
    short = flags.SHORT_LOCK in leaf.flags or flags.is_short(leaf.until, leaf.at, retention_ms)
    if retention_ms and short:
        yield "short_lock"
    if flags.ENCRYPTION in leaf.flags:
        yield "encryption"
    if flags.SHADOW in leaf.flags:
        yield "shadow"
    if flags.UNDESCRIBED in leaf.flags:
        yield "undescribed"


def false_flags(
    leaf: ObjectLeaf | MarkerLeaf, listed: Version | None, *, is_first: bool
) -> Iterator[str]:
    """Yield how a leaf's flags contradict what the log and the store show of its version.

    `listed` is the version as the store lists it. `is_first` means that no version of the key can
    have come before: the whole log was read, and an earlier one that is gone still has its leaf.
    """
    problem = flags.contradiction(leaf)
    if problem is not None:
        yield problem
    if listed is None or listed.marker or not isinstance(leaf, ObjectLeaf):
        return
    if listed.shadow and flags.SHADOW not in leaf.flags:
        yield "not the first version of its key, but not flagged as a shadow"
    elif not listed.shadow and flags.SHADOW in leaf.flags and is_first:
        yield "flagged as a shadow, but the first version of its key"


def false_description(leaf: ObjectLeaf, description: Description | None) -> Iterator[str]:
    """Yield how a store's description of a version contradicts its leaf.

    A lock may have been extended. What the store does not describe to this reader is not compared.
    """
    if (
        description is None
        or description.undescribed is not None
        or flags.UNDESCRIBED in leaf.flags
    ):
        return
    if dict(description.metadata) != dict(leaf.md):
        yield "its metadata differs from the leaf's"
    if (description.retain_until or 0) < (leaf.until or 0):
        yield f"its lock ends at {description.retain_until}, the leaf states {leaf.until}"


def stored(leaf: ObjectLeaf, body: bytes) -> Iterator[Finding]:
    """V2: the stored bytes are the sealed ones, and have the hash in their key."""
    digest = sha256(body).hexdigest()
    if leaf.sha256 is None:
        yield finding("no_checksum", leaf)
    elif digest != leaf.sha256:
        yield finding("object_altered", leaf, f"SHA-256 {digest}, sealed {leaf.sha256}")
        return
    if len(body) != leaf.size:
        yield finding("object_altered", leaf, f"{len(body)} bytes, sealed {leaf.size}")
    if keys.parse_key(leaf.key).body_sha256 != digest:
        yield finding("key_hash", leaf, f"SHA-256 {digest}")


def read_content(leaf: ObjectLeaf, body: bytes) -> Content:
    """V2: the table is in the right form, has the sealed root, and matches key and leaf."""
    try:
        length = _table_bytes(leaf, body)
        frame.check_form(body, table=length)
    except ValueError as error:
        return Content(None, [finding("frame_invalid", leaf, str(error))])
    try:
        block = frame.unpack_table(body[:length], limit=MAX_TABLE_BYTES)
        table = read_table(block)
    except ValueError as error:
        return Content(None, [finding("table_invalid", leaf, str(error))])
    if len(block) != len(table.lines):
        return Content(None, [finding("table_invalid", leaf, "extra lines in the table's block")])
    return weigh(leaf, table)


def weigh(leaf: ObjectLeaf, table: Table) -> Content:
    """V2: a table has the sealed root, and matches key and leaf."""
    findings = bounded(
        chain(
            _root(leaf, table),
            _as_stated(leaf, table),
            _order(leaf, table),
            _arithmetic(leaf, table),
        )
    )
    hour, own_hour = keys.parse_key(leaf.key).hour, hour_of(table.header.source)
    void = frozenset(place for place, unit in enumerate(table.units) if own_hour(unit.unit) != hour)
    return Content(table, findings, void)


def bounded(problems: Iterator[Finding]) -> list[Finding]:
    """Return at most `MOST_FINDINGS` for one object; the last one says if there are more."""
    findings = list(islice(problems, MOST_FINDINGS))
    if len(findings) == MOST_FINDINGS and next(problems, None) is not None:
        last = findings[-1]
        findings[-1] = msgspec.structs.replace(
            last, detail=f"{last.detail}; and more in this object"[:300]
        )
    return findings


def hours(leaf: ObjectLeaf, content: Content) -> Iterator[Finding]:
    """V2: each unit is in an object of the hour its name gives; otherwise its claim is void."""
    if content.table is None:
        return
    if content.void and content.table.header.source not in sources.names():
        yield finding("source_unknown", leaf, content.table.header.source)
        return
    own_hour = hour_of(content.table.header.source)
    for place in sorted(content.void):
        name = content.table.units[place].unit
        yield finding("unit_hour", leaf, f"its name gives {own_hour(name)}", unit=name)


def table_bytes(leaf: ObjectLeaf) -> int:
    """Return how many leading bytes hold the table, as the metadata states; 0 if it does not."""
    match = _NUMBER.fullmatch(leaf.md.get("table", ""))
    return int(match[0]) if match is not None else 0


_NUMBER = re.compile(r"[1-9][0-9]{0,10}", re.ASCII)


def _table_bytes(leaf: ObjectLeaf, body: bytes) -> int:
    length = table_bytes(leaf)
    if not 0 < length <= len(body):
        text = leaf.md.get("table", "")
        raise ValueError(f"metadata states a table of {text[:20]!r} bytes")
    return length


def _root(leaf: ObjectLeaf, table: Table) -> Iterator[Finding]:
    root = table.root
    if root != leaf.md.get("root"):
        yield finding("table_root", leaf, f"root {root}")


def _as_stated(leaf: ObjectLeaf, table: Table) -> Iterator[Finding]:
    """Compare the table with the key and with the sealed metadata."""
    parsed = keys.parse_key(leaf.key)
    if (table.header.source, table.header.hour) != (parsed.source, parsed.hour):
        inside = f"{table.header.source} {table.header.hour}"
        yield finding("table_mismatch", leaf, f"{inside!r} inside, unlike the key")
    expected = metadata(table.header, table.units, root="", table_bytes=0)
    for name in ("units", "records", "kept", "rejected", "mapper"):
        if expected[name] != leaf.md.get(name):
            detail = f"{name}: {expected[name]!r} inside, {leaf.md.get(name)!r} sealed"
            yield finding("table_mismatch", leaf, detail)


def _order(leaf: ObjectLeaf, table: Table) -> Iterator[Finding]:
    """Check that units are ordered by name and part, without duplicates."""
    names = [(unit.unit, unit.part) for unit in table.units]
    for (before, _), (after, part) in pairwise(names):
        if (before, _) >= (after, part):
            yield finding("table_invalid", leaf, "units out of order or duplicated", unit=after)
            return


def _arithmetic(leaf: ObjectLeaf, table: Table) -> Iterator[Finding]:
    """Check that the numbers of unit lines are in bounds and add up."""
    for unit, problem in arithmetic.problems(table.units):
        yield finding("arithmetic", leaf, problem, unit=unit.unit)


def finding(
    code: str,
    leaf: ObjectLeaf,
    detail: str = "",
    *,
    unit: str | None = None,
    record: int | None = None,
) -> Finding:
    """Return a finding about an object, with its texts truncated."""
    name = None if unit is None else unit[:300]
    return Finding(
        code=code, key=leaf.key, version=leaf.vid, unit=name, record=record, detail=detail[:300]
    )
