"""The one error base of the package.

Expected bad input is a value (`nhi_evidence.event.Rejection`), never an exception.
What is raised is a broken promise: an inconsistent table, a store that cannot be reached, a missing
setting.
"""

from __future__ import annotations

from collections.abc import Sequence


class EvidenceError(Exception):
    """Base of every error this package raises deliberately; its text is meant for people."""

    def lines(self) -> Sequence[str]:
        """Return the text, one line for each problem."""
        return (str(self),)


class CatalogError(EvidenceError):
    """A catalog table is inconsistent; the message names the row and what is wrong with it."""


class ObjectTooLargeError(EvidenceError):
    """A part of a unit cannot fit into one write; the message names unit and limit."""

    def __init__(self, text: str, *, unit: str) -> None:
        """Take what does not fit, and its unit."""
        super().__init__(text)
        self.unit = unit


class MappingFailedError(EvidenceError):
    """The mapper could not handle a delivery of a source whose text may not be quoted."""


class StoreUnavailableError(EvidenceError):
    """The locked store did not confirm a write; the delivery must be retried."""


class TokenUnavailableError(StoreUnavailableError):
    """The platform gave the function no identity token; the delivery must be retried."""


class TokenRefusedError(StoreUnavailableError):
    """The evidence account rejected the function's identity token; the delivery must be retried.
    Names the role, the reason given, and the token's claims, never the token.
    """


class SourceUnavailableError(EvidenceError):
    """The delivered object could not be read; the delivery must be retried."""


class UnreachedError(EvidenceError):
    """Time ran out, or the store was unavailable, before these units: they must be retried."""


class DeliveryRefusedError(EvidenceError):
    """A notification names something this deployment does not accept; it is never read."""


class SettingsError(EvidenceError):
    """A setting is missing or wrong; the message names it and what was expected."""


class LogError(EvidenceError):
    """The sealed log contradicts itself or its key, at the stated place; nothing more is signed."""


class WitnessError(EvidenceError):
    """A witness did not attest a checkpoint; the message says who and why. The log is fine."""
