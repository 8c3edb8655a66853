"""The one error base of the package.

Expected bad input is a value (`nhi_evidence.event.Rejection`), never an exception.
What is raised is a broken promise: a table that does not hold together, a store that cannot be
reached, a setting that is missing.
"""

from __future__ import annotations

from collections.abc import Sequence


class EvidenceError(Exception):
    """Base of every error this package raises on purpose; its text is meant for a human."""

    def lines(self) -> Sequence[str]:
        """Return the text, a line for each thing that is wrong."""
        return (str(self),)


class CatalogError(EvidenceError):
    """A catalog table does not hold together: names the row and what is wrong with it."""


class ObjectTooLargeError(EvidenceError):
    """A part of a unit does not fit into one write, however it is packed: names unit and bound."""

    def __init__(self, text: str, *, unit: str) -> None:
        """Say what does not fit, and of which unit."""
        super().__init__(text)
        self.unit = unit


class MappingFailedError(EvidenceError):
    """The mapper could not deal with a delivery of a source whose text may not be quoted."""


class StoreUnavailableError(EvidenceError):
    """The locked store did not confirm a write; the delivery must be retried."""


class TokenUnavailableError(StoreUnavailableError):
    """The platform gave the function no identity token; the delivery must be retried."""


class TokenRefusedError(StoreUnavailableError):
    """The evidence account does not take the function's identity token; the delivery must be
    retried. Names the role, the reason given, and what the token states, never the token.
    """


class SourceUnavailableError(EvidenceError):
    """The delivered object could not be read; the delivery must be retried."""


class UnreachedError(EvidenceError):
    """Time was up, or the store was unavailable, before these units: they must be retried."""


class DeliveryRefusedError(EvidenceError):
    """A notification names something this deployment does not accept; it is never read."""


class SettingsError(EvidenceError):
    """A setting is missing or wrong: names the setting and what was expected."""


class LogError(EvidenceError):
    """The sealed log contradicts itself or its key; nothing more is signed. Says where."""


class WitnessError(EvidenceError):
    """Somebody outside did not attest a checkpoint: says who and why. The log is none the worse."""
