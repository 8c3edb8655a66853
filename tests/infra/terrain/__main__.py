"""`python -m tests.infra.terrain`: write what the alarms do into docs/operations.md."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from tests.infra.terrain.alarm_tables import azure_table, gcp_table, markdown
from tests.infra.terrain.synthesis import ROOT, synthesize

PAGE = ROOT / "docs" / "operations.md"


def between(text: str, marker: str, content: str) -> str:
    """Return a page with what stands between `<!-- marker -->` and `<!-- end -->` replaced."""
    pattern = rf"(<!-- {marker} -->\n).*?(\n<!-- end -->)"
    return re.sub(pattern, lambda match: match[1] + content + match[2], text, flags=re.DOTALL)


with tempfile.TemporaryDirectory() as folder:
    stacks = synthesize(Path(folder))
page = PAGE.read_text()
page = between(page, "alarms-gcp", markdown(gcp_table(stacks["gcp-export"])))
PAGE.write_text(between(page, "alarms-azure", markdown(azure_table(stacks["azure-export"]))))
