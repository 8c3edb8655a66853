"""The identity of a Google Cloud function: an ID token of the service account it runs as.

Only the metadata server is asked. Google's own library could do this, but costs two thirds as much
as importing boto3 on every cold start, and its general entry point reads key files first.
https://cloud.google.com/compute/docs/instances/verifying-instance-identity
"""

from __future__ import annotations

import os

from nhi_evidence.adapters import platform_token
from nhi_evidence.adapters.platform_token import PlatformToken

_PLATFORM = "the metadata server"
_HOST = "metadata.google.internal"
_PATH = "/computeMetadata/v1/instance/service-accounts/default/identity"


def token(audience: str) -> PlatformToken:
    """Return the source of the service account's ID tokens for exactly this audience.

    `sub` is the account's unique id, which AWS checks as `accounts.google.com:sub`; it checks the
    audience as `accounts.google.com:oaud`. `GCE_METADATA_HOST` names another metadata server, as
    for Google's own libraries.
    """

    def fetch() -> str:
        host = os.environ.get("GCE_METADATA_HOST") or _HOST
        answer = platform_token.ask(
            _PLATFORM,
            f"http://{host}{_PATH}",
            query={"audience": audience, "format": "full"},
            headers={"Metadata-Flavor": "Google"},
        )
        return answer.decode(errors="replace").strip()

    return PlatformToken(_PLATFORM, fetch)
