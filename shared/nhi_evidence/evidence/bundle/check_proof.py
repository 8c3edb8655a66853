#!/usr/bin/env python3
"""Check a proof bundle with nothing but this file and Python 3.8 or newer.

    python3 check_proof.py BUNDLE 'NAME+ID+KEY'

BUNDLE is the zip, or the folder it was unpacked to. The key must reach you by another channel than
the bundle, and so must this file: the copy in a bundle proves nothing against whoever made it.

A valid bundle shows that the text in raw.txt is a record of a unit (a delivered file, for example),
the unit is in an object, the object is a leaf of a log, and the key signed the log at that size.
If the bundle contains a document signed by the provider, what that shows is reported separately.
Exit code: 0 valid, 1 not valid, 2 unreadable bundle or wrong usage.

Written to be read: RFC 9162 section 2.1.3.2 (inclusion), RFC 8032 section 5.1.7 (Ed25519),
FIPS 186-5 section 6.4.2 (ECDSA on P-256), RFC 8017 section 8.2.2 (RSA), c2sp.org/signed-note,
c2sp.org/tlog-proof. ML-DSA signatures and time stamps are not checked here.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class NotShown(Exception):
    """The bundle does not show what it claims."""


class NotReadable(Exception):
    """There is no bundle, or no key, to check."""


def sha256(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def need(condition: object, otherwise: str) -> None:
    """Raise `NotShown` unless a condition is true."""
    if not condition:
        raise NotShown(otherwise)


def must(match: re.Match[bytes] | None, otherwise: str) -> re.Match[bytes]:
    """Return a match; raise `NotShown` if there is none."""
    if match is None:
        raise NotShown(otherwise)
    return match


# Reading a bundle: regular files of bounded size, no name twice.

MIB = 1 << 20
SIZES = {
    "record.json": 32 * MIB,
    "raw.txt": 16 * MIB,
    "record-path.txt": 8192,
    "unit.json": 32 * MIB,
    "unit-path.txt": 8192,
    "header.json": MIB,
    "header-path.txt": 8192,
    "leaf.json": MIB,
    "leaf.tlog-proof": MIB,
    "provider-digest.json": 16 * MIB,
    "provider-signature.bin": 8192,
    "provider-key.der": 8192,
    "provider-file.json": 64 * MIB,
}
NEEDED = tuple(SIZES)[:9]
PROVIDER = tuple(SIZES)[9:]
PROGRAMS = ("check_proof.py", "walkthrough.sh")
OTHER_BYTES = 16 * MIB
BUNDLE_BYTES = 256 * MIB
BUNDLE_FILES = 256
LISTING_BYTES = MIB
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.%~+@-]{0,254}")


def read_bundle(path: str) -> dict[str, bytes]:
    """Return the files of a bundle."""
    try:
        return read_folder(Path(path)) if Path(path).is_dir() else read_zip(Path(path))
    except OSError as error:
        raise NotReadable(f"{path}: {error.strerror or error}") from None


def read_folder(path: Path) -> dict[str, bytes]:
    """Return the files of an unpacked bundle; links and devices are refused."""
    files = {}
    total = 0
    names = sorted(each.name for each in path.iterdir() if belongs(each.name))
    for name in names:
        limit = SIZES.get(name, OTHER_BYTES)
        status = (path / name).lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            raise NotReadable(f"{name!r}: not a regular file of at most {limit} bytes")
        total += status.st_size
        if len(names) > BUNDLE_FILES or total > BUNDLE_BYTES:
            raise NotReadable("the folder contains more than a bundle can")
        if name in SIZES:
            with (path / name).open("rb") as file:
                files[name] = file.read(limit + 1)
    return files


def belongs(name: str) -> bool:
    """Whether a file in a folder belongs to a bundle."""
    return name in SIZES or name in PROGRAMS or name.startswith("anchor-")


class Bounded(io.FileIO):
    """A zip while it is opened: zipfile reads its whole list of files at once, whatever it is."""

    listing = (0, 0)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read; the list may have so many files, and so many bytes."""
        files, listing_bytes = self.listing
        if files and size is not None and size > listing_bytes:
            raise NotReadable(f"a zip whose list of files has more than {listing_bytes} bytes")
        data = super().read(size) or b""
        if files and data.count(b"PK\x01\x02") > files:
            raise NotReadable(f"a zip of more than {files} files")
        return data


def open_zip(stream: Bounded, files: int, listing_bytes: int) -> zipfile.ZipFile:
    """Open a zip of at most so many files."""
    stream.listing = (files, listing_bytes)
    bundle = zipfile.ZipFile(stream)
    stream.listing = (0, 0)
    return bundle


def read_zip(path: Path) -> dict[str, bytes]:
    """Return the files of a zipped bundle."""
    files: dict[str, bytes] = {}
    seen: set[str] = set()
    part = "the zip"
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise NotReadable("neither a folder nor a regular file")
        if status.st_size > BUNDLE_BYTES:
            raise NotReadable(f"a zip of more than {BUNDLE_BYTES} bytes")
        with Bounded(path) as file, open_zip(file, BUNDLE_FILES, LISTING_BYTES) as bundle:
            entries = bundle.infolist()
            if sum(entry.file_size for entry in entries) > BUNDLE_BYTES:
                raise NotReadable("the zip contains more than a bundle can")
            for entry in entries:
                name, limit = entry.filename, SIZES.get(entry.filename, OTHER_BYTES)
                mode = entry.external_attr >> 16
                if PLAIN_NAME.fullmatch(name) is None or stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                    raise NotReadable(f"{name!r}: not a regular file")
                if name.lower() in seen or entry.flag_bits & 1 or entry.compress_type not in (0, 8):
                    raise NotReadable(f"{name}: duplicate, encrypted, or of unknown compression")
                seen.add(name.lower())
                if entry.file_size > limit:
                    raise NotReadable(f"{name}: more than {limit} bytes")
                part = name
                with bundle.open(entry) as content:
                    files[name] = content.read(limit + 1)
    except (
        *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError),
        *(EOFError, ValueError, OverflowError, LookupError),
    ) as error:
        raise NotReadable(
            f"{part} is damaged, or not of a bundle; get it again ({error})"
        ) from None
    return files


# JSON as exact slices: only strings and brackets are interpreted, and no name may occur twice.

SPACE = re.compile(rb"[ \t\r\n]*")
MEMBER = re.compile(rb'"([^"\\]*)"')
BARE = re.compile(rb"[0-9A-Za-z.+-]+")
MARK = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*){0,99}"|["\[\]{}]', re.DOTALL)
AT_ONCE = rb"(?:%b){0,4096}"  # a text is read in pieces: for each, `re` remembers every place
ANY_TEXT = re.compile(AT_ONCE % rb'[^"\\]+|\\.', re.DOTALL)
OWN_TEXT = re.compile(AT_ONCE % rb'[^"\\]+|\\["\\bfnrt]|\\u00(?:0[1-9a-f]|1[0-9a-f])')
FOREIGN_TEXT = re.compile(
    AT_ONCE % rb'[^"\\\x00-\x1f]+|\\["\\/bfnrt]|\\u00(?:0[1-9a-f]|[1-7][0-9a-f])'
)
ESCAPE = re.compile(rb"\\(?:u00(..)|(.))", re.DOTALL)
LETTERS = {b"\b": b"b", b"\f": b"f", b"\n": b"n", b"\r": b"r", b"\t": b"t"}
BY_LETTER = {letter: char for char, letter in LETTERS.items()}
MAX_ITEMS = 1000000


def skip(data: bytes, at: int, spaces: bool) -> int:
    """Return where white space ends."""
    match = SPACE.match(data, at) if spaces else None
    return match.end() if match else at


def pieces(data: bytes, at: int, form: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
    """Yield the pieces of text from here on that have a form, as far as they do."""
    piece = form.match(data, at)
    while piece and piece.group():
        yield piece
        piece = form.match(data, piece.end())


def string_end(data: bytes, at: int) -> int:
    """Return where the string that starts here ends."""
    at += 1
    for piece in pieces(data, at, ANY_TEXT):
        at = piece.end()
    need(data[at : at + 1] == b'"', "not JSON: a string is not closed")
    return at + 1


def value_end(data: bytes, at: int) -> int:
    """Return where the value that starts here ends."""
    if data[at : at + 1] == b'"':
        return string_end(data, at)
    if data[at : at + 1] not in (b"{", b"["):
        return must(BARE.match(data, at), "not JSON: a value is missing").end()
    depth = 0
    while True:
        mark = must(MARK.search(data, at), "not JSON: a bracket is not closed")
        at = mark.end()
        if mark.group() == b'"':  # with more escapes, or not closed
            at = string_end(data, mark.start())
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(mark.group(), 0)
        if depth == 0:
            return at


def items(data: bytes, brackets: bytes, spaces: bool) -> list[tuple[bytes, bytes]]:
    """Return name and exact value of each item; the brackets must enclose all of the data."""
    listed: list[tuple[bytes, bytes]] = []
    at = skip(data, 0, spaces)
    need(data[at : at + 1] == brackets[:1], "not JSON: a different bracket was expected")
    at = skip(data, at + 1, spaces)
    more = data[at : at + 1] != brackets[1:]
    while more:
        name = b""
        if brackets == b"{}":
            match = must(MEMBER.match(data, at), "not JSON: a name is missing")
            name, at = match.group(1), skip(data, match.end(), spaces)
            need(data[at : at + 1] == b":", "not JSON: a colon is missing")
            at = skip(data, at + 1, spaces)
        end = value_end(data, at)
        listed.append((name, data[at:end]))
        need(len(listed) <= MAX_ITEMS, "the list is too long")
        at = skip(data, end, spaces)
        more = data[at : at + 1] == b","
        at = skip(data, at + 1, spaces) if more else at
    need(data[at : at + 1] == brackets[1:], "not JSON: neither a comma nor a bracket")
    need(skip(data, at + 1, spaces) == len(data), "not JSON: trailing data")
    return listed


def once(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return pairs by name; of two with one name, another reader may take the other."""
    by_name = dict(pairs)
    need(len(by_name) == len(pairs), "a name occurs twice")
    return by_name


def members(data: bytes, spaces: bool = False) -> dict[bytes, bytes]:
    """Return the members of an object."""
    return once(items(data, b"{}", spaces))


def elements(data: bytes, spaces: bool = False) -> list[bytes]:
    """Return the elements of a list."""
    return [value for _, value in items(data, b"[]", spaces)]


def text(value: bytes, form: re.Pattern[bytes] = OWN_TEXT) -> bytes:
    """Return the content of a JSON string."""

    def replacement(match: re.Match[bytes]) -> bytes:
        if match.group(1):
            return bytes([int(match.group(1), 16)])
        return BY_LETTER.get(match.group(2), match.group(2))

    at, content = 1, []
    for piece in pieces(value, at, form):
        at = piece.end()
        content.append(ESCAPE.sub(replacement, piece.group()))
    need(value[:1] + value[at:] == b'""', "not a string in canonical form")
    return b"".join(content)


def quoted(content: bytes) -> bytes:
    """Return the canonical JSON string of a content."""

    def replacement(match: re.Match[bytes]) -> bytes:
        char = match.group()
        if char in b'"\\':
            return b"\\" + char
        return b"\\" + LETTERS[char] if char in LETTERS else b"\\u%04x" % char[0]

    return b'"' + re.sub(rb'["\\\x00-\x1f]', replacement, content) + b'"'


# The lines of an object, and its leaf: every field in order and in the required form.

INTEGER = rb"(?:0|[1-9][0-9]{0,14})"
HEX = rb'"[0-9a-f]{64}"'
WORD = rb'"[a-z][a-z0-9_]*"'
OBJECT, LIST, ANY, TEXT = rb"\{.*\}", rb"\[.*\]", rb".*", rb'".*"'
CUT = rb'\["[A-Za-z0-9_.-]+",%b,%b,"[A-Za-z0-9+/=:_.-]+"\]' % (INTEGER, INTEGER)
RECORD = {
    "u": rb'"[0-9a-f]{16}"',
    "i": INTEGER,
    "n": OBJECT,
    "x": OBJECT,
    "o": TEXT,
    "r": ANY,
    "r64": ANY,
    "s": WORD,
    "c": rb"\[%b(?:,%b)*\]" % (CUT, CUT),
}
FORMS = {
    b"u i n r": "kept",
    b"u i n r c": "kept",
    b"u i n r s": "kept",
    b"u i n r s c": "kept",
    b"u i x r": "rejected",
    b"u i x r c": "rejected",
    b"u i x r s": "rejected",
    b"u i x r s c": "rejected",
    b"u i x r64": "rejected",
    b"u i x r64 c": "rejected",
    b"u i x r64 s": "rejected",
    b"u i x r64 s c": "rejected",
    b"u i o r": "out_of_scope",
    b"u i o r c": "out_of_scope",
    b"u i o r s": "out_of_scope",
    b"u i o r s c": "out_of_scope",
    b"u i r": "companion",
    b"u i r64": "companion",
}
FORMS_OF = {
    b'"records"': ("kept", "rejected", "out_of_scope"),
    b'"companion"': ("companion",),
    b'"rejection"': ("rejected",),
}
UNIT = {
    "k": rb'"unit"',
    "u": rb'"[0-9a-f]{16}"',
    "unit": TEXT,
    "kind": rb'"(?:records|companion|rejection)"',
    "part": INTEGER,
    "parts": INTEGER,
    "src_sha256": HEX,
    "raw_sha256?": HEX,
    "raw_size": INTEGER,
    "span": rb"\[%b,%b\]" % (INTEGER, INTEGER),
    "first": INTEGER,
    "records": INTEGER,
    "kept": INTEGER,
    "rejected": INTEGER,
    "out_of_scope": rb'\{(?:"[a-z0-9_]+":%b(?:,"[a-z0-9_]+":%b)*)?\}' % (INTEGER, INTEGER),
    "lines": INTEGER,
    "root": HEX,
    "gaps": LIST,
    "rebuild": rb'"(?:exact|cut|no)"',
    "raw_form?": rb'"api"',
    "source_metadata?": OBJECT,
    "messages?": OBJECT,
    "rejection?": OBJECT,
}
HEADER = {
    "k": rb'"hdr"',
    "v": rb"1",
    "source": WORD,
    "hour": rb'"(?:[0-9]{10}|unknown)"',
    "mapper": OBJECT,
    "settings": OBJECT,
    "codec": TEXT,
    "units": INTEGER,
}
LEAF = {
    "k": rb'"obj"',
    "key": TEXT,
    "vid": TEXT,
    "at": INTEGER,
    "size": INTEGER,
    "sha256?": HEX,
    "until?": INTEGER,
    "md": OBJECT,
    "flags?": rb'\["[a-z_]+"(?:,"[a-z_]+")*\]',
}


def matched(fields: dict[bytes, bytes], form: dict[str, bytes], name: str) -> dict[str, bytes]:
    """Return fields by name, having checked that each value has the required form."""
    for field, value in fields.items():
        pattern = form.get(field.decode(errors="replace")) or form[field.decode() + "?"]
        need(re.fullmatch(pattern, value, re.DOTALL), f"{name}: {field.decode()}: {value[:60]!r}")
        if pattern == TEXT:
            text(value)
    return {field.decode(): value for field, value in fields.items()}


def line_of(files: dict[str, bytes], name: str, form: dict[str, bytes]) -> dict[str, bytes]:
    """Return the fields of a line, which must be those of its form, in order."""
    need(not re.search(rb"[\x00-\x1f]", files[name]), f"{name}: contains a control character")
    fields = members(files[name])
    names = [one[:-1] if one.endswith("?") else one for one in form]
    lacking = [one[:-1] for one in form if one.endswith("?") and one[:-1].encode() not in fields]
    expected = [one.encode() for one in names if one not in lacking]
    need(list(fields) == expected, f"{name}: unexpected fields: {b' '.join(fields)[:99]!r}")
    return matched(fields, form, name)


def check_record(files: dict[str, bytes]) -> tuple[dict[str, bytes], str]:
    """Return the fields of record.json, which must contain raw.txt, and the kind of its line."""
    line, raw = files["record.json"], files["raw.txt"]
    need(not re.search(rb"[\x00-\x1f]", line), "record.json: contains a control character")
    fields = members(line)
    names = b" ".join(fields)
    need(not any(b" " in name for name in fields), "record.json: a name with a space")
    need(names in FORMS, f"record.json: not the line of a record: {names[:99]!r}")
    packed = quoted(raw) if b"r" in fields else b'"' + base64.b64encode(raw) + b'"'
    need(packed in (fields.get(b"r"), fields.get(b"r64")), "raw.txt: not the raw text of the line")
    return matched(fields, RECORD, "record.json"), FORMS[names]


def check_unit(unit: dict[str, bytes]) -> None:
    """Check that a unit line does not contradict itself."""
    counts = [int(count) for count in members(unit["out_of_scope"]).values()]
    kept, rejected, records = (int(unit[name]) for name in ("kept", "rejected", "records"))
    start, end = (int(bound) for bound in unit["span"][1:-1].split(b","))
    short = sha256(text(unit["unit"])).hex()[:16].encode()
    need(unit["u"] == b'"' + short + b'"', "unit.json: u does not match the unit's name")
    need(1 <= int(unit["part"]) <= int(unit["parts"]), "unit.json: part is not one of parts")
    need(start <= end <= int(unit["raw_size"]), "unit.json: the span is outside the unit")
    need(records == kept + rejected + sum(counts), "unit.json: the counts do not add up")
    need(unit["kind"] == b'"records"' or not records, "unit.json: counts records, but holds none")
    is_rejection = unit["kind"] == b'"rejection"'
    need(("raw_sha256" in unit) != is_rejection, "unit.json: raw_sha256 missing, or in a rejection")


# Trees.

HASH = rb"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="
PATH = re.compile(rb"(%b)\n(%b)\n((?:%b\n){0,64})" % (INTEGER, INTEGER, HASH))


def root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that an inclusion path leads to (RFC 9162 section 2.1.3.2)."""
    need(0 <= index < size, "the index is outside the tree")
    number, last, root = index, size - 1, leaf
    for sibling in path:
        need(last, "the path is too long")
        if number % 2 or number == last:
            root = sha256(b"\x01" + sibling + root)
            while number % 2 == 0 and number:
                number, last = number >> 1, last >> 1
        else:
            root = sha256(b"\x01" + root + sibling)
        number, last = number >> 1, last >> 1
    need(not last, "the path is too short")
    return root


def place_of(files: dict[str, bytes], name: str) -> tuple[int, int, list[bytes]]:
    """Return index, size and path of a line, from its path file."""
    match = PATH.fullmatch(files[name])
    index, size, path = must(match, f"{name}: not an index, a size and hashes").groups()
    return int(index), int(size), [base64.b64decode(line) for line in path.splitlines()]


def check_line(files: dict[str, bytes], name: str, root: bytes) -> tuple[int, int]:
    """Check that a line is in the tree with this root (a JSON string); return index and size."""
    index, size, path = place_of(files, name + "-path.txt")
    computed = root_from_path(sha256(b"\x00" + files[name + ".json"]), index, size, path)
    need(computed.hex() == root[1:-1].decode(), f"{name}.json: its path leads to a different root")
    return index, size


# Ed25519, RFC 8032 section 5.1: slow and plain.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def ed_add(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """Add points in extended coordinates."""
    w, x = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    y, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = x - w, z - y, z + y, x + w
    return e * f % P, g * h % P, f * g % P, e * h % P


def ed_times(scalar: int, point: tuple[int, ...]) -> tuple[int, ...]:
    """Multiply a point."""
    result: tuple[int, ...] = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = ed_add(result, point)
        point = ed_add(point, point)
        scalar >>= 1
    return result


def ed_point(data: bytes) -> tuple[int, ...] | None:
    """Decode a point; None if there is no such point."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if len(data) != 32 or y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def ed25519_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Verify an Ed25519 signature."""
    point, s = ed_point(public), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= L or point is None:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    base = ed_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or ()
    minus = (P - point[0], point[1], 1, P - point[3])
    x, y, z, _ = ed_add(ed_times(s, base), ed_times(h, minus))
    x, y = x * pow(z, P - 2, P) % P, y * pow(z, P - 2, P) % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# ECDSA on P-256, FIPS 186-5.

Q = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
SPKI_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")


def ec_add(a: tuple[int, int] | None, b: tuple[int, int] | None) -> tuple[int, int] | None:
    """Add points; None is the point at infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % Q == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], Q - 2, Q) % Q
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], Q - 2, Q) % Q
    x = (slope * slope - a[0] - b[0]) % Q
    return x, (slope * (a[0] - x) - a[1]) % Q


def ec_times(scalar: int, point: tuple[int, int] | None) -> tuple[int, int] | None:
    """Multiply a point."""
    result: tuple[int, int] | None = None
    while scalar:
        if scalar & 1:
            result = ec_add(result, point)
        point = ec_add(point, point)
        scalar >>= 1
    return result


def der_integer(number: int) -> bytes:
    """Return the DER of a positive integer of at most 126 bytes."""
    data = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes((0x02, len(data))) + data


def p256_holds(spki: bytes, message: bytes, signature: bytes) -> bool:
    """Verify an ECDSA signature over SHA-256, in strict DER."""
    x, y = int.from_bytes(spki[-64:-32], "big"), int.from_bytes(spki[-32:], "big")
    split = 4 + signature[3] if len(signature) > 3 else 0
    r, s = int.from_bytes(signature[4:split], "big"), int.from_bytes(signature[split + 2 :], "big")
    if (y * y - (x * x * x - 3 * x + B)) % Q or not (0 < r < N and 0 < s < N):
        return False
    pair = der_integer(r) + der_integer(s)
    if signature != bytes((0x30, len(pair))) + pair:
        return False
    digest, inverse = int.from_bytes(sha256(message), "big"), pow(s, N - 2, N)
    point = ec_add(ec_times(digest * inverse % N, G), ec_times(r * inverse % N, (x, y)))
    return point is not None and point[0] % N == r


# The signed checkpoint, c2sp.org/tlog-proof and c2sp.org/signed-note.

GROUP, TAIL = rb"[A-Za-z0-9+/]{4}", rb"[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]="
SIGNATURE = rb"(?:(?:%b){2,}(?:[A-Za-z0-9+/][AQgw]==|%b)?|%b%b)" % (GROUP, TAIL, GROUP, TAIL)
NAME = rb"[!-*,-~]+"
PROOF = re.compile(
    rb"c2sp\.org/tlog-proof@v1\nindex (%b)\n((?:%b\n){0,64})\n"
    rb"((%b)/[0-9]{4}\n(%b)\n(%b)\n)\n((?:\xe2\x80\x94 %b %b\n){1,64})"
    % (INTEGER, HASH, NAME, INTEGER, HASH, NAME, SIGNATURE)
)
KEY = re.compile(
    rb"(%b)\+([0-9a-f]{8})\+((?:%b)+(?:[A-Za-z0-9+/][AQgw]==|%b)?)" % (NAME, GROUP, TAIL)
)
ML_DSA_BYTES = 4 + 8 + 2420


def read_key(pinned: str) -> tuple[bytes, bytes]:
    """Return name and key (type, then public key) of a verifier key."""
    match = KEY.fullmatch(pinned.strip().encode())
    if match is None:
        raise NotReadable("not a verifier key, NAME+ID+KEY")
    name, stated_id, key = match.group(1), match.group(2), base64.b64decode(match.group(3))
    ed25519 = key[0] == 1 and len(key) == 33
    p256 = key[0] == 2 and key[1:28] == SPKI_P256 and len(key) == 92
    if not (ed25519 or p256) or key_id(name, key).hex().encode() != stated_id:
        raise NotReadable("a key of an unsupported type or length, or with a wrong id")
    return name, key


def key_id(name: bytes, key: bytes) -> bytes:
    """Return the id of a key in signature lines."""
    return sha256(key[1:] if key[0] == 2 else name + b"\n" + key)[:4]


def check_log(files: dict[str, bytes], pinned: str) -> dict[str, object]:
    """Check that leaf.json is in the log the key is named after, and that the key signed it."""
    name, key = read_key(pinned)
    match = must(PROOF.fullmatch(files["leaf.tlog-proof"]), "leaf.tlog-proof: not a tlog-proof")
    index, path, signed, log, size, root, lines = match.groups()
    need(log == name, f"leaf.tlog-proof: is from the log {log!r}, not {name!r}")
    leaf = sha256(b"\x00" + files["leaf.json"])
    siblings = [base64.b64decode(line) for line in path.splitlines()]
    computed = root_from_path(leaf, int(index), int(size), siblings)
    need(base64.b64encode(computed) == root, "leaf.json: its path leads to a different root")
    origin = signed.split(b"\n")[0]
    signatures = [line.split(b" ")[1:] for line in lines.splitlines()]
    own = [base64.b64decode(encoded) for signer, encoded in signatures if signer == origin]
    by_key = [signature[4:] for signature in own if signature[:4] == key_id(origin, key)]
    need(len(by_key) < 2, "leaf.tlog-proof: two signatures by the key")
    need(by_key, "leaf.tlog-proof: the key did not sign this checkpoint")
    holds = {1: ed25519_holds, 2: p256_holds}[key[0]]
    need(holds(key[1:], signed, by_key[0]), "leaf.tlog-proof: the signature does not verify")
    return {
        "origin": origin.decode(),
        "leaf": int(index),
        "size": int(size),
        "unchecked_ml_dsa": sum(len(signature) == ML_DSA_BYTES for signature in own),
    }


# What the provider signed: a CloudTrail digest names the delivered file.

RSA_KEY = re.compile(
    rb"\x30\x82(..)\x02\x82(\x01\x01|\x01\x81|\x02\x01)\x00[\x80-\xff].*\x02\x03\x01\x00\x01",
    re.DOTALL,
)


def foreign(data: bytes, name: str) -> dict[bytes, bytes]:
    """Return the members of a document written by the provider."""
    need(not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", data), f"{name}: a control character")
    return members(data, spaces=True)


def rsa_holds(der: bytes, message: bytes, signature: bytes) -> bool:
    """Verify RSA PKCS #1 v1.5 over SHA-256, by a key of 2048, 3072 or 4096 bits, e = 65537."""
    match = must(
        RSA_KEY.fullmatch(der), "provider-key.der: not RSA of 2048 bits or more, e = 65537"
    )
    total, size = (int.from_bytes(one, "big") for one in match.groups())
    need(total == len(der) - 4 and len(der) == size + 13, "provider-key.der: wrong length")
    modulus = int.from_bytes(der[9:-5], "big")
    number = int.from_bytes(signature, "big")
    if len(signature) != size - 1 or number >= modulus:
        return False
    info = bytes.fromhex("3031300d060960864801650304020105000420") + sha256(message)
    block = b"\x00\x01" + b"\xff" * (size - 4 - len(info)) + b"\x00" + info
    return pow(number, 65537, modulus) == int.from_bytes(block, "big")


def check_provider(
    files: dict[str, bytes], unit: dict[str, bytes], source: bytes, index: int
) -> dict[str, object] | None:
    """Return what the bundle shows about a provider's signature, or None without one."""
    if not any(name in files for name in PROVIDER):
        return None
    need("provider-digest.json" in files, "the bundle lacks provider-digest.json")
    need("provider-signature.bin" in files, "the bundle lacks provider-signature.bin")
    is_file = source == b'"aws_cloudtrail"' and unit["kind"] == b'"records"'
    need(is_file, "provider-digest.json: the record's file is not one its provider signs")
    document = files["provider-digest.json"]
    digest = foreign(document, "provider-digest.json")

    def stated(fields: dict[bytes, bytes], name: bytes) -> bytes:
        need(name in fields, f"provider-digest.json: {name.decode()} is missing")
        return fields[name]

    def text_of(fields: dict[bytes, bytes], name: bytes) -> bytes:
        return text(stated(fields, name), FOREIGN_TEXT)

    algorithm = text_of(digest, b"digestSignatureAlgorithm")
    need(algorithm == b"SHA256withRSA", "provider-digest.json: not signed with SHA256withRSA")
    previous = stated(digest, b"previousDigestSignature")
    signed = b"\n".join(
        (
            text_of(digest, b"digestEndTime"),
            text_of(digest, b"digestS3Bucket") + b"/" + text_of(digest, b"digestS3Object"),
            sha256(document).hex().encode(),
            previous if previous == b"null" else text(previous, FOREIGN_TEXT),
        )
    )
    fingerprint = text_of(digest, b"digestPublicKeyFingerprint").decode(errors="replace")
    file, at, _ = text(unit["unit"]).rpartition(b"@")
    wanted = unit["raw_sha256"]
    named = False
    for element in elements(stated(digest, b"logFiles"), spaces=True):
        if wanted[1:-1] in element and not named:
            entry = members(element, spaces=True)
            if stated(entry, b"hashValue") == wanted:
                place = text_of(entry, b"s3Bucket") + b"/" + text_of(entry, b"s3Object")
                algorithm = stated(entry, b"hashAlgorithm")
                named = algorithm == b'"SHA-256"' and place == file and at == b"@"
    need(named, "provider-digest.json: does not name this file with this hash")
    if "provider-key.der" in files:
        holds = rsa_holds(files["provider-key.der"], signed, files["provider-signature.bin"])
        need(holds, "provider-signature.bin: does not verify")
    if "provider-file.json" in files:
        content = files["provider-file.json"]
        need(sha256(content).hex().encode() == wanted[1:-1], "provider-file.json: wrong hash")
        fields = foreign(content, "provider-file.json")
        need(list(fields) == [b"Records"], "provider-file.json: not a CloudTrail file")
        records = elements(fields[b"Records"], spaces=True)
        at_place = records[index] if index < len(records) else b""
        need(at_place == files["raw.txt"] and at_place, "provider-file.json: raw.txt is not in it")
    return {
        "fingerprint": fingerprint,
        "key": "bundled" if "provider-key.der" in files else "absent",
        "key_sha256": sha256(files["provider-key.der"]).hex()
        if "provider-key.der" in files
        else None,
        "is_text_shown": "provider-file.json" in files,
    }


def check(files: dict[str, bytes], pinned: str) -> dict[str, object]:
    """Check a bundle; return what it shows."""
    missing = [name for name in NEEDED if name not in files]
    need(not missing, "the bundle lacks " + ", ".join(missing))
    for name, limit in SIZES.items():
        need(len(files.get(name, b"")) <= limit, f"{name}: more than {limit} bytes")
    # 1. The record is a line of its unit, at its index.
    record, form = check_record(files)
    unit = line_of(files, "unit.json", UNIT)
    check_unit(unit)
    need(record["u"] == unit["u"], "record.json: belongs to another unit")
    need(form in FORMS_OF[unit["kind"]], "record.json: of a different kind than its unit")
    position, lines = check_line(files, "record", unit["root"])
    place = int(record["i"]) - int(unit["first"])
    is_records, exact = unit["kind"] == b'"records"', unit["rebuild"] == b'"exact"'
    need(lines == int(unit["lines"]), "record-path.txt: the unit has a different number of lines")
    need(place >= 0, "record.json: its index is before this part of the unit")
    need(place < int(unit["records"]) or not is_records, "record.json: its index is past this part")
    need(position <= place, "record.json: not at its index")
    need(position == place or (is_records and not exact), "record.json: not at its index")
    # 2. The unit and the header are lines of the object's table, the header the first.
    leaf = line_of(files, "leaf.json", LEAF)
    header = line_of(files, "header.json", HEADER)
    metadata = members(leaf["md"])
    for value in metadata.values():
        text(value)
    root = metadata.get(b"root", b"")
    need(re.fullmatch(HEX, root), "leaf.json: states no root")
    key = text(leaf["key"])
    source, hour = header["source"][1:-1], header["hour"][1:-1]
    pattern = rb"ev/v1/" + source + rb"/h=" + hour + rb"/[0-9a-f]{64}\.ndjson\.zst"
    need(re.fullmatch(pattern, key), "leaf.json: its key is not that of an object with this header")
    for name in ("unit", "header"):
        number, size = check_line(files, name, root)
        need(size == int(header["units"]) + 1, f"{name}-path.txt: the table has a different size")
        need((number == 0) == (name == "header"), f"{name}-path.txt: wrong place in the table")
    # 3. The object is a leaf of the log, whose checkpoint the key signed.
    logged = check_log(files, pinned)
    return {
        "raw_sha256": sha256(files["raw.txt"]).hex(),
        "form": form,
        "is_cut": "c" in record,
        "record": int(record["i"]),
        "unit": text(unit["unit"]).decode(errors="replace"),
        "raw_form": "api" if "raw_form" in unit else None,
        "key": key.decode(errors="replace"),
        "flags": [flag[1:-1].decode() for flag in elements(leaf.get("flags", b"[]"))],
        "provider": check_provider(files, unit, header["source"], int(record["i"])),
        **logged,
    }


# Reporting.

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def escape(match: re.Match[str]) -> str:
    """Return a character as JSON escapes it, in UTF-16."""
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join("\\u" + units[at : at + 2].hex() for at in range(0, len(units), 2))


def inert(value: object) -> str:
    """Return text with everything escaped that a terminal acts on, or does not show."""
    return UNSAFE.sub(escape, str(value))


PLACES = {
    "kept": "record",
    "rejected": "record that could not be mapped, kept as received,",
    "out_of_scope": "record that is out of scope, kept as received,",
    "companion": "companion",
}


def report(shown: dict[str, object]) -> list[str]:
    """Return what a valid bundle shows, and what it does not."""
    lines = [
        "HOLDS this record is in the signed log",
        f"text     raw.txt, SHA-256 {shown['raw_sha256']}",
        f"place    {PLACES[str(shown['form'])]} {shown['record']} of {shown['unit']}",
        f"object   {shown['key']}",
        f"log      {shown['origin']}, leaf {shown['leaf']}, signed at size {shown['size']}",
    ]
    flags = shown["flags"]
    if isinstance(flags, list):
        lines += [f"flag     {flag}: see docs/evidence-format.md" for flag in flags]
    if "key_hash" in str(flags) or "shadow" in str(flags):
        lines.append("         an object with this flag is never counted")
    if shown["raw_form"]:
        lines.append("form     as listed by the source's API, not as delivered by its log")
    if shown["is_cut"]:
        lines.append("cut      fields were removed from the text before it was written")
    if shown["unchecked_ml_dsa"]:
        lines.append("ML-DSA   not checked: this program cannot check the cosignature")
    provider = shown["provider"]
    if isinstance(provider, dict):
        name = provider["fingerprint"]
        file = "the file this text is in" if provider["is_text_shown"] else "the delivered file"
        if provider["key"] == "bundled":
            lines.append(f"provider names {file}, under a signature by provider-key.der")
            lines.append(f"         whose SHA-256 is {provider['key_sha256']}")
            lines.append(
                "         not shown: that this key is the provider's; compare its bytes with"
            )
            lines.append("         the Value that aws cloudtrail list-public-keys prints for the")
            lines.append(f"         fingerprint the document states, {name}")
        else:
            lines.append(f"provider is said to name {file}; not shown: who signed that")
        if not provider["is_text_shown"]:
            lines.append("         not shown: that this text is in that file")
    return [inert(line) for line in lines]


def main() -> int:
    """Run the check."""
    if len(sys.argv) != 3:
        sys.stderr.write(str(__doc__))
        return 2
    try:
        lines = report(check(read_bundle(sys.argv[1]), sys.argv[2]))
    except NotShown as error:
        sys.stderr.write(f"DOES NOT HOLD {inert(error)}\n")
        return 1
    except NotReadable as error:
        sys.stderr.write(f"NOT READABLE: {inert(error)}\n")
        return 2
    for line in lines:
        sys.stdout.write(line.encode("ascii", "backslashreplace").decode() + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
