"""How to run this program again from the working directory, so that printed commands work."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

NAME = "nhi-evidence"


def own_name() -> str:
    """Return the program's name if the shell would find this program by it, else its path.

    The path is relative if it is below the working directory: `.venv/bin/nhi-evidence`.
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
