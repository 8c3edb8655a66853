"""Consistency of lists: a name stands in a list once."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import File


def nothing_repeated(file: File) -> Iterator[tuple[Path, str]]:
    """Yield each name that a list of names holds a second time, wherever the list is in the file.

    What is deployed has one resource for each, so a second has no meaning.
    """
    yield from _within((), file)


def _within(path: Path, value: object) -> Iterator[tuple[Path, str]]:
    if isinstance(value, msgspec.Struct):
        for key in value.__struct_fields__:
            yield from _within((*path, key), getattr(value, key))
    elif isinstance(value, tuple):
        names = [one for one in value if isinstance(one, str)]
        for at, name in enumerate(names):
            if name in names[:at]:
                yield (*path, at), f'"{name}" is listed twice: remove one'
        for at, element in enumerate(value):
            yield from _within((*path, at), element)
