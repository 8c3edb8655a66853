"""Who the functions outside AWS are, for tests: platforms on loopback, and a store that checks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nhi_evidence.demo import identities
from nhi_evidence.embedded.issuer import ENTRA, GOOGLE, EmbeddedIssuer
from nhi_evidence.embedded.seaweedfs import EmbeddedStore

AUDIENCE = identities.AUDIENCE
SOURCE = {GOOGLE: "gcp_audit", ENTRA: "azure_monitor"}
issuer = identities.platforms


@contextmanager
def federated_store(
    folder: Path, platforms: EmbeddedIssuer, *, session_seconds: int = 3600
) -> Iterator[EmbeddedStore]:
    """Run a store whose writers of GCP and Azure take those platforms' tokens alone."""
    with EmbeddedStore(
        folder,
        sources=identities.SOURCES,
        web_identities=identities.writers(platforms),
        session_seconds=session_seconds,
    ) as store:
        yield store
