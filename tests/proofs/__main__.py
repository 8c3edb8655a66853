"""Write the hashes of the programs of a bundle into docs/auditor.md: `python -m tests.proofs`."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from nhi_evidence.evidence import bundle

PAGE = Path(__file__).parents[2] / "docs" / "auditor.md"
ROW = r"\| `{}` \| `[^`]*` \|"


def stated(page: str) -> str:
    """The page with the hashes of this release."""
    for name in (bundle.CHECKER, bundle.WALKTHROUGH):
        digest = sha256(bundle.released(name)).hexdigest()
        page = re.sub(ROW.format(re.escape(name)), f"| `{name}` | `{digest}` |", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(stated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
