"""`keys`, `seal`, `anchor`, `verify`, `prove`, `check-proof`: in sequence, as in use."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nhi_evidence.evidence import note
from tests.cli.command import run
from tests.cli.sealed_copy import NAME
from tests.cli.sealing_case import (
    OBJECTS,
    Sealed,
    alone,
    copied,
    make,
    repack,
    unpack,
    walk,
)
from tests.outsiders import Authority
from tests.proofs.sealed import FINGERPRINT


def test_verify_is_clean_and_says_who_anchored_it(sealed: Sealed) -> None:
    """Three parties attest the newest checkpoint; there are no findings, and V5 is reported as
    open.
    """
    done = run("verify", sealed.evidence, "--policy", sealed.policy, "--deep", "--json")
    assert (0, []) == (done.code, done.json["findings"])
    assert 3 == len(done.json["anchors"])
    assert OBJECTS == done.json["objects"]
    assert any(one.startswith("V5") for one in done.json["not_checked"])
    plain = run("verify", sealed.evidence, "--policy", sealed.policy, "--deep")
    assert plain.out.startswith("CLEAN no finding\n")
    assert f"anchor    {Authority.NAME}" in plain.out


def test_a_log_is_cosigned_by_a_second_key(sealed: Sealed, tmp_path: Path) -> None:
    """A --post-quantum key is used beside the first; a policy may require its signature."""
    evidence = copied(sealed, tmp_path)
    shutil.rmtree(evidence / "log")
    shutil.rmtree(evidence / ".metadata" / "log")
    first, second = tmp_path / "log.pem", tmp_path / "ml-dsa.pem"
    for path, more in ((first, ()), (second, ("--post-quantum",))):
        output = run("keys", "--new", *more, "--key-file", path, "--name", NAME)
        path.with_suffix(".vkey").write_text(output.out)
    refused = run("seal", evidence, "--name", NAME, "--key-file", second)
    assert (4, True) == (refused.code, "only cosigns" in refused.err), refused.err
    done = run(
        *("seal", evidence, "--name", NAME, "--key-file", first, "--key-file", second, "--json")
    )
    assert (0, 2, 1) == (done.code, done.json["signatures"], done.json["checkpoints"])
    policy = tmp_path / "policy.toml"
    keys = [path.with_suffix(".vkey").read_text().strip() for path in (first, second)]
    policy.write_text(f"keys = {json.dumps(keys)}\nrequire_cosignature = true\n")
    assert 0 == run("verify", evidence, "--policy", policy).code
    policy.write_text(f"keys = {json.dumps(keys[:1])}\nrequire_cosignature = true\n")
    result = run("verify", evidence, "--policy", policy)
    assert (4, True) == (result.code, "needs an ML-DSA-44 key" in result.err)
    proof = tmp_path / "proof.zip"
    output = run("prove", evidence, sealed.uid, "-o", proof, *("--key", first.with_suffix(".vkey")))
    assert 0 == output.code, output.err
    assert 0 == run("check-proof", proof, "--key", keys[0], "--key", keys[1]).code
    assert 0 == alone(proof, keys[0]).returncode


def test_a_second_anchoring_changes_nothing(sealed: Sealed) -> None:
    """Parties that attested this checkpoint are not asked again."""
    submissions = list(sealed.witness.submissions)
    done = run(
        *("anchor", sealed.evidence, "--key", sealed.key, "--tsa", sealed.authority.url),
        *("--witness", f"{sealed.witness.key} {sealed.witness.url}", "--json"),
    )
    assert (0, []) == (done.code, done.json["made"])
    assert 2 == len(done.json["there"])
    assert submissions == sealed.witness.submissions


def test_three_checkers_accept_the_proof(sealed: Sealed, tmp_path: Path) -> None:
    """This program, the stand-alone verifier and the openssl walkthrough all accept it."""
    done = run(
        *("check-proof", sealed.proof, "--policy", sealed.policy, "--json"),
        *("--provider-keys", sealed.provider_keys),
    )
    assert 0 == done.code
    proof = done.json["shown"]
    assert sealed.uid == proof["uid"]
    assert {Authority.NAME, "example.org/witness"} == set(proof["anchored"])
    provider = {"fingerprint": FINGERPRINT, "key": "trusted", "is_text_shown": True}
    assert provider == {name: proof["provider_signature"][name] for name in provider}
    plain = run(
        *("check-proof", sealed.proof, "--key", sealed.key, "--provider-keys", sealed.provider_keys)
    )
    assert "provider signed this text, in the delivered file" in plain.out
    checked = alone(sealed.proof, sealed.key)
    assert 0 == checked.returncode, checked.stderr
    assert "provider names the file this text is in" in checked.stdout
    walked = walk(unpack(sealed.proof, tmp_path / "bundle"), sealed.key, sealed.roots)
    assert 0 == walked.returncode, walked.stderr
    assert "   verified" in walked.stdout
    assert "signed by provider-key.der" in walked.stdout
    assert "raw.txt is in the delivered file, as record 1" in walked.stdout
    assert walked.stdout.splitlines()[-1].startswith("HOLDS raw.txt (record 1 of example-trail/")


ALTERED = [
    "raw.txt",
    "record.json",
    "record-path.txt",
    "unit.json",
    "unit-path.txt",
    "header.json",
    "header-path.txt",
    "leaf.json",
    "leaf.tlog-proof",
    f"anchor-{Authority.NAME}.tsr",
    "provider-digest.json",
    "provider-signature.bin",
    "provider-key.der",
    "provider-file.json",
]


@pytest.mark.parametrize("name", ALTERED)
def test_any_altered_file_fails_every_checker(sealed: Sealed, tmp_path: Path, name: str) -> None:
    """With one bit changed in any file with proof, no checker accepts it."""
    folder = unpack(sealed.proof, tmp_path / "bundle")
    body = bytearray((folder / name).read_bytes())
    body[len(body) // 2] ^= 1
    (folder / name).write_bytes(body)
    altered = repack(folder, tmp_path / "altered.zip")
    assert 1 == run("check-proof", altered, "--policy", sealed.policy).code
    if not name.startswith("anchor-"):  # the standalone verifier knows no time stamps
        assert 1 == alone(altered, sealed.key).returncode
    assert 0 != walk(folder, sealed.key, sealed.roots).returncode


def test_another_key_or_log_fails_every_checker(sealed: Sealed, tmp_path: Path) -> None:
    """The keys in the bundle are not trusted: the given one decides."""
    other = run("keys", "--new", "--key-file", tmp_path / "other.pem", "--name", NAME).out.strip()
    renamed = str(note.parse_key(sealed.key).named("example.org/another"))
    for number, key in enumerate((other, renamed)):
        assert 1 == run("check-proof", sealed.proof, "--key", key).code
        assert 1 == alone(sealed.proof, key).returncode
        folder = unpack(sealed.proof, tmp_path / f"bundle-{number}")
        assert 0 != walk(folder, key).returncode


def test_a_p256_key(tmp_path: Path) -> None:
    """A log signed with ECDSA on P-256 verifies and proves in the same way."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "p256.pem").write_bytes(pem)
    key, uid = make(tmp_path, tmp_path / "p256.pem")
    assert 0 == run("verify", tmp_path / "evidence", "--key", key, "--deep").code
    proof = tmp_path / "proof.zip"
    assert 0 == run("prove", tmp_path / "evidence", uid, "--key", key, "-o", proof).code
    assert 0 == run("check-proof", proof, "--key", key).code
    assert 0 == alone(proof, key).returncode
    walked = walk(unpack(proof, tmp_path / "bundle"), key)
    assert 0 == walked.returncode, walked.stderr
    assert "not shown: who signed it" in walked.stdout


def test_incremental_and_sampled(sealed: Sealed, tmp_path: Path) -> None:
    """From a saved state only what is new; for a sample, its rate and seed are stated."""
    state = tmp_path / "state.json"
    first = run("verify", sealed.evidence, "--key", sealed.key, "--save-state", state, "--json")
    assert json.loads(state.read_text())["size"] == first.json["size"]
    again = run("verify", sealed.evidence, "--key", sealed.key, "--since", state, "--json")
    assert (0, 0, 0) == (again.code, again.json["epochs"], again.json["objects"])
    some = run("verify", sealed.evidence, "--key", sealed.key, "--sample", "1", "--json")
    assert (0, 1) == (some.code, some.json["objects"])
    assert "1 of 2 objects (seed " in some.json["sample"]
    for body in ("{}", '{"name":' * 100_000):
        state.write_text(body)
        refused = run("verify", sealed.evidence, "--key", sealed.key, "--since", state)
        assert (4, True) == (refused.code, "not a saved state" in refused.err)
        refused = run("verify", sealed.evidence, "--key", sealed.key, "--join", state)
        assert (4, True) == (refused.code, "not a --json report" in refused.err)


def test_the_report_comes_before_anything_is_saved(sealed: Sealed, tmp_path: Path) -> None:
    """A state that cannot be saved is an error with its name, after the verdict is printed."""
    state = tmp_path / "no-such-folder" / "state.json"
    done = run("verify", sealed.evidence, "--key", sealed.key, "--save-state", state)
    assert (4, True) == (done.code, str(state) in done.err), done.err
    assert done.out.startswith("CLEAN ")


def test_units_of_an_altered_object_are_not_in_the_report(sealed: Sealed, tmp_path: Path) -> None:
    """An object's content is trusted only if its bytes are the sealed ones."""
    evidence = copied(sealed, tmp_path)
    before = run("verify", evidence, "--key", sealed.key, "--json")
    altered = next(path for path in sorted((evidence / "ev").rglob("*")) if path.is_file())
    body = bytearray(altered.read_bytes())
    body[len(body) // 2] ^= 1
    altered.chmod(0o600)
    altered.write_bytes(body)
    done = run("verify", evidence, "--key", sealed.key, "--json")
    assert 1 == done.code
    assert sum(done.json["units"].values()) < sum(before.json["units"].values())
