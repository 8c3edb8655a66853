"""What the bytes of a record show agrees with the exact path, for any record."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence import sources
from nhi_evidence.reading.cut_scan import Scan
from nhi_evidence.reading.cut_table import Category, Condition, CutTable, Field, steps_of
from nhi_evidence.reading.cutting import Cutter
from tests.cases.reader import cases, read
from tests.unit.test_cutting import without_looking_first

TABLES = {
    name: msgspec.json.decode(sources.table(name, sources.CUTS), type=CutTable)
    for name in sources.names()
    if sources.cutter(name) is not None
}


def scan(path: str, **more: Any) -> Scan:
    return Scan.of([Field("X", path, "", **more)], ())


HARMLESS = [
    ("key", '{"a":{"k":1},"b":"key"}'),
    ("key", '{"key":"","x":["key"]}'),
    ("key", '{"key": null,"x":{"key":true}}'),
    ("a.key", '{"b":{"key":"x"},"a":{"n":{"m":["y"]}}}'),
    ("a.key*", '{"a":{"key1":"","ke":"x"}}'),
    ("t>key", '{"t":"{\\"a\\":\\"x\\"}"}'),
    ("a.key*", '{"a":{"x":"\\"key\\u0079\\":"}}'),
    ("t>key", '{"t":""}'),
    ("t>key", '{"t":{"a":"x"}}'),
    ("t>key", '{"t":[1]}'),
    ("d.**", '{"d":{"a":{"b":{"c":{}}}}}'),
    ("a.key", '{"b":{"key":"x"},"a":{"n":{"m":{"o":{}}}}}'),
    ("a.b.key", '{"key":"x","a":{"b":{"n":"y"}}}'),
]
HARMFUL = [
    ("key", '{"key":"LEAK"}'),
    ("key", '{"key":7}'),
    ("key", '{"key":"","key":"LEAK"}'),
    ("key", '{"key" :"LEAK"}'),
    ("key", '{"key":\\n"LEAK"}'.replace("\\n", "\n")),
    ("key", '{"k\\u0065y":"LEAK"}'),
    ("a.key", '{"a":{"key":{"b":1}}}'),
    ("a.key*", '{"a":{"key1":"LEAK"}}'),
    ("a.key*", '{"a":{"ke\\u0079":"LEAK"}}'),
    ("a.key*", '{"a":{"ke\\u0079\\"x":"LEAK"}}'),
    ("a.key*", '{"a":{"key\\"x":"LEAK"}}'),
    ("a.key*", '{"a":{"key\\\\":"LEAK"}}'),
    ("a.**", '{"a":{"b":["LEAK"]}}'),
    ("t>key", '{"t":"{\\"key\\":\\"LEAK\\"}"}'),
    ("t>key", '{"t":"{\\"key\\":\\"LEAK\\"}","t":""}'),
    ("t>key", '{"t":"LEAK"}'),
    ("*.key", '{"a":{"key":"LEAK"}}'),
    ("d.**", '{"d":{"a":{"b":{"c":{"e":1}}}}}'),
    ("a.key", '{"b":{"key":"x"},"a":{"n":{"m":{"o":{"p":1}}}}}'),
    ("a.b.key", '{"a":{"b":{"key":"LEAK"}}}'),
    ("a.b.key*", '{"a":{"b":{"key1":"LEAK"}}}'),
]


@pytest.mark.parametrize(("path", "raw"), HARMLESS)
def test_harmless_records_are_recognized(path: str, raw: str) -> None:
    """The name does not occur, or occurs where no rule looks."""
    assert scan(path).is_certain(raw.encode())


@pytest.mark.parametrize(("path", "raw"), HARMFUL)
def test_records_that_may_be_cut_are_not_called_harmless(path: str, raw: str) -> None:
    """However the name is spelled, and for paths of a form the scan does not handle."""
    assert not scan(path).is_certain(raw.encode())


@pytest.mark.parametrize(("path", "raw"), [*HARMLESS, *HARMFUL])
def test_beside_others_a_record_is_told_as_it_is_alone(path: str, raw: str) -> None:
    """Wherever it stands among them, and blanks around it are its own."""
    own = scan(path)
    other = b'{"x":[{"y":"z"}]}'
    is_certain = own.is_certain(raw.encode())
    for record in (raw.encode(), b"\n" + raw.encode() + b" \n"):
        for raws in ([record], [record, other], [other, record], [other, record, record, other]):
            alone = [own.is_certain(other) if each == other else is_certain for each in raws]
            answer = {at for at, sure in enumerate(alone) if not sure} if own.is_able else None
            assert answer == own.doubtful(raws)
            known = own.doubtful(raws, are_json=True)
            has_blanks = any(each.startswith(b"\n") for each in raws)
            assert known == answer or (known is None and has_blanks)


@pytest.mark.parametrize("broken", [b"", b"[]", b'{"a":1', b'{"a":1}{}', b'"}', b"[" * 10_000])
def test_of_many_with_one_that_is_no_object_nothing_is_told(broken: bytes) -> None:
    """Where it ends nobody knows, nor what is within it; each is looked at alone."""
    own = scan("key")
    assert own.doubtful([b'{"a":1}', broken, b'{"a":1}']) is None
    assert set() == own.doubtful([])
    for value in (b"[]", b"7", b'"x"'):
        assert own.doubtful([b'{"a":1}', value], are_json=True) is None


def test_what_is_looked_for_ends_with_the_record() -> None:
    """No value of the next record is taken for that of a name, and no rest of a name for one."""
    own = Scan.of([Field("X", "a.key*", ""), Field("Y", "b", "")], ())
    for raws in (
        [b'{"x":"key"}', b'{"b":null,"y":["LEAK"]}', b'{"b":"LEAK"}'],
        [b'{"x":["b"]}', b'{"b":""}', b'{"x":"a","a":{"key1":"LEAK"}}'],
        [b'{"x":["b"]\n}', b'{"b":""}', b'{"b":{"c":1}}'],
    ):
        assert {2} == own.doubtful(raws)
        assert {0} == own.doubtful(raws[::-1])


@pytest.mark.parametrize(
    ("raw", "is_kept"),
    [
        ('{"ref":{"resource":"roles"},"o":{"a":1},"p":""}', True),
        ('{"ref":{"resource":"roles"},"o":{"a":1},"p":{"a":1}}', False),
        ('{"ref":{"resource":"roles"},"p":{"a":1},"o":{"a":1}}', False),
        ('{"ref":{"resource":"secrets"},"o":{"a":1}}', False),
        ('{"ref":{"resource":"roles"},"o":{"o":{"p":7}}}', False),
        ('{"ref":"{","o":{"a":1}}', False),
        ('{"o":{"a":1}}', False),
        ('{"ref":{"resource":"roles"},"o":{"a":1},"o":{"b":1}}', True),
    ],
)
def test_each_rule_that_finds_something_has_to_be_excepted(raw: str, is_kept: bool) -> None:
    """Wherever it is found, before or after what is excepted; so of each record among many."""
    unless = Condition("ref.resource", any_of=("roles",))
    own = Scan.of([Field("X", "o", "", unless=unless), Field("Y", "p", "")], ())
    assert is_kept == own.is_certain(raw.encode())
    assert (set() if is_kept else {0, 2}) == own.doubtful([raw.encode(), b"{}", raw.encode()])


def test_a_condition_that_cannot_be_asked_leaves_the_others_certain() -> None:
    """It parses a text that is not JSON: only for that record is the answer uncertain."""
    unless = Condition("t>ref", any_of=("roles",))
    refused = (Category("x", (unless,), ""),)
    raws = [b'{"t":""}', b'{"t":"no"}', b'{"t":"{}"}', b'{"a":1}']
    assert {0, 1} == Scan.of([], refused).doubtful(raws)


def test_rules_for_one_name_are_merged_to_what_all_of_them_keep() -> None:
    """What one rule keeps under a name another may cut, whichever is declared first."""
    wide = Field("X", "a.d.**", "", names_except=("id", "x"))
    narrow = Field("Y", "b.d.**", "", names_except=("id",))
    for fields in ((wide, narrow), (narrow, wide)):
        both = Scan.of(fields, ())
        assert both.is_certain(b'{"b":{"d":{"id":"y"}}}')
        assert not both.is_certain(b'{"b":{"d":{"x":"LEAK"}}}')


@pytest.mark.parametrize(
    ("entered", "is_told"), [("t>ref", True), ("ref", False), ("key>ref", False)]
)
def test_an_exception_applies_to_the_text_its_rule_reads(entered: str, is_told: bool) -> None:
    """One that looks elsewhere takes the slow path."""
    within = scan("t>key", unless=Condition(entered, any_of=("roles",)))
    text = json.dumps({"ref": "roles", "key": "kept or cut"}, separators=(",", ":"))
    raw = json.dumps({"ref": "roles", "t": text}, separators=(",", ":"))
    assert is_told == within.is_certain(raw.encode())


@pytest.mark.parametrize(
    ("source", "number"),
    [(name, at) for name, table in TABLES.items() for at in range(len(table.fields))],
)
def test_every_declared_field_is_seen_where_it_stands_alone(source: str, number: int) -> None:
    """Whatever else is declared, and in which order."""
    table = TABLES[source]
    field = table.fields[number]
    value: object = "/x?zz=LEAK" if field.query_except is not None else "LEAK"
    for name, is_text in reversed(steps_of(field.path)):
        inside = json.dumps(value, separators=(",", ":")) if is_text else value
        value = {name.replace("*", "x") or "x": inside}
    raw = json.dumps(value, separators=(",", ":")).encode()
    assert b"LEAK" in raw
    assert not Scan.of(table.fields, ()).is_certain(raw)
    assert b"LEAK" not in Cutter(table).cut(raw).text


@pytest.mark.parametrize(
    ("raw", "is_kept"),
    [
        ('{"type":"request"}', False),
        ('{"type":"re\\u0071uest"}', False),
        ('{"type":"other"}', True),
        ('{"type":"other","id":"request"}', True),
        ('{"id":1}', True),
        ('{"type":"absent"}', False),
        ('{"type":"absent","action":null}', False),
        ('{"type":"absent","action":"x"}', True),
    ],
)
def test_a_refused_category_is_recognized_however_it_is_spelled(raw: str, is_kept: bool) -> None:
    """By a string, and by an absent field."""
    refused = (
        Category("told", (Condition("type", ("request",)),), ""),
        Category("bare", (Condition("type", ("absent",)), Condition("action", present=False)), ""),
    )
    assert is_kept == Scan.of([], refused).is_certain(raw.encode())


@pytest.mark.parametrize(
    "uri", ["/x", "/x?", "/x?limit=5&watch", "/x?limit=5\\u0026limit=6", "/x?limit="]
)
def test_a_query_of_known_names_is_harmless(uri: str) -> None:
    """Also where the log writes `&` as an escape."""
    raw = f'{{"u":"{uri}"}}'.encode()
    assert scan("u", query_except=("limit", "watch")).is_certain(raw)
    assert not scan("u", query_except=("watch",)).is_certain(raw) or "limit" not in uri


def test_hashes_and_known_names_are_harmless_below() -> None:
    """To the depth the scan inspects; one level deeper takes the slow path."""
    below = scan("d.**", unless_begins="hmac:", names_except=("id",))
    raw = b'{"d":{"a":"hmac:1","id":["x","y"],"n":-1.5e3,"e":{"id":"x","f":{"g":["hmac:2"]}}}}'
    assert below.is_certain(raw)
    assert not below.is_certain(raw.replace(b'["hmac:2"]', b'{"h":{"i":""}}'))
    assert not below.is_certain(raw.replace(b"hmac:2", b"LEAK"))


@pytest.mark.parametrize("source", TABLES)
def test_most_golden_records_take_the_fast_path(source: str) -> None:
    """So the slow path stays an exception."""
    cutter = Cutter(TABLES[source])
    raws = [
        json.dumps(read(path).record, separators=(",", ":")).encode()
        for path in cases(source).values()
    ]
    uncut = [raw for raw in raws if not cutter.cut(raw).pieces]
    certain = [raw for raw in uncut if cutter._scan.is_certain(raw)]
    assert len(certain) >= 0.9 * len(uncut)


def _names(table: CutTable) -> list[str]:
    """Return the names in all paths, and similar ones."""
    steps = {step for field in table.fields for step in field.path.replace(">", ".").split(".")}
    plain = sorted(step.rstrip("*") for step in steps if step.strip("*"))
    return [*plain, "a", "id", "name", plain[0] + "x"]


@st.composite
def records(draw: st.DrawFn) -> tuple[CutTable, list[bytes]]:
    """Records of names that a source declares, with doubled ones, escapes and blanks."""
    table = TABLES[draw(st.sampled_from(sorted(TABLES)))]
    ends = st.sampled_from(["", "", "", '"', "\\", "\n", "é"])
    names = st.tuples(st.sampled_from(_names(table)), ends).map("".join)

    def spelt(name: str) -> str:
        if not (name and draw(_RARELY)):
            return json.dumps(name)
        return f'"\\u{ord(name[0]):04x}{json.dumps(name[1:])[1:]}'

    def value(depth: int) -> str:
        kind = draw(st.integers(0, 9 if depth else 5))
        if kind <= 5:
            return draw(_SCALARS)
        if kind == 6:
            return "[" + ",".join(value(depth - 1) for _ in range(draw(st.integers(0, 2)))) + "]"
        inside = of(depth - 1)
        return json.dumps(inside) if kind == 7 else inside

    def of(depth: int) -> str:
        blank = " " if draw(_RARELY) else ""
        members = [
            spelt(draw(names)) + blank + ":" + value(depth) for _ in range(draw(st.integers(0, 4)))
        ]
        return "{" + ("," + blank).join(members) + "}"

    return table, [of(4).encode() for _ in range(draw(st.integers(1, 3)))]


_RARELY = st.integers(0, 9).map(lambda number: number == 0)
_SCALARS = st.sampled_from(
    [
        *("null", "true", "1", "-1.5", "{}", "[]", "{ }"),
        *('""', '"x"', '"hmac-sha256:1"', '"hmac-sha"', '"roles"', '"request"'),
        *('"/x?"', '"/x?limit=1"', '"/x?limit=1&command=ls"', '"/x?limit=1\\u0026watch"'),
        *('"\\"url\\":1"', '"a\\\\"', '"{"', '"é"'),
    ]
)


@given(records())
def test_only_records_without_cuts_are_called_harmless(
    drawn: tuple[CutTable, list[bytes]],
) -> None:
    """With every table, all paths give the same texts and pieces."""
    table, raws = drawn
    expected = list(map(without_looking_first(table).cut, raws))
    assert expected == list(map(Cutter(table).cut, raws))
    assert expected == Cutter(table).cut_all(raws)
    assert expected == Cutter(table).cut_all(raws, are_json=True)


NUMBERED = Field(
    "N", "d.**", "", unless_begins="h:", names_except=("id", "ttl"), numbers_except=("ttl", "n")
)


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        ('{"d":{"pin":1234}}', '{"d":{}}'),
        ('{"d":{"a":{"pin":-1.5e3},"n":2}}', '{"d":{"a":{},"n":2}}'),
        ('{"d":{"pin":[1,2,{"n":3,"x":4}]}}', '{"d":{"pin":[{"n":3}]}}'),
        ('{"d":{"id":5,"ttl":6}}', '{"d":{"ttl":6}}'),
        ('{"d":{"n":"x","id":"y"}}', '{"d":{"n":"","id":"y"}}'),
        ('{"d":{"n":[1,"x"]}}', '{"d":{"n":[1,""]}}'),
        ('{"d":{"a":true,"b":false,"c":null,"e":"h:x","ttl":[1]}}', None),
        ('{"d":{"id":"a","a":{"n":0,"ttl":"x"}},"pin":1}', None),
    ],
)
def test_numbers_are_cut_where_a_rule_says_so(record: str, kept: str | None) -> None:
    """Except under its names; `true`, `false` and `null` are not secret."""
    cutter = Cutter(CutTable(1, (NUMBERED,)))
    raw = record.encode()
    assert (kept or record) == cutter.cut(raw).text.decode()
    assert (kept is None) == Scan.of([NUMBERED], ()).is_certain(raw)


@pytest.mark.parametrize("record", ['{"a":{"d":{"x":1}}}', '{"b":{"d":{"x":1}}}'])
def test_a_rule_that_cuts_numbers_is_not_merged_into_one_that_does_not(record: str) -> None:
    """Of two rules for one name, each cuts what it declares."""
    rules = (Field("X", "a.d.**", ""), Field("Y", "b.d.**", "", numbers_except=("n",)))
    is_cut = record.startswith('{"b"')
    for fields in (rules, rules[::-1]):
        assert is_cut == bool(Cutter(CutTable(1, fields)).cut(record.encode()).pieces)
        assert not (is_cut and Scan.of(fields, ()).is_certain(record.encode()))


def test_numbers_are_kept_only_under_names_that_all_rules_keep() -> None:
    rules = [
        Field("X", "a.d.**", "", numbers_except=("n", "x")),
        Field("Y", "b.d.**", "", numbers_except=("n",)),
    ]
    own = Scan.of(rules, ())
    assert own.is_certain(b'{"a":{"d":{"n":1}},"b":{"d":{"n":3}}}')
    assert not own.is_certain(b'{"b":{"d":{"x":1}}}')
