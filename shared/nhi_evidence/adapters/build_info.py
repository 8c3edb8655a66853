"""The commit that the installed program was built from, as far as anything states it."""

from __future__ import annotations

import json
import re
import subprocess
from importlib import metadata
from importlib.resources import files
from pathlib import Path

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def commit() -> str | None:
    """Return the commit, with `+changes` if a checkout has any, or None if it is unknown.

    Sources, in this order: what `git archive` wrote into the package (gitattributes,
    `export-subst`), what the installer noted (PEP 610), and the checkout the package is in.
    """
    return _archived() or _installed() or _checked_out()


def _archived() -> str | None:
    text = files("nhi_evidence").joinpath("commit.txt").read_text().strip()
    return text if _HASH.fullmatch(text) else None


def _installed() -> str | None:
    try:
        text = metadata.distribution("nhi-evidence").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    vcs = json.loads(text).get("vcs_info", {}) if text else {}
    commit = vcs.get("commit_id")
    return commit if isinstance(commit, str) and _HASH.fullmatch(commit) else None


def _checked_out() -> str | None:
    package = Path(__file__).parents[1]
    if not (package.parents[1] / ".git").exists():
        return None
    commit = _git(package, "rev-parse", "HEAD")
    if commit is None or not _HASH.fullmatch(commit):
        return None
    return commit if _git(package, "status", "--porcelain", ".") == "" else f"{commit}+changes"


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, or None if git is missing or fails."""
    command = ("git", "-C", str(folder), *arguments)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
