"""How this program is run again from where the user stands, so that a printed command runs."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

NAME = "nhi-evidence"


def own_name() -> str:
    """Return the program's name where the shell would find this one by it, else its path.

    The path is relative where it lies below the working directory: `.venv/bin/nhi-evidence`.
    """
    started = Path(sys.argv[0])
    if started.name != NAME or started.parent == Path():
        return NAME  # a shell found it by its name, or it runs inside another program
    on_path = shutil.which(NAME)
    if on_path is not None and Path(on_path).resolve() == started.resolve():
        return NAME
    absolute = Path(os.path.abspath(started))  # noqa: PTH100 links are kept: a venv is one
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)
