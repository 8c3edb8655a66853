"""How an operation may be spelled in a table, and what a table's struct takes for granted."""

from __future__ import annotations

import pytest

from nhi_evidence.catalog.table import Names
from nhi_evidence.phases import Phase
from tests.unit.test_catalog import catalog, event


@pytest.mark.parametrize(
    ("operation", "spellings"),
    [
        ("a", ("a",)),
        ("a.b", ("a.b", "b")),
        ("a.b.c", ("a.b.c", "b.c", "c")),
        ("a.b.c.d", ("a.b.c.d", "c.d", "d")),
        ("", ("",)),
    ],
)
def test_a_long_name_may_be_told_by_its_end(operation: str, spellings: tuple[str, ...]) -> None:
    """Whole, by its last two parts, by its last: each once, the most telling first."""
    assert spellings == Names(separator=".").spellings(operation)


def test_a_name_is_what_it_is_unless_a_table_says_otherwise() -> None:
    """Without a separator it has no parts, and without folding its case counts."""
    assert ("A.b",) == Names().spellings("A.b")
    assert ("a.b", "b") == Names(fold_case=True, separator=".").spellings("A.B")
    assert Phase.CREDENTIAL_LIFECYCLE is catalog().classify(event("UpdateAccessKey")).phase
    assert ("iam:UpdateAccessKey",) != catalog().classify(event("updateaccesskey")).rules
    folded = catalog(names={"fold_case": True}).classify(event("updateaccesskey"))
    assert ("iam:UpdateAccessKey",) == folded.rules
