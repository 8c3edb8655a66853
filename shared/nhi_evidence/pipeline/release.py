"""Which release maps: one digest over the code and tables that determine a line, nothing else.

Settings and codec are in the header in the clear. Thus a release has the same digest wherever it
runs, and anybody who has it installed can map a unit again and compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from nhi_evidence import __version__
from nhi_evidence.evidence.lines import MapperIdentity

PACKAGES = ("azure", "catalog", "kubernetes", "ocsf", "reading", "sources")
"""Packages whose modules and tables are all part of the digest."""

MODULES = (
    "access_keys.py",
    "event.py",
    "evidence/gaps.py",
    "evidence/lines.py",
    "evidence/unit.py",
    "identity.py",
    "partitions.py",
    "phases.py",
    "pipeline/export.py",
    "pipeline/mapping.py",
    "pipeline/record_lines.py",
    "pipeline/scope.py",
)
"""Single modules that are part of it."""

APART = ("catalog/atlas",)
"""Folders of these packages that explain and decide nothing; no function contains them."""

_SUFFIXES = (".py", ".json")


@cache
def mapper_identity() -> MapperIdentity:
    """Return version and digest of the installed release."""
    digest = sha256()
    for name, content in _contents():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return MapperIdentity(__version__, digest.hexdigest())


def _contents() -> Iterator[tuple[str, bytes]]:
    """Yield what is hashed, sorted by name: the path in the package, and the bytes."""
    package = files("nhi_evidence")
    entries = {name: package.joinpath(name) for name in MODULES}
    for folder in PACKAGES:
        entries |= dict(_below(folder, package.joinpath(folder)))
    for name in sorted(entries):
        if entries[name].is_file():
            yield name, entries[name].read_bytes()


def _below(name: str, folder: Traversable) -> Iterator[tuple[str, Traversable]]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        inside = f"{name}/{entry.name}"
        if entry.is_dir() and inside not in APART:
            yield from _below(inside, entry)
        elif entry.name.endswith(_SUFFIXES):
            yield inside, entry
