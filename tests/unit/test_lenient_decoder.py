"""A malformed attribute affects only itself, and is named."""

from __future__ import annotations

import json

import msgspec
import pytest

from nhi_evidence.event import Rejection
from nhi_evidence.reading.lenient_decoder import LenientDecoder, decode_leniently, nested


class Part(msgspec.Struct):
    name: str | None = None
    size: int | None = None


class Example(msgspec.Struct, rename={"kind": "Kind"}):
    slice: msgspec.Raw = msgspec.Raw(b"")
    id: str | None = None
    kind: str | None = None
    part: Part | None = None
    parts: list[Part] | None = None
    words: list[str] | None = None
    left: msgspec.Raw | None = None
    either: Part | list[str] | None = None


READER = LenientDecoder(Example)
FOLDED = LenientDecoder(Example, fold_case=True)


def read(**record: object) -> tuple[Example, tuple[str, ...]]:
    result = READER.record(json.dumps(record).encode())
    assert not isinstance(result, Rejection)
    return result


def test_a_well_formed_record_is_read_at_once() -> None:
    """Nothing is named, and what is absent is absent."""
    example, unusable = read(id="a", Kind="k", part={"name": "n", "size": 3}, words=["x"])
    assert Example(id="a", kind="k", part=Part("n", 3), words=["x"]) == example
    assert () == unusable


@pytest.mark.parametrize("value", [7, True, [], {}, ["x"]])
def test_a_malformed_attribute_is_named_and_affects_no_other(value: object) -> None:
    """The rest of the record is read."""
    example, unusable = read(id=value, Kind="k", part={"size": 3})
    assert (None, "k", Part(None, 3)) == (example.id, example.kind, example.part)
    assert ("id",) == unusable


def test_names_are_those_of_the_record() -> None:
    """Names are paths: `part.size`, `parts.1.name`, `words.0`."""
    example, unusable = read(
        Kind=7,
        part={"name": "n", "size": "large"},
        parts=[{"name": "a"}, {"name": 1, "size": 2}, "text"],
        words=[1, "w", None],
    )
    assert Part("n", None) == example.part
    assert [Part("a", None), Part(None, 2)] == example.parts
    assert ["w"] == example.words
    assert ("Kind", "part.size", "parts.1.name", "parts.2", "words.0", "words.2") == unusable


def test_json_inside_a_string_is_decoded() -> None:
    """It may be an object or a list with white space around; any other string is unusable."""
    example, unusable = read(part='{"name":"n"}', parts=' [{"size":1}]\n', words='["a"]')
    assert (Part("n"), [Part(size=1)], ["a"]) == (example.part, example.parts, example.words)
    assert () == unusable
    example, unusable = read(part="{name}", words="plain", parts="7")
    assert (None, None, None) == (example.part, example.words, example.parts)
    assert ("part", "parts", "words") == unusable


def test_a_slice_is_taken_as_it_is() -> None:
    """Whatever it contains, white space included, on the slow path too."""
    result = READER.record(b'{"id":7,"slice": {"a" : [1,  2]} }')
    assert not isinstance(result, Rejection)
    assert b'{"a" : [1,  2]}' == bytes(result[0].slice)
    assert ("id",) == result[1]


def test_names_in_another_case_are_found_where_asked() -> None:
    """An exact spelling comes first, then the first of the others; only on the slow path."""
    raw = b'{"ID":"upper","KIND":"k","part":{"NAME":"n"},"words":7}'
    exact = READER.record_leniently(raw)
    folded = FOLDED.record(raw)
    assert not isinstance(exact, Rejection)
    assert not isinstance(folded, Rejection)
    assert (None, None) == (exact[0].id, exact[0].kind)
    assert ("upper", "k", ("words",)) == (folded[0].id, folded[0].kind, folded[1])
    both = FOLDED.record_leniently(b'{"iD":"first","Id":"second","id":"exact"}')
    assert not isinstance(both, Rejection)
    assert "exact" == both[0].id
    others = FOLDED.record_leniently(b'{"iD":"first","Id":"second"}')
    assert not isinstance(others, Rejection)
    assert "first" == others[0].id


def test_parts_in_another_case_are_found_too() -> None:
    """At every depth: in an object, and in the elements of a list."""
    raw = b'{"id":7,"part":"{\\"NAME\\":\\"n\\"}","parts":[{"SIZE":4},7]}'
    folded = FOLDED.record(raw)
    assert not isinstance(folded, Rejection)
    assert (Part("n"), [Part(size=4)]) == (folded[0].part, folded[0].parts)


@pytest.mark.parametrize(
    ("raw", "reason", "detail"),
    [
        (b"[1]", "record_not_an_object", "[1]"),
        (b'"' + b"x" * 60 + b'"', "record_not_an_object", '"' + "x" * 39),
        (b"{", "malformed_json", "truncated"),
        (b'{"id":"\xff"}', "malformed_json", ""),
        (b'{"unknown":' + b"[" * 20_000, "nesting_too_deep", "more levels than the JSON reader"),
        (b'{"left":' + b"[" * 20_000, "nesting_too_deep", "more levels than the JSON reader takes"),
    ],
)
def test_anything_but_an_object_is_rejected(raw: bytes, reason: str, detail: str) -> None:
    """Both paths reject it, with the reason and its beginning."""
    for way in (READER.record, READER.record_leniently):
        rejection = way(raw)
        assert isinstance(rejection, Rejection)
        assert reason == rejection.reason
        assert detail in rejection.detail
        assert len(rejection.detail) <= 200
    if reason == "record_not_an_object":
        assert detail == READER.record(raw).detail  # type: ignore[union-attr]


def test_excessive_depth_inside_a_readable_record_is_rejected() -> None:
    """It is rejected when the slow path reaches it."""
    raw = b'{"id":7,"part":' + b'{"name":' * 20_000 + b"1" + b"}" * 20_001
    rejection = READER.record_leniently(raw)
    assert isinstance(rejection, Rejection)
    assert "nesting_too_deep" == rejection.reason


def test_a_part_is_read_by_the_name_the_record_gives_it() -> None:
    """At once if it fits, else attribute by attribute; anything but an object is left to the
    caller.
    """
    parts = LenientDecoder(Part)
    assert (Part("n"), ()) == parts.part(b'{"name":"n"}', "a.b")
    assert (Part(None, 1), ("a.b.name",)) == parts.part(b'{"name":7,"size":1}', "a.b")
    assert (Part(None, 1), ("name",)) == parts.part_leniently(b'{"name":7,"size":1}', "")
    with pytest.raises(msgspec.ValidationError):
        parts.part(b"[]", "a")
    with pytest.raises(msgspec.DecodeError):
        parts.part(b"{", "a")


def test_of_several_shapes_the_matching_one_is_read() -> None:
    """It is an object or a list, and what can be read of either is kept."""
    assert (["a"], ("either.1",)) == (read(either=["a", 7])[0].either, read(either=["a", 7])[1])
    assert Part(None, 2) == read(either={"name": 1, "size": 2})[0].either


def test_names_are_exact_unless_asked_otherwise() -> None:
    """A name in another case is another name."""
    assert Part() == decode_leniently(Part, b'{"NAME":"n"}', "", [])
    assert Part("n") == decode_leniently(Part, b'{"NAME":"n"}', "", [], fold_case=True)


def test_decoding_adds_to_what_is_named_already() -> None:
    """One list for a whole record."""
    unusable = ["before"]
    assert Part(size=2) == decode_leniently(Part, b'{"name":{},"size":2}', "x", unusable)
    assert ["before", "x.name"] == unusable


@pytest.mark.parametrize(
    ("piece", "inside"),
    [
        (b'{"a":1}', b'{"a":1}'),
        (b'"{\\"a\\":1}"', b'{"a":1}'),
        (b'" [1] "', b"[1]"),
        (b'"text"', b'"text"'),
        (b'"7"', b'"7"'),
        (b'""', b'""'),
        (b"7", b"7"),
    ],
)
def test_json_nested_in_a_text(piece: bytes, inside: bytes) -> None:
    """Only a list or an object is decoded from a string; a number in a string stays a string."""
    assert inside == nested(piece)
