"""When a declaration applies, and which bytes of a query are values, at the edges."""

from __future__ import annotations

import msgspec
import pytest

from nhi_evidence.reading.cut_table import Category, Condition, is_named, query_values, steps_of


@pytest.mark.parametrize(
    ("record", "is_there"),
    [
        ({"a": {"b": "text"}}, True),
        ({"a": {"b": 0}}, True),
        ({"a": {"b": ""}}, True),
        ({"a": {"b": None}}, False),
        ({"a": {}}, False),
        ({"a": "no object"}, False),
        ([], False),
    ],
)
def test_presence_does_not_depend_on_the_value(record: object, *, is_there: bool) -> None:
    assert Condition("a.b", present=True).holds(record) is is_there
    assert Condition("a.b", present=False).holds(record) is not is_there


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("one", True),
        ("two", True),
        ("three", False),
        ("pre", True),
        ("prefix", True),
        ("xpre", False),
        (1, False),
        (None, False),
        (["one"], False),
    ],
)
def test_a_string_matches_the_list_or_a_prefix(value: object, *, holds: bool) -> None:
    condition = Condition("a", any_of=("one", "two"), starts_with="pre")
    assert condition.holds({"a": value}) is holds


def test_without_a_prefix_only_the_list_counts() -> None:
    assert not Condition("a", any_of=("one",)).holds({"a": "ones"})


def test_only_complete_parts_of_a_truncated_text_count() -> None:
    cut_off = '{"verb":"create","object":{"name":"long'
    assert Condition("log>verb", any_of=("create",)).holds({"log": cut_off})
    assert Condition("log>object", present=False).holds({"log": cut_off})


def test_a_string_that_is_not_json_is_an_error_not_an_absence() -> None:
    for condition in (Condition("log>verb", present=True), Condition("log>verb", present=False)):
        with pytest.raises(msgspec.DecodeError):
            condition.holds({"log": "no json"})


def test_every_condition_of_a_category_holds() -> None:
    category = Category("c", (Condition("a", present=True), Condition("b", present=True)), "why")
    assert category.holds({"a": 1, "b": 2})
    assert not category.holds({"a": 1})


def test_the_steps_of_a_path() -> None:
    """A name that has dots itself stands in quotes."""
    assert steps_of("a.b>c") == (("a", False), ("b", True), ("c", False))
    assert steps_of('a."b.c>d">e') == (("a", False), ("b.c>d", True), ("e", False))


@pytest.mark.parametrize(
    ("name", "step", "expected"),
    [
        ("command", "command", True),
        ("command", "comm", False),
        ("command", "comm*", True),
        ("a-command", "comm*", False),
        ("command", "*", True),
        (None, "*", True),
        (None, "comm*", False),
    ],
)
def test_which_member_a_step_takes(name: str | None, step: str, *, expected: bool) -> None:
    assert is_named(name, step) is expected


@pytest.mark.parametrize(
    ("uri", "values"),
    [
        (b"/path", []),
        (b"/path?", []),
        (b"?a=1", [b"1"]),
        (b"/p?a=1&b=2", [b"1", b"2"]),
        (b"/p?a=1;b=2#c", [b"1", b"2", b"c"]),
        (b"/p?bare", [b"bare"]),
        (b"/p?a=", []),
        (b"/p?=1", [b"1"]),
        (b"/p?a=1&", [b"1"]),
        (b"/p?a=1=2", [b"1=2"]),
        (b"/p?known=1&a=2", [b"2"]),
        (b"/p?k%6Eown=1", []),
        (b"/p?a=1?b=2", [b"1?b=2"]),
        (b"/p?&&a=1", [b"1"]),
    ],
)
def test_the_values_of_a_query(uri: bytes, values: list[bytes]) -> None:
    assert [uri[start:end] for start, end in query_values(uri, ("known",))] == values
