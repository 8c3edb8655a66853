"""Consistency of lists: nothing is named twice, and nothing is named for a list that is empty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import File


def lists_fit(file: File) -> Iterator[tuple[Path, str]]:
    """Yield each value that a list has before, and a provider through which nothing is listed."""
    for path, values in _lists((), file):
        for at, value in enumerate(values):
            if value.lower() in {one.lower() for one in values[:at]}:
                yield (*path, at), f'"{value}" is listed twice: remove one'
    gcp = file.gcp
    if gcp is not None and gcp.reconcile_provider is not None and not gcp.reconcile_projects:
        yield (
            ("gcp", "reconcile_provider"),
            "lists nothing without reconcile_projects: name the projects there, or remove it",
        )


def _lists(path: Path, value: object) -> Iterator[tuple[Path, Sequence[str]]]:
    """Yield every list of texts in a part of the file, with its place."""
    if isinstance(value, msgspec.Struct):
        for key in value.__struct_fields__:
            yield from _lists((*path, key), getattr(value, key))
    elif isinstance(value, tuple):
        yield path, [element for element in value if isinstance(element, str)]
        for at, element in enumerate(value):
            yield from _lists((*path, at), element)
