"""Files a command writes: overwriting only on request, and never an input."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from nhi_evidence.errors import SettingsError

Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Overwrite the output file if it exists.")
]


def create(path: Path, *, inputs: Iterable[Path | str] = (), overwrite: bool = False) -> BinaryIO:
    """Open a file to write.

    Raises `SettingsError` when it exists and `overwrite` is not given; always when it is one of
    `inputs`, or in a folder that is; and when it cannot be created. An input that is not a local
    path, such as a URI, cannot be overwritten.
    """
    try:
        if path.exists() and any(_is_of(path, Path(given)) for given in inputs):
            raise SettingsError(f"{path}: is an input, and is never overwritten")
        return path.open("wb" if overwrite else "xb")
    except FileExistsError as error:
        raise SettingsError(f"{path}: already exists; --overwrite replaces it") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written: {error.strerror}") from error


def _is_of(path: Path, input_path: Path) -> bool:
    """Whether an existing file is the same as another, under any name, or lies below it."""
    if not input_path.exists():
        return False
    return path.samefile(input_path) or path.resolve().is_relative_to(input_path.resolve())
