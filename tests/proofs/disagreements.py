"""Bundles two checkers once took differently, or could: each must be refused, or taken, by all.

A row changes one thing of a good bundle. Most are sealed anew, so that the rule in question alone
decides, and not a hash.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import NamedTuple

from nhi_evidence.evidence.bundle import check_proof
from tests.proofs.resealed import Files, provided_anew, sealed_anew
from tests.proofs.sealed import digest_of

HOLDS, REFUSED = True, False


class Row(NamedTuple):
    """One bundle."""

    name: str
    holds: bool
    change: Callable[[Files], Mapping[str, bytes]]


def _line(name: str, old: bytes, new: bytes, *, count: int = 1) -> Callable[[Files], Files]:
    """Replace bytes of a line, then seal anew."""

    def change(files: Files) -> Files:
        assert re.search(old, files[name]), (name, old)
        changed = re.sub(old, lambda _: new, files[name], count=count)
        return sealed_anew({**files, name: changed})

    return change


def _plain(name: str, change: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    """Change the bytes of a file and leave the rest as it is."""
    return lambda files: {**files, name: change(files[name])}


def _without(name: str) -> Callable[[Files], Files]:
    return lambda files: {key: body for key, body in files.items() if key != name}


def _text(raw: bytes, value: bytes, *, member: bytes = b'"r":') -> Callable[[Files], Files]:
    """A record that holds another text, spelt as given."""

    def change(files: Files) -> Files:
        line = re.sub(rb'"r":"(?:[^"\\]|\\.)*"', lambda _: member + value, files["record.json"])
        kept = {key: body for key, body in files.items() if not key.startswith("provider-")}
        return sealed_anew({**kept, "raw.txt": raw, "record.json": line})

    return change


def _cut(middle: bytes, after: bytes) -> Callable[[Files], Files]:
    """A line of another form with cuts, and `x`, the text that they leave of it."""

    def change(files: Files) -> Files:
        head = re.match(rb'\{"u":"[0-9a-f]{16}","i":\d+,', files["record.json"])
        assert head is not None
        kept = {key: body for key, body in files.items() if not key.startswith("provider-")}
        line = head[0] + middle + b'"r":"x",' + after + b"}"
        return sealed_anew({**kept, "raw.txt": b"x", "record.json": line})

    return change


def _file(change: Callable[[bytes, bytes], bytes]) -> Callable[[Files], Files]:
    """Another delivered file, which the provider signed: given are the file and the text."""

    def changed(files: Files) -> Files:
        file = change(files["provider-file.json"], files["raw.txt"])
        return sealed_anew(provided_anew({**files, "provider-file.json": file}))

    return changed


def _digest(change: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    """Another digest, which the provider signed."""

    def changed(files: Files) -> Files:
        digest = change(files["provider-digest.json"])
        return sealed_anew(provided_anew({**files, "provider-digest.json": digest}))

    return changed


def _respelt(files: Files) -> Files:
    """The root of the checkpoint with other trailing bits in its base64: the same bytes."""
    head, _, tail = files["leaf.tlog-proof"].partition(b"\n\n")
    lines = tail.split(b"\n")
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(lines[2][-2])
    lines[2] = lines[2][:-2] + alphabet[last + 1 : last + 2] + b"="
    return {**files, "leaf.tlog-proof": head + b"\n\n" + b"\n".join(lines)}


def _signature_twice(proof: bytes) -> bytes:
    return proof + proof.split(b"\n")[-2] + b"\n"


def _bad_then_good(proof: bytes) -> bytes:
    *head, own, _ = proof.split(b"\n")
    dash, name, encoded = own.split(b" ")
    bad = b64encode(b64decode(encoded)[:4] + b"\x01" * 64)
    return b"\n".join((*head, b" ".join((dash, name, bad)), own, b""))


def _other_line(signature: bytes, name: bytes = b"example.org/other") -> Callable[[bytes], bytes]:
    return lambda proof: proof + b"\xe2\x80\x94 " + name + b" " + signature + b"\n"


def _empty_raw_digest(_: bytes) -> bytes:
    return digest_of(b"another file")[0]


_OTHER = b64encode(b"\x01" * 68)
_POST_QUANTUM = b64encode(b"\x03" * 2432)

_REJECTED = b'"x":{"reason":"malformed_json","detail":""},'

ROWS = (
    Row("as it is", HOLDS, lambda files: files),
    Row("sealed anew", HOLDS, sealed_anew),
    # Doubled names.
    Row("r twice", REFUSED, _line("record.json", rb"\}$", b',"r":"x"}')),
    Row("i twice", REFUSED, _line("record.json", rb'"i":(\d+),', b'"i":1,"i":1,')),
    Row("root twice in the unit", REFUSED, _line("unit.json", rb',"gaps"', b',"root":"00","gaps"')),
    Row("root twice in the leaf", REFUSED, _line("leaf.json", rb'"root":', b'"root":"","root":')),
    Row("flags twice", REFUSED, _line("leaf.json", rb"\}$", b',"flags":["a"],"flags":["a"]}')),
    Row("a reason twice", REFUSED, _line("unit.json", rb'e":\{[^}]*\}', b'e":{"a":0,"a":1}')),
    # Other fields, other order, other spelling.
    Row("an unknown field", REFUSED, _line("header.json", rb"\}$", b',"zz":1}')),
    Row(
        "a name with a space",
        REFUSED,
        _line("header.json", rb'"mapper":\{.*\},"settings":\{.*\},"c', b'"mapper settings":{},"c'),
    ),
    Row("white space", REFUSED, _line("unit.json", rb'"part":', b'"part": ')),
    Row("a line break after a line", REFUSED, _line("record.json", rb"\}$", b"}\n")),
    Row(
        "a hash in capitals",
        REFUSED,
        _line("unit.json", rb'"src_sha256":"[0-9a-f]{64}"', b'"src_sha256":"' + b"AB" * 32 + b'"'),
    ),
    Row("a name spelt otherwise", REFUSED, _line("unit.json", rb'"unit":"e', b'"unit":"\\u0065')),
    Row("flags that are none", REFUSED, _line("leaf.json", rb"\}$", b',"flags":[]}')),
    Row("a flag", HOLDS, _line("leaf.json", rb"\}$", b',"flags":["key_hash","shadow"]}')),
    Row(
        "an API's text",
        HOLDS,
        _line("unit.json", rb'"rebuild":"exact"', b'"rebuild":"exact","raw_form":"api"'),
    ),
    # Lenient numbers.
    *(
        Row(f"index {number!r}", REFUSED, _line("record.json", rb'"i":\d+', b'"i":' + number))
        for number in (
            b"01",
            b"+1",
            b"1.0",
            b"1e0",
            b" 1",
            b"-1",
            b"1_0",
            b"\xd9\xa1",
            b"0x1",
            b"9" * 20,
        )
    ),
    Row("size 07", REFUSED, _plain("record-path.txt", lambda body: body.replace(b"\n", b"\n0", 1))),
    Row("size +7", REFUSED, _plain("record-path.txt", lambda body: body.replace(b"\n", b"\n+", 1))),
    Row(
        "index in Arabic digits",
        REFUSED,
        _plain("unit-path.txt", lambda body: b"\xd9\xa1" + body[1:]),
    ),
    Row(
        "arithmetic in a number",
        REFUSED,
        _plain("header-path.txt", lambda body: b"a[$(id)]" + body[1:]),
    ),
    # Sums and places.
    Row("counts that do not add up", REFUSED, _line("unit.json", rb'"kept":\d+', b'"kept":99')),
    Row("an index outside the part", REFUSED, _line("unit.json", rb'"first":0', b'"first":5')),
    Row("an index of another place", REFUSED, _line("record.json", rb'"i":\d+', b'"i":2')),
    Row("another number of lines", REFUSED, _line("unit.json", rb'"lines":\d+', b'"lines":99')),
    Row("a part number that is not one", REFUSED, _line("unit.json", rb'"part":1', b'"part":2')),
    Row(
        "a span outside the unit",
        REFUSED,
        _line("unit.json", rb'"span":\[0,\d+', b'"span":[0,99999999'),
    ),
    Row("another unit's id", REFUSED, _line("record.json", rb'"u":"[0-9a-f]', b'"u":"z')),
    Row(
        "a record as companion",
        REFUSED,
        _line("unit.json", rb'"records","part"', b'"companion","part"'),
    ),
    Row("another number of units", REFUSED, _line("header.json", rb'"units":1', b'"units":2')),
    Row(
        "a header of another source",
        REFUSED,
        _line("header.json", rb'"aws_cloudtrail"', b'"gcp_audit"'),
    ),
    Row("a header of another hour", REFUSED, _line("header.json", rb'"hour":"2', b'"hour":"1')),
    Row("the leaf of a marker", REFUSED, _line("leaf.json", rb'"obj"', b'"del"')),
    # The text.
    Row(
        "a control character escaped",
        HOLDS,
        _text(b"\x00\x1f\x7f\n", rb'"\u0000\u001f' + b'\x7f\\n"'),
    ),
    Row("another spelling of the text", REFUSED, _text(b"a/b", rb'"a\/b"')),
    Row("another spelling of a letter", REFUSED, _text(b"ab", rb'"\u0061b"')),
    Row("capital hex in an escape", REFUSED, _text(b"\x1f", rb'"\u001F"')),
    Row("bytes that are not UTF-8", HOLDS, _text(b"\xff", b'"\xff"')),
    Row("no text at all", HOLDS, _text(b"", b'""')),
    Row("base64 in a kept line", REFUSED, _text(b"x", b'"eA=="', member=b'"r64":')),
    Row("cuts", HOLDS, _text(b"x", b'"x","c":[["rule",0,4,"ab"],["rule",1,4,"ab"]]')),
    Row("cuts in a rejected line", HOLDS, _cut(_REJECTED, b'"c":[["unreadable",0,4,"ab"]]')),
    Row("a pack and cuts", HOLDS, _cut(_REJECTED, b'"s":"x","c":[["unreadable",0,4,"ab"]]')),
    Row("cuts before the pack", REFUSED, _cut(_REJECTED, b'"c":[["rule",0,4,"ab"]],"s":"x"')),
    Row("cuts out of scope", HOLDS, _cut(b'"o":"human",', b'"c":[["rule",0,4,"ab"]]')),
    Row("cuts in a companion", REFUSED, _cut(b"", b'"c":[["rule",0,4,"ab"]]')),
    Row("cuts of another form", REFUSED, _text(b"x", b'"x","c":[["rule",0,4]]')),
    # Paths and proofs.
    Row(
        "a hash too many",
        REFUSED,
        _plain("unit-path.txt", lambda body: body + body.split(b"\n")[2] + b"\n"),
    ),
    Row("a hash too few", REFUSED, _plain("unit-path.txt", lambda _: b"1\n2\n")),
    Row("no last line break", REFUSED, _plain("unit-path.txt", lambda body: body[:-1])),
    Row(
        "Windows line breaks",
        REFUSED,
        _plain("unit-path.txt", lambda body: body.replace(b"\n", b"\r\n")),
    ),
    Row("a blank line in a path", REFUSED, _plain("unit-path.txt", lambda body: body + b"\n")),
    Row(
        "a NUL in a path",
        REFUSED,
        _plain("unit-path.txt", lambda body: body.replace(b"\n", b"\x00\n", 1)),
    ),
    Row("a root spelt otherwise", REFUSED, _respelt),
    Row(
        "an extension line",
        REFUSED,
        _plain("leaf.tlog-proof", lambda body: body.replace(b"=\n\n", b"=\nextra\n\n")),
    ),
    Row(
        "65 hashes",
        REFUSED,
        _plain(
            "leaf.tlog-proof",
            lambda body: body.replace(b"\n\n", b"\n" + (b"A" * 43 + b"=\n") * 65 + b"\n", 1),
        ),
    ),
    # Signatures.
    Row("two signatures of the key", REFUSED, _plain("leaf.tlog-proof", _signature_twice)),
    Row("a bad and a good signature", REFUSED, _plain("leaf.tlog-proof", _bad_then_good)),
    Row("another's signature", HOLDS, _plain("leaf.tlog-proof", _other_line(_OTHER))),
    Row(
        "a post-quantum signature",
        HOLDS,
        _plain("leaf.tlog-proof", _other_line(_POST_QUANTUM, b"example.org/evidence/2026")),
    ),
    Row("a signature of no bytes", REFUSED, _plain("leaf.tlog-proof", _other_line(b"AAAAAA=="))),
    Row(
        "a signature spelt otherwise",
        REFUSED,
        _plain("leaf.tlog-proof", _other_line(_OTHER[:-2] + b"B=")),
    ),
    Row("a garbage line", REFUSED, _plain("leaf.tlog-proof", lambda body: body + b"garbage\n")),
    Row("a blank line at the end", REFUSED, _plain("leaf.tlog-proof", lambda body: body + b"\n")),
    Row(
        "65 signatures",
        REFUSED,
        _plain(
            "leaf.tlog-proof",
            lambda body: _other_line(_OTHER)(body) + (b"\xe2\x80\x94 x " + _OTHER + b"\n") * 63,
        ),
    ),
    # What the provider signed.
    Row("no delivered file", HOLDS, _without("provider-file.json")),
    Row("no key of the provider", HOLDS, _without("provider-key.der")),
    Row("no digest", REFUSED, _without("provider-digest.json")),
    Row("no signature of the provider", REFUSED, _without("provider-signature.bin")),
    Row(
        "a file the digest does not name",
        REFUSED,
        lambda files: {**files, "provider-file.json": b"{}"},
    ),
    Row(
        "the text nested in a record",
        REFUSED,
        _file(lambda file, raw: file.replace(raw, b'{"a":%b}' % raw)),
    ),
    Row(
        "the text in a string",
        REFUSED,
        _file(lambda file, raw: file.replace(raw, check_proof.quoted(raw))),
    ),
    Row(
        "the text at another place",
        REFUSED,
        _file(lambda file, _: file.replace(b"[", b'[{"a":"]"},', 1)),
    ),
    Row(
        "the text with white space around",
        HOLDS,
        _file(lambda file, raw: file.replace(raw, b"\n\t " + raw + b" \r\n")),
    ),
    Row(
        "two lists of records",
        REFUSED,
        _file(lambda file, _: file.replace(b'"Records"', b'"Records":[],"Records"')),
    ),
    Row("something after the file", REFUSED, _file(lambda file, _: file + b"x")),
    Row("a digest in another form", REFUSED, _digest(lambda digest: b"[" + digest + b"]")),
    Row("a digest of another file", REFUSED, _digest(_empty_raw_digest)),
    Row(
        "a digest of another algorithm",
        REFUSED,
        _digest(lambda digest: digest.replace(b"withRSA", b"withDSA")),
    ),
    Row(
        "a digest after another",
        HOLDS,
        _digest(lambda digest: digest.replace(b"null", b'"ab\\/\\u0063"')),
    ),
    Row(
        "a digest with line breaks",
        HOLDS,
        _digest(lambda digest: json.dumps(json.loads(digest), indent=1).encode()),
    ),
    Row(
        "the provider's key with e = 3",
        REFUSED,
        _plain("provider-key.der", lambda der: der[:-3] + b"\x00\x00\x03"),
    ),
    Row(
        "a byte after the provider's key",
        REFUSED,
        _plain("provider-key.der", lambda der: der + b"\x00"),
    ),
    Row(
        "a signature with a leading zero",
        REFUSED,
        _plain("provider-signature.bin", lambda body: b"\x00" + body),
    ),
    Row("a companion's claim", REFUSED, _line("unit.json", rb'"raw_sha256":"[0-9a-f]{64}",', b"")),
)
