"""Which files name a source, by what they are: `python -m tests.architecture.naming_sources`.

A source is one folder, its cases, its pages and entries of a configuration; its name anywhere else
would be a second place to change. Sources are found by discovery.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from nhi_evidence import sources

ROOT = Path(__file__).parents[2]
CODE = ("shared", "functions", "infra")
"""What is shipped."""
OF_A_KIND = (
    ("its folder", "shared/nhi_evidence/sources/{source}/*"),
    ("its cases", "tests/cases/{source}/*"),
    ("pages", "docs/*"),
    ("pages", "*.md"),
    ("configuration", "nhi-evidence.example.toml"),
    ("configuration", "functions/*/deploy.toml"),
    ("the demo's story", "shared/nhi_evidence/demo/*"),
    ("tests", "tests/*"),
)
"""What a file is, by the first pattern that fits."""


@cache
def named(*folders: str) -> dict[str, tuple[str, ...]]:
    """Return the files that name each source, and those of its folder; of all, or of folders."""
    every = re.compile(rb"\b(?:%b)\b" % "|".join(sources.names()).encode())
    files: dict[str, list[str]] = {source: [] for source in sources.names()}
    for name in _files(folders):
        path = ROOT / name
        text = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        in_text = {match.decode() for match in every.findall(text)}
        for source, own in files.items():
            if source in in_text or kind(source, name) in {"its folder", "its cases"}:
                own.append(name)
    return {source: tuple(own) for source, own in files.items()}


def _files(folders: tuple[str, ...]) -> list[str]:
    git = shutil.which("git") or "git"
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    return sorted(filter(None, listed.decode().split("\0")))


def kind(source: str, name: str) -> str:
    """Return what a file that names a source is."""
    for what, pattern in OF_A_KIND:
        if fnmatch(name, pattern.format(source=source)):
            return what
    return "elsewhere"


def main() -> None:
    """Print, for each source, the files that name it; of folder, cases and pages how many."""
    for source, files in named().items():
        sys.stdout.write(f"{source}\n")
        kinds: dict[str, list[str]] = {}
        for name in files:
            kinds.setdefault(kind(source, name), []).append(name)
        for what in dict.fromkeys([*(each for each, _ in OF_A_KIND), "elsewhere"]):
            own = kinds.get(what, [])
            if what in {"its folder", "its cases", "pages", "tests"}:
                own = [f"{len(own)} files"] if own else []
            sys.stdout.write("".join(f"  {what:17} {each}\n" for each in own))


if __name__ == "__main__":
    main()
