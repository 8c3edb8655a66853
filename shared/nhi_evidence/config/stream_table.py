"""The table of a Firehose stream in the configuration file."""

from __future__ import annotations

import msgspec

from nhi_evidence.config import kinds


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One of a source's `streams`: a Firehose stream that the deployment makes into its bucket."""

    name: kinds.Handle
    """Folder of its files below the source's prefix, and part of its name."""
    accounts: tuple[kinds.Account, ...] = ()
    """Accounts whose log groups in CloudWatch Logs may be subscribed to it."""
    bus: kinds.PartnerBus | None = None
    """EventBridge partner event source whose events it takes."""
