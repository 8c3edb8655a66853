"""`keys`, `seal`, `anchor`, `verify`, `prove`, `check-proof`: one after another, as in use."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nhi_evidence.evidence import note
from tests.cli import sealed_copy
from tests.cli.command import run
from tests.cli.sealed_copy import NAME
from tests.outsiders import Authority, Witness
from tests.proofs.sealed import FINGERPRINT, listed_keys
from tests.proofs.three_checkers import TOOLS

OBJECTS = 2
"""Of the file's hour and of the digest's."""


class Sealed(NamedTuple):
    """A sealed and anchored directory, and what is needed to check it."""

    evidence: Path
    key: str
    uid: str
    policy: Path
    roots: Path
    provider_keys: Path
    proof: Path
    authority: Authority
    witness: Witness


def make(folder: Path, key_file: Path) -> tuple[str, str]:
    """Lock evidence and seal it; return the verifier key and a record's id."""
    uid = sealed_copy.write(folder / "evidence", with_digest=True)
    shown = run("keys", "--key-file", key_file, "--name", NAME)
    done = run("seal", folder / "evidence", "--name", NAME, "--key-file", key_file, "--json")
    assert (0, OBJECTS, []) == (done.code, done.json["added"], done.json["void"])
    return shown.out.strip(), uid


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    folder = tmp_path_factory.mktemp("sealed")
    run("keys", "--new", "--key-file", folder / "log.pem", "--name", NAME)
    key, uid = make(folder, folder / "log.pem")
    (folder / "elsewhere").mkdir()
    (folder / "provider.json").write_bytes(listed_keys())
    authority = Authority(folder / "tsa")
    with authority, Witness("example.org/witness", note.parse_key(key)) as witness:
        assert isinstance(witness, Witness)
        policy = folder / "policy.toml"
        policy.write_text(
            f"""
keys = ["{key}"]
anchors_required = 3
[[anchors]]
kind = "rfc3161"
name = "{Authority.NAME}"
roots = "tsa/roots.pem"
[[anchors]]
kind = "cosignature"
key = "{witness.key}"
[[anchors]]
kind = "copy"
evidence = "{folder / "elsewhere"}"
"""
        )
        done = run(
            *("anchor", folder / "evidence", "--key", key, "--tsa", authority.url),
            *("--witness", f"{witness.key} {witness.url}", "--copy-to", folder / "elsewhere"),
            "--json",
        )
        assert 0 == done.code, done.err
        assert 3 == len(done.json["made"])
        proof = folder / "proof.zip"
        made = run(
            *("prove", folder / "evidence", uid, "-o", proof, "--policy", policy, "--json"),
            *("--provider-keys", folder / "provider.json"),
        )
        assert 0 == made.code, made.err
        yield Sealed(
            *(folder / "evidence", key, uid, policy, folder / "tsa" / "roots.pem"),
            *(folder / "provider.json", proof, authority, witness),
        )


def unpack(proof: Path, folder: Path) -> Path:
    with zipfile.ZipFile(proof) as bundle:
        bundle.extractall(folder)
    return folder


def repack(folder: Path, proof: Path) -> Path:
    with zipfile.ZipFile(proof, "w") as bundle:
        for path in folder.iterdir():
            bundle.write(path, path.name)
    return proof


def walk(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Follow the walkthrough with openssl alone: no Python is on its PATH."""
    tools = folder.parent / f"{folder.name}-tools"
    tools.mkdir()
    for name in TOOLS:
        program = shutil.which(name)
        assert program, f"{name} is what the walkthrough needs"
        (tools / name).symlink_to(program)
    return subprocess.run(
        [tools / "bash", "walkthrough.sh", *map(str, arguments)],
        cwd=folder,
        env={"PATH": str(tools), "TMPDIR": str(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def alone(proof: Path, key: str) -> subprocess.CompletedProcess[str]:
    """Run the bundle's own verifier: no package of ours, nothing but the standard library."""
    checker = proof.with_suffix(".py")
    with zipfile.ZipFile(proof) as bundle:
        checker.write_bytes(bundle.read("check_proof.py"))
    return subprocess.run(
        [sys.executable, "-I", "-S", checker, proof, key],
        capture_output=True,
        text=True,
        check=False,
    )


def test_verify_is_clean_and_says_who_anchored_it(sealed: Sealed) -> None:
    """Three names spoke of the newest checkpoint; nothing is found, and V5 is said to be open."""
    done = run("verify", sealed.evidence, "--policy", sealed.policy, "--deep", "--json")
    assert (0, []) == (done.code, done.json["findings"])
    assert 3 == len(done.json["anchors"])
    assert OBJECTS == done.json["objects"]
    assert any(one.startswith("V5") for one in done.json["not_checked"])
    plain = run("verify", sealed.evidence, "--policy", sealed.policy, "--deep")
    assert plain.out.startswith("CLEAN no finding\n")
    assert f"anchor    {Authority.NAME}" in plain.out


def test_a_log_is_cosigned_by_a_second_key(sealed: Sealed, tmp_path: Path) -> None:
    """A key of --post-quantum stands beside the first; a policy may ask for what it signed."""
    evidence = copied(sealed, tmp_path)
    shutil.rmtree(evidence / "log")
    shutil.rmtree(evidence / ".metadata" / "log")
    first, second = tmp_path / "log.pem", tmp_path / "ml-dsa.pem"
    for path, more in ((first, ()), (second, ("--post-quantum",))):
        made = run("keys", "--new", *more, "--key-file", path, "--name", NAME)
        path.with_suffix(".vkey").write_text(made.out)
    refused = run("seal", evidence, "--name", NAME, "--key-file", second)
    assert (4, True) == (refused.code, "signs beside it" in refused.err), refused.err
    done = run(
        *("seal", evidence, "--name", NAME, "--key-file", first, "--key-file", second, "--json")
    )
    assert (0, 2, 1) == (done.code, done.json["signatures"], done.json["checkpoints"])
    policy = tmp_path / "policy.toml"
    keys = [path.with_suffix(".vkey").read_text().strip() for path in (first, second)]
    policy.write_text(f"keys = {json.dumps(keys)}\nrequire_cosignature = true\n")
    assert 0 == run("verify", evidence, "--policy", policy).code
    policy.write_text(f"keys = {json.dumps(keys[:1])}\nrequire_cosignature = true\n")
    asked = run("verify", evidence, "--policy", policy)
    assert (4, True) == (asked.code, "needs an ML-DSA-44 key" in asked.err)
    proof = tmp_path / "proof.zip"
    made = run("prove", evidence, sealed.uid, "-o", proof, *("--key", first.with_suffix(".vkey")))
    assert 0 == made.code, made.err
    assert 0 == run("check-proof", proof, "--key", keys[0], "--key", keys[1]).code
    assert 0 == alone(proof, keys[0]).returncode


def test_a_second_anchoring_changes_nothing(sealed: Sealed) -> None:
    """Who spoke of this checkpoint is not asked again."""
    asked = list(sealed.witness.submissions)
    done = run(
        *("anchor", sealed.evidence, "--key", sealed.key, "--tsa", sealed.authority.url),
        *("--witness", f"{sealed.witness.key} {sealed.witness.url}", "--json"),
    )
    assert (0, []) == (done.code, done.json["made"])
    assert 2 == len(done.json["there"])
    assert asked == sealed.witness.submissions


def test_the_proof_holds_for_three_checkers(sealed: Sealed, tmp_path: Path) -> None:
    """This program, the standalone verifier and the openssl walkthrough all say it holds."""
    done = run(
        *("check-proof", sealed.proof, "--policy", sealed.policy, "--json"),
        *("--provider-keys", sealed.provider_keys),
    )
    assert 0 == done.code
    shown = done.json["shown"]
    assert sealed.uid == shown["uid"]
    assert {Authority.NAME, "example.org/witness"} == set(shown["anchored"])
    provider = {"fingerprint": FINGERPRINT, "key": "trusted", "is_text_shown": True}
    assert provider == shown["provider_signature"]
    plain = run(
        *("check-proof", sealed.proof, "--key", sealed.key, "--provider-keys", sealed.provider_keys)
    )
    assert "provider signed this text, in the delivered file" in plain.out
    checked = alone(sealed.proof, sealed.key)
    assert 0 == checked.returncode, checked.stderr
    assert "provider names the file this text stands in" in checked.stdout
    walked = walk(unpack(sealed.proof, tmp_path / "bundle"), sealed.key, sealed.roots)
    assert 0 == walked.returncode, walked.stderr
    assert "   verified" in walked.stdout
    assert "signed by provider-key.der" in walked.stdout
    assert "raw.txt stands in the delivered file, as record 1" in walked.stdout
    assert walked.stdout.splitlines()[-1].startswith("holds: raw.txt (kept 1 of example-trail/")


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
    """One bit changed in any file that carries proof, and no checker says it holds."""
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
    """The keys in the bundle are not believed: the one given decides."""
    other = run("keys", "--new", "--key-file", tmp_path / "other.pem", "--name", NAME).out.strip()
    renamed = str(note.parse_key(sealed.key).named("example.org/another"))
    for number, key in enumerate((other, renamed)):
        assert 1 == run("check-proof", sealed.proof, "--key", key).code
        assert 1 == alone(sealed.proof, key).returncode
        folder = unpack(sealed.proof, tmp_path / f"bundle-{number}")
        assert 0 != walk(folder, key).returncode


def test_a_p256_key(tmp_path: Path) -> None:
    """A log signed by ECDSA on P-256 is verified and proven by all the same."""
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
    """From a saved state only what came since; of a sample, its odds and seed are stated."""
    state = tmp_path / "state.json"
    first = run("verify", sealed.evidence, "--key", sealed.key, "--save-state", state, "--json")
    assert json.loads(state.read_text())["size"] == first.json["size"]
    again = run("verify", sealed.evidence, "--key", sealed.key, "--since", state, "--json")
    assert (0, 0, 0) == (again.code, again.json["epochs"], again.json["objects"])
    some = run("verify", sealed.evidence, "--key", sealed.key, "--sample", "1", "--json")
    assert (0, 1) == (some.code, some.json["objects"])
    assert "1 of 2 objects (seed " in some.json["sample"]
    state.write_text("{}")
    refused = run("verify", sealed.evidence, "--key", sealed.key, "--since", state)
    assert (4, True) == (refused.code, "not a saved state" in refused.err)


def copied(sealed: Sealed, tmp_path: Path) -> Path:
    copy = tmp_path / "copy"
    shutil.copytree(sealed.evidence, copy)
    return copy


def altered(path: Path, body: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(body)


def test_exit_codes(sealed: Sealed, tmp_path: Path) -> None:
    """1 integrity, 3 policy alone, 4 could not be verified, 64 wrong usage."""
    copy = copied(sealed, tmp_path)
    evidence, _ = copy.glob("ev/**/*.zst")
    altered(evidence, b"x")
    done = run("verify", copy, "--key", sealed.key, "--json")
    assert (1, 1) == (done.code, done.json["exit_code"])
    assert {"object_altered"} == {one["code"] for one in done.json["findings"]}
    strict = tmp_path / "strict.toml"
    strict.write_text(f'keys = ["{sealed.key}"]\nretention_days = 30\n')
    policy = run("verify", sealed.evidence, "--policy", strict, "--json")
    assert (3, {"short_lock"}) == (policy.code, {one["code"] for one in policy.json["findings"]})
    assert 4 == run("verify", tmp_path / "none", "--key", sealed.key).code
    assert 4 == run("verify", sealed.evidence).code
    assert 64 == run("verify", sealed.evidence, "--sample", "0").code


def test_incomplete_is_2(tmp_path: Path) -> None:
    """A unit of which a part was never locked is whole in what is there, and incomplete."""
    folder = tmp_path / "evidence"
    sealed_copy.write_in_parts(folder)
    _, second = sorted(folder.glob("ev/**/*.zst"))
    second.unlink()
    run("keys", "--new", "--key-file", tmp_path / "log.pem", "--name", NAME)
    run("seal", tmp_path / "evidence", "--name", NAME, "--key-file", tmp_path / "log.pem")
    key = run("keys", "--key-file", tmp_path / "log.pem", "--name", NAME).out.strip()
    incomplete = run("verify", tmp_path / "evidence", "--key", key, "--json")
    assert (2, ["unit_incomplete"]) == (
        incomplete.code,
        [one["code"] for one in incomplete.json["findings"]],
    )


def test_refusals_name_what_is_wrong(sealed: Sealed, tmp_path: Path) -> None:
    """Every refusal says what and where, and leaves nothing half done."""
    wanted: list[tuple[tuple[str | Path, ...], str]] = [
        (("verify", "gs://bucket", "--key", sealed.key), "evidence is s3://bucket"),
        (("verify", "s3://bucket/prefix", "--key", sealed.key), "takes a whole bucket"),
        (("verify", "s3://bucket?color=red", "--key", sealed.key), "unknown option color"),
        (("verify", sealed.evidence, "--key", "nonsense"), "not a verifier key"),
        (("verify", sealed.evidence, "--key", str(sealed.witness.key)), "signs no log"),
        (("anchor", sealed.evidence, "--key", sealed.key), "name somebody outside"),
        (("anchor", sealed.evidence, "--key", sealed.key, "--tsa", "ftp://x"), "not an http"),
        (
            ("prove", sealed.evidence, "no-such-id", "--key", sealed.key, "-o", tmp_path / "p"),
            "no-such-id",
        ),
        (("check-proof", sealed.policy, "--key", sealed.key), "not a proof bundle"),
        (("seal", sealed.evidence, "--name", NAME), "name a key"),
        (
            ("seal", sealed.evidence, "--name", NAME, "--key-file", sealed.policy),
            "not a private key",
        ),
        (("keys", "--new", "--name", NAME), "--key-file"),
        (("keys", "--new", "--name", NAME, "--key-file", sealed.policy), "is there already"),
    ]
    for arguments, problem in wanted:
        done = run(*arguments)
        assert (4, True) == (done.code, problem in done.err), (arguments, done.err)
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ('anchors = ["tsa"]', "anchors"),
        ('[[anchors]]\nkind = "rfc3161"\nname = "x"\nroots = "none.pem"', "none.pem"),
        (
            '[[anchors]]\nkind = "rfc3161"\nname = "x"\nroots = "policy.toml"',
            "root certificates of x",
        ),
        ('[[anchors]]\nkind = "cosignature"\nkey = "nonsense"', "not a verifier key"),
        ('[[anchors]]\nkind = "sundial"', "sundial"),
        ("color = 1", "color"),
    ],
)
def test_a_wrong_policy_is_refused(
    sealed: Sealed, tmp_path: Path, entry: str, problem: str
) -> None:
    """A policy is read whole or not at all: no entry is passed over."""
    path = tmp_path / "policy.toml"
    path.write_text(f'keys = ["{sealed.key}"]\n{entry}\n')
    done = run("verify", sealed.evidence, "--policy", path)
    assert (4, True) == (done.code, problem in done.err), done.err


def test_who_does_not_answer_is_named(sealed: Sealed, tmp_path: Path) -> None:
    """One that is down, and one that refuses, keep nobody else from being asked."""
    evidence = copied(sealed, tmp_path)
    shutil.rmtree(evidence / "log" / "v1", ignore_errors=True)
    shutil.rmtree(evidence / ".metadata" / "log")
    run("keys", "--new", "--key-file", tmp_path / "log.pem", "--name", NAME)
    key = run("keys", "--key-file", tmp_path / "log.pem", "--name", NAME).out.strip()
    empty = run("anchor", evidence, "--key", key, "--copy-to", tmp_path)
    assert (4, True) == (empty.code, "nothing of" in empty.err)
    run("seal", evidence, "--name", NAME, "--key-file", tmp_path / "log.pem")
    (tmp_path / "elsewhere").mkdir()
    done = run(
        *("anchor", evidence, "--key", key, "--json", "--copy-to", tmp_path / "elsewhere"),
        *("--witness", f"{sealed.witness.key} {sealed.witness.url}"),
        *("--tsa", "http://127.0.0.1:9/tsr"),
    )
    assert 4 == done.code
    assert [str(tmp_path / "elsewhere")] == done.json["made"]
    assert "does not know the key of this log" in done.json["failed"]["example.org/witness"]
    assert "does not answer" in done.json["failed"]["127.0.0.1"]
