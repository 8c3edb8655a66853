"""Verdicts on the completeness of an hour, and the reasons that keep one from being better."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """How it is known that nothing is missing from an hour; independent of integrity."""

    PROVEN = "proven"
    """A list signed by the provider names everything; all of it is counted, and nothing else is."""
    RECONCILED = "reconciled"
    """The provider's API lists the same."""
    CONTIGUOUS = "contiguous"
    """The transport lost nothing; the source may have."""
    UNPROVABLE = "unprovable"
    """None of these; the reasons say why."""


ORDER = (Verdict.UNPROVABLE, Verdict.CONTIGUOUS, Verdict.RECONCILED, Verdict.PROVEN)
"""Verdicts, weakest first."""


class Meaning(NamedTuple):
    """One row of the table of reasons."""

    is_incomplete: bool
    """Whether something is known to be missing; otherwise that is unknown."""
    text: str


_LACKING, _NOT_KNOWN = True, False

REASONS: dict[str, Meaning] = {
    "missing": Meaning(_LACKING, "the provider names something that is not counted"),
    "altered": Meaning(_LACKING, "the provider names something with another hash than is counted"),
    "unbacked": Meaning(_LACKING, "something is counted that the provider names nowhere in time"),
    "contested": Meaning(_LACKING, "claims of something contradict each other: it is not counted"),
    "incomplete": Meaning(_LACKING, "something has no complete set of parts: it is not counted"),
    "digest_missing": Meaning(_LACKING, "a signed list that another one names is missing"),
    "digest_invalid": Meaning(
        _LACKING, "a signed list does not verify, or does not continue its chain"
    ),
    "number_gap": Meaning(_LACKING, "numbers of a stream are missing"),
    "heartbeat_missing": Meaning(_LACKING, "a heartbeat that was promised did not arrive"),
    "waiting": Meaning(_NOT_KNOWN, "something is counted that the provider may still name"),
    "uncovered": Meaning(_NOT_KNOWN, "nothing covers a part of the hour"),
    "open": Meaning(
        _NOT_KNOWN, "the hour is too young to be judged, or nothing later shows that it is over"
    ),
    "key_unknown": Meaning(
        _NOT_KNOWN, "the provider's public key for a signed list is not available"
    ),
    "no_list": Meaning(_NOT_KNOWN, "the provider states nowhere what it delivered"),
    "not_asked": Meaning(_NOT_KNOWN, "the provider's API was not asked"),
    "refused": Meaning(_NOT_KNOWN, "the provider's API did not answer as requested"),
    "license_unknown": Meaning(_NOT_KNOWN, "whether the license lets the API list it is unknown"),
    "listing_incomplete": Meaning(
        _NOT_KNOWN, "parts of what the provider's API listed are missing"
    ),
    "expired": Meaning(_NOT_KNOWN, "part of the hour may have expired"),
    "too_many": Meaning(_NOT_KNOWN, "more units than one statement can name"),
}
"""Code to meaning. Any reason keeps a verdict from being `proven` or `reconciled`."""
