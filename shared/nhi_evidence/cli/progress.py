"""Progress of long work, on standard error, and only where somebody can see it."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.status import Status


class Steps:
    """Says which step runs and how far it came. Use as a context manager."""

    def __init__(self, opening: str) -> None:
        """Open with a word on what is being done."""
        console = Console(stderr=True, highlight=False, markup=False)
        self._status: Status = console.status(opening)
        self._opening = opening

    def __enter__(self) -> Steps:
        """Start."""
        self._status.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; nothing stays on the screen."""
        self._status.__exit__(kind, error, trace)

    def say(self, what: str, done: int) -> None:
        """Show a step and a count."""
        self._status.update(f"{self._opening}: {what} {done:,}")
