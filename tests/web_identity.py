"""Who the functions outside AWS are, for tests: platforms on loopback, and a store that checks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nhi_evidence.adapters import seaweedfs_iam as iam
from nhi_evidence.adapters.embedded_issuer import ENTRA, GOOGLE, EmbeddedIssuer, Subject
from nhi_evidence.adapters.seaweedfs import EmbeddedStore

AUDIENCE = {GOOGLE: "nhi-evidence-222222222222", ENTRA: "api://nhi-evidence"}
SOURCE = {GOOGLE: "gcp_audit", ENTRA: "azure_monitor"}
_ACCOUNT = "104321098765432109876"
_OBJECT = "11111111-2222-3333-4444-555555555555"


def issuer() -> EmbeddedIssuer:
    """Return the token servers of one service account and one managed identity."""
    return EmbeddedIssuer(
        google=Subject(
            _ACCOUNT,
            {
                "azp": _ACCOUNT,
                "email": "nhi-export@example-project.iam.gserviceaccount.com",
                "email_verified": True,
            },
        ),
        entra=Subject(_OBJECT, {"oid": _OBJECT, "idtyp": "app", "ver": "1.0"}),
    )


@contextmanager
def federated_store(
    folder: Path, platforms: EmbeddedIssuer, *, session_seconds: int = 3600
) -> Iterator[EmbeddedStore]:
    """Run a store whose writers of GCP and Azure take those platforms' tokens alone."""
    with EmbeddedStore(
        folder,
        sources=("aws_cloudtrail", *SOURCE.values()),
        web_identities=tuple(
            iam.WebIdentity(
                source=SOURCE[platform],
                provider=platform,
                issuer=platforms.issuer(platform),
                keys_url=platforms.keys_url(platform),
                subject=platforms.subject(platform),
                audience=AUDIENCE[platform],
            )
            for platform in SOURCE
        ),
        session_seconds=session_seconds,
    ) as store:
        yield store
