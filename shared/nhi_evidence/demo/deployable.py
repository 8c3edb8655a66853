"""Where the deployables are: beside the library in a checkout, inside it in an installation."""

from __future__ import annotations

from pathlib import Path

import nhi_evidence
from nhi_evidence.errors import SettingsError


def folder(name: str) -> Path:
    """Return the folder of a deployable.

    Raises `SettingsError` if the library is installed without the deployables.
    """
    package = Path(nhi_evidence.__file__).resolve().parent
    for functions in (package.parents[1] / "functions", package / "demo" / "functions"):
        if (functions / name / "deploy.toml").exists():
            return functions / name
    raise SettingsError(
        "the demo runs the real functions, which this installed package does not contain: run it "
        "from a checkout (make demo), or install what `make build` makes, with its extra `demo`"
    )
