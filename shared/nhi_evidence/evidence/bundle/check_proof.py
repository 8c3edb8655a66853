#!/usr/bin/env python3
"""Check a proof bundle with nothing but this file and Python 3.8 or newer.

    python3 check_proof.py BUNDLE.zip 'NAME+ID+KEY'

The key must come to you by another way than the bundle. What is shown, when it holds:
the raw record in raw.txt is line N of an object, the object is a leaf of the log, and the
log of that size was signed by the key. Exit code 0 when it holds, 1 when not.

Written to be read: RFC 9162 section 2.1.3.2 (inclusion), RFC 8032 section 5.1.7 (Ed25519),
FIPS 186-5 section 6.4.2 (ECDSA on P-256), c2sp.org/signed-note, c2sp.org/tlog-proof.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import sys
import zipfile


class NotShown(Exception):
    """The bundle does not show what it claims."""


def sha256(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash of a leaf."""
    return sha256(b"\x00" + entry)


def unbase64(text: str) -> bytes:
    """Strict base64."""
    return base64.b64decode(text, validate=True)


def root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Root an inclusion path leads to (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        raise NotShown("the index is outside the tree")
    number, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0 or len(sibling) != 32:
            raise NotShown("the path is not one of this tree")
        if number % 2 or number == last:
            found = sha256(b"\x01" + sibling + found)
            while number % 2 == 0 and number:
                number, last = number >> 1, last >> 1
        else:
            found = sha256(b"\x01" + found + sibling)
        number, last = number >> 1, last >> 1
    if last:
        raise NotShown("the path is too short")
    return found


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


def ed_point(data: bytes) -> tuple[int, ...]:
    """Decode a point."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if len(data) != 32 or y >= P:
        raise NotShown("not an Ed25519 point")
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P or (x == 0 and sign):
        raise NotShown("not an Ed25519 point")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def ed25519_holds(public: bytes, text: bytes, signature: bytes) -> bool:
    """Verify an Ed25519 signature."""
    if len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    a, r = ed_point(public), ed_point(signature[:32])
    h = hashlib.sha512(signature[:32] + public + text).digest()
    base_y = 4 * pow(5, P - 2, P) % P
    base = ed_point(base_y.to_bytes(32, "little"))
    left = ed_times(s, base)
    right = ed_add(r, ed_times(int.from_bytes(h, "little") % L, a))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


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


def der_integers(data: bytes) -> list[int]:
    """The integers of a DER sequence of integers."""

    def length(at: int) -> tuple[int, int]:
        if data[at] < 128:
            return data[at], at + 1
        end = at + 1 + data[at] - 128
        return int.from_bytes(data[at + 1 : end], "big"), end

    try:
        size, at = length(1)
        found = []
        if data[0] != 0x30 or at + size != len(data):
            raise NotShown("not a DER sequence")
        while at < len(data):
            size, start = length(at + 1)
            if data[at] != 0x02 or start + size > len(data):
                raise NotShown("not a DER integer")
            found.append(int.from_bytes(data[start : start + size], "big"))
            at = start + size
    except IndexError:
        raise NotShown("DER is cut short") from None
    return found


def p256_holds(spki: bytes, text: bytes, signature: bytes) -> bool:
    """Verify an ECDSA signature over SHA-256."""
    numbers = der_integers(signature)
    if not spki.startswith(SPKI_P256) or len(spki) != len(SPKI_P256) + 64 or len(numbers) != 2:
        raise NotShown("not a P-256 key and signature")
    x, y = (int.from_bytes(spki[-64 + 32 * i : len(spki) - 32 + 32 * i], "big") for i in (0, 1))
    r, s = numbers
    if (y * y - (x * x * x - 3 * x + B)) % Q or not (0 < r < N and 0 < s < N):
        return False
    digest, inverse = int.from_bytes(sha256(text), "big"), pow(s, N - 2, N)
    point = ec_add(ec_times(digest * inverse % N, G), ec_times(r * inverse % N, (x, y)))
    return point is not None and point[0] % N == r


def signed_checkpoint(note: bytes, pinned: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint the pinned key signed under the log's name."""
    name, stated_id, encoded = pinned.strip().split("+", 2)
    key = unbase64(encoded)
    head, _, tail = note.decode().rpartition("\n\n")
    text = (head + "\n").encode()
    lines = head.split("\n")
    if len(lines) != 3:
        raise NotShown("a checkpoint has three lines")
    origin, size, root = lines[0], int(lines[1]), unbase64(lines[2])
    if origin.rpartition("/")[0] != name:
        raise NotShown(f"a checkpoint of {origin}, not of {name}")

    def key_id(named: str) -> bytes:
        return sha256(key[1:] if key[0] == 2 else named.encode() + b"\n" + key)[:4]

    if key_id(name).hex() != stated_id:
        raise NotShown("the pinned key has another id than it says")
    for line in tail.splitlines():
        dash, signer, signature = line.split(" ")
        data = unbase64(signature)
        if (dash, signer, data[:4]) != ("\u2014", origin, key_id(origin)):
            continue
        holds = {1: ed25519_holds, 2: p256_holds}[key[0]]
        if not holds(key[1:], text, data[4:]):
            raise NotShown("the signature does not verify")
        return origin, size, root
    raise NotShown("the pinned key did not sign this checkpoint")


def provider_said(files: dict[str, bytes]) -> str:
    """What the provider signed of the file, where the bundle holds it (RFC 8017 section 8.2)."""
    if "provider-document" not in files:
        return ""
    document, signed = files["provider-document"], files["provider-signed.txt"]
    if document[:2] == b"\x1f\x8b":
        document = gzip.decompress(document)
    wanted = json.loads(files["header.json"])["raw_sha256"]
    hashes = [str(one.get("hashValue")).lower() for one in json.loads(document)["logFiles"]]
    if wanted not in hashes or sha256(document).hex().encode() not in signed.split(b"\n"):
        raise NotShown("provider-document does not name the file, or is not what was signed")
    if "provider-key.der" not in files:
        return "\n  which the provider names (by whose key: not checked)"
    n, e = der_integers(files["provider-key.der"])
    info = bytes.fromhex("3031300d060960864801650304020105000420") + sha256(signed)
    size = (n.bit_length() + 7) // 8
    block = b"\x00\x01" + b"\xff" * (size - 3 - len(info)) + b"\x00" + info
    given = int.from_bytes(files["provider-signature.bin"], "big")
    if pow(given, e, n).to_bytes(size, "big") != block:
        raise NotShown("the provider's signature does not verify")
    return "\n  which the provider signed (compare provider-key.der with what it publishes)"


def check(files: dict[str, bytes], pinned: str) -> str:
    """Check a bundle; return what it shows."""
    held = json.loads(files["record.json"])
    raw = held["r"].encode() if "r" in held else unbase64(held["r64"])
    if raw != files["raw.txt"]:
        raise NotShown("raw.txt is not the raw text in record.json")
    leaf = json.loads(files["leaf.json"])
    for name in ("record", "header"):
        line, lines, *hashes = files[f"{name}-path.txt"].decode().splitlines()
        found = root_from_path(
            leaf_hash(files[f"{name}.json"]), int(line), int(lines), [*map(unbase64, hashes)]
        )
        if found.hex() != leaf["md"]["record-root"] or (name == "header" and int(line)):
            raise NotShown(f"{name}.json is not in the object")
    proof, _, note = files["leaf.tlog-proof"].partition(b"\n\n")
    first, number, *path = proof.decode().split("\n")
    origin, size, root = signed_checkpoint(note, pinned)
    index = int(number.split(" ")[1])
    if first != "c2sp.org/tlog-proof@v1" or root != root_from_path(
        leaf_hash(files["leaf.json"]), index, size, [unbase64(one) for one in path]
    ):
        raise NotShown("leaf.json is not in the log")
    return (
        f"holds: raw.txt (SHA-256 {sha256(raw).hex()})\n"
        f"  is a record of {leaf['key']}\n"
        f"  sealed as leaf {index} of {origin}, signed at size {size}" + provider_said(files)
    )


def main() -> int:
    """Run the check."""
    if len(sys.argv) != 3:
        sys.stderr.write(str(__doc__))
        return 2
    try:
        with zipfile.ZipFile(sys.argv[1]) as bundle:
            files = {name: bundle.read(name) for name in bundle.namelist()}
        said = check(files, sys.argv[2])
    except (NotShown, KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        sys.stderr.write(f"NOT SHOWN: {error}\n")
        return 1
    sys.stdout.write(said + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
