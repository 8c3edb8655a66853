"""`python -m tests.docs`: make what the documents show of the program anew, and say where."""

from __future__ import annotations

import sys

from tests.docs.help_blocks import ROOT, write

for page in write():
    sys.stdout.write(f"{page.relative_to(ROOT)} rewritten\n")
