"""What a command prints for people: inert, and wrapped on a terminal."""

from __future__ import annotations

import sys

from nhi_evidence.terminal import fitting
from nhi_evidence.terminal.safe_text import neutralize


def say(*lines: str, err: bool = False) -> None:
    """Print lines; in a pipe or a file none is wrapped.

    Whatever a terminal could act on is made inert, line feeds within a line included, so that no
    input can forge a line. `err` prints on standard error.
    """
    fitting.say(sys.stderr if err else sys.stdout, *map(neutralize, lines))
