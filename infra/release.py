"""The tree that wheel and sdist are built from: what is committed, and the demo's functions.

In a checkout the demo runs `functions/` beside the library. An installed package has no such
folder, so it contains the functions the demo runs, and the declarations of the others. Nothing
uncommitted gets in, and the package names its commit (`nhi-evidence version --verbose`); without
git it is the working tree as it is, and names no commit.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGED = ("LICENSE", "README.md", "pyproject.toml", "shared", "functions")
"""What the build needs, and nothing else."""

PLAYED = ("aws_export", "azure_export", "gcp_export")
"""The functions that the demo runs."""

INSIDE = Path("shared/nhi_evidence/demo/functions")
_GENERATED = shutil.ignore_patterns("__pycache__", "*.pyc")


class ReleaseError(Exception):
    """The tree cannot be staged; the text says why."""


def stage(target: Path, *, uncommitted: bool = False) -> str:
    """Write the tree to `target`, replacing it; return the commit, or "no commit".

    With `uncommitted`, the working tree is taken as it is, and no commit is named. Otherwise raises
    `ReleaseError` if anything is uncommitted, since no commit would describe it.
    """
    if uncommitted or not (ROOT / ".git").exists():
        _empty(target)
        for name in PACKAGED:
            _copy(ROOT / name, target / name)
        commit = "no commit"
    else:
        if changed := _git("status", "--porcelain", "--untracked-files=no", "--", *PACKAGED):
            raise ReleaseError(f"changed and not committed: {changed.decode().split()[1]}")
        archive = _git("archive", "--format=tar", "HEAD", *PACKAGED)
        _empty(target)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            # Debian's Python 3.11 has no filter yet, and later ones ask for one.
            files.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            files.extractall(target)  # noqa: S202 what git wrote of our own files
        commit = _git("rev-parse", "HEAD").decode().strip()
    for name in PLAYED:
        _copy(target / "functions" / name, target / INSIDE / name)
    # The doctor compares what is deployed with what every function declares.
    for declared in (target / "functions").glob("*/deploy.toml"):
        if declared.parent.name not in PLAYED:
            (target / INSIDE / declared.parent.name).mkdir(parents=True)
            _copy(declared, target / INSIDE / declared.parent.name / declared.name)
    shutil.rmtree(target / "functions")
    return commit


def _empty(target: Path) -> None:
    if ROOT.is_relative_to(target.resolve()):
        raise ReleaseError(f"{target} would be replaced, and contains the sources")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=_GENERATED)
    else:
        shutil.copy2(source, target)


def _git(*arguments: str) -> bytes:
    try:
        command = ("git", "-C", str(ROOT), *arguments)
        return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise ReleaseError(f"git {arguments[0]}: {error}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Stage the tree, and print its commit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--uncommitted", action="store_true", help="take the working tree as it is")
    options = parser.parse_args(arguments)
    try:
        commit = stage(options.out, uncommitted=options.uncommitted)
    except ReleaseError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{options.out}: {commit}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
