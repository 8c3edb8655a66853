"""What each engine reads: the views of Athena, and every saved question in both dialects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import sqlglot

from nhi_evidence.investigate.athena import views
from nhi_evidence.investigate.library import questions

FOLDER = Path(__file__).parent / "athena"


def texts() -> Iterator[tuple[str, str]]:
    """Yield each file's name and content."""
    hours = views.between("2026030200", "2026030223")
    yield "views.sql", views.statement("SELECT * FROM events", "nhi_evidence_main", hours) + "\n"
    for question in questions():
        trees = {
            engine: sqlglot.parse_one(question.sql, read=engine) for engine in ("duckdb", "athena")
        }
        parts = [f"-- {name}\n{tree.sql(name, pretty=True)}\n" for name, tree in trees.items()]
        yield f"{question.name}.sql", "\n".join(parts)
