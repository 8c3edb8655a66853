"""Remembering results of pure functions, within bounds an input cannot stretch.

`functools.lru_cache` bounds how many keys are kept, not how long they are; what a record holds
may be megabytes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def bounded_cache(*, results: int, longest: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep up to `results` results of calls whose texts and bytes are at most `longest` long."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        cached = lru_cache(results)(function)

        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for argument in args:
                if isinstance(argument, str | bytes) and len(argument) > longest:
                    return function(*args, **kwargs)
            return cached(*args, **kwargs)  # type: ignore[arg-type] # callers pass hashable values

        call.__doc__, call.__name__ = function.__doc__, function.__name__
        return call

    return decorate
