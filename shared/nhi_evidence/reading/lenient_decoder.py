"""Read JSON objects into structs although the types of their attributes vary.

Providers write a string where an object is usual, JSON inside a text, a name in a different case.
An attribute of an unexpected type reads as absent and is reported, so that it affects nothing else:
the rest of the object is still read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Generic, TypeVar, get_args, get_origin

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Rejection
from nhi_evidence.reading.bounded_cache import bounded_cache

_StructT = TypeVar("_StructT", bound=msgspec.Struct)


class LenientDecoder(Generic[_StructT]):
    """Reads one struct: in one call if everything fits, else attribute by attribute.

    With `fold_case`, the slower way also finds an attribute whose name is in a different case.
    """

    def __init__(self, shape: type[_StructT], *, fold_case: bool = False) -> None:
        """Prepare to read objects of a shape."""
        self._shape = shape
        self._decode: Callable[[bytes | msgspec.Raw], _StructT] = msgspec.json.Decoder(shape).decode
        self._fold_case = fold_case

    def record(self, raw: bytes) -> tuple[_StructT, tuple[str, ...]] | Rejection:
        """Read a whole record; the second value names attributes that could not be used."""
        try:
            return self._decode(raw), ()
        except msgspec.ValidationError:
            return self.record_leniently(raw)
        except RecursionError:
            return Rejection("nesting_too_deep", "more levels than the JSON reader takes")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])

    def record_leniently(self, raw: bytes) -> tuple[_StructT, tuple[str, ...]] | Rejection:
        """Read a whole record attribute by attribute."""
        unusable: list[str] = []
        try:
            record = decode_leniently(self._shape, raw, "", unusable, fold_case=self._fold_case)
        except RecursionError:
            return Rejection("nesting_too_deep", "more levels than the JSON reader takes")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if isinstance(error, msgspec.ValidationError):
                return Rejection("record_not_an_object", raw[:40].decode(errors="replace"))
            return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])
        return record, tuple(unusable)

    def part(self, piece: bytes | msgspec.Raw, where: str) -> tuple[_StructT, tuple[str, ...]]:
        """Read a slice of a record; `where` is its name in the record.

        Raises `msgspec.DecodeError`, `RecursionError` or `UnicodeDecodeError` when the slice
        cannot be decoded, in particular `msgspec.ValidationError` when it is not an object.
        """
        try:
            return self._decode(piece), ()
        except msgspec.ValidationError:
            return self.part_leniently(piece, where)

    def part_leniently(
        self, piece: bytes | msgspec.Raw, where: str
    ) -> tuple[_StructT, tuple[str, ...]]:
        """Read a slice attribute by attribute; raises as `part` does."""
        unusable: list[str] = []
        part = decode_leniently(self._shape, piece, where, unusable, fold_case=self._fold_case)
        return part, tuple(unusable)


def nested(piece: bytes | msgspec.Raw) -> bytes:
    """Return the JSON inside a slice if it is a text of a list or object, else the slice itself.

    Raises as `msgspec.json.decode` does when the slice cannot be decoded.
    """
    slice_ = bytes(piece)
    if not slice_.startswith(b'"'):
        return slice_
    inside = msgspec.json.decode(slice_, type=str).strip()
    return inside.encode() if inside[:1] in {"{", "["} else slice_


def decode_leniently(
    shape: type[_StructT],
    piece: bytes | msgspec.Raw,
    where: str,
    unusable: list[str],
    *,
    fold_case: bool = False,
) -> _StructT:
    """Read an object attribute by attribute, leaving out those of another type.

    Their names are added to `unusable`. Raises `msgspec.ValidationError` when `piece` is not an
    object, and as `msgspec.json.decode` does when it is not JSON.
    """
    slices = msgspec.json.decode(piece, type=dict[str, msgspec.Raw])
    if fold_case:
        slices = _spelt_as(shape, slices)
    values: dict[str, Any] = {}
    for field in _fields(shape):
        value = slices.get(field.encode_name)
        if value is None:
            continue
        if field.decode is None:
            values[field.name] = value
            continue
        try:
            values[field.name] = field.decode(value)
        except msgspec.ValidationError:
            name = f"{where}.{field.encode_name}" if where else field.encode_name
            values[field.name] = _lenient_value(field.type, value, name, unusable, fold_case)
    return shape(**values)


class _Field(msgspec.Struct, frozen=True):
    """One attribute of a struct, and its decoder."""

    name: str
    encode_name: str
    folded_name: str
    type: Any
    decode: Callable[[msgspec.Raw], Any] | None
    """None if it stays a slice."""


@cache
def _fields(shape: type[msgspec.Struct]) -> tuple[_Field, ...]:
    """Return the attributes of a struct; cached, as this costs as much as reading 100 records."""
    return tuple(
        _Field(
            field.name,
            field.encode_name,
            field.encode_name.lower(),
            field.type,
            None if field.type is msgspec.Raw else msgspec.json.Decoder(field.type).decode,
        )
        for field in msgspec.structs.fields(shape)
    )


def _spelt_as(
    shape: type[msgspec.Struct], slices: dict[str, msgspec.Raw]
) -> dict[str, msgspec.Raw]:
    """Return the slices under the struct's names; an exact spelling takes precedence."""
    return {name: slices[spelt] for name, spelt in _spellings(shape, tuple(slices))}


@bounded_cache(results=512, longest=4096)
def _spellings(shape: type[msgspec.Struct], names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return a struct's names and their spellings; cached, as records of a kind share them."""
    folded = {name.lower(): name for name in reversed(names)}
    return tuple(
        (name, name if name in names else folded[field.folded_name])
        for field in _fields(shape)
        if field.folded_name in folded
        for name in (field.encode_name,)
    )


def _lenient_value(
    expected: Any, value: msgspec.Raw, name: str, unusable: list[str], fold_case: bool
) -> Any:
    """Read what can be read of an attribute of an unexpected type, and name what cannot.

    An object may be inside a text, and a single element of a list may differ from the others.
    """
    inside = _inside(value)
    for option in get_args(expected):
        try:
            if _is_struct(option):
                return decode_leniently(option, inside, name, unusable, fold_case=fold_case)
            if get_origin(option) is list:
                elements = msgspec.json.decode(inside, type=list[msgspec.Raw])
                return _elements(get_args(option)[0], elements, name, unusable, fold_case)
        except msgspec.ValidationError:
            continue
    unusable.append(name)
    return None


def _inside(value: msgspec.Raw) -> bytes:
    """Return the JSON inside a text, or the text itself if it is not JSON."""
    try:
        inside = nested(value)
        msgspec.json.decode(inside, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return bytes(value)
    return inside


def _elements(
    expected: Any, elements: list[msgspec.Raw], name: str, unusable: list[str], fold_case: bool
) -> list[Any]:
    readable = []
    for index, element in enumerate(elements):
        where = f"{name}.{index}"
        try:
            if _is_struct(expected):
                readable.append(
                    decode_leniently(expected, element, where, unusable, fold_case=fold_case)
                )
            else:
                readable.append(msgspec.json.decode(element, type=expected))
        except msgspec.ValidationError:
            unusable.append(where)
    return readable


def _is_struct(option: Any) -> bool:
    return isinstance(option, type) and issubclass(option, msgspec.Struct)
