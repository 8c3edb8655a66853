"""Every pack's catalog table holds together and says why."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ocsf_json_schema import get_ocsf_schema

from nhi_evidence import sources
from nhi_evidence.catalog.catalog import Catalog
from nhi_evidence.phases import Phase

DOCS = Path(__file__).parents[2] / "docs"
PACKS = [name for name in sources.names() if sources.routes(name) is None]


@pytest.fixture(params=PACKS)
def pack(request: pytest.FixtureRequest) -> str:
    """One source pack after the other."""
    return str(request.param)


@pytest.fixture
def table(pack: str) -> dict[str, Any]:
    """Its catalog table."""
    parsed: dict[str, Any] = json.loads(sources.table(pack, "catalog.json"))
    return parsed


def test_it_loads(pack: str) -> None:
    """Every phase, class, activity, condition and comparison is a known one."""
    tables = [sources.table(pack, file) for file in sources.pack(pack).TABLES]
    Catalog(tables[0], name=pack, access_levels=tables[1] if len(tables) > 1 else None)


def test_rows_are_sorted_and_unique(table: dict[str, Any]) -> None:
    """A row has one place, so that two people cannot add it twice."""
    keys = [
        (row["service"], row["operation"], row.get("record_class", "")) for row in table["rows"]
    ]
    assert sorted(keys) == keys
    assert [] == [key for key, count in Counter(keys).items() if count > 1]


def test_ids_are_unique(table: dict[str, Any]) -> None:
    """An id in nhi_phase_rules names one override or fallback."""
    for kind in ("overrides", "fallback"):
        ids = [row["id"] for row in table.get(kind, ())]
        assert len(ids) == len(set(ids))


def test_every_claim_beyond_enumeration_says_why(table: dict[str, Any]) -> None:
    """A phase that accuses gives its reason."""
    silent = [
        f"{row['service']}:{row['operation']}"
        for row in table["rows"]
        if not row.get("why") and row["phase"] != Phase.ENUMERATION.name.lower()
    ]
    assert [] == silent


def test_activities_are_the_schemas(table: dict[str, Any]) -> None:
    """Class and activity are a pair of the published OCSF 1.8.0."""
    enums = {
        one["uid"]: {int(value) for value in one["attributes"]["activity_id"]["enum"]}
        for one in get_ocsf_schema("1.8.0")["classes"].values()
    }
    wrong = [
        row
        for row in (*table["rows"], *table.get("fallback", ()))
        if row["activity"] not in enums[row["class"]]
    ]
    assert [] == wrong


def test_derived_rules_are_documented(table: dict[str, Any]) -> None:
    """A page about catalogs or sources names every derived rule a row refers to."""
    pages = (*DOCS.glob("catalog-*.md"), *DOCS.glob("sources/*.md"))
    text = "".join(page.read_text() for page in pages)
    named = {rule for row in table["rows"] for rule in row.get("refinable_by", ())}
    assert [] == [rule for rule in sorted(named) if rule not in text]
