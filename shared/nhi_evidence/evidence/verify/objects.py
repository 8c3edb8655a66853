"""V2 and V3: the bytes of one sealed version, and what is in them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence.event import Rejection
from nhi_evidence.evidence import flags, frame, keys, merkle
from nhi_evidence.evidence.batch import Header
from nhi_evidence.evidence.leaf import Leaf, MarkerLeaf, ObjectLeaf
from nhi_evidence.evidence.verify import trailer
from nhi_evidence.evidence.verify.findings import Finding

MAX_LINES_BYTES = 1 << 30
MAX_SOURCE_BYTES = 1 << 30
_GZIP_MAGIC = b"\x1f\x8b"


class _Hash(msgspec.Struct):
    value: str


class _Normalized(msgspec.Struct):
    raw_data_hash: _Hash
    raw_data_size: int


class _Line(msgspec.Struct):
    """One record line, as far as it is checked."""

    i: int
    n: _Normalized | None = None
    x: Rejection | None = None
    r: str | None = None
    r64: bytes | None = None


_line = msgspec.json.Decoder(_Line)
_header = msgspec.json.Decoder(Header)


def policy_deviations(leaf: Leaf, retention_ms: int) -> Iterator[str]:
    """Yield the codes of what a leaf says of its version, against the lock a policy asks for."""
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


def stored(leaf: ObjectLeaf, body: bytes) -> Iterator[Finding]:
    """V2: the stored bytes are the sealed ones, and have the hash their key states."""
    digest = sha256(body).hexdigest()
    if leaf.sha256 is None:
        yield _found("no_checksum", leaf)
    elif digest != leaf.sha256:
        yield _found("object_altered", leaf, f"SHA-256 {digest}, sealed {leaf.sha256}")
        return
    if len(body) != leaf.size:
        yield _found("object_altered", leaf, f"{len(body)} bytes, sealed {leaf.size}")
    stated = keys.parse_key(leaf.key).body_sha256
    if stated is None or not digest.startswith(stated):
        yield _found("key_hash", leaf, f"SHA-256 {digest}")


def records(leaf: ObjectLeaf, body: bytes) -> tuple[Header | None, list[bytes], list[Finding]]:
    """V3: inflate, header, record tree and arithmetic.

    Returns the header, the lines of the records and what was found.
    """
    try:
        lines = frame.unpack(body, limit=MAX_LINES_BYTES)
    except ValueError as error:
        return None, [], [_found("frame_invalid", leaf, str(error))]
    try:
        header = _header.decode(lines[0])
    except msgspec.MsgspecError as error:
        return None, [], [_found("header_mismatch", leaf, str(error))]
    findings = list(_check_header(leaf, header))
    root = merkle.root([merkle.leaf_hash(line) for line in lines]).hex()
    if root != leaf.md.get("record-root"):
        findings.append(_found("record_root", leaf, root))
    return header, lines[1:], findings


def raw(
    leaf: ObjectLeaf, header: Header, lines: Sequence[bytes], source: bytes | None
) -> Iterator[Finding]:
    """V3: every raw text is there, has the hash its record states, and stands in the source.

    `source` is the delivered file where a copy was kept; without it the last is not checked.
    """
    inflated = None
    if source is not None:
        inflated = _delivered(header, source)
        if inflated is None:
            yield _found("source_mismatch", leaf, "the source copy inflates to other bytes")
    at = 0
    counts = {"n": 0, "x": 0}
    last = header.first - 1
    of_records, after = trailer.split(lines)
    for problem in trailer.problems(header, after):
        yield _found("arithmetic", leaf, problem)
    for number, line in enumerate(of_records, start=1):
        one, text = _read(line)
        if isinstance(one, str) or text is None:
            yield _found("arithmetic", leaf, f"line {number}: {one}")
            continue
        if one.i <= last or one.i >= header.first + header.n:
            yield _found("arithmetic", leaf, f"line {number} is out of order or range", one.i)
        last = one.i
        counts["x" if one.n is None else "n"] += 1
        if one.n is not None:
            found = sha256(text).hexdigest()
            if found != one.n.raw_data_hash.value or len(text) != one.n.raw_data_size:
                yield _found("raw_hash", leaf, f"SHA-256 {found}", one.i)
        if inflated is not None:
            # A record nearly always follows the one before it and a comma or a line's end.
            place = at + 1 if inflated.startswith(text, at + 1) else inflated.find(text, at)
            if place < 0:
                yield _found("source_mismatch", leaf, "not in the source copy, in order", one.i)
            else:
                at = place + len(text)
    out_of_scope_ids = sum(header.out_of_scope.values())
    said = (header.kept, header.rejected, header.n)
    if said != (counts["n"], counts["x"], sum(counts.values()) + out_of_scope_ids):
        yield _found(
            "arithmetic",
            leaf,
            f"header says {header.n} = {header.kept} + {header.rejected} + {out_of_scope_ids}, "
            f"the lines are {counts['n']} + {counts['x']}",
        )


def _read(line: bytes) -> tuple[_Line | str, bytes | None]:
    """Return a record line and its raw bytes, or why it is none."""
    try:
        one = _line.decode(line)
    except msgspec.MsgspecError as error:
        return str(error), None
    text = one.r.encode() if one.r is not None else one.r64
    if text is None or (one.n is None) == (one.x is None):
        return "no record line", None
    return one, text


def _delivered(header: Header, source: bytes) -> bytes | None:
    """Return the inflated bytes of a source copy; None when they are not the header's."""
    inflated = source if header.rejection else _inflate(source)
    wanted = header.src_sha256 if header.rejection else header.raw_sha256
    if inflated is None or sha256(inflated).hexdigest() != wanted:
        return None
    return inflated


def source_key(leaf: ObjectLeaf, header: Header) -> str:
    """Key of the source copy of an evidence object's unit."""
    return keys.source_copy_key(
        source=header.source,
        hour=keys.parse_key(leaf.key).hour or keys.UNKNOWN_HOUR,
        unit=header.unit,
        body_sha256=bytes.fromhex(header.src_sha256),
    )


def _check_header(leaf: ObjectLeaf, header: Header) -> Iterator[Finding]:
    parsed = keys.parse_key(leaf.key)
    told = {
        "source": (header.source, parsed.source),
        "unit": (keys.encode_unit(header.unit), parsed.unit),
        "part": (f"{header.part}/{header.parts}", leaf.md.get("part")),
        "records": (str(header.n), leaf.md.get("records")),
        "kept": (str(header.kept), leaf.md.get("kept")),
        "rejected": (str(header.rejected), leaf.md.get("rejected")),
        "src-sha256": (header.src_sha256, leaf.md.get("src-sha256")),
        "raw-sha256": (header.raw_sha256, leaf.md.get("raw-sha256")),
        "mapper": (f"{header.mapper.version} {header.mapper.digest}", leaf.md.get("mapper")),
    }
    for name, (inside, outside) in told.items():
        if inside != outside:
            yield _found("header_mismatch", leaf, f"{name}: {inside!r} inside, {outside!r} sealed")


def _inflate(source: bytes) -> bytes | None:
    """Inflate a delivered file as the line does: gzip members to the end, or as it is."""
    if not source.startswith(_GZIP_MAGIC):
        return source
    parts: list[bytes] = []
    rest, room = source, MAX_SOURCE_BYTES
    while rest:
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(rest, room + 1))
        except zlib.error:
            return None
        room -= len(parts[-1])
        if not member.eof or room < 0:
            return None
        rest = member.unused_data
    return b"".join(parts)


def _found(code: str, leaf: ObjectLeaf, detail: str = "", record: int | None = None) -> Finding:
    return Finding(code=code, key=leaf.key, version=leaf.vid, record=record, detail=detail[:300])
