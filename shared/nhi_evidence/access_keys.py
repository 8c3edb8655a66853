"""Access key ids of AWS: what their first four characters stand for.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
"""

from __future__ import annotations

_KINDS = {
    "AKIA": "access_key",
    "ASIA": "session_key",
    "ABIA": "service_bearer_token",
    "ACCA": "service_specific_credential",
}


def credential_kind(access_key: str | None) -> str | None:
    """Return what an access key id stands for, or None for a prefix that is not documented."""
    return _KINDS.get(access_key[:4]) if access_key else None
