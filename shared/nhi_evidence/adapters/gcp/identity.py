"""The identity of a Google Cloud function: an ID token of the service account it runs as.

The metadata server alone is asked. Google's own library would do, at two thirds of the cost of
importing boto3 on every cold start, and its general entry reads key files first.
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

    `sub` is the account's unique id; AWS checks it as `accounts.google.com:sub`, the audience as
    `accounts.google.com:oaud`. Another metadata server is named by `GCE_METADATA_HOST`, as for
    Google's own libraries.
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
