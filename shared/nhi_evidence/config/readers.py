"""Who reads evidence from outside the evidence account: auditors, and a SIEM."""

from __future__ import annotations

from typing import Literal

import msgspec

from nhi_evidence.config import kinds


class Auditor(msgspec.Struct, frozen=True, kw_only=True):
    """`[[auditors]]`: who may read the evidence, from outside the evidence account."""

    name: kinds.Handle
    principals: tuple[kinds.Principal, ...]
    external_id: kinds.ExternalId
    mfa: bool
    """Whether a session must have used MFA. Federated auditors cannot: write false for them."""
    custody: bool = False
    """Whether they may put a record of each case they make into the evidence, only under
    `op/v1/custody/` (`case create --custody`)."""


class Sentinel(msgspec.Struct, frozen=True, kw_only=True):
    """`sentinel = {...}` of a subscriber: Microsoft Sentinel, with an Entra token."""

    workspace: kinds.Uuid
    """Id of the workspace; the name of its sessions ends with it."""
    provider: Literal["new", "existing"]
    """Whether to create the account's identity provider for Microsoft's tenant, or it exists, as
    for Defender for Cloud: an account has only one, and it must list Sentinel's audience."""


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """`[[subscribers]]`: a SIEM that receives new evidence as OCSF lines. Opt-in."""

    evidence: kinds.Handle
    """Name of the evidence bucket whose records it gets; each has at most one subscriber."""
    bucket: kinds.Bucket
    """Created for the lines, unlocked, in the account and region of the evidence bucket."""
    principals: tuple[kinds.Principal, ...]
    """Who may assume the role that reads bucket and queue: exact roles or users."""
    external_id: kinds.ExternalId | None = None
    """Required to assume it; absent only if every principal is your own, and not one that a
    provider also uses for its other customers."""
    sentinel: Sentinel | None = None
    """Microsoft Sentinel assumes a role of its own, besides the principals'."""
    keep_days: kinds.Days = 30
    """How long the lines are kept."""
