"""What a command says to people: inert, and in rows that fit where somebody looks on."""

from __future__ import annotations

import sys

from nhi_evidence.terminal import fitting
from nhi_evidence.terminal.safe_text import neutralize


def say(*lines: str, err: bool = False) -> None:
    """Print lines; in a pipe or a file each stays one, however long.

    What a terminal could act on is made inert, a line feed inside one of them too: nothing read
    makes a line of its own. `err` prints on standard error.
    """
    fitting.say(sys.stderr if err else sys.stdout, *map(neutralize, lines))
