"""What the catalog says of an operation, as an entry of the atlas."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from nhi_evidence import sources
from nhi_evidence.catalog.atlas import Entry
from nhi_evidence.catalog.catalog import Catalog
from nhi_evidence.event import Call

INPUTS = Path(__file__).parent / "inputs"
"""Names without a package that carries them; where each is from: docs/catalog-atlas.md."""


@cache
def catalog(pack: str) -> Catalog:
    """The catalog of a pack."""
    tables = [sources.table(pack, file) for file in sources.pack(pack).TABLES]
    return Catalog(tables[0], name=pack, access_levels=tables[1] if len(tables) > 1 else None)


def entry(pack: str, service: str, operation: str, **facts: Any) -> Entry:
    """An entry with the facts and with what the catalog says."""
    name = facts.get("recorded_as") or operation
    permissions = tuple(facts.get("permissions", "").split())
    call = Call(service, service, name, name, permissions=permissions)
    meaning = catalog(pack).classify_operation(call, facts.pop("record_class", None))
    return Entry(
        service=service,
        operation=operation,
        phase=meaning.phase.name.lower(),
        rule=meaning.rules[0],
        **facts,
    )


def rows(file: str) -> Iterator[dict[str, str]]:
    """The rows of an input."""
    with (INPUTS / file).open(newline="") as lines:
        yield from csv.DictReader(lines)
