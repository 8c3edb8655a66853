"""What the embedded store really enforces: every claim of the demo is tested here."""

from __future__ import annotations

import contextlib
import urllib.error
import urllib.request
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.demo import refusals
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore

BODY = b"body"
KEY = f"ev/v1/aws_cloudtrail/h=unknown/lock/{sha256(BODY).hexdigest()}"


@pytest.fixture
def locked(store: EmbeddedStore) -> tuple[str, str]:
    """One locked version."""
    writer = store.client(store.exporter, role_arn=iam.writer_role("aws_cloudtrail"))
    S3EvidenceWriter(writer, iam.EVIDENCE_BUCKET).put_new(KEY, BODY, metadata={})
    listed = store.client(store.admin).list_object_versions(Bucket=iam.EVIDENCE_BUCKET, Prefix=KEY)
    return KEY, listed["Versions"][-1]["VersionId"]


def test_everything_the_demo_calls_refused_is_refused(
    store: EmbeddedStore, locked: tuple[str, str]
) -> None:
    """The lock, the put-only writer, the read-only auditor and the trust policies hold."""
    attempts = refusals.collect(store, locked)
    assert [] == [one for one in attempts if not one.refused]
    assert {one.error.partition(" ")[0] for one in attempts} == {"403", "412"}
    assert len(attempts) == 12


def test_a_refusal_is_reported_only_if_it_happened(
    store: EmbeddedStore, locked: tuple[str, str]
) -> None:
    """An allowed action is reported as not refused."""
    admin = store.client(store.admin)
    allowed = refusals._attempt(
        "administrator",
        "read",
        lambda: admin.get_object(Bucket=iam.EVIDENCE_BUCKET, Key=locked[0], VersionId=locked[1]),
    )
    assert not allowed.refused


def test_the_exporter_alone_can_write_nothing(store: EmbeddedStore) -> None:
    """Without the writer role the function's identity has no permission in the evidence bucket."""
    client = store.client(store.exporter)
    attempt = refusals._attempt(
        "exporter",
        "write",
        lambda: client.put_object(Bucket=iam.EVIDENCE_BUCKET, Key=KEY + "x", Body=BODY),
    )
    assert attempt.error.startswith("403")


def test_the_exporter_reads_the_trail_prefix_alone(store: EmbeddedStore) -> None:
    """It may read only the configured prefix of the trail bucket."""
    admin, exporter = store.client(store.admin), store.client(store.exporter)
    for key in ("AWSLogs/x", "other/x"):
        admin.put_object(Bucket=iam.TRAIL_BUCKET, Key=key, Body=BODY)
    assert exporter.get_object(Bucket=iam.TRAIL_BUCKET, Key="AWSLogs/x")["Body"].read() == BODY
    denied = refusals._attempt(
        "exporter", "read", lambda: exporter.get_object(Bucket=iam.TRAIL_BUCKET, Key="other/x")
    )
    assert denied.error.startswith("403")


@pytest.mark.slow
def test_lock_and_data_outlive_a_restart(tmp_path: Path) -> None:
    """Data in a reused directory stays locked."""
    with EmbeddedStore(tmp_path, sources=("aws_cloudtrail",)) as first:
        writer = first.client(first.exporter, role_arn=iam.writer_role("aws_cloudtrail"))
        version = writer.put_object(Bucket=iam.EVIDENCE_BUCKET, Key=KEY, Body=BODY)["VersionId"]
        process = first.process_id
    assert process is not None
    assert not Path(f"/proc/{process}").exists(), "the server is gone with its context"
    with EmbeddedStore(tmp_path, sources=("aws_cloudtrail",)) as second:
        admin = second.client(second.admin)
        attempt = refusals._attempt(
            "administrator",
            "delete",
            lambda: admin.delete_object(Bucket=iam.EVIDENCE_BUCKET, Key=KEY, VersionId=version),
        )
    assert attempt.error.startswith("403")


def test_the_filer_port_is_closed_without_its_token(store: EmbeddedStore) -> None:
    """SeaweedFS's filer would delete what the S3 port protects; it requires a signed token."""
    command = Path(f"/proc/{store.process_id}/cmdline").read_bytes().decode().split("\0")
    port = next(one.partition("=")[2] for one in command if one.startswith("-filer.port="))
    url = f"http://127.0.0.1:{port}/buckets/{iam.EVIDENCE_BUCKET}/?recursive=true"
    request = urllib.request.Request(url, method="DELETE")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)  # noqa: S310 loopback
    refused.value.close()
    assert refused.value.code == 401


def _sockets(process_id: int | None) -> Iterator[str]:
    for link in Path(f"/proc/{process_id}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            kind, _, inode = str(link.readlink()).partition(":")
            if kind == "socket":
                yield inode.strip("[]")


def test_everything_listens_on_loopback(store: EmbeddedStore) -> None:
    """No port of the embedded store is reachable from outside this machine."""
    command = Path(f"/proc/{store.process_id}/cmdline").read_bytes().decode().split("\0")
    assert {"-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"} <= set(command)
    inodes = set(_sockets(store.process_id))
    listening = [
        fields[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if (fields := line.split())[3] == "0A" and fields[9] in inodes
    ]
    assert listening
    assert {one.partition(":")[0] for one in listening} == {"0100007F"}


def test_secrets_are_not_shown(store: EmbeddedStore) -> None:
    """A credential's representation does not contain the secret."""
    assert store.admin.secret_key not in repr(store.admin)
