"""Caches for pure functions, with bounds that an input cannot exceed.

`functools.lru_cache` bounds the number of keys, not their size; a record's values may be megabytes.
And a lookup must cost less than it saves: it is one dictionary access in C, and Python code runs
only on a miss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

import msgspec

_ABSENT = object()
Arguments = TypeVarTuple("Arguments")
R = TypeVar("R")


def bounded_cache(
    *, results: int, longest: int
) -> Callable[[Callable[[*Arguments], R]], Callable[[*Arguments], R]]:
    """Keep up to `results` results of calls whose texts and bytes are at most `longest` together.

    Texts within tuples and structs count. The function takes its arguments by position:
    a keyword is a `TypeError`.
    """

    def decorate(function: Callable[[*Arguments], R]) -> Callable[[*Arguments], R]:
        if function.__code__.co_argcount == 1:
            by_argument: Any = _Results(function, results, longest).__getitem__
            return by_argument  # type: ignore[no-any-return] # a method in C has no signature

        cached = _Results(lambda key: function(*key), results, longest)

        def call(*args: *Arguments) -> R:
            result: R = cached[args]
            return result

        call.__doc__, call.__name__ = function.__doc__, function.__name__
        return call

    return decorate


class _Results(dict[Any, Any]):
    """Results by argument, in two halves: when one is full, the older half is dropped.

    Ids and times pass through once. Dropping a half avoids searching for the oldest entry, for
    which a dictionary would scan the slots of all deleted ones; and what is used again stays.
    """

    def __init__(self, function: Callable[..., Any], results: int, longest: int) -> None:
        super().__init__()
        self._function = function
        self._half = max(results // 2, 1)
        self._longest = longest
        self._older: dict[Any, Any] = {}

    def __missing__(self, key: Any) -> Any:
        result = self._older.get(key, _ABSENT)
        if result is _ABSENT:
            result = self._function(key)
            if _length(key) > self._longest:
                return result
        if len(self) >= self._half:
            self._older = self.copy()
            self.clear()
        self[key] = result
        return result


def _length(value: Any) -> int:
    """Return how many characters and bytes a value contains."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.astuple(value)
    return sum(map(_length, value)) if isinstance(value, tuple) else 0
