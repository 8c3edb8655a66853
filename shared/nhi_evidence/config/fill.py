"""Filling structs from the tables of a TOML document, reporting every problem.

`msgspec.convert` stops at the first fault, but someone who writes a configuration wants them all.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from nhi_evidence.config.locate import Path

_T = TypeVar("_T", bound=msgspec.Struct)
_LONGEST = 60


class Fault(msgspec.Struct, frozen=True):
    """Something wrong in one place of the document."""

    path: Path
    """Where it is; for a missing key, the table that lacks it."""
    text: str
    """What is wrong and what to write instead."""


def fill(shape: type[_T], table: dict[str, Any], faults: list[Fault], path: Path = ()) -> _T | None:
    """Return `shape` filled from `table`, or None after adding the reasons to `faults`."""
    before = len(faults)
    fields = {field.name: field for field in msgspec.structs.fields(shape)}
    faults += [_unknown((*path, name), fields) for name in table if name not in fields]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in table:
            values[name] = _value(field.type, table[name], (*path, name), faults)
        elif field.required:
            faults.append(_missing(path, name, field.type))
    return shape(**values) if len(faults) == before else None


def _value(wanted: Any, value: Any, path: Path, faults: list[Fault]) -> Any:
    wanted = _without_none(wanted)
    if _is_table(wanted):
        if isinstance(value, dict):
            return fill(wanted, value, faults, path)
        faults.append(Fault(path, f"is {_kind(value)}, not a table: write [{dotted(path)}]"))
        return None
    if get_origin(wanted) is tuple:
        return _list(get_args(wanted)[0], value, path, faults)
    try:
        return msgspec.convert(value, wanted, strict=True)
    except msgspec.ValidationError:
        faults.append(Fault(path, wrong(wanted, value, path)))
        return None


def _list(wanted: Any, value: Any, path: Path, faults: list[Fault]) -> tuple[Any, ...] | None:
    if not isinstance(value, list):
        expected = (
            f"[[{dotted(path)}]]" if _is_table(wanted) else _written(path, [_example(wanted)])
        )
        faults.append(Fault(path, f"is {_kind(value)}, not a list: write {expected}"))
        return None
    return tuple(_value(wanted, one, (*path, at), faults) for at, one in enumerate(value))


def _unknown(path: Path, fields: dict[str, Any]) -> Fault:
    near = get_close_matches(str(path[-1]), fields, n=1)
    advice = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(fields))}"
    return Fault(path, f"unknown key; {advice}")


def _missing(path: Path, name: str, wanted: Any) -> Fault:
    wanted = _without_none(wanted)
    where = f"under {_header(path)}" if path else "at the top"
    if _is_table(wanted):
        return Fault(path, f"{name} is missing: add the table [{dotted((*path, name))}]")
    if get_origin(wanted) is tuple and _is_table(get_args(wanted)[0]):
        return Fault(path, f"{name} is missing: add at least one [[{dotted((*path, name))}]]")
    inner = get_args(wanted)[0] if get_origin(wanted) is tuple else wanted
    sample = _written((name,), [_example(inner)] if inner is not wanted else _example(inner))
    return Fault(path, f"{name} is missing: add {where} {sample} ({_description(inner)})")


def wrong(wanted: Any, value: Any, path: Path) -> str:
    """Return a message that a value is not of the wanted kind, with an example of one that is."""
    literal = _literal(value)
    actual = f"{literal} ({_kind(value)})" if not isinstance(value, str) else literal
    example = _example(wanted)
    in_list = isinstance(path[-1], int)
    sample = _written((_name(path),), [example] if in_list else example)
    return f"{actual} is not {_description(wanted)}; for example {sample}"


def _name(path: Path) -> str:
    return next(one for one in reversed(path) if isinstance(one, str))


def dotted(path: Path) -> str:
    """Return the dotted name of a path, without positions in arrays."""
    return ".".join(one for one in path if isinstance(one, str))


def _header(path: Path) -> str:
    name = dotted(path)
    return f"[[{name}]]" if isinstance(path[-1], int) else f"[{name}]"


def _written(path: Path, value: Any) -> str:
    return f"{path[-1] if isinstance(path[-1], str) else dotted(path)} = {_literal(value)}"


def _literal(value: Any) -> str:
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number with a fraction"}
    kinds |= {str: "a text", list: "a list", dict: "a table"}
    return kinds.get(type(value), "a date or time")


def _description(wanted: Any) -> str:
    if get_origin(wanted) is Literal:
        return "one of " + ", ".join(f'"{one}"' for one in get_args(wanted))
    if wanted is bool:
        return "true or false, without quotes"
    return next(_meta(wanted)).description or "what is expected"


def _example(wanted: Any) -> Any:
    if get_origin(wanted) is Literal:
        return get_args(wanted)[0]
    if wanted is bool:
        return True
    return (next(_meta(wanted)).examples or [""])[0]


def _meta(wanted: Any) -> Iterator[msgspec.Meta]:
    for argument in get_args(wanted) if get_origin(wanted) is Annotated else ():
        if isinstance(argument, msgspec.Meta):
            yield argument


def _is_table(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def _without_none(wanted: Any) -> Any:
    if get_origin(wanted) in {Union, types.UnionType}:
        return next(one for one in get_args(wanted) if one is not type(None))
    return wanted
