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


def create(path: Path, *, inputs: Iterable[Path] = (), overwrite: bool = False) -> BinaryIO:
    """Open a file to write.

    Raises `SettingsError` when it is there already and `overwrite` is not given, when it is one
    of `inputs` whatever was given, and when it cannot be made.
    """
    try:
        if any(path.exists() and given.exists() and path.samefile(given) for given in inputs):
            raise SettingsError(f"{path}: is an input; it is not written over")
        return path.open("wb" if overwrite else "xb")
    except FileExistsError as error:
        raise SettingsError(f"{path}: is there already; --overwrite writes over it") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written: {error.strerror}") from error
