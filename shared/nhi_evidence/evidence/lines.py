"""The lines of an evidence object (docs/evidence-format.md, "Body"), one struct each.

Fields are written in the order they have here, absent ones omitted, without spaces: a line has one
canonical form, and a reader that decodes and re-encodes it gets the same bytes.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any, Literal

import msgspec

from nhi_evidence.event import Limits, RawRecord, Rejection
from nhi_evidence.evidence.gaps import Gap

FORMAT_VERSION = 1

ID_DIGITS = 16
"""Number of hex digits of a unit's SHA-256 that identify it on its lines."""

OUT_OF_SCOPE_DIGITS = 32
"""Number of hex digits that stand for the native id of an out-of-scope record: 16 bytes."""


class MapperIdentity(msgspec.Struct, frozen=True):
    """Which release mapped a unit."""

    version: str
    """Version of the package; informational."""
    digest: str
    """SHA-256 over the release's mapping code and tables, hex, and nothing else."""


SCOPES = ("nhi", "all")
"""What the header may state as the scope."""


class Settings(msgspec.Struct, frozen=True):
    """What determines the lines of a unit besides its bytes and the release."""

    scope: str
    """`nhi` or `all`."""
    keep_out_of_scope_raw: bool
    """Whether the raw text of out-of-scope records is kept."""
    limits: Limits
    """Limits of the decoder."""


class Header(msgspec.Struct, frozen=True, tag_field="k", tag="hdr"):
    """Line 0 of an object."""

    v: int
    source: str
    hour: str
    mapper: MapperIdentity
    settings: Settings
    codec: str
    """How the frame was compressed; informational."""
    units: int
    """Number of unit lines that follow."""


Kind = Literal["records", "companion", "rejection"]
Rebuild = Literal["exact", "cut", "no"]


class Messages(msgspec.Struct, frozen=True):
    """The messages of a run of a stream, in the unit line of its part 1."""

    first: int
    """Sequence number of the first; the others are consecutive."""
    h: tuple[str, ...]
    """SHA-256 of each message's body, hex."""
    n: tuple[int, ...]
    """Number of the unit's records in each message, in order."""


class UnitLine(
    msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="k", tag="unit"
):
    """One unit, or one part of it, in the table of an object.

    `records == kept + rejected + sum(out_of_scope)`, for each part.
    """

    u: str
    """First hex digits of the SHA-256 of `unit`."""
    unit: str
    kind: Kind
    part: int
    """Starting at 1."""
    parts: int
    src_sha256: str
    """SHA-256 of the delivered bytes, hex. The gzip form is not kept, so it can only be stated."""
    raw_sha256: str | None = None
    """SHA-256 of the inflated bytes of the whole unit, hex; absent for a rejection."""
    raw_size: int
    """Size of the whole unit in bytes: inflated, or for a rejection as delivered."""
    span: tuple[int, int]
    """Start and end of the bytes this part accounts for."""
    first: int
    """Index in the unit of this part's first record (for a rejection: chunk)."""
    records: int
    kept: int
    rejected: int
    out_of_scope: dict[str, int]
    """Reason to count."""
    lines: int
    """Number of lines of this part after the table."""
    root: str
    """RFC 6962 root over these lines, hex."""
    gaps: tuple[Gap, ...]
    """The text around the records of this part."""
    rebuild: Rebuild
    """Whether gaps and lines give the bytes of the span: exactly, except for cuts, or not."""
    raw_form: str | None = None
    """`api` if the records are as listed by an API, not as delivered by the log."""
    source_metadata: dict[str, str] = {}
    """What the source states about the delivery; for a companion, the provider's signature."""
    messages: Messages | None = None
    rejection: Rejection | None = None
    """Why the delivery as a whole could not be decoded."""

    @property
    def is_exact(self) -> bool:
        """Whether the bytes of the span can be rebuilt."""
        return self.rebuild == "exact"


class Cut(msgspec.Struct, frozen=True, array_like=True):
    """A field cut out of a raw text before anything was written."""

    rule: str
    """The source's declared rule that cut it."""
    offset: int
    """Its position in the kept text, in bytes."""
    length: int
    """Number of bytes removed."""
    hash: str
    """`cut_hash` of what was removed; never the value."""


Cuts = tuple[Cut, ...]


class KeptLine(msgspec.Struct, gc=False, omit_defaults=True):
    """A kept record: index in the unit, pack, OCSF record, exact raw text."""

    u: str
    i: int
    n: Any
    r: str
    s: str | None = None
    """The pack that mapped it, if that differs from the object's source."""
    c: tuple[Cut, ...] = ()
    """Cuts in `r`; the hash in `n` is that of the original record."""


class RejectedLine(msgspec.Struct, gc=False, omit_defaults=True):
    """A rejected record, or a chunk of a rejected delivery: the reason and the exact bytes."""

    u: str
    i: int
    x: Rejection
    r: str | None = None
    r64: str | None = None
    s: str | None = None
    c: tuple[Cut, ...] = ()


class OutOfScopeLine(msgspec.Struct, gc=False, omit_defaults=True):
    """An out-of-scope record, kept raw."""

    u: str
    i: int
    o: str
    """Why it is out of scope."""
    r: str
    s: str | None = None
    c: tuple[Cut, ...] = ()


class CompanionLine(msgspec.Struct, gc=False, omit_defaults=True):
    """The exact text of a companion."""

    u: str
    i: int
    r: str | None = None
    r64: str | None = None


class OutOfScopeIdsLine(msgspec.Struct, gc=False):
    """Last line of a part, for a source whose completeness is checked record by record."""

    u: str
    k: Literal["out_of_scope_ids"]
    h: tuple[str, ...]
    """`out_of_scope_hash` of each out-of-scope record, in source order."""


encode = msgspec.json.Encoder().encode


class ParsedLine(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Any line after the table, as far as a reader needs it."""

    u: str
    i: int | None = None
    n: msgspec.Raw = msgspec.Raw()
    """As written; empty if absent."""
    x: Rejection | None = None
    o: str | None = None
    r: str | None = None
    r64: str | None = None
    s: str | None = None
    c: tuple[Cut, ...] = ()
    k: str | None = None
    h: tuple[str, ...] | None = None

    @property
    def raw(self) -> bytes | None:
        """The raw bytes in the line, or None. Raises `ValueError` on bad base64."""
        if self.r is not None:
            return self.r.encode()
        return None if self.r64 is None else b64decode(self.r64, validate=True)

    @property
    def form(self) -> str | None:
        """Kind of the line: kept, rejected, out_of_scope, companion or ids; otherwise None."""
        raws = (self.r is not None) + (self.r64 is not None)
        names = tuple(
            name
            for name in ("i", "n", "x", "o", "k", "h")
            if (bytes(self.n) if name == "n" else getattr(self, name) is not None)
        )
        form = _FORMS.get(names)
        if form in {"kept", "out_of_scope"} and self.r is None:
            return None
        return form if raws == (form != "ids") else None


_FORMS = {
    ("i", "n"): "kept",
    ("i", "x"): "rejected",
    ("i", "o"): "out_of_scope",
    ("i",): "companion",
    ("k", "h"): "ids",
}


def canonical(parsed: ParsedLine) -> bytes:
    """Return the canonical form of a line that was read."""
    match parsed.form:
        case "kept":
            value: Any = KeptLine(
                parsed.u, parsed.i or 0, parsed.n, parsed.r or "", parsed.s, parsed.c
            )
        case "rejected" if parsed.x is not None:
            value = RejectedLine(
                parsed.u, parsed.i or 0, parsed.x, parsed.r, parsed.r64, parsed.s, parsed.c
            )
        case "out_of_scope":
            value = OutOfScopeLine(
                parsed.u, parsed.i or 0, parsed.o or "", parsed.r or "", parsed.s, parsed.c
            )
        case "companion":
            value = CompanionLine(parsed.u, parsed.i or 0, parsed.r, parsed.r64)
        case _:
            value = OutOfScopeIdsLine(parsed.u, "out_of_scope_ids", parsed.h or ())
    return encode(value)


decode_header = msgspec.json.Decoder(Header).decode
decode_unit = msgspec.json.Decoder(UnitLine).decode
_decode_line = msgspec.json.Decoder(ParsedLine).decode


def decode_line(line: bytes) -> ParsedLine:
    """Read a line after the table. Raises `ValueError` for anything that is not one."""
    try:
        return _decode_line(line)
    except RecursionError as error:
        raise ValueError(f"nested too deeply: {error}") from error


def unit_id(unit: str) -> str:
    """Return the id of a unit on its lines."""
    return sha256(unit.encode()).hexdigest()[:ID_DIGITS]


def cut_hash(delivery_sha256: str, index: int, rule: str, value: bytes) -> str:
    """Return the hash that stands for a cut value, hex.

    HMAC-SHA-256 of index, rule and value, keyed with the delivery's SHA-256 (hex) from the unit
    line, so that equal values in two places have different hashes. Whoever has the original can
    recompute it; whoever guesses a short value can test the guess (docs/privacy.md).
    """
    message = f"{index}\0{rule}\0".encode() + value
    return hmac.digest(bytes.fromhex(delivery_sha256), message, "sha256").hex()


def kept_line(
    u: str, index: int, record: object, text: str, pack: str | None = None, *, cuts: Cuts = ()
) -> bytes:
    """Return the line of a kept record."""
    return encode(KeptLine(u, index, record, text, pack, cuts))


def rejected_line(
    u: str, record: RawRecord, rejection: Rejection, pack: str | None = None, *, cuts: Cuts = ()
) -> bytes:
    """Return the line of a rejected record: its text, or base64 if its bytes are not UTF-8."""
    text, packed = raw_or_base64(record.raw)
    return encode(RejectedLine(u, record.index, rejection, text, packed, pack, cuts))


def out_of_scope_line(
    u: str, index: int, reason: str, text: str, pack: str | None = None, *, cuts: Cuts = ()
) -> bytes:
    """Return the line of an out-of-scope record."""
    return encode(OutOfScopeLine(u, index, reason, text, pack, cuts))


def companion_line(u: str, content: bytes) -> bytes:
    """Return the line of a companion."""
    return encode(CompanionLine(u, 0, *raw_or_base64(content)))


def out_of_scope_ids_line(u: str, uids: list[str]) -> bytes:
    """Return the line that identifies out-of-scope records without revealing them."""
    hashes = tuple(map(out_of_scope_hash, uids))
    return encode(OutOfScopeIdsLine(u, "out_of_scope_ids", hashes))


def out_of_scope_hash(uid: str) -> str:
    """Return what stands for an out-of-scope record: half the SHA-256 of its id, hex."""
    return sha256(uid.encode()).hexdigest()[:OUT_OF_SCOPE_DIGITS]


def raw_or_base64(raw: bytes) -> tuple[str | None, str | None]:
    """Return bytes as text, or as base64 if they are not UTF-8; the other one is None."""
    try:
        return raw.decode(), None
    except UnicodeDecodeError:
        return None, b64encode(raw).decode()
