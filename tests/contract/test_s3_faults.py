"""The evidence bucket when S3 fails: retried within bounds, refusals never."""

from __future__ import annotations

import pytest

from nhi_evidence.adapters.store import s3_store
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.errors import StoreUnavailableError
from tests.contract.faulty_store import CONFLICT, TIMEOUT, UNAVAILABLE, faulty, key_of


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("nhi_evidence.adapters.store.s3_store.time.sleep", waited.append)
    return waited


@pytest.mark.parametrize("fault", [TIMEOUT, CONFLICT, UNAVAILABLE], ids=["timeout", "409", "503"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_s3_survives_transient_faults(
    store: EmbeddedStore,
    request: pytest.FixtureRequest,
    no_wait: list[float],
    when: str,
    fault: Exception,
) -> None:
    """A transient fault is retried within limits, whether or not the write had happened."""
    key = key_of(request, b"body")
    receipt = faulty(store, [(when, fault)] * 2).put_new(key, b"body", metadata={})
    assert receipt.created is (when == "before")
    assert [0.1, 0.2] == no_wait or when == "after"


def test_s3_gives_up_within_its_bound(
    store: EmbeddedStore, request: pytest.FixtureRequest, no_wait: list[float]
) -> None:
    """Beyond the limit the write is reported as unconfirmed, with bucket and key."""
    key = key_of(request, b"body")
    with pytest.raises(StoreUnavailableError, match="SlowDown"):
        faulty(store, [("before", UNAVAILABLE)] * 99).put_new(key, b"body", metadata={})
    assert len(no_wait) == s3_store.ATTEMPTS - 1


def test_an_s3_refusal_is_not_retried(store: EmbeddedStore, no_wait: list[float]) -> None:
    """A 403 is not transient: it fails the delivery at once."""
    with pytest.raises(StoreUnavailableError, match="AccessDenied"):
        faulty(store, []).put_new("ev/v1/gcp_audit/x", b"body", metadata={})
    assert not no_wait
