"""A file's log is told by its attributes: of a source of files, by every golden case."""

from __future__ import annotations

import json

import pytest

from nhi_evidence import sources
from nhi_evidence.local_files import detect
from tests.cases.reader import cases, read

BY_ENVELOPE = {"azure_activity", "azure_entra", "azure_resource"}
"""Their records come in one hub, and its source tells them apart."""
WITHOUT_A_NAME = {"aws_cloudtrail": {"aggregated", "insight"}}
"""Cases of records that name no operation: nothing tells them from a stranger's."""
PACKS = [
    name for name in sources.names() if sources.routes(name) is None and name not in BY_ENVELOPE
]


@pytest.mark.parametrize("source", PACKS)
def test_every_case_is_known_by_its_attributes(source: str) -> None:
    """A new source is held to this from its first day: none is taken for another."""
    known = {
        name: detect.source(json.dumps(read(path).record).encode())
        for name, path in cases(source).items()
    }
    unknown = WITHOUT_A_NAME.get(source, set())
    assert {} == {
        name: other for name, other in known.items() if other != source and name not in unknown
    }
