"""Make what the documents show of the program anew, and say where.

`python -m tests.docs` runs the commands; `make -s bench | python -m tests.docs bench` puts what
the bench printed into docs/performance.md; `python -m tests.docs mutants < OUTPUT` puts the figures
that a run of `tests.mutants` printed into CONTRIBUTING.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.docs.help_blocks import DOCS, ROOT, measured, write
from tests.mutants import outcome


def written() -> list[Path]:
    """Make the blocks anew that were asked for; return the pages that changed."""
    if sys.argv[1:] == ["mutants"]:
        page = ROOT / "CONTRIBUTING.md"
        figures = outcome.read(sys.stdin.read()).figures.values()
        page.write_text(outcome.page(page.read_text(encoding="utf-8"), figures), encoding="utf-8")
        return [page]
    if sys.argv[1:] != ["bench"]:
        return write()
    page = DOCS / "performance.md"
    page.write_text(measured(page.read_text(encoding="utf-8"), sys.stdin.read()), encoding="utf-8")
    return [page]


for page in written():
    sys.stdout.write(f"{page.relative_to(ROOT)} rewritten\n")
