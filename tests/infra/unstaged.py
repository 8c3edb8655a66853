"""Bundles without their wheels, for tests of what is synthesized around them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from infra.bundle import Bundle
from infra.declaration import FUNCTIONS, declaration


def unstaged(folder: Path) -> Callable[[str], Bundle]:
    """Return what gives a function's bundle under `folder`: its declaration and own files alone.

    Whole bundles are looked into elsewhere (tests/packaging), and synthesized as the app is run.
    """

    def bundle(name: str) -> Bundle:
        declared = declaration(name)
        root = folder / name
        (root / "nhi_evidence").mkdir(parents=True, exist_ok=True)
        for file in (declared.function.entry, *declared.bundle.lift):
            shutil.copyfile(FUNCTIONS / name / file, root / file)
        return Bundle(name, root, "", 0, declared)

    return bundle
