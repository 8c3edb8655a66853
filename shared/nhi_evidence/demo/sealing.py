"""The demo's second half: seal the bucket, verify it, prove one record, tamper with copies."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.signing.key_file import KeyFile
from nhi_evidence.adapters.store import copying
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.adapters.store.s3_versions import S3EvidenceLog, S3EvidenceVersions
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.evidence import bundle, note, proof, search
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealed, Sealer
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import Options, Policy, Report, Verifier
from nhi_evidence.pipeline.release import mapper_identity
from nhi_evidence.pipeline.reproduce import Reproducer
from nhi_evidence.ports import EvidenceVersions

NAME = "nhi-evidence.example/demo"
DAY_MS = 86_400_000


class Proof(msgspec.Struct, frozen=True):
    """One record's proof bundle and the results of two verifiers."""

    uid: str
    path: str
    holds: bool
    text: str
    """Output of the verifier in the bundle."""


class Tampered(msgspec.Struct, frozen=True):
    """One change to a copy, and what verification found."""

    act: str
    findings: list[str]
    """Code and place of each finding."""
    seen: bool
    """Whether the finding that was expected is among them."""


class Notary:
    """Seals, verifies and proves on a running embedded store."""

    def __init__(self, store: EmbeddedStore, folder: Path) -> None:
        """Keep the key and files under `folder`."""
        self._store = store
        self._folder = folder
        self._signer = KeyFile.create(folder / "log-key.pem")
        self.key = note.from_spki(NAME, self._signer.public_key())
        self._policy = Policy(
            name=NAME,
            keys=(self.key,),
            mappers=(mapper_identity().digest,),
            retention_ms=DAY_MS,
        )
        sealer = store.client(store.sealer, role_arn=iam.SEALER_ROLE)
        auditor = store.client(store.investigator, role_arn=iam.AUDITOR_ROLE)
        self._log = S3EvidenceLog(sealer, iam.EVIDENCE_BUCKET, owner=iam.EVIDENCE_ACCOUNT)
        self._audit = S3EvidenceVersions(auditor, iam.EVIDENCE_BUCKET)

    def seal(self) -> Sealed:
        """Seal everything in the bucket, as the sealer role."""
        lock_policy = LockPolicy(retention_ms=DAY_MS, grace_ms=DAY_MS, encryption=None)
        return Sealer(
            self._log,
            [self._signer],
            clock.now,
            name=NAME,
            lock_policy=lock_policy,
            lock_log=True,
        ).run()

    @property
    def audited(self) -> S3EvidenceVersions:
        """The bucket, as the auditor role sees it."""
        return self._audit

    @property
    def accepted(self) -> tuple[str, ...]:
        """Digests of the releases the policy accepts."""
        return tuple(self._policy.mappers)

    def verify(self) -> Report:
        """Verify the bucket as the auditor role: every record, mapped again from its raw text."""
        return self._verify(self._audit)

    def prove(self, uid: str) -> Proof:
        """Prove one record, and check the bundle with the verifier inside it."""
        stored = StoredLog(self._audit, NAME, (self.key,))
        looking = search.Search(self._audit, stored)
        record = looking.find(uid, search.Where())
        if record is None:
            return Proof(uid, "", holds=False, text="not found")
        files = looking.bundle(record, [self.key])
        checked = proof.check(files, (self.key,), NAME)
        path = self._folder / "proof.zip"
        path.write_bytes(bundle.pack(files))
        checker = self._folder / bundle.CHECKER
        checker.write_bytes(bundle.unpack(path.read_bytes())[bundle.CHECKER])
        alone = subprocess.run(  # noqa: S603 the verifier the bundle carries, on our own bundle
            [sys.executable, "-I", "-S", checker, path, str(self.key)],
            capture_output=True,
            text=True,
            check=False,
        )
        holds = checked.uid == uid and alone.returncode == 0
        return Proof(uid, str(path), holds=holds, text=(alone.stdout or alone.stderr).strip())

    def copy(self, folder: Path) -> int:
        """Copy the first version of every key into a directory; return how many."""
        return sum(1 for _ in copying.copy(self._audit, DirectoryStore(folder)))

    def tamper(self) -> list[Tampered]:
        """Tamper with copies as the owner of a disk could, and verify each."""
        original = self._folder / "copy"
        self.copy(original)
        evidence = next(DirectoryStore(original).keys("ev/"))
        tiles = [key for key in DirectoryStore(original).keys("log/") if "/tile/0/" in key]
        checkpoint = [k for k in DirectoryStore(original).keys("log/") if "/checkpoint/" in k][-1]
        acts: list[tuple[str, str, str, Callable[[Path], None]]] = [
            ("flip one bit of an evidence object", "object_altered", evidence, _flip),
            ("remove an evidence object", "object_missing", evidence, _unlink),
            ("alter a tile of the log", "tile_altered", tiles[-1], _flip),
            ("alter the signed checkpoint", "checkpoint_invalid", checkpoint, _flip),
        ]
        seen = []
        for number, (act, code, key, do) in enumerate(acts):
            copy = self._folder / f"copy-{number}"
            shutil.copytree(original, copy)
            do(copy / key)
            report = self._verify(DirectoryStore(copy))
            codes = [f"{finding.code} {finding.key}" for finding in report.findings]
            seen.append(Tampered(act, codes, seen=f"{code} {key}" in codes))
        return seen

    def _verify(self, store: EvidenceVersions) -> Report:
        options = Options(deep=True, reproduce=Reproducer())
        return Verifier(store, self._policy, now=clock.now(), options=options).run()


def _flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(body)


def _unlink(path: Path) -> None:
    path.unlink()
