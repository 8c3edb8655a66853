"""A service account that Pub/Sub acts as: its tokens are minted by Pub/Sub's own agent."""

from __future__ import annotations

from typing import ClassVar

from cdktn_provider_google.service_account import ServiceAccount
from cdktn_provider_google.service_account_iam_binding import ServiceAccountIamBinding
from constructs import Construct


class MintedAccount(Construct):
    """The account, and the one grant on it. A subclass says which account it is, and why."""

    ACCOUNT_ID: ClassVar[str]
    DISPLAY_NAME: ClassVar[str]
    DESCRIPTION: ClassVar[str]

    def __init__(self, scope: Construct, name: str, *, project: str, pubsub_agent: str) -> None:
        super().__init__(scope, name)
        self.account = ServiceAccount(
            self,
            "account",
            project=project,
            account_id=self.ACCOUNT_ID,
            display_name=self.DISPLAY_NAME,
            description=self.DESCRIPTION,
        )
        self.grant = ServiceAccountIamBinding(
            self,
            "minted-by",
            service_account_id=self.account.name,
            role="roles/iam.serviceAccountTokenCreator",
            members=[pubsub_agent],
        )
