"""Write the hashes of the released programs into docs/auditor.md: `python -m tests.proofs`."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from nhi_evidence.evidence import bundle
from nhi_evidence.investigate.case import contents

PAGE = Path(__file__).parents[2] / "docs" / "auditor.md"
ROW = r"\| `{}` \| `[^`]*` \|"


def released() -> dict[str, bytes]:
    """The programs of a bundle and of a case."""
    own = {name: bundle.released(name) for name in (bundle.CHECKER, bundle.WALKTHROUGH)}
    return {**own, contents.CHECKER: contents.shipped(contents.CHECKER)}


def stated(page: str) -> str:
    """The page with the hashes of this release."""
    for name, data in released().items():
        digest = sha256(data).hexdigest()
        page = re.sub(ROW.format(re.escape(name)), f"| `{name}` | `{digest}` |", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(stated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
