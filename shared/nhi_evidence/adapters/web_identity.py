"""Keyless access to the evidence account for a function outside AWS.

The platform's token is exchanged for a session of the writer role. The exchange is not signed:
neither it nor the writes use access keys, profiles or the machine's shared configuration, and a
refused token never makes them fall back to those.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session as BotocoreSession

from nhi_evidence.adapters import platform_token
from nhi_evidence.adapters.aws.session import CLIENT_CONFIG
from nhi_evidence.errors import StoreUnavailableError, TokenRefusedError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_METHOD = "assume-role-with-web-identity"
_UNSIGNED = CLIENT_CONFIG.merge(Config(signature_version=UNSIGNED))

_NO_FILES = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
_NO_PROFILE = {"profile": (None, None, None, None)}

_REFUSING = {400, 403}
_PASSING = {"IDPCommunicationError", "RequestTimeout", "Throttling", "ThrottlingException"}
"""Errors with the same status as a refusal after which AWS may still accept the same token."""


def role_client(
    role_arn: str,
    *,
    session_name: str,
    token: Callable[[], str],
    region: str,
    endpoint_url: str | None = None,
) -> S3Client:
    """Return an S3 client of a role taken with the platform's token.

    `token` is called once per session; a session is renewed at the latest ten minutes before it
    ends. `region` is the evidence bucket's; `endpoint_url` names an S3 and STS other than Amazon's.

    A call of the client raises `TokenUnavailableError` when the platform gives no token,
    `TokenRefusedError` when AWS refuses it for the role, and `StoreUnavailableError` when the
    exchange cannot be made now; each means that nothing was written and the delivery must be
    retried.
    """
    core = _keyless_core()
    session = boto3.session.Session(botocore_session=core, region_name=region)
    sts = session.client("sts", endpoint_url=endpoint_url, config=_UNSIGNED)

    def exchange() -> dict[str, str]:
        web_token = token()
        try:
            credentials = sts.assume_role_with_web_identity(
                RoleArn=role_arn, RoleSessionName=session_name, WebIdentityToken=web_token
            )["Credentials"]
        except ClientError as error:
            if _is_refusal(error):
                raise TokenRefusedError(
                    f"{role_arn}: {error}; {_stated_claims(web_token)}"
                ) from error
            raise StoreUnavailableError(f"{role_arn}: {error}") from error
        except BotoCoreError as error:
            raise StoreUnavailableError(f"{role_arn}: {error}") from error
        return {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretAccessKey"],
            "token": credentials["SessionToken"],
            "expiry_time": credentials["Expiration"].isoformat(),
        }

    # The SDK offers no public setter for credentials that refresh themselves.
    credentials = DeferredRefreshableCredentials(method=_METHOD, refresh_using=exchange)
    core._credentials = credentials  # type: ignore[attr-defined] # noqa: SLF001
    return session.client("s3", endpoint_url=endpoint_url, config=CLIENT_CONFIG)


def _keyless_core() -> BotocoreSession:
    """Return a session that reads no files and finds no credentials anywhere."""
    session = BotocoreSession(session_vars=_NO_FILES | _NO_PROFILE)
    session.register_component("credential_provider", CredentialResolver([]))
    return session


def _is_refusal(error: ClientError) -> bool:
    """Whether the token, rather than the service, is the reason that there is no session."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status in _REFUSING and error.response.get("Error", {}).get("Code") not in _PASSING


def _stated_claims(token: str) -> str:
    """Return what a refused token states, to be compared with the role's trust policy."""
    claims = platform_token.claims(token)
    if claims is None:
        return "the token is not a JSON Web Token"
    return f"the token states iss {claims.iss!r}, sub {claims.sub!r}, aud {claims.aud!r}"
