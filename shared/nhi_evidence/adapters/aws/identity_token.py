"""The function's own identity as a token that other clouds accept, so no secret is stored.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
"""

from __future__ import annotations

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.adapters.aws.session import CLIENT_CONFIG
from nhi_evidence.errors import TokenUnavailableError

TOKEN_SECONDS = 300


def identity_token(audience: str) -> str:
    """Return a signed token of this role for one audience.

    Raises `TokenUnavailableError` when the account does not issue such tokens
    (`iam:EnableOutboundWebIdentityFederation`), or the role may not request them.
    """
    try:
        client = boto3.session.Session().client("sts", config=CLIENT_CONFIG)
        answer = client.get_web_identity_token(
            Audience=[audience], SigningAlgorithm="RS256", DurationSeconds=TOKEN_SECONDS
        )
    except (BotoCoreError, ClientError) as error:
        raise TokenUnavailableError(f"no identity token for {audience}: {error}") from error
    return answer["WebIdentityToken"]
