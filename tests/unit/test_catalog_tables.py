"""Every pack's catalog table is consistent and gives reasons."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ocsf_json_schema import get_ocsf_schema

from nhi_evidence import sources
from nhi_evidence.catalog.catalog import Catalog
from nhi_evidence.catalog.table import SHARED, read
from nhi_evidence.phases import Phase

DOCS = Path(__file__).parents[2] / "docs"
PACKS = [name for name in sources.names() if sources.routes(name) is None]


@pytest.fixture(params=PACKS)
def pack(request: pytest.FixtureRequest) -> str:
    """Each source pack in turn."""
    return str(request.param)


@pytest.fixture(params=[*PACKS, *SHARED])
def table(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A pack's catalog table, or one that packs include."""
    name = str(request.param)
    text = SHARED[name] if name in SHARED else sources.table(name, "catalog.json")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_the_table_loads(pack: str) -> None:
    """Every phase, class, activity, condition and comparison is known."""
    tables = [sources.table(pack, file) for file in sources.pack(pack).TABLES]
    Catalog(tables[0], name=pack, access_levels=tables[1] if len(tables) > 1 else None)


def test_rows_are_sorted_and_unique(table: dict[str, Any]) -> None:
    """Each row has one place, so two people cannot add it twice."""
    keys = [
        (row["service"], row["operation"], row.get("record_class", "")) for row in table["rows"]
    ]
    assert sorted(keys) == keys
    assert [] == [key for key, count in Counter(keys).items() if count > 1]


def test_ids_are_unique(pack: str) -> None:
    """An id in nhi_phase_rules names exactly one override or fallback, included tables too."""
    table = read(sources.table(pack, "catalog.json"), None, name=pack)[0]
    for rules in (table.overrides, table.fallback):
        ids = [rule.id for rule in rules]
        assert len(ids) == len(set(ids))


def test_an_included_table_includes_nothing_and_spells_as_its_packs() -> None:
    """Its meaning must not depend on the pack that includes it."""
    for name, text in SHARED.items():
        shared = read(text, None, name=name)[0]
        assert () == shared.include
        for pack in PACKS:
            table = read(sources.table(pack, "catalog.json"), None, name=pack)[0]
            if name in table.include:
                assert shared.names.fold_case == table.names.fold_case


def test_every_phase_that_accuses_states_a_reason(table: dict[str, Any]) -> None:
    """A phase beyond enumeration gives its reason."""
    silent = [
        f"{row['service']}:{row['operation']}"
        for row in table["rows"]
        if not row.get("why") and row["phase"] != Phase.ENUMERATION.name.lower()
    ]
    assert [] == silent


def test_activities_are_those_of_the_schema(table: dict[str, Any]) -> None:
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
    """A page on catalogs or sources names every derived rule that a row refers to."""
    pages = (*DOCS.glob("catalog-*.md"), *DOCS.glob("sources/*.md"))
    text = "".join(page.read_text() for page in pages)
    named = {rule for row in table["rows"] for rule in row.get("refinable_by", ())}
    assert [] == [rule for rule in sorted(named) if rule not in text]
