"""What both apps say when they are run by hand: what was written, and where."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nhi_evidence import plural


def written(folder: Path, stacks: Iterable[str]) -> str:
    """Return a line on the stacks that were written."""
    names = list(stacks)
    if not names:
        return f"{folder}: no stack; the configuration names nothing for these clouds"
    return f"{folder}: {plural.count(len(names), 'stack')}: {', '.join(names)}"
