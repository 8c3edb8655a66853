"""The lines in a proof (record, unit, header, leaf), read by one strict set of rules.

Every field is matched before it is used, in a writer's order and canonical form
(docs/evidence-format.md); the bundle's `check_proof.py` and `walkthrough.sh` follow the same rules.
The contents of `n`, `x`, `gaps`, `messages`, `rejection`, `mapper` and `settings` are shown as they
are, and not trusted.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256

import msgspec

from nhi_evidence.reading import strict_json

INTEGER = rb"(?:0|[1-9][0-9]{0,14})"
_HEX = rb'"[0-9a-f]{64}"'
_WORD = rb'"[a-z][a-z0-9_]*"'
_STRING = rb'"(?:[^"\\]++|\\["\\bfnrt]|\\u00(?:0[1-9a-f]|1[0-9a-f]))*+"'
_OBJECT = rb"(?s:\{.*\})"
_LIST = rb"(?s:\[.*\])"
_COUNTS = rb'\{(?:"[a-z0-9_]+":%b(?:,"[a-z0-9_]+":%b)*+)?\}' % (INTEGER, INTEGER)
_FLAGS = rb'\["[a-z_]+"(?:,"[a-z_]+")*+\]'
_CUT = rb'\["[A-Za-z0-9_.-]+",%b,%b,"[A-Za-z0-9+/=:_.-]+"\]' % (INTEGER, INTEGER)
_CUTS = rb"\[%b(?:,%b)*+\]" % (_CUT, _CUT)

_CONTROL = re.compile(rb"[\x00-\x1f]")

_RECORD_FORMS = {
    b"u i n r": "kept",
    b"u i x r": "rejected",
    b"u i x r64": "rejected",
    b"u i o r": "out_of_scope",
    b"u i r": "companion",
    b"u i r64": "companion",
}
_RECORD = {
    "u": rb'"[0-9a-f]{16}"',
    "i": INTEGER,
    "n": _OBJECT,
    "x": _OBJECT,
    "o": _STRING,
    "r": rb"(?s:.*)",
    "r64": rb"(?s:.*)",
    "s": _WORD,
    "c": _CUTS,
}
_UNIT = {
    "k": rb'"unit"',
    "u": rb'"[0-9a-f]{16}"',
    "unit": _STRING,
    "kind": rb'"(?:records|companion|rejection)"',
    "part": INTEGER,
    "parts": INTEGER,
    "src_sha256": _HEX,
    "raw_sha256?": _HEX,
    "raw_size": INTEGER,
    "span": rb"\[%b,%b\]" % (INTEGER, INTEGER),
    "first": INTEGER,
    "records": INTEGER,
    "kept": INTEGER,
    "rejected": INTEGER,
    "out_of_scope": _COUNTS,
    "lines": INTEGER,
    "root": _HEX,
    "gaps": _LIST,
    "rebuild": rb'"(?:exact|cut|no)"',
    "raw_form?": rb'"api"',
    "source_metadata?": _OBJECT,
    "messages?": _OBJECT,
    "rejection?": _OBJECT,
}
_HEADER = {
    "k": rb'"hdr"',
    "v": rb"1",
    "source": _WORD,
    "hour": rb'"(?:[0-9]{10}|unknown)"',
    "mapper": _OBJECT,
    "settings": _OBJECT,
    "codec": _STRING,
    "units": INTEGER,
}
_LEAF = {
    "k": rb'"obj"',
    "key": _STRING,
    "vid": _STRING,
    "at": INTEGER,
    "size": INTEGER,
    "sha256?": _HEX,
    "until?": INTEGER,
    "md": _OBJECT,
    "flags?": _FLAGS,
}
_METADATA_VALUE = re.compile(_STRING)
_FORMS_OF = {
    "records": {"kept", "rejected", "out_of_scope"},
    "companion": {"companion"},
    "rejection": {"rejected"},
}


class RecordLine(msgspec.Struct, frozen=True):
    """One line of an object after its table."""

    u: bytes
    index: int
    form: str
    """kept, rejected, out_of_scope or companion."""
    is_cut: bool
    """Whether fields were cut out of the raw text before it was written."""


class UnitRow(msgspec.Struct, frozen=True, kw_only=True):
    """A unit line, as far as a proof depends on it."""

    u: bytes
    unit: bytes
    kind: str
    part: int
    parts: int
    raw_sha256: bytes | None
    """In hex."""
    first: int
    records: int
    lines: int
    root: bytes
    is_exact: bool
    raw_form: str | None


class HeaderLine(msgspec.Struct, frozen=True):
    """The first line of an object."""

    source: str
    hour: str
    units: int


class SealedObject(msgspec.Struct, frozen=True):
    """The leaf of an object."""

    key: bytes
    root: bytes
    flags: tuple[str, ...]


def record(line: bytes, raw: bytes) -> RecordLine:
    """Read a record's line, which must hold exactly the raw text `raw`. Raises `ValueError`."""
    _check_control(line)
    fields = strict_json.members(line)
    names = b" ".join(fields)
    base = names.removesuffix(b" c").removesuffix(b" s")
    form = _RECORD_FORMS.get(base)
    is_odd = any(b" " in name for name in fields) or (base != names and form == "companion")
    if form is None or is_odd:
        raise ValueError(f"not a record's line: {names[:80]!r}")
    if b"c" in fields and form == "companion":
        raise ValueError("cuts in a companion")
    _match(fields, _RECORD)
    encoded = b'"%b"' % b64encode(raw) if b"r64" in fields else strict_json.quoted(raw)
    if fields.get(b"r64", fields.get(b"r")) != encoded:
        raise ValueError("holds a different raw text")
    return RecordLine(_inner(fields[b"u"]), int(fields[b"i"]), form, b"c" in fields)


def unit(line: bytes) -> UnitRow:
    """Read a unit line, and check that it does not contradict itself. Raises `ValueError`."""
    fields = _read(line, _UNIT)
    name = strict_json.text(fields[b"unit"])
    kind = _inner(fields[b"kind"]).decode()
    counts = [int(count) for count in strict_json.members(fields[b"out_of_scope"]).values()]
    number = {
        key: int(fields[key.encode()])
        for key in ("part", "parts", "raw_size", "first", "records", "kept", "rejected", "lines")
    }
    start, end = (int(bound) for bound in fields[b"span"][1:-1].split(b","))
    if _inner(fields[b"u"]) != sha256(name).hexdigest()[:16].encode():
        raise ValueError("u does not match the unit's name")
    if not 1 <= number["part"] <= number["parts"]:
        raise ValueError("a part number that is not one of its parts")
    if not start <= end <= number["raw_size"]:
        raise ValueError("a span outside the unit")
    if number["records"] != number["kept"] + number["rejected"] + sum(counts):
        raise ValueError("records are not kept + rejected + out of scope")
    if kind != "records" and number["records"]:
        raise ValueError(f"a {kind} that counts records")
    if (b"raw_sha256" in fields) == (kind == "rejection"):
        raise ValueError("raw_sha256 must be present, except for a rejection")
    hashed = fields.get(b"raw_sha256")
    return UnitRow(
        u=_inner(fields[b"u"]),
        unit=name,
        kind=kind,
        part=number["part"],
        parts=number["parts"],
        raw_sha256=None if hashed is None else _inner(hashed),
        first=number["first"],
        records=number["records"],
        lines=number["lines"],
        root=_hash(fields[b"root"]),
        is_exact=fields[b"rebuild"] == b'"exact"',
        raw_form="api" if b"raw_form" in fields else None,
    )


def header(line: bytes) -> HeaderLine:
    """Read the header line. Raises `ValueError`."""
    fields = _read(line, _HEADER)
    source, hour = (_inner(fields[name]).decode() for name in (b"source", b"hour"))
    return HeaderLine(source, hour, int(fields[b"units"]))


def leaf(line: bytes) -> SealedObject:
    """Read the leaf of an object. Raises `ValueError`."""
    fields = _read(line, _LEAF)
    metadata = strict_json.members(fields[b"md"])
    for value in metadata.values():
        if _METADATA_VALUE.fullmatch(value) is None:
            raise ValueError(f"user metadata: not a text: {value[:80]!r}")
    root = metadata.get(b"root", b"")
    if re.fullmatch(_HEX, root) is None:
        raise ValueError("user metadata: states no root")
    flags = strict_json.elements(fields.get(b"flags", b"[]"))
    return SealedObject(
        strict_json.text(fields[b"key"]),
        _hash(root),
        tuple(_inner(flag).decode() for flag in flags),
    )


def check_place(line: RecordLine, position: int, row: UnitRow) -> None:
    """Check that a record's line is where its unit line says. Raises `ValueError`."""
    if line.u != row.u:
        raise ValueError("belongs to another unit")
    if line.form not in _FORMS_OF[row.kind]:
        raise ValueError(f"a {line.form} line in a unit of {row.kind}")
    place = line.index - row.first
    if place < 0 or (row.kind == "records" and place >= row.records):
        raise ValueError("its index is not in this part of the unit")
    if position > place or (position != place and (row.is_exact or row.kind != "records")):
        raise ValueError("its index does not match its position")


def check_object(sealed: SealedObject, head: HeaderLine) -> None:
    """Check that a leaf belongs to an object with this header. Raises `ValueError`."""
    prefix = f"ev/v1/{head.source}/h={head.hour}/".encode()
    if re.fullmatch(re.escape(prefix) + rb"[0-9a-f]{64}\.ndjson\.zst", sealed.key) is None:
        raise ValueError("its key is not one of an object with this header")


def _read(line: bytes, form: Mapping[str, bytes]) -> dict[bytes, bytes]:
    """Read an object whose members are those of `form`, in order; `?` marks an optional one."""
    _check_control(line)
    fields = strict_json.members(line)
    expected = [name for name in form if not name.endswith("?") or name[:-1].encode() in fields]
    names = [name.removesuffix("?").encode() for name in expected]
    if list(fields) != names:
        raise ValueError(f"unexpected fields: {b' '.join(fields)[:200]!r}")
    _match(fields, {name.removesuffix("?"): pattern for name, pattern in form.items()})
    return fields


def _match(fields: Mapping[bytes, bytes], form: Mapping[str, bytes]) -> None:
    for name, value in fields.items():
        if re.fullmatch(form[name.decode()], value) is None:
            raise ValueError(f"{name.decode()}: {value[:80]!r}")


def _check_control(line: bytes) -> None:
    if _CONTROL.search(line):
        raise ValueError("holds a control character")


def _inner(value: bytes) -> bytes:
    return value[1:-1]


def _hash(value: bytes) -> bytes:
    return bytes.fromhex(value[1:-1].decode())
