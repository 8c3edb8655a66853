"""A source's own folder says which cells its records belong to."""

from __future__ import annotations

from nhi_evidence import sources
from nhi_evidence.coverage import cells


def test_platforms_a_source_names_are_those_of_cells() -> None:
    """Otherwise a coverage report would omit it, and nobody would notice."""
    known = set(cells.platforms())
    for name in sources.names():
        assert set(sources.platforms(name)) <= known, name
    assert ("github",) == sources.platforms("github_audit")
    assert () == sources.platforms("aws_cloudtrail") == sources.platforms("no_such_source")
