"""Taking an export down without losing what it has not locked yet."""

from __future__ import annotations

from enum import StrEnum


class Teardown(StrEnum):
    """How far an export is taken down; each step is one apply."""

    NONE = "none"
    """It runs."""
    DRAIN = "drain"
    """Its sources are gone and nothing new arrives; what has arrived is still being locked."""
    REMOVE = "remove"
    """Drained, and whatever still waits may be destroyed."""

    @property
    def has_sources(self) -> bool:
        """Whether logs are still sent to the export."""
        return self is Teardown.NONE
