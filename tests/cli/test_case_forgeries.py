"""A case cannot say more of a record than its proof does: both programs find what does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from nhi_evidence.investigate.case import verify
from tests.cli import test_case
from tests.cli.command import run
from tests.cli.test_case import Case, alone, manifested, programs
from tests.proofs import resealed
from tests.signing import LocalSigner

case = test_case.case


class _Signer(LocalSigner):
    """Signs with the log's own key."""

    def __init__(self, key_file: Path) -> None:
        key = load_pem_private_key(key_file.read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)
        self._key = key


def _changed(path: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def _twice(folder: Path, _key: Path) -> str:
    """By one proof, in the timeline, too."""
    _changed(folder / "data/case.json", lambda case: case["records"].insert(0, case["records"][0]))
    _changed(
        folder / "data/timeline.json",
        lambda timeline: timeline["path"]["steps"].insert(0, timeline["path"]["steps"][0]),
    )
    return "record 2: the same as record 1"


def _twice_proven(folder: Path, key: Path) -> str:
    """By two proofs."""
    expected = _twice(folder, key)
    shutil.copytree(folder / "data/proofs/000001", folder / "data/proofs/again")
    _changed(
        folder / "data/case.json", lambda case: case["records"][0].update(proof="proofs/again")
    )
    return expected


def _one_proof(folder: Path, _key: Path) -> str:
    """For two records: it is checked once, however many name it."""
    _changed(
        folder / "data/case.json",
        lambda case: case["records"].insert(1, {**case["records"][0], "line": 999}),
    )
    return "its proof is that of an earlier record"


def _other_leaf(folder: Path, _key: Path) -> str:
    _changed(folder / "data/case.json", lambda case: case["records"][0].update(leaf=7))
    return "different record"


def _other_shard(folder: Path, _key: Path) -> str:
    _changed(folder / "data/case.json", lambda case: case["records"][0].update(shard="1999"))
    return "different record"


def _never_counted(folder: Path, key: Path) -> str:
    """A proof of a later version of a key, which the log's key signed."""
    proof = folder / "data/proofs/000001"
    files = {path.name: path.read_bytes() for path in proof.iterdir()}
    files["leaf.json"] = files["leaf.json"].replace(b'"flags":[', b'"flags":["shadow",')
    assert b'"shadow"' in files["leaf.json"]
    (proof / "leaf.json").write_bytes(files["leaf.json"])
    (proof / "leaf.tlog-proof").write_bytes(resealed._signed(files, _Signer(key)))
    return "never counted"


def _other_timeline(folder: Path, _key: Path) -> str:
    _changed(folder / "data/timeline.json", lambda timeline: timeline["path"]["steps"].pop())
    return "timeline.json: differs from case.json"


def _other_tag_file(folder: Path, _key: Path) -> str:
    (folder / "verdict.txt").write_text("guilty")
    return "verdict.txt: not a tag file"


FORGERIES = (
    _twice,
    _twice_proven,
    _one_proof,
    _other_leaf,
    _other_shard,
    _never_counted,
    _other_timeline,
    _other_tag_file,
)


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_both_programs_find_it(
    case: Case, tmp_path: Path, forge: Callable[[Path, Path], str]
) -> None:
    folder = tmp_path / "case"
    shutil.copytree(case.folder, folder)
    (folder / "data/custody-record.json").unlink(missing_ok=True)
    _changed(folder / "data/custody.json", lambda custody: custody.pop("record", None))
    expected = forge(folder, case.evidence.parent / "log.pem")
    manifested(folder)
    if forge is _other_tag_file:
        manifest = folder / "tagmanifest-sha256.txt"
        digest = sha256(b"guilty").hexdigest()
        manifest.write_text(f"{manifest.read_text()}{digest}  verdict.txt\n")
    ours = run("case", "verify", folder, "--key", case.key)
    assert (1, "DOES NOT HOLD") == (ours.code, ours.out[:13]), ours.out
    theirs = alone(folder, case.key, programs(tmp_path / "programs"))
    assert (1, "DOES NOT HOLD") == (theirs.returncode, theirs.stdout[:13]), theirs.stdout
    squeezed = [" ".join(text.split()) for text in (ours.out, theirs.stdout)]
    assert expected in squeezed[1]
    assert expected.replace("its proof belongs to a ", "") in squeezed[0]


def test_a_record_nested_too_deeply_is_no_proof(case: Case, tmp_path: Path) -> None:
    """Its text is exact slices, so the proof itself holds."""
    folder = tmp_path / "case"
    shutil.copytree(case.folder, folder)
    proof = folder / "data/proofs/000001"
    files = {path.name: path.read_bytes() for path in proof.iterdir() if path.suffix != ".py"}
    deep = b"[" * 100_000 + b"]" * 100_000
    files["record.json"] = files["record.json"].replace(b'"n":{', b'"n":{"deep":%b,' % deep, 1)
    files = resealed.sealed_anew(
        resealed.one_unit(files), _Signer(case.evidence.parent / "log.pem")
    )
    for name, content in files.items():
        (proof / name).write_bytes(content)
    manifested(folder)
    ours = run("case", "verify", folder, "--key", case.key)
    assert (1, "Traceback" in ours.err) == (ours.code, False), ours
    assert 1 == alone(folder, case.key, programs(tmp_path / "programs")).returncode


@pytest.mark.parametrize(
    ("old", "new", "ours"),
    [
        ('"incomplete": []', '"incomplete": ["lost"], "incomplete": []', 4),
        ('"standing"', '"standing": "contested", "standing"', 4),
        ('"unreadable_count": 0', '"unreadable_count": 1e400', 4),
        ('"unreadable_count": 0', '"unreadable_count": Infinity', 4),
        ('"unreadable_count": 0', '"unreadable_count": 0.9', 4),
        ('"unreadable_count": 0', '"unreadable_count": -5', 2),
    ],
)
def test_a_document_that_may_be_read_differently_does_not_hold(
    case: Case, tmp_path: Path, old: str, new: str, ours: int
) -> None:
    """A person may read the first of two values, and a program the last."""
    folder = tmp_path / "case"
    shutil.copytree(case.folder, folder)
    path = folder / "data/case.json"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    manifested(folder)
    assert ours == run("case", "verify", folder, "--key", case.key).code
    theirs = alone(folder, case.key, programs(tmp_path / "programs"))
    assert (2, "Traceback" in theirs.stderr) == (theirs.returncode, False), theirs


def test_a_document_larger_than_any_case_has_is_not_decoded(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of short texts, it would take many times its size in memory."""
    monkeypatch.setattr(verify, "_MAX_DOCUMENT_BYTES", 1000)
    refused = run("case", "verify", case.folder, "--key", case.key)
    assert (4, True) == (refused.code, "larger than 1000 bytes" in refused.err), refused
    monkeypatch.undo()
    assert 128 << 20 == verify._MAX_DOCUMENT_BYTES
