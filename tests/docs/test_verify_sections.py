"""The section that `verify` recommends exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nhi_evidence.terminal import verify_report

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("code", sorted(verify_report.VERDICTS))
def test_every_section_verify_points_to_is_a_heading(code: int) -> None:
    """For each exit code; a page without a section has to exist, too."""
    text = verify_report.NEXT[code]
    for page, section in re.findall(r'(docs/[\w-]+\.md)(?:, "([^"]+)")?', text):
        headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.M)
        assert not section or section in headings, text


def test_altered_evidence_has_a_section() -> None:
    assert 'docs/verification.md, "Findings"' in verify_report.NEXT[1]
