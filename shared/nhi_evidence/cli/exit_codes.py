"""Exit codes, the same for every command."""

from __future__ import annotations

OK = 0
WRONG = 1
"""Checked, and found not to hold: the integrity of evidence, or a claim of the demo."""
INCOMPLETE = 2
"""Checked: whole, but something is missing."""
POLICY = 3
"""Checked: whole and complete, but not as the policy asks."""
FAILED = 4
"""The work could not be done; the reason is on standard error."""
USAGE = 64
"""The command line is wrong (EX_USAGE of sysexits)."""
INTERRUPTED = 130
"""Ended by an interrupt, as shells report it: 128 and the number of the signal."""
