"""Who reads evidence from outside the evidence account: auditors, and a SIEM."""

from __future__ import annotations

import msgspec

from nhi_evidence.config import kinds


class Auditor(msgspec.Struct, frozen=True, kw_only=True):
    """`[[auditors]]`: who may read the evidence, from outside the evidence account."""

    name: kinds.Handle
    principals: tuple[kinds.Principal, ...]
    external_id: kinds.ExternalId
    mfa: bool
    """Whether a session must have used MFA. Federated auditors cannot: say false for them."""
    custody: bool = False
    """Whether they may write a record of each case they make into the evidence, under
    `op/v1/custody/` and nowhere else (`case create --custody`)."""


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """`[[subscribers]]`: a SIEM that is handed new evidence as OCSF lines. Opt-in."""

    evidence: kinds.Handle
    """Name of the evidence bucket whose records it gets; one subscriber of each."""
    bucket: kinds.Bucket
    """Made for the lines, unlocked, in the account and region of the evidence bucket."""
    principals: tuple[kinds.Principal, ...]
    """Who may take the role that reads bucket and queue: exact roles or users."""
    external_id: kinds.ExternalId | None = None
    """Asked of whoever takes it; absent only where every principal is your own, and not one that a
    provider uses for its other customers as well."""
    keep_days: kinds.Days = 30
    """How long the lines are kept."""
