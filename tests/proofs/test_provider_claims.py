"""The report on a provider's signature considers text, file, digest and key together."""

from __future__ import annotations

import gzip
import json
import re
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nhi_evidence.event import Delivery
from nhi_evidence.evidence import bundle, proof, provider
from nhi_evidence.evidence.bundle import check_proof
from nhi_evidence.evidence.provider import KeyTrust
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.terminal import proof_report
from tests.cli.command import run
from tests.memory_store import MemoryStore
from tests.proofs import resealed, sealed
from tests.proofs.sealed import FINGERPRINT, NAME, NOW
from tests.proofs.three_checkers import walk

TRUSTED = {FINGERPRINT: sealed.provider_der()}


def check(files: dict[str, bytes], trusted: dict[str, bytes]) -> proof.Checked:
    return proof.check(files, (sealed.build().key,), NAME, (), trusted)


def provider_line(checked: proof.Checked) -> str:
    (line,) = (line for line in proof_report.lines(checked) if line.startswith("provider"))
    return line


def files_of(*, with_key: bool = True, with_file: bool = True) -> dict[str, bytes]:
    return sealed.bundle_of(
        sealed.build(), sealed.uids()[1], with_key=with_key, with_file=with_file
    )


@pytest.mark.parametrize("with_file", [True, False])
@pytest.mark.parametrize("key", list(KeyTrust))
def test_the_line_states_what_was_proven(key: KeyTrust, with_file: bool) -> None:
    """Of six combinations of key and file, only one shows that the provider signed the text."""
    files = files_of(with_key=key is not KeyTrust.ABSENT, with_file=with_file)
    checked = check(files, TRUSTED if key is KeyTrust.TRUSTED else {})
    signature = checked.provider_signature
    assert signature is not None
    assert (key, with_file) == (signature.key, signature.is_text_shown)
    line = provider_line(checked)
    assert ("signed this text" in line) is (key is KeyTrust.TRUSTED and with_file)
    assert ("not shown" in line) is not ("signed this text" in line)
    assert ("this text is in that file" in line) is not with_file


def test_a_record_whose_file_was_not_all_kept_says_so(tmp_path: Path) -> None:
    """Without people's records the file cannot be rebuilt, so the text is not shown to be in it."""
    store = sealed.build(keep=False)
    files = sealed.bundle_of(store, sealed.uids()[1])
    assert provider.FILE not in files
    assert b'"rebuild":"no"' in files["unit.json"]
    path = tmp_path / "proof.zip"
    path.write_bytes(bundle.pack(files))
    keys = tmp_path / "keys.json"
    keys.write_bytes(sealed.listed_keys())
    done = run("check-proof", path, "--key", str(store.key), "--provider-keys", keys)
    assert 0 == done.code
    assert "not shown: that this text is in that file" in done.out


def test_a_trusted_key_decides_against_the_bundle() -> None:
    """A signature by the bundle's key that the trusted key of that name did not make is refused."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    der = other.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    with pytest.raises(proof.ProveError, match="not by the key"):
        check(files_of(), {FINGERPRINT: der})


def test_the_text_must_be_at_its_place() -> None:
    """In a file the provider signed, text nested in another record does not count."""
    files = files_of()
    raw = files["raw.txt"]
    nested = {
        **files,
        "provider-file.json": files["provider-file.json"].replace(raw, b'{"a":%b}' % raw),
    }
    anew = resealed.sealed_anew(resealed.provided_anew(resealed.one_unit(nested)))
    with pytest.raises(proof.ProveError, match=r"record 1 is not the text in raw.txt"):
        check(anew, TRUSTED)


def test_a_file_of_several_parts_is_rebuilt_whole() -> None:
    """The parts are in separate objects; the proof of a record covers the whole file."""
    records = json.loads(sealed.trail_file())["Records"][:5]
    pad = {"requestParameters": {"pad": "x" * 99_000}}
    many = [{**records[n % 5], **pad, "eventID": f"id-{n}"} for n in range(180)]
    file = json.dumps({"Records": many}).encode()
    _, digest, _ = sealed.deliveries(file)
    store = MemoryStore(now=lambda: NOW)
    lock_batch(sealed.mapper(), [Delivery(sealed.FILE_UNIT, gzip.compress(file)), digest], store)
    assert 3 == len(list(store.keys("ev/")))
    evidence = sealed.seal(store)
    for uid in ("id-0", "id-179"):
        files = sealed.bundle_of(evidence, uid)
        assert file == files[provider.FILE]
        checked = proof.check(files, (evidence.key,), NAME, (), TRUSTED)
        assert "signed this text" in provider_line(checked)


def test_a_digest_of_a_distant_hour_is_not_looked_for() -> None:
    """Digests more than two days away are not read, and the proof holds without them."""
    store = MemoryStore(now=lambda: NOW)
    file, digest, _ = sealed.deliveries(sealed.trail_file())
    later = digest.unit.replace("20260302T09", "20260309T09")
    moved = Delivery(later, digest.body, kind=digest.kind, source_metadata=digest.source_metadata)
    lock_batch(sealed.mapper(), [file, moved], store)
    evidence = sealed.seal(store)
    files = sealed.bundle_of(evidence, sealed.uids()[1])
    assert provider.DIGEST not in files
    assert proof.check(files, (evidence.key,), NAME).provider_signature is None


def test_flags_and_forms_are_named() -> None:
    """An object flagged in the log, and a text listed by an API, are named in every proof."""
    files = resealed.one_unit(files_of())
    files["leaf.json"] = files["leaf.json"][:-1] + b',"flags":["key_hash","late"]}'
    files["unit.json"] = files["unit.json"].replace(
        b'"rebuild":"exact"', b'"rebuild":"exact","raw_form":"api"'
    )
    text = "\n".join(proof_report.lines(check(resealed.sealed_anew(files), {})))
    assert "flag     key_hash: its body hash does not match its key: never counted" in text
    assert "flag     late" in text
    assert "as listed by the source's API" in text


def test_a_forger_does_not_name_their_key_after_the_providers(tmp_path: Path) -> None:
    """The fingerprint is the document's word: what identifies the key is shown from the key."""
    files = files_of()
    forger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    stated = msgspec.json.decode(files[provider.DIGEST])
    where = f"{stated['digestS3Bucket']}/{stated['digestS3Object']}"
    hashed = sha256(files[provider.DIGEST]).hexdigest()
    signed = f"{stated['digestEndTime']}\n{where}\n{hashed}\nnull".encode()
    files[provider.SIGNATURE] = forger.sign(signed, padding.PKCS1v15(), SHA256())
    der = forger.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    files[provider.KEY] = der
    path = tmp_path / "proof.zip"
    path.write_bytes(bundle.pack(files))
    key = sealed.build().key
    ours = run("check-proof", path, "--key", str(key))
    theirs = "\n".join(check_proof.report(check_proof.check(dict(files), str(key))))
    walked = walk(files, key, tmp_path)
    assert (0, 0) == (ours.code, walked.returncode), walked.stderr
    for output in (ours.out, theirs, walked.stdout):
        assert sha256(der).hexdigest() in output
        assert re.search(
            rf"(?:the\s+document\s+calls|the\s+document\s+states,) {FINGERPRINT}", output
        )
        assert not re.search(
            rf"signature by[^;]*{FINGERPRINT}|signed by[^;]*\({FINGERPRINT}", output
        )
