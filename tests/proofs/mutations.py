"""Seeded mutations of proof bundles, most of them sealed anew so that one rule alone decides."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from random import Random

from nhi_evidence.evidence.bundle import check_proof
from tests.proofs.mutation_values import INTEGERS, MEMBERS, PIECES
from tests.proofs.resealed import Files, provided_anew, sealed_anew

INTEGERS += (b"999999999999999", b"1000000000000000", b"18446744073709551617", b"\xd9\xa1", b"0x1")


PIECES += (
    b"\x02",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xc2\x85",
    b"null",
    b"\\u0061",
    b"\\/",
    b"\\",
    b"=",
    b"@",
)


MEMBERS += (
    b'"o":"human"',
    b'"s":"gcp_audit"',
    b'"c":[["rule",0,1,"ab"]]',
    b'"k":"unit"',
    b'"zz":1',
)


MEMBERS += (
    b'"flags":["key_hash"]',
    b'"flags":["shadow","late"]',
    b'"flags":[]',
    b'"raw_form":"api"',
)


MEMBERS += (b'"until":5', b'"sha256":"' + b"0" * 64 + b'"', b'"a b":1', b'"":""', b'"root":"00"')


MEMBERS += (b'"messages":{}', b'"rejection":{}', b'"source_metadata":{"a":"b"}', b'"Records":[]')


_LINES = ("record.json", "unit.json", "header.json", "leaf.json")


_MEMBER = re.compile(rb'"[A-Za-z0-9_]+":(?:"(?:[^"\\]|\\.)*"|[0-9]+|\{\}|\[[^\[\]{}"]*\]|null)')


_LINE = re.compile(rb"[^\n]*\n")


def mutate(files: Mapping[str, bytes], random: Random) -> Files:
    """Change one to three things, and mostly seal the result anew."""
    changed = dict(files)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        random.choice(MUTATORS)(changed, random)
    if random.random() < 0.85:
        if "provider-digest.json" in changed and random.random() < 0.8:
            changed = provided_anew(changed)
        changed = sealed_anew(changed)
        if random.random() < 0.15:
            _signature_lines(changed, random)
    return changed


def _pick(files: Files, random: Random) -> str:
    names = [name for name in check_proof.SIZES if name in files]
    lines = [name for name in _LINES if name in files]
    return random.choice(random.choice((names, lines or names)))


def _bytes(files: Files, random: Random) -> None:
    name = _pick(files, random)
    body = bytearray(files[name])
    at = random.randrange(len(body) + 1)
    match random.randrange(5):
        case 0 if at < len(body):
            body[at] ^= 1 << random.randrange(8)
        case 1:
            del body[at : at + random.choice((1, 1, 4, 64))]
        case 2:
            body[at:at] = random.choice(PIECES)
        case 3:
            body[at:at] = body[at : at + random.choice((1, 8, 45))]
        case _:
            body = body[:at] if random.random() < 0.3 else body + random.choice(PIECES)
    files[name] = bytes(body)


def _integer(files: Files, random: Random) -> None:
    name = _pick(files, random)
    numbers = list(re.finditer(rb'(?<=[":\[,\n ])[0-9]+(?=[,}\]\n])', files[name]))
    if numbers:
        at = random.choice(numbers[:12] + numbers[-12:])
        near = str(int(at[0]) + random.choice((-2, -1, 1, 2))).encode()
        new = random.choice((*INTEGERS, near, near, near))
        files[name] = files[name][: at.start()] + new + files[name][at.end() :]


def _member(files: Files, random: Random) -> None:
    """Double, move, remove, rename or add a member of a line."""
    name = random.choice([line for line in _LINES if line in files] or list(files))
    line = files[name]
    members = list(_MEMBER.finditer(line))
    if not members:
        return
    at = random.choice(members[:10] + members[-10:])
    match random.randrange(6):
        case 0:
            line = line[: at.end()] + b"," + at[0] + line[at.end() :]
        case 1:
            line = line[: at.start()] + line[at.end() + 1 :]
        case 2:
            line = line[: at.end()] + b"," + random.choice(MEMBERS) + line[at.end() :]
        case 3:
            line = line[:-1] + b"," + random.choice(MEMBERS) + b"}"
        case 4:
            other = random.choice(members)
            first, last = sorted((at, other), key=lambda match: match.start())
            if first.end() <= last.start():
                middle = line[first.end() : last.start()]
                line = line[: first.start()] + last[0] + middle + first[0] + line[last.end() :]
        case _:
            line = line[: at.start()] + random.choice(MEMBERS) + line[at.end() :]
    files[name] = line


def _value(files: Files, random: Random) -> None:
    """Put something else where a value of a member is."""
    name = _pick(files, random)
    members = list(_MEMBER.finditer(files[name]))
    if members:
        at = random.choice(members[:12] + members[-12:])
        member = at[0].partition(b":")[0]
        donor = random.choice(list(_MEMBER.finditer(files[random.choice(list(files))])) or [at])
        spelt = re.sub(rb"[a-z]", lambda c: b"\\u%04x" % c[0][0], at[0].partition(b":")[2], count=1)
        kinds = (b'"records"', b'"companion"', b'"rejection"', b'"exact"', b'"no"', b'"cut"')
        others = (b"{}", b"[]", b"null", b"true", b'""', spelt, donor[0].partition(b":")[2])
        new = random.choice((*others, *kinds, *INTEGERS[:4]))
        files[name] = files[name][: at.start()] + member + b":" + new + files[name][at.end() :]


def _lines(files: Files, random: Random) -> None:
    """Double, remove, swap, add or respell a line of a text file."""
    name = random.choice(["record-path.txt", "unit-path.txt", "header-path.txt", "leaf.tlog-proof"])
    lines = _LINE.findall(files.get(name, b""))
    if not lines:
        return
    at = random.randrange(len(lines))
    match random.randrange(7):
        case 0:
            lines.insert(at, lines[at])
        case 1:
            del lines[at]
        case 2:
            other = random.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = lines[at].replace(b"\n", b"\r\n")
        case 4:
            lines[at : at + 1] = [lines[at]] * random.choice((64, 65, 66))
        case 5:
            lines.insert(
                at, random.choice((b"\n", b" \n", b"A" * 43 + b"=\n", b"AAAA\n", b"extra AA==\n"))
            )
        case _:
            lines[at] = re.sub(rb"(.)=\n$", lambda c: bytes([c[1][0] ^ 1]) + b"=\n", lines[at])
    files[name] = b"".join(lines)


def _whole_file(files: Files, random: Random) -> None:
    """Remove, empty, swap or exchange whole files."""
    name, other = random.choice(list(files)), random.choice(list(files))
    match random.randrange(4):
        case 0:
            del files[name]
        case 1:
            files[name] = b""
        case 2:
            files[name], files[other] = files[other], files[name]
        case _:
            files["raw.txt"] = random.choice(
                (b"", b"\x00", b"\xff", b'"\\\x1f\n', files.get("raw.txt", b"")[::-1])
            )


def _raw(files: Files, random: Random) -> None:
    """Let the record hold another text, spelt rightly or not, as text or base64."""
    raw = random.choice(
        (b"", b"x", b'\x00\x01\x1f\x7f\n\r\t\b\f"\\/', b"\xff\xfe", b"\xc2\x85", b"a" * 99)
    )
    new = random.choice((check_proof.quoted(raw), b'"%b"' % raw, b'"%b"' % b64encode(raw)))
    member = random.choice((b'"r":', b'"r":', b'"r64":'))
    files["raw.txt"] = raw
    files["record.json"] = re.sub(
        rb'"r(?:64)?":"(?:[^"\\]|\\.)*"(?=[,}]|$)',
        lambda _: member + new,
        files.get("record.json", b""),
    )


def _signature_lines(files: Files, random: Random) -> None:
    """Add signature lines: again, of others, garbage, and one of a post-quantum key."""
    proof = files.get("leaf.tlog-proof", b"")
    own = _LINE.findall(proof)[-1:] or [b"\n"]
    origin = own[0].split(b" ")[1:2] or [b"x"]
    dash = b"\xe2\x80\x94 "
    lines = (
        own[0],
        dash + b"example.org/other " + b64encode(b"\x01" * 68) + b"\n",
        dash + origin[0] + b" " + b64encode(b"\x02" * 68) + b"\n",
        dash + origin[0] + b" " + b64encode(b"\x03" * 2432) + b"\n",
        dash + origin[0] + b" AAAA\n",
        dash + origin[0] + b" AAAAAA==\n",
        dash + origin[0] + b" AAAAAAA=\n",
        dash + origin[0] + b" AAAAAAB=\n",
        dash + b" " + b64encode(b"\x01" * 68) + b"\n",
        dash + b"a+b " + b64encode(b"\x01" * 68) + b"\n",
        b"garbage\n",
        b"\n",
        own[0][:-3] + b"\n",
        own[0] + own[0],
        (dash + b"example.org/other " + b64encode(b"\x01" * 68) + b"\n") * 64,
    )
    line = random.choice(lines)
    files["leaf.tlog-proof"] = (
        proof + line if random.random() < 0.5 else proof[: -len(own[0])] + line + own[0]
    )


def _file(files: Files, random: Random) -> None:
    """Change the delivered file: nest the record, move it, space it, double the list."""
    raw, file = files.get("raw.txt", b""), files.get("provider-file.json")
    if file is None or not raw:
        return
    changes: tuple[Callable[[bytes], bytes], ...] = (
        lambda text: text.replace(raw, b'{"a":%b}' % raw),
        lambda text: text.replace(raw, b"[%b]" % raw),
        lambda text: text.replace(raw, check_proof.quoted(raw)),
        lambda text: text.replace(raw, raw + b"," + raw),
        lambda text: text.replace(raw, b"\n\t " + raw + b"\r\n"),
        lambda text: text.replace(raw, b"7"),
        lambda text: text.replace(b"[", b'[{"x":"]"},', 1),
        lambda text: text + b" \n",
        lambda text: text + b"x",
        lambda text: text.replace(b'"Records"', b'"Records":[],"Records"', 1),
        lambda text: text.replace(b'"Records"', b'"x":1,"Records"', 1),
        lambda text: text.replace(b'"Records"', b'"\\u0052ecords"', 1),
        lambda text: text.replace(b":", b" \t:\n ", 1),
        lambda text: b"[" + text + b"]",
        lambda text: text.replace(b"}", b"\x00}", 1),
    )
    files["provider-file.json"] = random.choice(changes)(file)


def _digest(files: Files, random: Random) -> None:
    """Change what the provider's document says."""
    digest = files.get("provider-digest.json")
    if digest is None:
        return
    pairs = (
        (b'"SHA-256"', b'"SHA-1"'),
        (b'"SHA256withRSA"', b'"none"'),
        (b"null", b'"abcd"'),
        (b"null", b'"ab\\u0063d\\/"'),
        (b"null", b"nul"),
        (b'"hashValue": "', b'"hashValue": "0'),
        (b'"s3Object": "AWS', b'"s3Object": "\\u0041WS'),
        (b'"s3Object": "AWS', b'"s3Object": "BWS'),
        (b'"s3Object": "AWS', b'"s3Object":\n\t"AWS'),
        (b'"s3Object": "AWS', b'"s3Object": "A\nWS'),
        (b'"logFiles": [', b'"logFiles": [7, '),
        (b'"logFiles": [', b'"logFiles": {'),
        (b'"logFiles"', b'"logFiles": [], "logFiles"'),
        (b"digestEndTime", b"digestendTime"),
        (b"{", b" \n{"),
        (b"abab", b"ab\\u0000ab"),
        (b"abab", b"ab\xc2\x9bab"),
    )
    old, new = random.choice(pairs)
    files["provider-digest.json"] = digest.replace(old, new, random.choice((1, 1, -1)))


MUTATORS: tuple[Callable[[Files, Random], None], ...] = (
    *(
        _bytes,
        _integer,
        _member,
        _member,
        _value,
        _value,
        _lines,
        _whole_file,
        _raw,
        _file,
        _digest,
    ),
    _signature_lines,
)
