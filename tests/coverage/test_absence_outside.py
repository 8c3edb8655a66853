"""Statements of absence under a policy that requires anchors or a cosignature.

A policy accepts a document that shows what it requires, and refuses it with any part falsified or
missing.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from nhi_evidence.coverage.absence import document
from nhi_evidence.coverage.absence.check import check
from nhi_evidence.coverage.absence.document import AbsenceError, Document, Question
from nhi_evidence.coverage.absence.gather import gather
from nhi_evidence.coverage.absence.make import make
from nhi_evidence.coverage.cells import Step
from nhi_evidence.demo import estate
from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.evidence import anchor, checkpoint, log, note
from nhi_evidence.evidence.proof import ANCHOR
from nhi_evidence.evidence.verify import Policy
from nhi_evidence.stored import AnchorForm
from tests.coverage.sealed_estate import BOT, DAY, HOUR, NAME, Sealed, delivery, record
from tests.memory_store import MemoryStore
from tests.outsiders import Stamping

TSA = "tsa.example"
FILE = anchor.file_name(TSA, AnchorForm.TIMESTAMP)
SECRETS = Question(BOT, Step.SECRET_ACCESS, DAY + 6 * HOUR, DAY + 12 * HOUR, "aws")
HEAD_AT = DAY + 40 * HOUR
Fields = dict[str, Any]


@pytest.fixture(scope="module")
def stamping(tmp_path_factory: pytest.TempPathFactory) -> Stamping:
    return Stamping(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, stamping: Stamping) -> Sealed:
    """Two epochs, with the first stamped ten hours before the second."""
    evidence = Sealed(tmp_path_factory.mktemp("anchored") / "evidence", cosigner="quantum")
    evidence.lock(delivery(5, [record("GetCallerIdentity", 300, 1)]))
    evidence.state(estate.reading("aws", DAY + 2 * HOUR))
    evidence.seal(DAY + 30 * HOUR)
    put(evidence, stamp(evidence, stamping))
    evidence.lock(delivery(11, [record("GetCallerIdentity", 670, 2)]))
    evidence.seal(HEAD_AT)
    return evidence


def text_of(sealed: Sealed, epoch: int = 1) -> bytes:
    head, _, _ = sealed.store.get(log.checkpoint_key("2026", epoch)).rpartition(b"\n\n")
    return head + b"\n"


def stamp(sealed: Sealed, by: Stamping, epoch: int = 1) -> bytes:
    return by.stamp(text_of(sealed, epoch))


def put(sealed: Sealed, body: bytes, epoch: int = 1, file: str = FILE) -> None:
    sealed.store.put_new(log.anchor_key("2026", epoch, file), body, metadata={})


def asking(sealed: Sealed, by: Stamping, *, hours: int = 12, required: int = 1) -> Policy:
    return replace(
        sealed.policy,
        trusts=(anchor.authority(TSA, by.roots),),
        anchors_required=required,
        anchor_age_ms=hours * HOUR,
    )


def written(sealed: Sealed) -> Document:
    return make(sealed.store, sealed.stored, SECRETS, gather(sealed.store, sealed.stored, SECRETS))


def altered(sealed: Sealed, falsify: Callable[[Fields], None]) -> Document:
    attestation = json.loads(document.write(written(sealed)))
    falsify(attestation)
    return document.read(json.dumps(attestation).encode(), "x")


def test_the_document_shows_what_the_policy_requires(sealed: Sealed, stamping: Stamping) -> None:
    """The stamp of an older checkpoint that the head extends, and the head's cosignature."""
    policy = replace(asking(sealed, stamping), require_cosignature=True)
    attestation = document.read(document.write(written(sealed)), "x")
    for store in (None, sealed.store):
        checked = check(attestation, policy, store)
        assert {TSA: DAY + 30 * HOUR} == checked.anchored
        assert (checked.cosigned, checked.not_checked) == (True, ())


def test_an_anchor_by_an_untrusted_name_is_skipped_and_reported(sealed: Sealed) -> None:
    """An anchor under a name the policy does not trust is skipped and reported."""
    checked = check(written(sealed), sealed.policy)
    assert ({}, (f"{ANCHOR}{FILE}: by a name the policy does not trust",)) == (
        checked.anchored,
        checked.not_checked,
    )


def flipped(data: str, place: int = -20) -> str:
    body = bytearray(b64decode(data))
    body[place] ^= 1
    return b64encode(bytes(body)).decode()


def _no_anchor(fields: Fields) -> None:
    fields["anchors"] = []


def _nothing_said(fields: Fields) -> None:
    fields["anchors"][0]["attestations"] = {}


def _stamp(fields: Fields) -> None:
    attestations = fields["anchors"][0]["attestations"]
    (file,) = attestations
    attestations[file] = flipped(attestations[file])


def _path(fields: Fields) -> None:
    fields["anchors"][0]["path"][0] = flipped(fields["anchors"][0]["path"][0], 0)


def _no_path(fields: Fields) -> None:
    fields["anchors"][0]["path"] = []


def _later(fields: Fields) -> None:
    """The leaf of its epoch states another time than the log."""
    leaf = b64decode(fields["anchors"][0]["leaf"])
    later = leaf.replace(str(DAY + 30 * HOUR).encode(), str(DAY + 39 * HOUR).encode())
    assert later != leaf
    fields["anchors"][0]["leaf"] = b64encode(later).decode()


def _leaf_of_no_epoch(fields: Fields) -> None:
    for name in ("leaf", "proof"):
        fields["anchors"][0][name] = fields["readings"][0][name]


def _head_as_older(fields: Fields) -> None:
    """The checkpoint of the head in place of the one that was stamped."""
    fields["anchors"][0]["checkpoint"] = fields["checkpoints"]["2026"]


def _other_shard(fields: Fields) -> None:
    fields["anchors"][0]["shard"] = "2025"


def _signature(fields: Fields) -> None:
    fields["anchors"][0]["checkpoint"] = flipped(fields["anchors"][0]["checkpoint"], 40)


@pytest.mark.parametrize(
    ("falsify", "reason"),
    [
        (_no_anchor, "0 of 1 names are recent enough"),
        (_nothing_said, "0 of 1 names are recent enough"),
        (_stamp, f"{ANCHOR}{FILE}: time stamp of {TSA}"),
        (_path, "checkpoint of example.org/evidence/2026: consistency path"),
        (_no_path, "checkpoint of example.org/evidence/2026: consistency path"),
        (_later, "checkpoint of example.org/evidence/2026"),
        (_leaf_of_no_epoch, "no leaf of its epoch is shown"),
        (_head_as_older, "checkpoint of example.org/evidence/2026"),
        (_other_shard, "shard 2025 has no checkpoint in this document"),
        (_signature, "checkpoint of example.org/evidence/2026"),
    ],
)
def test_a_falsified_anchor_is_refused(
    sealed: Sealed, stamping: Stamping, falsify: Callable[[Fields], None], reason: str
) -> None:
    with pytest.raises(AbsenceError, match=reason):
        check(altered(sealed, falsify), asking(sealed, stamping))


def test_too_few_or_too_old_anchors_are_refused(sealed: Sealed, stamping: Stamping) -> None:
    """The age is that of the stamped checkpoint relative to the head's, whenever it is checked."""
    attestation = written(sealed)
    with pytest.raises(AbsenceError, match=r"1 of 2 names .* enough: tsa\.example"):
        check(attestation, asking(sealed, stamping, required=2))
    with pytest.raises(AbsenceError, match="0 of 1 names"):
        check(attestation, asking(sealed, stamping, hours=9))
    check(attestation, asking(sealed, stamping, hours=10))


def test_an_anchor_of_another_history_is_refused(
    sealed: Sealed, stamping: Stamping, tmp_path: Path
) -> None:
    """If the holder of the signing key rewrites the log, the stamped log is not its prefix."""
    other = Sealed(tmp_path / "anew", cosigner="quantum")
    other.lock(delivery(5, [record("GetCallerIdentity", 300, 7)]))
    other.state(estate.reading("aws", DAY + 2 * HOUR))
    other.seal(DAY + 30 * HOUR)
    other.lock(delivery(11, [record("GetCallerIdentity", 670, 2)]))
    other.seal(HEAD_AT)
    genuine = json.loads(document.write(written(sealed)))["anchors"][0]

    def transplant(fields: Fields) -> None:
        fields["anchors"] = [{**genuine, "leaf": fields["readings"][0]["leaf"]}]

    with pytest.raises(AbsenceError, match="consistency path leads to different roots"):
        check(altered(other, transplant), asking(other, stamping))
    put(other, stamp(sealed, stamping))
    with pytest.raises(AbsenceError, match=f"time stamp of {TSA}"):
        check(written(other), asking(other, stamping))


class _Away(MemoryStore):
    def keys(self, prefix: str) -> Any:
        raise StoreUnavailableError(f"{prefix}: nobody answers")


def test_copies_elsewhere_are_compared_with_the_document(sealed: Sealed) -> None:
    """A copy counts with the head or an anchored checkpoint; another history is refused."""
    attestation = written(sealed)
    for epoch, age in ((2, HEAD_AT), (1, DAY + 30 * HOUR)):
        kept = MemoryStore()
        key = log.checkpoint_key("2026", epoch)
        kept.put_new(key, sealed.store.get(key), metadata={})
        policy = replace(sealed.policy, copies=(("copy", kept),), anchors_required=1)
        assert {"copy": age} == check(attestation, policy).anchored
    forged = sealed.signer
    head = checkpoint.read(sealed.store.get(log.checkpoint_key("2026", 2)), [sealed.key], _ORIGIN)
    other = checkpoint.Checkpoint(_ORIGIN, head.size, bytes(32))
    kept = MemoryStore()
    signed = note.write(other.text, [(sealed.key.named(_ORIGIN), forged.sign(other.text.encode()))])
    kept.put_new(log.checkpoint_key("2026", 2), signed, metadata={})
    with pytest.raises(AbsenceError, match="belongs to another history"):
        check(attestation, replace(sealed.policy, copies=(("copy", kept),)))
    away = replace(sealed.policy, copies=(("copy", _Away()),), anchors_required=1)
    with pytest.raises(AbsenceError, match="0 of 1 names"):
        check(attestation, away)
    assert any(
        "nobody answers" in line
        for line in check(attestation, replace(away, anchors_required=0)).not_checked
    )


_ORIGIN = f"{NAME}/2026"


def _without_cosignature(fields: Fields) -> None:
    signed = b64decode(fields["checkpoints"]["2026"])
    text, _, lines = signed.partition(b"\n\n")
    first = lines.splitlines(keepends=True)[0]
    fields["checkpoints"]["2026"] = b64encode(text + b"\n\n" + first).decode()


def _other_cosignature(fields: Fields) -> None:
    fields["checkpoints"]["2026"] = flipped(fields["checkpoints"]["2026"])


@pytest.mark.parametrize(
    ("falsify", "reason"),
    [
        (_without_cosignature, "no cosignature by a pinned ML-DSA-44 key, which is required"),
        (_other_cosignature, "checkpoint of 2026: "),
    ],
)
def test_a_falsified_cosignature_is_refused(
    sealed: Sealed, falsify: Callable[[Fields], None], reason: str
) -> None:
    policy = replace(sealed.policy, require_cosignature=True)
    check(written(sealed), policy)
    with pytest.raises(AbsenceError, match=reason):
        check(altered(sealed, falsify), policy)


def test_a_log_without_cosignature_is_refused_if_one_is_required(tmp_path: Path) -> None:
    evidence = Sealed(tmp_path / "evidence")
    evidence.state(estate.reading("aws", DAY + 2 * HOUR))
    evidence.seal()
    policy = replace(evidence.policy, require_cosignature=True)
    with pytest.raises(AbsenceError, match="no cosignature"):
        check(written(evidence), policy)
    assert not check(written(evidence), evidence.policy).cosigned
    assert datetime.fromtimestamp(DAY / 1000, UTC).year == 2026
