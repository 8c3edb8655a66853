"""A source pack offers what the registry requires, or is refused by name before any record."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import ClassVar, Protocol

import pytest

from nhi_evidence import sources
from nhi_evidence.errors import SettingsError
from nhi_evidence.event import Decoded, Kind, Limits, Rejection, Undecodable
from nhi_evidence.evidence import keys
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.sources import conformance
from tests.cli.command import run

PACKS = [name for name in sources.names() if sources.routes(name) is None]
ROUTERS = [name for name in sources.names() if name not in PACKS]
DELIVERED = ("", "a", "/", "2026/03/02/08:00:00_08:59:59_S0.json", "x/" * 500, "\N{SNOWMAN}")

COMPLETE = '''
"""A pack of its own, which maps nothing."""
from nhi_evidence.event import Kind, Rejection, Undecodable

NAME = "half_done"
LISTS_OUT_OF_SCOPE_IDS = False
TABLES = ("catalog.json",)


def decode(body, limits):
    return Undecodable("empty_file")


def unwrap(document, limits):
    return Undecodable("empty_file")


def kind_of(object_key):
    return Kind.RECORDS


def hour_of(object_key):
    return None


def normalize(raw):
    return Rejection("malformed_json")
'''


@pytest.mark.parametrize("name", sources.names())
def test_every_source_conforms(name: str) -> None:
    """Each offers all that the registry requires, and every name it lists."""
    module = sources.load(name)
    protocol = sources.Pack if name in PACKS else sources.Router
    assert [] == conformance.problems(module, protocol)
    listed = import_module(f"nhi_evidence.sources.{name}").__all__
    assert [] == [one for one in listed if not hasattr(module, one)]
    assert set(conformance.members(protocol)) <= set(listed)


@pytest.mark.parametrize("name", sources.names())
def test_every_source_answers_in_the_required_form(name: str) -> None:
    """For any name or bytes: a kind, an hour or none, and records or the reason for none."""
    source = sources.load(name)
    limits = Limits()
    for key in DELIVERED:
        assert isinstance(source.kind_of(key), Kind)
        hour = source.hour_of(key)
        assert hour is None or keys.hour_start(hour) is not None, key
    for body in (b"", b"\xff", b"{", b"[]", b"null", b'{"a":1}'):
        assert isinstance(source.decode(body, limits), Decoded | Undecodable)
        assert isinstance(source.unwrap(body, limits), Decoded | Undecodable)


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_rejects_anything_but_its_records(name: str) -> None:
    """Its tables exist, and anything but its records gets a reason, never an exception."""
    pack = sources.pack(name)
    assert all(sources.table(name, file) for file in pack.TABLES)
    for raw in (b"null", b"[]", b"7", b'""', b"{}", b"{", b"\xff", b'{"' + b"x" * 9999 + b'":1}'):
        rejection = pack.normalize(raw)
        assert isinstance(rejection, Rejection), raw
        assert re.fullmatch(r"[a-z0-9_]+", rejection.reason)


@pytest.mark.parametrize("name", ROUTERS)
def test_a_router_names_a_category_or_says_why_not(name: str) -> None:
    """A category is a string; a record without one gets a reason."""
    for raw in (b'{"category":"x"}', b"{}", b"7", b"{"):
        category = sources.router(name).category(raw)
        assert isinstance(category, str | Rejection)


class _Questioned(Protocol):
    KIND: ClassVar[str] = "a constant of the protocol's own, which nobody has to offer"

    def answer(self) -> int:
        raise NotImplementedError


def test_a_protocol_asks_for_attributes_and_functions_alone() -> None:
    """Neither constants nor the members of every class."""
    assert ["answer"] == list(conformance.members(_Questioned))


Write = Callable[[str], None]


@pytest.fixture
def half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """A pack `half_done` beside the others, with code written by a test."""
    folder = tmp_path / "half_done"
    folder.mkdir()
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])

    def forget() -> None:
        sources._module.cache_clear()
        for name in [one for one in sys.modules if one.endswith(".half_done")]:
            del sys.modules[name]

    def write(code: str) -> None:
        forget()
        (folder / "__init__.py").write_text(code)

    yield write
    forget()
    vars(sources).pop("half_done", None)


CATALOG = '{"version":1,"rows":[]}'


def test_a_complete_pack_is_accepted(half_done: Write, tmp_path: Path) -> None:
    """A new source needs only a folder: it is in no list."""
    half_done(COMPLETE)
    (tmp_path / "half_done" / "catalog.json").write_text(CATALOG)
    assert "half_done" in sources.names()
    assert Rejection("malformed_json") == Mapper("half_done", keep_out_of_scope_raw=True).map(b"{}")


@pytest.mark.parametrize("name", sorted(conformance.members(sources.Pack)))
def test_a_missing_name_is_reported(half_done: Write, name: str) -> None:
    """Whichever name it is, the error names pack and name, and the command line does not crash."""
    code = re.sub(rf"\bdef {name}\(", f"def other_{name}(", COMPLETE)
    code = re.sub(rf"^{name} = .*$", "", code, flags=re.MULTILINE)
    half_done(code)
    with pytest.raises(SettingsError, match=rf"'half_done' is not complete: it has no {name}"):
        Mapper("half_done", keep_out_of_scope_raw=True)


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("TABLES = (", "TABLES = (7, ", "TABLES is not as asked: Expected `str`, got `int`"),
        ("IDS = False", "IDS = 0", "LISTS_OUT_OF_SCOPE_IDS is not as asked: Expected `bool`"),
        ("def decode(body, limits)", "def decode(body)", r"decode does not take \(body, limits\)"),
        ("def kind_of(object_key)", "def kind_of()", r"kind_of does not take \(object_key\)"),
        ("def hour_of(object_key)", "hour_of = 7\ndef _(x)", "hour_of is no function"),
        ('NAME = "half_done"', 'NAME = "half"', "NAME is 'half', but its folder is 'half_done'"),
        ("def kind_of", "def statement():\n    ...\ndef kind_of", "statement does not take"),
    ],
)
def test_a_name_of_another_form_is_reported(
    half_done: Write, before: str, after: str, problem: str
) -> None:
    """A value of another type, a function with other arguments, a name other than the folder's."""
    assert COMPLETE.count(before) == 1
    half_done(COMPLETE.replace(before, after))
    with pytest.raises(SettingsError, match=problem):
        sources.load("half_done")


def test_normalize_says_what_a_pack_lacks(half_done: Write, tmp_path: Path) -> None:
    """One line on standard error and exit code 4, for code, import and table alike."""
    document = tmp_path / "records.json"
    document.write_text("{}")
    for code, problem in (
        (COMPLETE.replace("def unwrap", "def other"), "is not complete: it has no unwrap"),
        ("import nhi_evidence.no_such_module", "cannot be imported: No module named"),
        (COMPLETE, "has no table 'catalog.json': No such file"),
    ):
        half_done(code)
        result = run("normalize", "--source", "half_done", document)
        assert (4, "") == (result.code, result.out)
        assert result.err.startswith("nhi-evidence: source 'half_done' ")
        assert problem in result.err
        assert 1 == len(result.err.splitlines())
