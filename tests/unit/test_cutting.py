"""Declared fields are found wherever they are and however spelled; the rest stays JSON."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.reading import cutting
from nhi_evidence.reading.cut_scan import Scan
from nhi_evidence.reading.cutting import Category, Condition, CutTable, Cutter, Field

LEAK = "LEAK-1f6c"
DEEP = b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}"


def cutter(path: str, **more: Any) -> Cutter:
    return Cutter(CutTable(1, (Field(rule="X", path=path, why="", **more),)))


def cut(path: str, raw: str, **more: Any) -> str:
    return cutter(path, **more).cut(raw.encode()).text.decode()


@pytest.mark.parametrize(
    ("path", "raw", "kept"),
    [
        ("key", '{"key":"LEAK","b":1}', '{"key":"","b":1}'),
        ("key", '{ "key" : "LE\\"AK" }', '{ "key" : "" }'),
        ("key", '{"key":{"x":"LEAK"},"b":[]}', '{"key":{},"b":[]}'),
        ("key", '{"key":["LEAK"]}', '{"key":[]}'),
        ("key", '{"key":" \\t","b":1}', '{"key":"","b":1}'),
        ("key", '{"key":{ },"key":[\n]}', '{"key":{ },"key":[\n]}'),
        ("**", '{"a":"LEAK","b":{"c":["LEAK"]},"d":1}', '{"a":"","b":{"c":[""]},"d":1}'),
        ("key", '{"a":0,"key":1234,"b":1}', '{"a":0,"b":1}'),
        ("key", '{"a":0 , "key":1234}', '{"a":0 }'),
        ("key", '{"key":1234}', "{}"),
        ("key", '{"key":1,"key":2,"key":3}', "{}"),
        ("key", '{"key":null,"b":true}', '{"key":null,"b":true}'),
        ("key", '{"b":{"key":"kept"}}', '{"b":{"key":"kept"}}'),
        ("key", '{"key":"LEAK","b":1,"key":"LEAK"}', '{"key":"","b":1,"key":""}'),
        ("key", '{"key" :"LEAK","key":""}', '{"key" :"","key":""}'),
        ("key", '{"key":"","key"\n:"LEAK","x":1e1}', '{"key":"","key"\n:"","x":1e1}'),
        ("key", '{"key" :"LEAK","key":"","x":1e1}', '{"key" :"","key":"","x":1e1}'),
        ("key", '{"k\\u0065y":"LEAK"}', '{"k\\u0065y":""}'),
        ("key", '\n {"key":"LEAK"} ', '\n {"key":""} '),
        ("a.key", '{"a":{"key":"LEAK","b":"x"}}', '{"a":{"key":"","b":"x"}}'),
        ("a.*", '{"a":{"x":"LEAK","y":[1]}}', '{"a":{"x":"","y":[]}}'),
        ("a.*.key", '{"a":[{"key":"LEAK"},{"key":"LEAK"}]}', '{"a":[{"key":""},{"key":""}]}'),
        ("a.*", '{"a":[17,"LEAK"]}', '{"a":[""]}'),
        (
            "a.ke*",
            '{"a":{"key":"LEAK","k":"x","ke.y":"LEAK"}}',
            '{"a":{"key":"","k":"x","ke.y":""}}',
        ),
        ("t>key", '{"t":"{\\"key\\":\\"LEAK\\"}"}', '{"t":"{\\"key\\":\\"\\"}"}'),
        ("t>key", '{"t":{"key":"LEAK"}}', '{"t":{"key":""}}'),
        ("t>**", '{"t":"{\\"a\\":\\"LEAK\\"}"}', '{"t":"{\\"a\\":\\"\\"}"}'),
        ("t>key", '{"t":"LEAK"}', '{"t":""}'),
        ("t>key", '{"t":"{\\"key\\":\\"LEAK"}', '{"t":""}'),
        ("*.t>key", '[{"t":"{\\"key\\":17}"}]', ""),
        ("a.*.t>key", '{"a":[{"t":"{\\"key\\":17}"}]}', '{"a":[{"t":"{}"}]}'),
    ],
)
def test_a_field_is_cut_at_every_place(path: str, raw: str, kept: str) -> None:
    """Strings, objects, lists and numbers; doubled and escaped names; JSON inside a text."""
    assert kept == cut(path, raw)


@pytest.mark.parametrize(
    ("uri", "kept"),
    [
        ("/x?command=LEAK&container=c", "/x?command=&container=c"),
        ("/x?container=c&command=ls&command=LEAK", "/x?container=c&command=&command="),
        ("/x?LEAK", "/x?"),
        ("/x?c%6fntainer=c&a=1;b=LEAK#LEAK", "/x?c%6fntainer=c&a=;b=#"),
        ("/x?container=c", "/x?container=c"),
        ("/x?command=a=b=LEAK", "/x?command="),
        ("/x", "/x"),
        ("/x?", "/x?"),
        ("/é?command=LEAKé&container=c", "/é?command=&container=c"),
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_query_values_are_cut_except_for_known_names(uri: str, kept: str, ascii_only: bool) -> None:
    """However the text is escaped: not at all, as by Go, or in a string within a string."""
    for escaped in (False, True):
        text = json.dumps({"uri": uri, "z": 1}, ensure_ascii=ascii_only)
        text = text.replace("&", "\\u0026").replace("=", "\\u003D") if escaped else text
        once = cut("uri", text, query_except=("container",))
        assert {"uri": kept, "z": 1} == json.loads(once)
        inside = json.dumps({"t": text}, ensure_ascii=ascii_only)
        twice = cut("t>uri", inside, query_except=("container",))
        assert {"uri": kept, "z": 1} == json.loads(json.loads(twice)["t"])


@pytest.mark.parametrize(
    "raw", [b"", b"LEAK", b'{"key":"LEAK"', b'"LEAK"', b'{"a":"\xff"}', b'{"a":"\\ud800"', DEEP]
)
def test_nothing_is_kept_of_an_unreadable_record(raw: bytes) -> None:
    """All of it is one cut, by a rule for that purpose."""
    kept = cutter("key").cut(raw)
    assert b"" == kept.text
    assert ([(0, len(raw), cutting.UNREADABLE)] if raw else []) == [
        (piece.start, piece.end, piece.rule) for piece in kept.pieces
    ]


def test_a_refused_category_is_not_kept() -> None:
    """It is named, and nothing of it is kept."""
    table = CutTable(
        1, refused=(Category("usage", (Condition("action", starts_with="copilot."),), "prompts"),)
    )
    refused = Cutter(table).cut(b'{"action":"copilot.chat","body":"LEAK"}')
    assert ("usage", b"") == (refused.refused, refused.text)
    for raw in (b'{"action":"repo.copilot."}', b'{"action":7}', b'{"a":{"action":"copilot.x"}}'):
        assert (None, raw) == (Cutter(table).cut(raw).refused, Cutter(table).cut(raw).text)


def test_a_condition_looks_inside_a_json_string() -> None:
    """If the record is JSON inside a string, the condition's field is inside it."""
    unless = Condition("t>ref.resource", any_of=("roles",))
    for resource, kept in (("roles", {"a": "LEAK"}), ("secrets", {})):
        inside = json.dumps({"ref": {"resource": resource}, "o": {"a": "LEAK"}})
        done = cut("t>o", json.dumps({"t": inside}), unless=unless)
        assert kept == json.loads(json.loads(done)["t"])["o"]


def test_every_nested_string_is_cut_except_hashes_and_known_names() -> None:
    """At any depth; numbers stay, and so do strings in a list under a known name."""
    form = '{"d":{"a":"%s","n":7,"h":"hmac:1","in":{"id":"x","b":["%s"]},"id":["y",["z"]]},"e":"x"}'
    raw, kept = form % ("LEAK", "LEAK"), form % ("", "")
    assert kept == cut("d.**", raw, unless_begins="hmac:", names_except=("id",))


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ('{"d":"LEAK","x":"y"}', '{"d":"","x":"y"}'),
        ('{"d":7,"x":"y"}', '{"x":"y"}'),
        ('{"d":["LEAK",7,{"id":"y"}]}', '{"d":["",{"id":"y"}]}'),
        ('{"d":null,"x":7}', None),
    ],
)
def test_a_value_that_is_itself_a_text_or_number_is_cut(raw: str, kept: str | None) -> None:
    """Where the log usually has an object, and everything below it is declared."""
    assert (kept or raw) == cut("d.**", raw, names_except=("id",), numbers_except=())


@pytest.mark.parametrize(
    ("numbers_except", "kept"),
    [
        (None, '{"d":{"pin":12,"ttl":6,"a":[7]}}'),
        (("ttl",), '{"d":{"ttl":6,"a":[]}}'),
        ((), '{"d":{"a":[]}}'),
    ],
)
def test_numbers_below_a_value_are_cut_where_declared(
    numbers_except: tuple[str, ...] | None, kept: str
) -> None:
    raw = '{"d":{"pin":12,"ttl":6,"a":[7]}}'
    assert kept == cut("d.**", raw, numbers_except=numbers_except)


def test_a_condition_keeps_what_it_names() -> None:
    """If it applies nothing is cut; with another value, none or another shape, everything is."""
    unless = Condition("ref.resource", any_of=("roles",))
    assert '{"ref":{"resource":"roles"},"o":{"a":1}}' == cut(
        "o", '{"ref":{"resource":"roles"},"o":{"a":1}}', unless=unless
    )
    for ref in ('{"resource":"secrets"}', '{"resource":["roles"]}', '"roles"', "null"):
        assert f'{{"ref":{ref},"o":{{}}}}' == cut(
            "o", f'{{"ref":{ref},"o":{{"a":1}}}}', unless=unless
        )


def test_cuts_that_adjoin_are_stated_each_with_its_rule() -> None:
    """Of two that overlap there is one, and the rule of the outer."""
    fields = [Field("A", "a", ""), Field("B", "b", ""), Field("C", "b.c", "")]
    kept = Cutter(CutTable(1, tuple(fields))).cut(b'{"a":1,"b":2,"d":3}')
    assert (b'{"d":3}', [(1, 7, "A"), (7, 13, "B")]) == (
        kept.text,
        [(piece.start, piece.end, piece.rule) for piece in kept.pieces],
    )
    kept = Cutter(CutTable(1, tuple(fields))).cut(b'{"b":{"c":"LEAK"}}')
    assert [cutting.Piece(6, 16, "B")] == list(kept.pieces)


def test_what_a_condition_keeps_stays_where_something_else_is_cut() -> None:
    """A condition is of its own field alone."""
    unless = Condition("ref.resource", any_of=("roles",))
    table = CutTable(1, (Field("A", "o", "", unless=unless), Field("B", "key", "")))
    raw = b'{"ref":{"resource":"roles"},"o":{"a":1},"key":"LEAK"}'
    assert raw.replace(b"LEAK", b"") == Cutter(table).cut(raw).text


@pytest.mark.parametrize("other", [b'{"a":1}', b"LEAK", b"[]", b'{"key":7}', b'{"b":"\\ud800"}'])
def test_many_records_are_cut_as_each_is_alone(other: bytes) -> None:
    """Whether or not one of them can be read, and whatever stands beside it."""
    for own in (cutter("key"), cutter("*.key")):
        raws = [b'{"key":"LEAK"}', other, b'{"a":{"key":"LEAK"}}', other]
        assert list(map(own.cut, raws)) == own.cut_all(raws)
    assert [] == cutter("key").cut_all([])


_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))
_NAMES = st.sampled_from(["key", "a", "t", "é", ""])
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=3)
    ),
    max_leaves=12,
)


class _Unsure(Scan):
    """A scan that never calls a record harmless."""

    def is_certain(self, raw: bytes, *, is_part: bool = False) -> bool:  # noqa: ARG002 the same
        return False


def without_looking_first(table: CutTable) -> Cutter:
    """Return a cutter that searches every record."""
    slow = Cutter(table)
    slow._scan = _Unsure(())
    return slow


@given(
    tree=st.dictionaries(_NAMES, _TREES, max_size=4),
    path=st.sampled_from(["key", "a.key", "a.*", "*.*", "t>key", "a.*.t>a", "a.**"]),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_the_rest_is_json_and_the_pieces_restore_the_original(
    tree: dict[str, Any], path: str, indent: int | None, ascii_only: bool
) -> None:
    """Put back in place, the pieces give the original; cut again, nothing more is cut."""
    raw = json.dumps(tree, indent=indent, ensure_ascii=ascii_only).encode()
    kept = cutter(path).cut(raw)
    assert kept == without_looking_first(CutTable(1, (Field("X", path, ""),))).cut(raw)
    msgspec.json.decode(kept.text)
    rebuilt, at = b"", 0
    for piece, offset in kept.offsets():
        rebuilt += kept.text[at:offset] + raw[piece.start : piece.end]
        at = offset
    assert raw == rebuilt + kept.text[at:]
    assert kept.text == cutter(path).cut(kept.text).text


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ('{"d":{"id":"x","a":1,"b":2}}', '{"d":{"id":"x"}}'),
        ('{"d":{"id":"x","a":1,"b":2,"c":3}}', '{"d":{"id":"x"}}'),
        ('{"d":{"id":"x" , "a": 1 ,\n "b": 2 }}', '{"d":{"id":"x"  }}'),
        ('{"d":{"a":1,"b":2,"id":"x"}}', '{"d":{"id":"x"}}'),
        ('{"d":{"a":1,"id":"x","b":2}}', '{"d":{"id":"x"}}'),
        ('{"d":{"a":1,"id":"x","b":2,"c":3}}', '{"d":{"id":"x"}}'),
        ('{"d":{"a":1,"b":"y","c":3,"e":4}}', '{"d":{"b":""}}'),
        ('{"d":[true,1,2]}', '{"d":[true]}'),
        ('{"d":[1,true,2,3,[4,5],6,7]}', '{"d":[true,[]]}'),
        ('{"d":{"a":1,"b":2}}', '{"d":{}}'),
    ],
)
def test_what_is_left_of_members_is_json(raw: str, kept: str) -> None:
    """Several that are cut at the end leave no comma behind, nor does any other choice."""
    assert kept == cut("d.**", raw, names_except=("id",), numbers_except=())


@pytest.mark.parametrize("blank", ["", " ", "\n", "\t", "\r\n"])
def test_what_is_left_of_json_inside_a_text_is_json(blank: str) -> None:
    """Also where two rules cut its last members, and with blanks, which a text escapes."""
    inner = blank.join(["{", '"id"', ":", '"x"', ",", '"a"', ":1", ",", '"b":2', "}"])
    fields = (Field("A", "t>a", ""), Field("B", "t>b", ""))
    kept = Cutter(CutTable(1, fields)).cut(json.dumps({"t": inner}).encode())
    assert {"id": "x"} == json.loads(json.loads(kept.text)["t"])
    assert {"A"} <= {piece.rule for piece in kept.pieces}


_VALUES = st.recursive(
    st.sampled_from([1, -2.5, "x", True, None]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcdn"), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_VALUES, st.sampled_from([None, 1]))
def test_what_is_left_is_the_value_without_what_is_cut(value: Any, indent: int | None) -> None:
    """Members and elements that are numbers are gone, texts are empty, all else is as it was."""

    def left(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: left(each, key) for key, each in value.items() if not gone(each, key)}
        if isinstance(value, list):
            return [left(each, name) for each in value if not gone(each, name)]
        return "" if isinstance(value, str) else value

    def gone(value: Any, name: str) -> bool:
        return type(value) in {int, float} and name != "n"

    raw = json.dumps({"d": {"v": value}}, indent=indent)
    assert {"d": left({"v": value})} == json.loads(cut("d.**", raw, numbers_except=("n",)))


@given(st.binary(max_size=60))
def test_no_bytes_break_a_cutter(raw: bytes) -> None:
    """Any input gets an answer."""
    for path in ("key", "t>key", "*.a"):
        cutter(path, query_except=()).cut(raw)
