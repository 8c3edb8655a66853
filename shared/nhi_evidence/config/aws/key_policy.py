"""The policy of a signing key: only the sealer signs, and no other policy can change that."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.documents import Statement

SPECS = {
    "ed25519": ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512"),
    "p256": ("ECC_NIST_P256", "ECDSA_SHA_256"),
    "ml-dsa-44": ("ML_DSA_44", "ML_DSA_SHAKE_256"),
}
"""By configured signer or cosigner, the key spec and the only algorithm it signs with.

https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
"""

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
"""What the account may delegate: not `kms:Sign`, nor `kms:CreateGrant`, which could grant it.

`PutKeyPolicy` remains, as the key could otherwise never be administered again; the guardrails
restrict it.
"""


def key_policy(
    account_root: str, *, sealer: str, algorithm: str, readers: Sequence[str]
) -> list[Statement]:
    """Return the statements for a key with which only the role with the ARN `sealer` may sign.

    `readers` are the ARNs of roles that may fetch its public half; `account_root` is the account's
    ARN.
    """
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


class KeyPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One key that signs the log of an evidence bucket."""

    alias: str
    """Alias without `alias/`."""
    spec: str
    """Key spec of KMS."""
    statements: list[Statement]
    """Its policy."""


def signing_keys(config: Config, store: EvidenceBucket) -> tuple[KeyPlan, ...]:
    """Return the keys that sign an evidence bucket's checkpoints, the signer first."""
    sealer = naming.role_arn(
        store.region, config.evidence.account, naming.function(store.id, "sealer")
    )
    readers = [
        naming.role_arn(store.region, config.evidence.account, name)
        for name in (
            *(naming.auditor(store.id, auditor.name) for auditor in config.auditors),
            naming.function(store.id, naming.OPERATORS["recon"]),
        )
    ]
    chosen: dict[str, str] = {naming.signing_key(store.id): config.evidence.signer}
    if config.evidence.cosigner != "none":
        chosen[naming.cosigning_key(store.id)] = config.evidence.cosigner
    return tuple(
        KeyPlan(
            alias=alias,
            spec=SPECS[kind][0],
            statements=key_policy(
                naming.root_arn(store.region, config.evidence.account),
                sealer=sealer,
                algorithm=SPECS[kind][1],
                readers=readers,
            ),
        )
        for alias, kind in chosen.items()
    )
