"""The log's own post-quantum cosignature in a proof: checked with its key, else reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhi_evidence.evidence import bundle, note, proof, search
from nhi_evidence.evidence.bundle import check_proof
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.proof import MlDsa
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.pipeline.lock import lock_batch
from tests.cli.command import run
from tests.memory_store import DAY_MS, MemoryStore
from tests.proofs import sealed
from tests.proofs.sealed import NAME, NOW
from tests.proofs.three_checkers import walk
from tests.signing import LocalCosigner, LocalSigner

PRIMARY, COSIGNER = LocalSigner("log"), LocalCosigner("cosigner")
KEY = note.from_spki(NAME, PRIMARY.public_key())
COSIGNING = note.from_spki(NAME, COSIGNER.public_key())


@pytest.fixture(scope="module", name="files")
def _files() -> dict[str, bytes]:
    """Return a proof from a log that signs with both keys."""
    store = MemoryStore(now=lambda: NOW)
    lock_batch(sealed.mapper(), sealed.deliveries(sealed.trail_file()), store)
    lock_policy = LockPolicy(retention_ms=DAY_MS)
    Sealer(store, [PRIMARY, COSIGNER], lambda: NOW, name=NAME, lock_policy=lock_policy).run()
    looking = search.Search(store, StoredLog(store, NAME, (KEY,)))
    record = looking.find(sealed.uids()[0], search.Where())
    assert record is not None
    return looking.bundle(record, (KEY, COSIGNING))


def altered(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same with one bit of the cosignature changed."""
    head, _, last = files["leaf.tlog-proof"][:-1].rpartition(b" ")
    first = b"B" if last[100:101] == b"A" else b"A"
    changed = head + b" " + last[:100] + first + last[101:] + b"\n"
    return {**files, "leaf.tlog-proof": changed}


def test_with_the_key_it_is_checked(files: dict[str, bytes]) -> None:
    """With its key pinned, a cosignature that does not verify fails the proof."""
    checked = proof.check(files, (KEY, COSIGNING), NAME, require_cosignature=True)
    assert (MlDsa.VERIFIED, 2) == (checked.ml_dsa, len(checked.signed_by))
    with pytest.raises(proof.ProveError, match="does not verify"):
        proof.check(altered(files), (KEY, COSIGNING), NAME)


def test_without_the_key_it_is_reported_and_never_counted(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    """None of the three treats it as checked; if the policy requires it, the proof fails."""
    for bundle_files in (files, altered(files)):
        assert MlDsa.NOT_CHECKED is proof.check(bundle_files, (KEY,), NAME).ml_dsa
        lines = check_proof.report(check_proof.check(dict(bundle_files), str(KEY)))
        assert any(line.startswith("ML-DSA   not checked") for line in lines)
    assert "ML-DSA not checked" in walk(files, KEY, tmp_path).stdout
    with pytest.raises(proof.ProveError, match="which is required"):
        proof.check(files, (KEY,), NAME, require_cosignature=True)


def test_a_cosignature_does_not_replace_the_log_s_signature(files: dict[str, bytes]) -> None:
    """A proof without the log's own signature does not hold, cosigned or not."""
    head, _, lines = files["leaf.tlog-proof"].rpartition(b"\n\n")
    cosigned = [line for line in lines.splitlines(keepends=True) if len(line) > 3_000]
    alone = {**files, "leaf.tlog-proof": head + b"\n\n" + b"".join(cosigned)}
    with pytest.raises(proof.ProveError, match="not signed"):
        proof.check(alone, (KEY, COSIGNING), NAME)
    with pytest.raises(check_proof.NotShown):
        check_proof.check(dict(alone), str(KEY))


def test_check_proof_says_which(files: dict[str, bytes], tmp_path: Path) -> None:
    """On the command line, with and without the second key, and with a policy that requires it."""
    path = tmp_path / "proof.zip"
    path.write_bytes(bundle.pack(files))
    both = run("check-proof", path, "--key", str(KEY), "--key", str(COSIGNING))
    assert (0, True) == (both.code, "ML-DSA   verified" in both.out)
    done = run("check-proof", path, "--key", str(KEY))
    assert (0, True) == (done.code, "ML-DSA   not checked" in done.out)
    policy = tmp_path / "policy.toml"
    policy.write_text(f'keys = ["{KEY}", "{COSIGNING}"]\nrequire_cosignature = true\n')
    assert 0 == run("check-proof", path, "--policy", policy).code
    path.write_bytes(bundle.pack(sealed.bundle_of(sealed.build(), sealed.uids()[0])))
    refused = run("check-proof", path, "--policy", policy)
    assert (1, True) == (refused.code, "which is required" in refused.out)
