"""Bodies that break off while they are read: requested again, within bounds, and never cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from nhi_evidence.adapters.store import s3_store
from nhi_evidence.adapters.store.s3_versions import S3EvidenceVersions
from nhi_evidence.errors import StoreUnavailableError
from tests.loopback import Handler, Loopback

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = "ev/v1/aws_cloudtrail/h=2026030208/x"
BODY = b"0123456789"


class Cutting(Loopback):
    """Announces a body and closes the connection in the middle of it, some times."""

    def __init__(self, cuts: int) -> None:
        self.requests = 0
        outer = self

        class _Handler(Handler):
            def do_GET(self) -> None:  # noqa: N802 as inherited
                outer.requests += 1
                self.send_response(200)
                self.send_header("Content-Length", str(len(BODY)))
                self.end_headers()
                self.wfile.write(BODY if outer.requests > cuts else BODY[:5])
                self.close_connection = True

        super().__init__(_Handler)


def client(endpoint_url: str) -> S3Client:
    once: Any = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return boto3.client(
        "s3", endpoint_url=endpoint_url, region_name="eu-central-1", config=once,
        aws_access_key_id="a", aws_secret_access_key="b",
    )  # fmt: skip


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("nhi_evidence.adapters.store.s3_store.time.sleep", waited.append)
    return waited


def read(server: Cutting) -> list[bytes | None]:
    store = S3EvidenceVersions(client(server.endpoint_url), "evidence")
    assert BODY == store.get_version(KEY, "v")
    assert [BODY] == list(store.beginnings([(KEY, "v", len(BODY))]))
    return list(store.bodies([(KEY, "v")]))


@pytest.mark.parametrize("cuts", [0, 1, 3])
def test_a_body_that_breaks_off_is_read_again(cuts: int, waits: list[float]) -> None:
    """One broken connection in a million must not end the verification of a store."""
    with Cutting(cuts) as server:
        assert [BODY] == read(server)
        assert cuts + 3 == server.requests
    assert cuts == len(waits)


def test_a_body_that_always_breaks_off_is_no_body(waits: list[float]) -> None:
    """Neither what arrived of it, nor a body that is gone."""
    with Cutting(10**9) as server:
        store = S3EvidenceVersions(client(server.endpoint_url), "evidence")
        with pytest.raises(StoreUnavailableError, match=f"evidence/{KEY}"):
            list(store.bodies([(KEY, "v")]))
        assert s3_store.ATTEMPTS == server.requests == len(waits) + 1
