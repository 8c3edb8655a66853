"""A file's log is recognized by its attributes, for every golden case of a file source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nhi_evidence import sources
from nhi_evidence.errors import SettingsError
from nhi_evidence.local_files import detect
from tests.cases.reader import cases, read

BY_ENVELOPE = {"azure_activity", "azure_entra", "azure_resource"}
"""Their records come through one hub, and its source distinguishes them."""
WITHOUT_A_NAME = {"aws_cloudtrail": {"aggregated", "insight"}}
"""Cases of records without an operation, which could be anybody's."""
PACKS = [
    name for name in sources.names() if sources.routes(name) is None and name not in BY_ENVELOPE
]


@pytest.mark.parametrize("source", PACKS)
def test_every_case_is_known_by_its_attributes(source: str) -> None:
    """New sources are covered from their first day: none is mistaken for another."""
    known = {
        name: detect.source(json.dumps(read(path).record).encode())
        for name, path in cases(source).items()
    }
    unknown = WITHOUT_A_NAME.get(source, set())
    assert {} == {
        name: other for name, other in known.items() if other != source and name not in unknown
    }


@pytest.mark.parametrize(
    ("document", "source"),
    [
        ('{"time":"x","category":"y","request":{},"type":"request"}', "vault_audit"),
        ('{"time":"x","category":"y"}', "azure_monitor"),
        ('{"operationnamevalue":1,"timegenerated":2,"type":3}', "azure_activity"),
        ('{"Records":[],"time":1,"category":2}', "azure_monitor"),
        ('{"timegenerated":1,"type":2,"createddatetime":3,"appdisplayname":4}', "azure_entra"),
        ('{"Records":[]}', "aws_cloudtrail"),
        ('{"records":[]}', "azure_monitor"),
        ('{"RECORDS":[]}', None),
        ('{"auditid":1,"STAGE":2}', "k8s_audit"),
        ('{"detail":{},"detail-type":"x","source":"aws.iam"}', "aws_cloudtrail"),
        ('{"detail":{},"detail-type":"x","source":"aws.partner/okta.com/e/s"}', "okta_system"),
        ('{"eventname":1,"eventsource":2,"operationnamevalue":3}', "aws_cloudtrail"),
        ('{"eventname":1,"eventsource":2,"activitydatetime":3,"activitydisplayname":4}', None),
        ("[1]", None),
        ("{", None),
    ],
)
def test_the_most_specific_mark_decides(document: str, source: str | None) -> None:
    """A pack precedes a router, more attributes precede fewer; a tie is neither source."""
    assert source == detect.source(document.encode())


@pytest.mark.parametrize(
    ("mark", "problem"),
    [
        ('{ attributes = ["eventName"] }', "attributes are in lower case"),
        ('{ attributes = ["a"], text = { of = "a", has = "x" } }', "a text is of an attribute"),
        (
            '{ attributes = ["a"], is_exact = true, text = { of = "b", has = "x" } }',
            "a text is of an attribute",
        ),
        ('{ attributes = ["a"], exact = true }', "unknown field `exact`"),
    ],
)
def test_marks_that_can_never_match_are_refused(
    mark: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names source and file."""
    folder = tmp_path / "okta_system"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / detect.MARKS).write_text(f"marks = [{mark}]")
    monkeypatch.setattr(sources, "__path__", [str(tmp_path)])
    with pytest.raises(SettingsError, match=rf"source 'okta_system': marks\.toml: .*{problem}"):
        detect._table("okta_system")
