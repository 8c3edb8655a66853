"""`python -m tests.tamper`: write the tables of docs/verification.md."""

from __future__ import annotations

from tests.tamper.page import with_tables
from tests.tamper.test_matrix import DOCUMENT

DOCUMENT.write_text(with_tables(DOCUMENT.read_text()))
