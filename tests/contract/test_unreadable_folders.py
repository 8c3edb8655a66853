"""A folder that this user may not read is an error: what is in it must not pass for absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nhi_evidence.adapters.case_folder import CaseFolder
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.investigate.case.bag import BagError

NOBODY = 65534
UNREADABLE, UNSEARCHABLE = 0o311, 0o644


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that anyone can reach, with a folder in it."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        inside = root / "ev" / "v1"
        inside.mkdir(parents=True)
        (inside / "key").write_bytes(b"body")
        yield root
        inside.chmod(0o755)


@contextmanager
def nobody() -> Iterator[None]:
    """As a user whom permissions concern; tests may run as root, whom they do not."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if before == 0:
            os.seteuid(before)


LISTS: dict[str, Callable[[DirectoryStore], object]] = {
    "keys": lambda store: list(store.keys("")),
    "versions": lambda store: list(store.versions("ev/")),
    "level": lambda store: list(store.level("ev/")),
    "folders": lambda store: list(store.folders("ev/v1/")),
}


@pytest.mark.parametrize("what", LISTS)
def test_a_store_cannot_be_listed(root: Path, what: str) -> None:
    """`verify` would otherwise call every object in it missing, and overlook what is not sealed."""
    LISTS[what](DirectoryStore(root))
    (root / "ev" / "v1").chmod(UNREADABLE)
    with nobody(), pytest.raises(StoreUnavailableError, match="ev/v1: Permission denied"):
        LISTS[what](DirectoryStore(root))


def test_a_file_that_cannot_be_looked_at_is_not_skipped(root: Path) -> None:
    """Its folder can be listed, but nothing in it can be reached."""
    (root / "ev" / "v1").chmod(UNSEARCHABLE)
    with nobody(), pytest.raises(StoreUnavailableError, match="Permission denied"):
        list(DirectoryStore(root).keys(""))


def test_a_case_cannot_be_listed(root: Path) -> None:
    """A file that the case does not list could be in the folder."""
    (root / "ev" / "v1").chmod(UNREADABLE)
    with nobody(), pytest.raises(BagError, match="ev/v1: cannot be read: Permission denied"):
        CaseFolder(root)


def test_a_folder_that_vanishes_meanwhile_is_absent(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is there any more, which is no error."""
    real = os.scandir

    def vanished(path: Path) -> object:
        if Path(path).name == "v1":
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", vanished)
    assert [] == list(DirectoryStore(root).keys(""))
