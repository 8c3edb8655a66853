"""The table of a Firehose stream in the configuration file."""

from __future__ import annotations

import msgspec

from nhi_evidence.config import kinds


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One of `streams` of a source: a Firehose stream the deployment makes, into its bucket."""

    name: kinds.Handle
    """Folder of its files below the prefix of the source, and part of its name."""
    accounts: tuple[kinds.Account, ...] = ()
    """Whose log groups in CloudWatch Logs may be subscribed to it."""
    bus: kinds.PartnerBus | None = None
    """Partner event source of EventBridge whose events it takes."""
