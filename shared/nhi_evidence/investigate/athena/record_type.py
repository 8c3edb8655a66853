"""The shape of a normalized record as an Athena type: what `row_reading` reads, and no more.

Derived from the structures that the local index decodes with, so the two cannot differ.
https://docs.aws.amazon.com/athena/latest/ug/extracting-data-from-JSON.html
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import inspect

from nhi_evidence.investigate import row_reading

_SCALARS: dict[type[inspect.Type], str] = {
    inspect.StrType: "VARCHAR",
    inspect.IntType: "BIGINT",
    inspect.BoolType: "BOOLEAN",
}
_UNPLACED = "unmapped"
"""Kept raw by the local reader, which decodes it only if it is present."""


def record_type() -> str:
    """Return the type of a normalized record: `ROW("time" BIGINT, ...)`."""
    return _row(row_reading.SHAPE)


def required(name: str) -> str:
    """Return the condition that a record `name` of `record_type` has all required fields."""
    return " AND ".join(f"{path} IS NOT NULL" for path in _required(row_reading.SHAPE, name))


def _row(shape: type[msgspec.Struct]) -> str:
    fields = ", ".join(
        f'"{field.encode_name}" {_type(field)}' for field in msgspec.structs.fields(shape)
    )
    return f"ROW({fields})"


def _type(field: msgspec.structs.FieldInfo) -> str:
    if field.encode_name == _UNPLACED:
        return _row(row_reading.UNPLACED)
    return _spelled(inspect.type_info(field.type))


def _spelled(known: inspect.Type) -> str:
    match known:
        case inspect.UnionType(types=types):
            (inner,) = (each for each in types if not isinstance(each, inspect.NoneType))
            return _spelled(inner)
        case inspect.VarTupleType(item_type=item):
            return f"ARRAY({_spelled(item)})"
        case inspect.StructType(cls=shape):
            return _row(shape)
        case _:
            return _SCALARS[type(known)]


def _required(shape: type[msgspec.Struct], path: str) -> Iterator[str]:
    for field in msgspec.structs.fields(shape):
        if not field.required:
            continue
        known = inspect.type_info(field.type)
        own = f'{path}."{field.encode_name}"'
        if isinstance(known, inspect.StructType):
            yield own
            yield from _required(known.cls, own)
        else:
            yield own
