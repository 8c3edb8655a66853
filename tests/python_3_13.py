"""Finding a Python 3.13: some runtimes need exactly that version."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

NAME = "python3.13"


def interpreter() -> Path:
    """Return the path of a Python 3.13; skips the test where the machine has none."""
    if sys.version_info[:2] == (3, 13):
        return Path(sys.executable)
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = sorted(root.glob(f"versions/3.13.*/bin/{NAME}"))
    on_path = shutil.which(NAME)
    if on_path is not None and "shims" not in Path(on_path).parts:
        candidates.append(Path(on_path))
    if not candidates:
        pytest.skip("allowance:python3_13 no Python 3.13 on PATH or under pyenv")
    return candidates[-1]
