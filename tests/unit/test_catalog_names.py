"""How operations may be spelled in a table, and the defaults of a table's struct."""

from __future__ import annotations

import pytest

from nhi_evidence.catalog.table import Names, read
from nhi_evidence.errors import CatalogError
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
def test_a_long_name_can_be_matched_by_its_end(operation: str, spellings: tuple[str, ...]) -> None:
    """By the whole name, its last two parts or its last: each once, the most specific first."""
    assert spellings == Names(separator=".").spellings(operation)


def test_a_name_is_what_it_is_unless_a_table_says_otherwise() -> None:
    """Without a separator it has no parts, and without folding it is case-sensitive."""
    assert ("A.b",) == Names().spellings("A.b")
    assert ("a.b", "b") == Names(fold_case=True, separator=".").spellings("A.B")
    assert Phase.CREDENTIAL_LIFECYCLE is catalog().classify(event("UpdateAccessKey")).phase
    assert ("iam:UpdateAccessKey",) != catalog().classify(event("updateaccesskey")).rules
    folded = catalog(names={"fold_case": True}).classify(event("updateaccesskey"))
    assert ("iam:UpdateAccessKey",) == folded.rules


MEANS = {"phase": "routine", "class": 6003, "activity": 3}


@pytest.mark.parametrize("turned", [False, True])
def test_the_row_of_the_service_and_the_longer_name_come_first(turned: bool) -> None:
    """Whatever the table's order, a row of the service precedes one of any, then length decides."""
    names = ["Up", "UpdateAccess", "Update"]
    rows = [
        {"service": service, "operation": name, "match": "prefix", "why": "test", **MEANS}
        for service in ("*", "iam")
        for name in (*names, *(["UpdateAccessKeyOf"] if service == "*" else []))
    ]
    loaded = catalog(rows=rows[::-1] if turned else rows)
    assert ("iam:UpdateAccess",) == loaded.classify(event("UpdateAccessKeyOf")).rules
    assert ("iam:Update",) == loaded.classify(event("UpdateUser")).rules
    other = event("UpdateAccessKeyOf", service="sts")
    assert ("*:UpdateAccessKeyOf",) == loaded.classify(other).rules


@pytest.mark.parametrize("turned", [False, True])
def test_the_longer_permission_comes_first(turned: bool) -> None:
    """A permission without such an ending says nothing."""
    fallback = [
        {"id": "short", "permission": ".create", **MEANS},
        {"id": "long", "permission": ".keys.create", **MEANS},
    ]
    loaded = catalog(fallback=fallback[::-1] if turned else fallback)
    assert ("fallback:long",) == loaded.classify(event("a/b", permissions=("x.keys.create",))).rules
    assert ("fallback:short",) == loaded.classify(event("a/b", permissions=("x.create",))).rules
    assert ("fallback:none",) == loaded.classify(event("a/b", permissions=("x.get",))).rules


def test_a_pattern_folds_case_where_the_table_does() -> None:
    """In other tables it does not."""
    row = {"service": "iam", "operation": "up.*key", "match": "pattern", "why": "test", **MEANS}
    folded = catalog(rows=[row], names={"fold_case": True})
    assert ("iam:up.*key",) == folded.classify(event("UpdateAccessKey")).rules
    assert ("iam:up.*key",) != catalog(rows=[row]).classify(event("UpdateAccessKey")).rules


def test_an_unknown_table_cannot_be_included() -> None:
    """A table that includes an unknown one is refused, and the known ones are listed."""
    text = b'{"version": 1, "include": ["cubernetes"], "rows": []}'
    with pytest.raises(CatalogError, match=r"^a pack: includes 'cubernetes'; known: kubernetes$"):
        read(text, None, name="a pack")
