"""Where the deployables are: beside the library, in a checkout."""

from __future__ import annotations

from pathlib import Path

import nhi_evidence
from nhi_evidence.errors import SettingsError


def folder(name: str) -> Path:
    """Return the folder of a deployable.

    Raises `SettingsError` where the library is installed without the deployables.
    """
    deployable = Path(nhi_evidence.__file__).resolve().parents[2] / "functions" / name
    if not (deployable / "deploy.toml").exists():
        raise SettingsError(
            "the demo runs the real functions, which an installed package does not hold; "
            "run it from a checkout: make demo"
        )
    return deployable
