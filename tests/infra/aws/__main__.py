"""`python -m tests.infra.aws`: write what the stacks say into the documents that show it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from infra import declaration
from infra.aws.redelivery import table
from infra.scan_templates import acceptances, document
from tests.infra.aws.alarm_table import table as alarm_table
from tests.infra.aws.alarm_table import with_table
from tests.infra.aws.conftest import ROOT, synthesize
from tests.infra.aws.estate import Estate
from tests.infra.aws.matrix import with_matrix
from tests.infra.aws.stream_estate import synthesized
from tests.infra.aws.test_matrix import PAGE

OPERATIONS = ROOT / "docs" / "operations.md"


def between(text: str, marker: str, content: str) -> str:
    """Return a page with what stands between `<!-- marker -->` and `<!-- end -->` replaced."""
    pattern = rf"(<!-- {marker} -->\n).*?(\n<!-- end -->)"
    return re.sub(pattern, lambda match: match[1] + content + match[2], text, flags=re.DOTALL)


numbers = table(declaration.declaration("aws_export"))
OPERATIONS.write_text(between(OPERATIONS.read_text(), "batches", numbers))
with tempfile.TemporaryDirectory() as folder:
    synthesize(Path(folder))
    estate = Estate(Path(folder))
    streamed = Estate(synthesized(Path(folder, "streams")))
    page = with_matrix(PAGE.read_text(), estate, streamed)
    accepted = acceptances(estate.templates) + acceptances(streamed.templates)
    PAGE.write_text(document(page, accepted))
    OPERATIONS.write_text(with_table(OPERATIONS.read_text(), alarm_table(estate)))
