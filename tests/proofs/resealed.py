"""Proof bundles sealed anew after a change, so that only the change is wrong."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from nhi_evidence.evidence import note
from nhi_evidence.evidence.bundle import check_proof
from tests.proofs import sealed
from tests.signing import LocalSigner

Files = dict[str, bytes]


def one_unit(files: Mapping[str, bytes]) -> Files:
    """The same proof in an object of one unit, so that it can be sealed anew."""
    changed = dict(files)
    changed["header.json"] = re.sub(rb'"units":\d+\}$', b'"units":1}', files["header.json"])
    return sealed_anew(changed)


def sealed_anew(files: Mapping[str, bytes], signer: LocalSigner | None = None) -> Files:
    """Make every path and root right again, and sign; what cannot be is left as it is."""
    changed = dict(files)
    try:
        index, size, path = check_proof.place_of(changed, "record-path.txt")
        root = check_proof.root_from_path(_leaf(changed["record.json"]), index, size, path)
        changed["unit.json"] = _stating(changed["unit.json"], rb'"root":"', root)
        unit, header = _leaf(changed["unit.json"]), _leaf(changed["header.json"])
        changed["unit-path.txt"] = b"1\n2\n" + b64encode(header) + b"\n"
        changed["header-path.txt"] = b"0\n2\n" + b64encode(unit) + b"\n"
        table = check_proof.sha256(b"\x01" + header + unit)
        changed["leaf.json"] = _stating(changed["leaf.json"], rb'"root":"', table)
        changed["leaf.tlog-proof"] = _signed(changed, signer or LocalSigner("log"))
    except (check_proof.NotShown, KeyError, ValueError):
        pass
    return changed


def _leaf(line: bytes) -> bytes:
    return sha256(b"\x00" + line).digest()


def _stating(line: bytes, before: bytes, root: bytes) -> bytes:
    return re.sub(before + rb"[0-9a-f]{64}", before + root.hex().encode(), line, count=1)


def _signed(files: Files, signer: LocalSigner, own_lines: bytes = b"") -> bytes:
    head, _, tail = files["leaf.tlog-proof"].partition(b"\n\n")
    _, number, *hashes = head.split(b"\n")
    origin, size, _, _, *lines = tail.split(b"\n")
    path = [b64decode(line, validate=True) for line in hashes]
    index = int(number.removeprefix(b"index "))
    root = check_proof.root_from_path(_leaf(files["leaf.json"]), index, int(size), path)
    text = origin + b"\n" + size + b"\n" + b64encode(root) + b"\n"
    key = note.from_spki(origin.decode(), signer.public_key())
    signed = note.write(text.decode(), [(key, signer.sign(text))])
    line = signed.split(b"\n\n")[1]
    others = b"".join(other + b"\n" for other in lines[1:] if other)
    return head + b"\n\n" + text + b"\n" + line + others + own_lines


def provided_anew(files: Mapping[str, bytes]) -> Files:
    """Let the provider sign again, and the unit state the hash of the file that is there."""
    changed = dict(files)
    digest = changed.get("provider-digest.json", b"")
    if "provider-file.json" in changed:
        new = sha256(changed["provider-file.json"]).hexdigest().encode()
        unit = changed.get("unit.json", b"")
        old = re.search(rb'"raw_sha256":"([0-9a-f]{64})"', unit)
        if old is not None:
            for name in ("unit.json", "provider-digest.json"):
                changed[name] = changed.get(name, b"").replace(old[1], new)
        digest = changed.get("provider-digest.json", b"")
    try:
        digest_members = check_proof.foreign(digest, "digest")
        texts = {
            name: check_proof.text(digest_members[name], check_proof.FOREIGN_TEXT)
            for name in (b"digestEndTime", b"digestS3Bucket", b"digestS3Object")
        }
        previous = digest_members[b"previousDigestSignature"]
        if previous != b"null":
            previous = check_proof.text(previous, check_proof.FOREIGN_TEXT)
    except (check_proof.NotShown, KeyError):
        return changed
    end, bucket, key = texts.values()
    own = sha256(digest).hexdigest().encode()
    signed = b"\n".join((end, bucket + b"/" + key, own, previous))
    private = sealed.provider_key()
    changed["provider-signature.bin"] = private.sign(signed, padding.PKCS1v15(), SHA256())
    return changed
