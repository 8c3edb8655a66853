"""The key that signs checkpoints: only the sealer may, and no policy can say otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from constructs import Construct

from nhi_evidence.config import documents

SPECS = {
    "ed25519": ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512"),
    "p256": ("ECC_NIST_P256", "ECDSA_SHA_256"),
}
"""Configured signer to key spec and the one algorithm it signs with."""

PUBLIC = ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetPublicKey")

ADMINISTRATION = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:Describe*",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:Get*",
    "kms:List*",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
"""What the account may delegate. Not `kms:Sign`, and not `kms:CreateGrant`, which could grant it.

`PutKeyPolicy` remains, or the key could never be administered again; the guardrails bind it.
"""

LONGEST_WAIT_DAYS = 30


class SigningKey(Construct):
    """An asymmetric key for one sealer; `readers` may fetch its public half."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        account_root: str,
        sealer: str,
        signer: Literal["ed25519", "p256"],
        readers: Sequence[str],
        alias: str,
    ) -> None:
        super().__init__(scope, name)
        spec, algorithm = SPECS[signer]
        self.resource = kms.CfnKey(
            self,
            "Key",
            description=f"Signs the checkpoints of {alias}",
            key_spec=spec,
            key_usage="SIGN_VERIFY",
            pending_window_in_days=LONGEST_WAIT_DAYS,
            key_policy=documents.document(
                _statements(account_root, sealer, algorithm, tuple(readers))
            ),
        )
        # A public key outlives the private one, but only while somebody has kept it.
        self.resource.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        kms.CfnAlias(self, "Alias", alias_name=f"alias/{alias}", target_key_id=self.resource.ref)


def _statements(
    account_root: str, sealer: str, algorithm: str, readers: tuple[str, ...]
) -> list[documents.Statement]:
    root = {"AWS": account_root}
    return [
        {
            "Sid": "Administration",
            "Effect": "Allow",
            "Principal": root,
            "Action": list(ADMINISTRATION),
            "Resource": "*",
        },
        {
            "Sid": "Sign",
            "Effect": "Allow",
            "Principal": root,
            "Action": "kms:Sign",
            "Resource": "*",
            "Condition": {
                "ArnEquals": {"aws:PrincipalArn": sealer},
                "StringEquals": {"kms:SigningAlgorithm": algorithm, "kms:MessageType": "RAW"},
            },
        },
        {
            "Sid": "PublicHalf",
            "Effect": "Allow",
            "Principal": root,
            "Action": list(PUBLIC),
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": [sealer, *readers]}},
        },
        {
            "Sid": "NobodyElseSigns",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "kms:Sign",
            "Resource": "*",
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": sealer}},
        },
        {
            "Sid": "NoGrants",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "kms:CreateGrant",
            "Resource": "*",
        },
    ]
