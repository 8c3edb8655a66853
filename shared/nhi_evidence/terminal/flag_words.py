"""Flags of the log, in words: what is wrong with an object."""

from __future__ import annotations

from collections.abc import Mapping

from nhi_evidence.evidence import flags

FLAGS: Mapping[str, str] = {
    flags.KEY_HASH: "its body hash does not match its key: never counted",
    flags.SHADOW: "not the first version of its key: never counted",
    flags.LATE: "sealed more than two days after its events: expected of logs that were "
    "replayed or backfilled; of others, find out what delayed them",
    flags.SHORT_LOCK: "locked for less time than promised",
    flags.ENCRYPTION: "not encrypted as promised",
    flags.NO_CHECKSUM: "the store kept no SHA-256 of it",
    flags.MARKER: "a delete marker that expiry does not explain",
    flags.EXPIRED: "deleted by expiry, after lock and grace",
    flags.UNDESCRIBED: "the store would not describe it",
}
"""Flag to meaning (docs/evidence-format.md)."""
