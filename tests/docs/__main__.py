"""Make what the documents show of the program anew, and say where.

`python -m tests.docs` runs the commands; `make -s bench | python -m tests.docs bench` puts what
the bench printed into docs/performance.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.docs.help_blocks import DOCS, ROOT, measured, write


def written() -> list[Path]:
    """Make the blocks anew that were asked for; return the pages that changed."""
    if sys.argv[1:] != ["bench"]:
        return write()
    page = DOCS / "performance.md"
    page.write_text(measured(page.read_text(encoding="utf-8"), sys.stdin.read()), encoding="utf-8")
    return [page]


for page in written():
    sys.stdout.write(f"{page.relative_to(ROOT)} rewritten\n")
