"""Progress of long work, on standard error, and only on a terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.status import Status


def _console() -> Console:
    """Return a console that leaves lines alone: what is printed meanwhile was wrapped before.

    Rich would wrap it again, in the middle of a path that somebody wants to copy.
    """
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


class Steps:
    """Shows which step runs and how far it is. Use as a context manager."""

    def __init__(self, opening: str) -> None:
        """Start with a short description of the work."""
        self._status: Status = _console().status(opening)
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
        """Stop, and clear the line."""
        self._status.__exit__(kind, error, trace)

    def say(self, what: str, done: int) -> None:
        """Show a step and a count."""
        self._status.update(f"{self._opening}: {what} {done:,}")


class Reading:
    """Shows how many bytes have been read, how fast, and the time remaining.

    Shows nothing where standard error is not a terminal, or where records go to the same one.
    Use as a context manager.
    """

    def __init__(self, total: int | None, *, visible: bool) -> None:
        """Take the total number of bytes; None where it is unknown."""
        self._bar = Progress(
            TextColumn("reading"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=_console(),
            transient=True,
            disable=not visible,
        )
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Reading:
        """Start."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and clear the line."""
        self._bar.stop()

    def say(self, done: int) -> None:
        """Show how many bytes have been read."""
        self._bar.update(self._task, completed=done)
