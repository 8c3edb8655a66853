"""What Google builds the function's container from: our code, and which wheels to install.

Cloud Build installs a function's requirements itself, the Functions Framework in any case; bundled
wheels would sit beside those and never be imported. So the staged wheels are left out, and the lock
goes in their place: the same versions, each accepted only with the hash in the lock.
(docs/decisions/0049-google-installs-from-the-lock.md)
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import msgspec

from infra.bundle import PACKAGE, Bundle, archive, export_lock
from infra.declaration import Contents, Declaration

REQUIREMENTS = "requirements.txt"


def build_source(bundle: Bundle, into: Path) -> Path:
    """Write the source archive of a staged bundle under `into`; return its path."""
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into, prefix=f".{bundle.name}-") as folder:
        root = Path(folder)
        shutil.copytree(bundle.path / PACKAGE.name, root / PACKAGE.name)
        declared = bundle.declaration
        for name in (declared.function.entry, *declared.bundle.lift):
            shutil.copyfile(bundle.path / name, root / name)
        (root / REQUIREMENTS).write_text(requirements(declared), encoding="utf-8")
        source = msgspec.structs.replace(bundle, path=root)
        return archive(source, into / f"{bundle.path.name}-source.zip")


def requirements(declared: Declaration) -> str:
    """Return every distribution of the function's group, pinned and with its hashes."""
    everything = msgspec.structs.replace(declared, bundle=Contents())
    return export_lock(everything, "--no-annotate", "--no-header")
