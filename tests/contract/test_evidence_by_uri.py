"""Evidence addressed by URI and read with a role: the command line on a real locked bucket."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.demo.story import bulk
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.cli.command import run

NAME = "example.org/by-uri"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A separate store: sealing a shared one would seal what other tests put there."""
    folder = tmp_path_factory.mktemp("by-uri")
    with EmbeddedStore(folder, sources=("aws_cloudtrail",)) as running:
        role = iam.writer_role("aws_cloudtrail")
        writer = S3EvidenceWriter(
            running.client(running.exporter, role_arn=role), iam.EVIDENCE_BUCKET
        )
        for number in range(3):
            body = gzip.compress(bulk(seed=number, records=40))
            mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)
            lock_batch(mapper, [Delivery(f"trail/{number}@1", body)], writer)
        yield running


def uri(store: EmbeddedStore) -> str:
    return f"s3://{iam.EVIDENCE_BUCKET}?endpoint={store.endpoint_url}"


def as_(monkeypatch: pytest.MonkeyPatch, store: EmbeddedStore, who: iam.Credentials) -> None:
    """Set the environment in which the SDK acts as an identity."""
    for name, value in store.environment(who).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


def test_seal_copy_and_verify_by_role(
    own: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sealer role seals, the auditor role copies, and the copy verifies like the bucket."""
    key = tmp_path / "log.pem"
    vkey = tmp_path / "log.vkey"
    vkey.write_text(run("keys", "--new", "--key-file", key, "--name", NAME).out)
    as_(monkeypatch, own, own.sealer)
    sealed = run(
        "seal", uri(own), "--name", NAME, "--key-file", key, "--role-arn", iam.SEALER_ROLE, "--json"
    )
    assert (0, 3) == (sealed.code, sealed.json["added"]), sealed.err
    as_(monkeypatch, own, own.investigator)
    role = ("--role-arn", iam.AUDITOR_ROLE)
    bucket = run("verify", uri(own), "--deep", "--key", vkey, *role, "--json")
    assert (0, []) == (bucket.code, bucket.json["findings"]), bucket.err
    copied = run("copy", uri(own), tmp_path / "copy", *role, "--json")
    assert (0, []) == (copied.code, copied.json["gone"]), copied.err
    assert copied.json["objects"] > sealed.json["added"]
    copy = run("verify", tmp_path / "copy", "--deep", "--key", vkey, "--json")
    assert (0, []) == (copy.code, copy.json["findings"])
    for same in ("size", "root", "objects", "records"):
        assert bucket.json[same] == copy.json[same]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "copy").rglob("*")}
    again = run("copy", uri(own), tmp_path / "copy", *role, "--json")
    assert (0, copied.json["objects"]) == (again.code, again.json["objects"])
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "copy").rglob("*")}


def test_a_copy_never_takes_other_bytes(
    own: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with other bytes under an evidence key is named and left as it is."""
    as_(monkeypatch, own, own.investigator)
    role = ("--role-arn", iam.AUDITOR_ROLE)
    assert 0 == run("copy", uri(own), tmp_path / "copy", *role).code
    altered = next(path for path in (tmp_path / "copy" / "ev").rglob("*.zst"))
    altered.chmod(0o644)
    altered.write_bytes(b"other")
    again = run("copy", uri(own), tmp_path / "copy", *role)
    assert 1 == again.code
    assert "different bytes" in again.err
    assert b"other" == altered.read_bytes()


def test_a_profile_names_whose_access_it_is(
    own: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--profile` comes from the user's files; without permissions the role is refused, with a
    message.
    """
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    profiles = []
    for name, who in (("auditor", own.investigator), ("exporter", own.exporter)):
        keys = own.environment(who)
        profiles += [
            f"[{name}]",
            f"aws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}",
            f"aws_secret_access_key = {keys['AWS_SECRET_ACCESS_KEY']}",
        ]
    file = tmp_path / "credentials"
    file.write_text("\n".join(profiles))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    role = ("--role-arn", iam.AUDITOR_ROLE)
    allowed = run("copy", uri(own), tmp_path / "copy", *role, "--profile", "auditor")
    assert 0 == allowed.code, allowed.err
    refused = run("copy", uri(own), tmp_path / "none", *role, "--profile", "exporter")
    assert 4 == refused.code
    assert "AccessDenied" in refused.err
    unknown = run("copy", uri(own), tmp_path / "none", *role, "--profile", "nobody")
    assert 4 == unknown.code
    assert "nobody" in unknown.err
