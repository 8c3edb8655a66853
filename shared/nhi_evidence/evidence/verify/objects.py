"""V2: the bytes of a sealed version, and the table of an evidence object."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import islice

import msgspec

from nhi_evidence import sources
from nhi_evidence.evidence import flags, keys, table_rules
from nhi_evidence.evidence.leaf import Leaf, MarkerLeaf, ObjectLeaf
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.unit_hours import hour_of
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.stored import Description, Version

MOST_FINDINGS = 20
"""Maximum for one object and step."""

MAX_TABLE_BYTES = table_rules.MAX_TABLE_BYTES
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
        table = table_rules.read(leaf.md, body)
    except table_rules.TableError as error:
        return Content(None, [finding(error.code, leaf, str(error))])
    return weigh(leaf, table)


def weigh(leaf: ObjectLeaf, table: Table) -> Content:
    """V2: a table has the sealed root, and matches key and leaf."""
    findings = bounded(
        finding(each.code, leaf, each.detail, unit=each.unit)
        for each in table_rules.problems(leaf.key, leaf.md, table)
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


def may_be_of_its_hour(leaf: ObjectLeaf) -> bool:
    """Whether an object that is gone can have held something of the hour in its key.

    Nothing is of an hour that began only after the store received it: a writer chose that hour, and
    could otherwise have what is missing from it excused once this object expires.
    """
    began = keys.hour_start(keys.parse_key(leaf.key).hour or "")
    return not flags.never_counts(leaf.flags) and (began is None or leaf.at >= began)


def table_bytes(leaf: ObjectLeaf) -> int:
    """Return how many leading bytes hold the table, as the metadata states; 0 if it does not."""
    return table_rules.stated_bytes(leaf.md)


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
