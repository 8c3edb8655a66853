"""The `EvidenceWriter`/`EvidenceReader` contract, on every implementation, the real S3 one too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.adapters.store.directory import DirectoryStore, UnwritableKeyError
from nhi_evidence.adapters.store.s3_store import S3EvidenceReader, S3EvidenceWriter
from nhi_evidence.adapters.store.s3_versions import S3EvidenceLog, S3EvidenceVersions
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.ports import EvidenceLog, EvidenceReader, EvidenceVersions, EvidenceWriter
from tests.contract.faulty_store import faulty, key_of
from tests.memory_store import MemoryStore

Pair = tuple[EvidenceWriter, EvidenceReader]


def memory(_: pytest.FixtureRequest) -> Pair:
    store = MemoryStore()
    return store, store


def directory(request: pytest.FixtureRequest) -> Pair:
    store = DirectoryStore(request.getfixturevalue("tmp_path"))
    return store, store


def s3(request: pytest.FixtureRequest) -> Pair:
    running: EmbeddedStore = request.getfixturevalue("store")
    writer = running.client(running.exporter, role_arn=iam.writer_role("aws_cloudtrail"))
    auditor = running.client(running.investigator, role_arn=iam.AUDITOR_ROLE)
    return (
        S3EvidenceWriter(writer, iam.EVIDENCE_BUCKET, owner=iam.EVIDENCE_ACCOUNT),
        S3EvidenceReader(auditor, iam.EVIDENCE_BUCKET),
    )


def sealer_s3(request: pytest.FixtureRequest) -> S3EvidenceLog:
    running: EmbeddedStore = request.getfixturevalue("store")
    client = running.client(running.sealer, role_arn=iam.SEALER_ROLE)
    return S3EvidenceLog(client, iam.EVIDENCE_BUCKET, owner=iam.EVIDENCE_ACCOUNT)


@pytest.fixture(params=[memory, directory, s3], ids=["memory", "directory", "s3"])
def pair(request: pytest.FixtureRequest) -> Pair:
    build: Callable[[pytest.FixtureRequest], Pair] = request.param
    return build(request)


def test_written_bytes_are_read_back(pair: Pair, request: pytest.FixtureRequest) -> None:
    """When put_new returns, the bytes are stored under the key."""
    writer, reader = pair
    key = key_of(request, b"body")
    assert writer.put_new(key, b"body", metadata={"record-root": "ab"}).created
    assert reader.get(key) == b"body"
    assert [key] == list(reader.keys(key))


def test_a_repeat_changes_nothing(pair: Pair, request: pytest.FixtureRequest) -> None:
    """An existing key is success, reported as not created."""
    writer, reader = pair
    key = key_of(request, b"body")
    writer.put_new(key, b"body", metadata={})
    assert not writer.put_new(key, b"body", metadata={}).created
    assert reader.get(key) == b"body"


def test_keys_come_in_byte_order(pair: Pair, request: pytest.FixtureRequest) -> None:
    """Listing under a prefix yields each key once, in byte order, and no other."""
    writer, reader = pair
    wanted = sorted(key_of(request, bytes([n]) * 3) for n in range(5))
    for key, body in ((key_of(request, bytes([n]) * 3), bytes([n]) * 3) for n in range(5)):
        writer.put_new(key, body, metadata={})
    prefix = wanted[0].rpartition("/")[0]
    assert wanted == list(reader.keys(f"{prefix}/"))


def test_an_unknown_key_is_a_key_error(pair: Pair) -> None:
    """A reader distinguishes absence from unavailability."""
    with pytest.raises(KeyError):
        pair[1].get("ev/v1/aws_cloudtrail/h=unknown/none")


def test_directory_refuses_other_bytes(tmp_path: Path) -> None:
    """A squatted key is never reported as success where bytes can be compared."""
    store = DirectoryStore(tmp_path)
    store.put_new("ev/a", b"one", metadata={})
    with pytest.raises(StoreUnavailableError, match="different bytes"):
        store.put_new("ev/a", b"two", metadata={})


@pytest.mark.parametrize(
    "key", ["../x", "/x", "a/../../x", ".metadata/x", "a//x", "a/./x", "a/", "", "a\0b", "x" * 300]
)
def test_directory_stays_in_its_folder(tmp_path: Path, key: str) -> None:
    """No key leaves the directory, names its bookkeeping, or shares the file of another key."""
    store = DirectoryStore(tmp_path)
    with pytest.raises(UnwritableKeyError):
        store.put_new(key, b"x", metadata={})
    with pytest.raises(KeyError):
        store.get(key)
    assert [None] == list(store.bodies([(key, "null")]))
    assert [] == list(tmp_path.rglob("*"))


def test_s3_checks_what_arrived(store: EmbeddedStore, request: pytest.FixtureRequest) -> None:
    """The server compares the SHA-256 before it stores: bytes altered on the way are refused."""
    client = store.client(store.exporter, role_arn=iam.writer_role("aws_cloudtrail"))

    class Altering:
        def put_object(self, **arguments: Any) -> Any:
            return client.put_object(**{**arguments, "Body": b"other"})

    altering: Any = Altering()
    key = key_of(request, b"body")
    with pytest.raises(StoreUnavailableError):
        S3EvidenceWriter(altering, iam.EVIDENCE_BUCKET).put_new(key, b"body", metadata={})
    auditor = store.client(store.investigator, role_arn=iam.AUDITOR_ROLE)
    assert [] == list(S3EvidenceReader(auditor, iam.EVIDENCE_BUCKET).keys(key))


def test_s3_reads_the_first_version(store: EmbeddedStore, request: pytest.FixtureRequest) -> None:
    """A later version of a key, or a delete marker, changes nothing that a reader sees."""
    key = key_of(request, b"body")
    faulty(store, []).put_new(key, b"body", metadata={})
    admin = store.client(store.admin)
    admin.put_object(Bucket=iam.EVIDENCE_BUCKET, Key=key, Body=b"shadow")
    admin.delete_object(Bucket=iam.EVIDENCE_BUCKET, Key=key)
    auditor = store.client(store.investigator, role_arn=iam.AUDITOR_ROLE)
    reader = S3EvidenceReader(auditor, iam.EVIDENCE_BUCKET)
    assert reader.get(key) == b"body"
    assert [key] == list(reader.keys(key))


FILES = ("a/b/c", "a/b/d", "a/e", "a/e2", "a/\u00e9/x", "b/x", "c")


NO_FILES = ("a", "a/", "a/b")
"""Keys that a bucket can hold beside others, but a file system and SeaweedFS cannot."""


@pytest.mark.parametrize(
    "open_store", [memory, directory, sealer_s3], ids=lambda opener: opener.__name__
)
def test_a_level_holds_its_folders_and_its_own_keys(
    open_store: Callable[[pytest.FixtureRequest], Any], request: pytest.FixtureRequest
) -> None:
    """In byte order, from any position: a key's versions, and only the name of a folder."""
    store = open_store(request)
    log: EvidenceLog = store[0] if isinstance(store, tuple) else store
    top = f"log/v1/{sha256(request.node.nodeid.encode()).hexdigest()[:12]}/"
    is_flat = open_store is memory
    for name in (*FILES, *(NO_FILES if is_flat else ())):
        log.put_new(top + name, b"body", metadata={})

    def level(prefix: str, after: str) -> list[str]:
        listed = log.level(top + prefix, after=top + after if after else "")
        return [(one if isinstance(one, str) else one.key).removeprefix(top) for one in listed]

    assert [*(["a"] if is_flat else []), "a/", "b/", "c"] == level("", "")
    assert ["b/", "c"] == level("", "a/")
    assert ["c"] == level("", "b/")
    inside = ["a/b/", "a/e", "a/e2", "a/\u00e9/"]
    assert (["a/", "a/b", *inside] if is_flat else inside) == level("a/", "")
    for position, name in enumerate(inside, start=1):
        assert inside[position:] == level("a/", name)
    listed = [one.key.removeprefix(top) for one in log.versions(top, after=f"{top}a/b/c")]
    assert ["a/b/d", "a/e", "a/e2", "a/\u00e9/x", "b/x", "c"] == listed


LOCK_END = 1_924_905_600_000
"""2030-12-31T00:00:00Z."""


@pytest.mark.parametrize(
    "open_store", [memory, directory, sealer_s3], ids=lambda opener: opener.__name__
)
def test_a_lock_asked_for_is_the_version_s_own(
    open_store: Callable[[pytest.FixtureRequest], Any], request: pytest.FixtureRequest
) -> None:
    """A store that locks does so until then; a directory does not, and reports no lock."""
    store = open_store(request)
    log: EvidenceLog = store[0] if isinstance(store, tuple) else store
    key = f"log/v1/2026/plan/{sha256(request.node.nodeid.encode()).hexdigest()[:12]}"
    assert log.put_new(key, b"body", metadata={}, retain_until=LOCK_END).created
    (version,) = log.versions(key)
    (description,) = log.describe([version])
    assert description is not None
    assert (None if open_store is directory else LOCK_END) == description.retain_until


def test_a_version_s3_will_not_describe(
    store: EmbeddedStore, request: pytest.FixtureRequest
) -> None:
    """One encrypted with its writer's own key is undescribed; the others are described as usual."""
    admin = store.client(store.admin)
    plain, own_key = key_of(request, b"plain"), key_of(request, b"own key")
    faulty(store, []).put_new(plain, b"plain", metadata={})
    admin.put_object(
        Bucket=iam.EVIDENCE_BUCKET,
        Key=own_key,
        Body=b"own key",
        SSECustomerAlgorithm="AES256",
        SSECustomerKey=b"k" * 32,
    )
    log = sealer_s3(request)
    versions = [*log.versions(plain), *log.versions(own_key)]
    first, second = log.describe(versions)
    assert first is not None
    assert second is not None
    assert (sha256(b"plain").hexdigest(), None) == (first.sha256, first.undescribed)
    assert (7, None, {}, None, "400") == (
        second.size,
        second.sha256,
        second.metadata,
        second.retain_until,
        second.undescribed,
    )


def test_refusing_everything_counts_as_unavailable(
    store: EmbeddedStore, request: pytest.FixtureRequest
) -> None:
    """A role that may describe nothing learns nothing about a version, so no leaf is made."""
    key = key_of(request, b"body")
    faulty(store, []).put_new(key, b"body", metadata={})
    listed = list(sealer_s3(request).versions(key))
    writer = store.client(store.exporter, role_arn=iam.writer_role("aws_cloudtrail"))
    with pytest.raises(StoreUnavailableError, match="403"):
        list(S3EvidenceLog(writer, iam.EVIDENCE_BUCKET).describe(listed))


def test_a_writer_cannot_lock(store: EmbeddedStore, request: pytest.FixtureRequest) -> None:
    """The lock of evidence is the bucket's default: a writer role cannot request another."""
    client = store.client(store.exporter, role_arn=iam.writer_role("aws_cloudtrail"))
    writer = S3EvidenceWriter(client, iam.EVIDENCE_BUCKET)
    with pytest.raises(StoreUnavailableError, match="AccessDenied"):
        writer.put_new(key_of(request, b"body"), b"body", metadata={}, retain_until=LOCK_END)


def test_metadata_is_fixed_with_the_version(
    store: EmbeddedStore, request: pytest.FixtureRequest
) -> None:
    """Metadata set by the writer is read back with the object."""
    key = key_of(request, b"body")
    metadata: Mapping[str, str] = {"record-root": "ab", "written-at": "2026-03-02T08:00:00Z"}
    faulty(store, []).put_new(key, b"body", metadata=metadata)
    auditor = store.client(store.investigator, role_arn=iam.AUDITOR_ROLE)
    assert metadata == auditor.head_object(Bucket=iam.EVIDENCE_BUCKET, Key=key)["Metadata"]


@pytest.mark.parametrize("kind", ["memory", "directory", "s3"])
def test_only_the_beginning_of_a_version_is_read(kind: str, request: pytest.FixtureRequest) -> None:
    """The requested number of bytes, all of a shorter version, or None if missing; in order."""
    tables: EvidenceVersions
    if kind == "s3":
        writer, _ = s3(request)
        running: EmbeddedStore = request.getfixturevalue("store")
        auditor = running.client(running.investigator, role_arn=iam.AUDITOR_ROLE)
        tables = S3EvidenceVersions(auditor, iam.EVIDENCE_BUCKET)
    elif kind == "directory":
        writer = tables = DirectoryStore(request.getfixturevalue("tmp_path"))
    else:
        writer = tables = MemoryStore()
    bodies = [b"0123456789", b"01"]
    for body in bodies:
        writer.put_new(key_of(request, body), body, metadata={})
    versions = [version for body in bodies for version in tables.versions(key_of(request, body))]
    wanted = [(version.key, version.id, 4) for version in versions]
    missing = (key_of(request, b"missing"), versions[0].id, 4)
    assert [b"0123", None, b"01"] == list(tables.beginnings([wanted[0], missing, wanted[1]]))
