"""The identity of an Azure Function: an access token of its managed identity.

Only the function app's identity endpoint is asked.
https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

from __future__ import annotations

import os

import msgspec

from nhi_evidence.adapters import platform_token
from nhi_evidence.adapters.platform_token import PlatformToken
from nhi_evidence.errors import SettingsError, TokenUnavailableError

_PLATFORM = "the managed identity endpoint"
_API_VERSION = "2019-08-01"


class _Answer(msgspec.Struct, frozen=True):
    access_token: str


def token(audience: str, *, client_id: str | None = None) -> PlatformToken:
    """Return the source of the managed identity's tokens for an application's id URI.

    `sub` is the object id of the managed identity, `iss` the tenant's provider. `client_id` names a
    user-assigned identity; without it, the system-assigned identity is used.
    """

    def fetch() -> str:
        query = {"resource": audience, "api-version": _API_VERSION}
        if client_id:
            query["client_id"] = client_id
        answer = platform_token.ask(
            _PLATFORM,
            _setting("IDENTITY_ENDPOINT"),
            query=query,
            headers={"X-IDENTITY-HEADER": _setting("IDENTITY_HEADER")},
        )
        try:
            return msgspec.json.decode(answer, type=_Answer).access_token
        except msgspec.DecodeError as error:
            raise TokenUnavailableError(f"{_PLATFORM} gives an invalid answer: {error}") from error

    return PlatformToken(_PLATFORM, fetch)


def _setting(name: str) -> str:
    """Return a variable that the platform sets. Raises `SettingsError` if it is not set."""
    value = os.environ.get(name)
    if not value:
        raise SettingsError(f"{name} is not set: this function app has no managed identity")
    return value
