"""The shape of the tree: small files, descriptive names, nothing from the author's machine."""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared" / "nhi_evidence"
LONGEST_FILE = 350
LONGEST_ENTRY = 80
STANDS_ALONE = {"shared/nhi_evidence/evidence/bundle/check_proof.py"}
"""Distributed as a single file without dependencies."""
TABLES = {
    "tests/cli/local_forms.py",
    "tests/proofs/disagreements.py",
}
"""Tests that are mostly a table, whose rows belong together."""
EMPTY_NAMES = {
    "base", "common", "constants", "helpers", "manager",
    "misc", "models", "processor", "utils",
}  # fmt: skip
# Put together here, so that this file does not hold what it looks for.
MACHINE_FOLDERS = "|".join(("home", "root", "work", "tmp"))
MACHINE_PATH = re.compile(rf"(?:(?<![\w./*}}-])|(?<=file://))/(?:{MACHINE_FOLDERS})/")
INDEX = re.compile(r"https?://([^/\"\s]+)")
PUBLIC_INDEX = {"pypi.org", "files.pythonhosted.org"}


def test_files_are_short() -> None:
    """A file longer than a few screens is more than one thing."""
    assert {} == {
        name: length
        for name, length in _lengths(_shipped()).items()
        if length > LONGEST_FILE and name not in STANDS_ALONE
    }


def test_files_of_tests_are_short() -> None:
    """The same for tests; a table may be longer, and is listed only while it is."""
    lengths = _lengths((ROOT / "tests").rglob("*.py"))
    assert TABLES == {name for name, length in lengths.items() if length > LONGEST_FILE}


def test_entry_files_are_thin() -> None:
    """A deployable's own code only translates a trigger; everything else is in the library."""
    entries = (path for path in _shipped() if path.parent.parent == ROOT / "functions")
    assert {} == {
        name: length for name, length in _lengths(entries).items() if length > LONGEST_ENTRY
    }


def test_names_say_what_is_inside() -> None:
    """A module that could hold anything soon will."""
    parts = {_name(path): set(path.relative_to(ROOT).with_suffix("").parts) for path in _shipped()}
    assert {} == {name: hollow for name, all_ in parts.items() if (hollow := all_ & EMPTY_NAMES)}


def test_packages_say_what_they_are_for() -> None:
    """Every folder of modules has an __init__.py that opens with a docstring."""
    folders = {path.parent for path in [*_shipped(), *(ROOT / "tests").rglob("*.py")]}
    silent = {
        _name(folder)
        for folder in folders
        if not (init := folder / "__init__.py").is_file()
        or ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) is None
    }
    assert set() == silent


def test_no_path_of_a_machine() -> None:
    """The project runs wherever it is checked out."""
    offenders = [
        f"{_name(path)}:{number}: {line.strip()[:80]}"
        for path, text in _texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]
    assert [] == offenders


def test_the_lock_names_only_the_public_index() -> None:
    """A lock file made behind a mirror must not point everyone else there."""
    hosts = set(INDEX.findall((ROOT / "uv.lock").read_text(encoding="utf-8")))
    assert PUBLIC_INDEX == hosts


def test_every_core_module_is_under_contract() -> None:
    """A new core module is under the purity and registry contracts from its first day."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    bound = {
        contract["name"].split(":")[0]: {
            name.removeprefix("nhi_evidence.") for name in contract.get("source_modules", ())
        }
        for contract in settings["tool"]["importlinter"]["contracts"]
    }
    modules = {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or _is_package(path)
    } - {"__init__"}
    core = modules - {"adapters", "cli", "demo", "embedded"}
    assert set() == core - bound["The core is pure"]
    # The values every source is made of cannot see a source: the layers forbid it.
    below = {
        "access_keys",
        "azure",
        "errors",
        "event",
        "html_page",
        "identity",
        "inert",
        "kubernetes",
        "ocsf",
        "partitions",
        "phases",
        "plural",
        "ports",
        "reading",
        "sources",
        "stored",
        "zip_listing",
    }
    by_registry = bound["The package reaches a source only through the registry"]
    assert set() == modules - below - by_registry


def _shipped() -> Iterator[Path]:
    for folder in ("shared", "functions", "infra"):
        yield from (ROOT / folder).rglob("*.py")


def _lengths(paths: Iterator[Path]) -> dict[str, int]:
    return {_name(path): len(path.read_bytes().splitlines()) for path in paths}


def _is_package(path: Path) -> bool:
    return (path / "__init__.py").is_file()


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _texts() -> Iterator[tuple[Path, str]]:
    """Read every text file that .gitignore does not exclude; git itself may be missing."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [line.strip("/") for line in lines if line and not line.startswith("#")] + [".git"]
    # Evidence as it was written once: data, some of it binary, of the generator alone.
    ignored.append("format-v*")
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not _matches(Path(folder, name), ignored)]
        for path in (Path(folder, name) for name in files):
            content = path.read_bytes()
            if b"\0" not in content and not _matches(path, ignored):
                yield path, content.decode()


def _matches(path: Path, patterns: list[str]) -> bool:
    return any(fnmatch(path.name, glob) or fnmatch(_name(path), glob) for glob in patterns)
