"""Reading Cloud Storage, and the token presented to it, against servers on loopback."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from nhi_evidence import sources
from nhi_evidence.adapters.gcp import gcs_source
from nhi_evidence.adapters.gcp.access import AccessToken
from nhi_evidence.adapters.gcp.cloud_event import ObjectRef
from nhi_evidence.adapters.gcp.gcs_source import GcsSource, SourceBucket
from nhi_evidence.embedded.gcs import EmbeddedGcs, GcsObject
from nhi_evidence.errors import (
    DeliveryRefusedError,
    SourceUnavailableError,
    TokenUnavailableError,
)
from tests.loopback import Handler, Loopback
from tests.web_identity import issuer

BUCKET = "example-audit-files"
PACK = sources.load("gcp_audit")


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedGcs]:
    with EmbeddedGcs(BUCKET, log=tmp_path_factory.mktemp("gcs") / "log") as running:
        yield running


@pytest.fixture(autouse=True)
def emulated(storage: EmbeddedGcs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in storage.environment().items():
        monkeypatch.setenv(name, value)


def no_token() -> str:
    raise AssertionError("another Cloud Storage than Google's is shown a token")


def source(**accepted: str) -> GcsSource:
    return GcsSource((SourceBucket(BUCKET, **accepted),), PACK, token=no_token)


def ref(stored: GcsObject) -> ObjectRef:
    return ObjectRef(stored.bucket, stored.name, stored.generation)


def test_reads_the_stored_bytes_and_their_metadata(storage: EmbeddedGcs) -> None:
    """Compressed bytes stay compressed; unit and hour follow from the name alone."""
    name = "cloudaudit.googleapis.com/activity/2026/03/02/08:00:00_08:59:59_S0.json"
    body = gzip.compress(b"{}")
    stored = storage.put(name, body)
    delivery = source().fetch(ref(stored))
    assert body == delivery.body
    assert f"{BUCKET}/{name}@{stored.generation}" == delivery.unit
    assert delivery.source_metadata["md5"]


def test_without_an_hour_in_the_name_the_storing_time_decides(storage: EmbeddedGcs) -> None:
    """It is the store's own time, in the unit's name, and the same every time."""
    stored = storage.put("audit/some name", b"{}")
    first, second = (source().fetch(ref(stored)) for _ in range(2))
    assert first == second
    created = datetime.fromisoformat(first.source_metadata["time_created"])
    hour = created.astimezone(UTC).strftime("%Y%m%d%H")
    assert f"{BUCKET}/audit/some name@{stored.generation}!h={hour}" == first.unit


def test_a_bucket_of_another_project_is_refused(storage: EmbeddedGcs) -> None:
    """Somebody else may take a name that was given up."""
    stored = storage.put("x", b"{}")
    with pytest.raises(DeliveryRefusedError, match="bucket belongs to project"):
        source(project_number="123456789012").fetch(ref(stored))
    accepted = source(project_number="0")
    assert accepted.fetch(ref(stored)).body == accepted.fetch(ref(stored)).body == b"{}"


def test_a_too_large_object_is_refused_before_it_is_read(
    storage: EmbeddedGcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size is requested first."""
    stored = storage.put("large", b"x" * 100)
    monkeypatch.setattr(gcs_source, "MAX_DELIVERED_BYTES", 99)
    with pytest.raises(DeliveryRefusedError, match="100 bytes, more than 99"):
        source().fetch(ref(stored))


def test_a_damaged_download_is_retried(
    storage: EmbeddedGcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes without the stored hash are never accepted."""
    stored = storage.put("damaged", b"{}")
    monkeypatch.setattr(gcs_source, "_md5", lambda _: "another")
    with pytest.raises(SourceUnavailableError, match="do not match the stored MD5"):
        source().fetch(ref(stored))


def test_a_missing_object_and_an_unavailable_server_are_named(
    storage: EmbeddedGcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are retryable errors that name the object."""
    with pytest.raises(SourceUnavailableError, match=rf"gs://{BUCKET}/none@1: 404"):
        source().fetch(ObjectRef(BUCKET, "none", "1"))
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(SourceUnavailableError, match=rf"gs://{BUCKET}/none@1: "):
        source().fetch(ObjectRef(BUCKET, "none", "1"))


def test_a_token_is_kept_until_shortly_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata server is asked once an hour, not once per object."""
    now = [0]
    with issuer() as platforms:
        for name, value in platforms.environment().items():
            monkeypatch.setenv(name, value)
        token = AccessToken(now=lambda: now[0])
        first = token()
        now[0] = 54 * 60 * 1000
        assert first == token()
        now[0] = 56 * 60 * 1000
        assert first != token()
        assert 2 == len(platforms.asked)
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")
    with pytest.raises(TokenUnavailableError, match="the metadata server gives no token"):
        AccessToken()()


class _Describing(Handler):
    """A Cloud Storage that describes an object of two bytes, and sends others."""

    size = "2"

    def do_GET(self) -> None:  # noqa: N802 as inherited
        if "alt=media" in self.path:
            self.reply(200, b"{}{}")
            return
        described = {"bucket": BUCKET, "name": "x", "generation": "1", "size": self.size}
        self.reply(200, json.dumps(described).encode())


@pytest.mark.parametrize(
    ("size", "why"),
    [("2", "4 bytes received of 2"), ("many", "Cloud Storage answers"), ("", "answers")],
)
def test_an_object_has_the_size_it_is_described_with(
    monkeypatch: pytest.MonkeyPatch, size: str, why: str
) -> None:
    """Composite objects have no MD5; and a size that is none is an answer that is none."""
    handler = type("Described", (_Describing,), {"size": size})
    with Loopback(handler) as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.endpoint_url)
        with pytest.raises(SourceUnavailableError, match=why):
            source().fetch(ObjectRef(BUCKET, "x", "1"))
