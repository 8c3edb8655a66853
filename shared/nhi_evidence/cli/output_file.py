"""Files a command writes: over what is there only where that is asked for, never over an input."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from nhi_evidence.errors import SettingsError

Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Write over the output file where it is there.")
]


def create(path: Path, *, inputs: Iterable[Path | str] = (), overwrite: bool = False) -> BinaryIO:
    """Open a file to write.

    Raises `SettingsError` when it is there already and `overwrite` is not given, when it is one
    of `inputs` or in a folder that is, whatever was given, and when it cannot be made. An input
    that is no path of this machine, such as a URI, is none that could be written over.
    """
    try:
        if path.exists() and any(_is_of(path, Path(given)) for given in inputs):
            raise SettingsError(f"{path}: is an input; it is not written over")
        return path.open("wb" if overwrite else "xb")
    except FileExistsError as error:
        raise SettingsError(f"{path}: is there already; --overwrite writes over it") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written: {error.strerror}") from error


def _is_of(path: Path, input_path: Path) -> bool:
    """Whether an existing file is another one, by whatever name, or lies somewhere below it."""
    if not input_path.exists():
        return False
    return path.samefile(input_path) or path.resolve().is_relative_to(input_path.resolve())
