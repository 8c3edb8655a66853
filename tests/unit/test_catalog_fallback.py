"""The catalog: permissions as a fallback, and inconsistent tables."""

from __future__ import annotations

from typing import Any

import pytest

from nhi_evidence.errors import CatalogError
from tests.unit.test_catalog import ROW, catalog, event, override, row


def test_fallback_by_permission_and_stated_level() -> None:
    """A permission says more than a level, which says more than a verb; each is named."""
    means = {"phase": "routine", "class": 6003, "activity": 3}
    loaded = catalog(
        names={"fold_case": True},
        fallback=[
            {"id": "verb", "suffix": "/READ", **means},
            {"id": "level", "level": "ADMIN_READ", **means},
            {"id": "permission", "permission": ".keys.create", **means},
            {"id": "looks", "pattern": "list.*/action", **means},
        ],
    )

    def rules(operation: str, **stated: Any) -> tuple[str, ...]:
        return loaded.classify(event(operation, **stated)).rules

    needed = ("iam.x.get", "iam.serviceAccounts.Keys.create")
    assert ("fallback:permission",) == rules("a/read", permissions=needed)
    assert ("fallback:level",) == rules("a/read", access_level="ADMIN_READ")
    assert ("fallback:verb",) == rules("a/Read", access_level="NOVEL")
    assert ("fallback:looks",) == rules("listKeys/action")
    assert ("fallback:verb:write",) == rules("a/write")
    assert ("fallback:none",) == rules("a/b")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": [{**ROW, "phase": "nonsense"}]}, "iam:UpdateAccessKey: unknown phase 'nonsense'"),
        ({"rows": [{**ROW, "class": 1}]}, "no OCSF class 1"),
        ({"rows": [{**ROW, "activity": 77}]}, "activity 77"),
        ({"rows": [ROW, ROW]}, "iam:UpdateAccessKey: two rows"),
        ({"rows": [{**ROW, "match": "regex"}]}, "unknown match 'regex'"),
        ({"rows": [row("(", "pattern")]}, "'(' is not a pattern"),
        ({"rows": [row("A", "suffix"), row("A", "suffix")]}, "iam:A: two rows"),
        ({"rows": [{**ROW, "extra": 1}]}, "unknown field `extra`"),
        ({"rows": [{"service": "iam"}]}, "missing required field"),
        (
            {"fallback": [{"id": "x", "phase": "routine", "class": 6003, "activity": 3}]},
            "a fallback has one of permission, level, prefix, suffix, pattern",
        ),
        ({"overrides": [override([{"path": "nope", "is": 1}])]}, "O1: unknown path 'nope'"),
        ({"overrides": [override([{"path": "code", "like": 1}])]}, "unknown comparison 'like'"),
        ({"overrides": [override([{"path": "code"}])]}, "a path and one comparison"),
        ({"overrides": [override([{"path": "code", "matches": "("}])]}, "is not a pattern"),
        ({"overrides": [override([{"path": "code", "in": "A"}])]}, "in takes a list"),
        ({"overrides": [override([{"path": "code", "present": 1}])]}, "present takes"),
        ({"overrides": [override([{"path": "code", "same_as": "nope"}])]}, "unknown path 'nope'"),
    ],
)
def test_an_inconsistent_table_is_refused_naming_the_row(
    changes: dict[str, Any], message: str
) -> None:
    """A wrong table is refused on loading, with the row and what is wrong with it."""
    with pytest.raises(CatalogError, match=r"^test: ") as refused:
        catalog(**changes)
    assert message in str(refused.value)
