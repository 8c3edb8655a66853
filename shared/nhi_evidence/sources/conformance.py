"""Whether a module provides what a protocol requires: each name, with the right type or arguments.

Checked for every source when it is loaded, so that an unfinished pack is a clear error, and not a
failure at the first record that needs what it lacks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import msgspec


def members(protocol: type) -> dict[str, Any]:
    """Return what a protocol requires, by name; a property stands for an attribute."""
    members_by_name: dict[str, Any] = {}
    for cls in reversed(protocol.__mro__):
        if cls is not object and getattr(cls, "_is_protocol", False):
            members_by_name |= {
                name: each for name, each in vars(cls).items() if not name.startswith("_")
            }
    return {
        name: each
        for name, each in members_by_name.items()
        if isinstance(each, property) or callable(each)
    }


def problems(module: object, protocol: type) -> list[str]:
    """Return what a module lacks of a protocol, or provides wrongly; empty if it conforms."""
    problems = []
    for name, member in members(protocol).items():
        if not hasattr(module, name):
            problems.append(f"it has no {name}")
            continue
        offered = getattr(module, name)
        problem = (
            _attribute_problem(offered, member)
            if isinstance(member, property)
            else _function_problem(offered, member)
        )
        if problem is not None:
            problems.append(f"{name} {problem}")
    return problems


def _attribute_problem(offered: object, attribute: property) -> str | None:
    wanted = get_type_hints(attribute.fget)["return"]
    try:
        msgspec.convert(offered, wanted, strict=True)
    except msgspec.ValidationError as error:
        return f"is not as asked: {error}"
    return None


def _function_problem(offered: object, method: Callable[..., Any]) -> str | None:
    if not callable(offered):
        return "is no function"
    wanted = _arguments(method)[1:]  # without self
    try:
        inspect.signature(offered).bind(*wanted)
    except TypeError:
        return f"does not take ({', '.join(wanted)})"
    return None


def _arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    parameters: Mapping[str, inspect.Parameter] = inspect.signature(function).parameters
    return tuple(parameters)
