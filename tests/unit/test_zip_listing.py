"""The list of files in a zip is bounded before `zipfile` reads it: a small zip fills no memory."""

from __future__ import annotations

import importlib
import io
import struct
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence import zip_listing
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import bundle
from nhi_evidence.evidence.bundle import check_proof
from nhi_evidence.investigate import case
from nhi_evidence.investigate.case import bag
from nhi_evidence.local_files import containers
from nhi_evidence.local_files.unreadable import Unreadable

ENTRY = b"PK\x01\x02" + bytes(42)
END = struct.Struct("<4s4H2LH")
END_64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR_64 = struct.Struct("<4sLQL")


def listed(count: int, stated: int) -> bytes:
    """A zip with nothing but a list of so many files, which states another number."""
    listing = ENTRY * count
    return listing + END.pack(b"PK\x05\x06", 0, 0, stated, stated, len(listing), 0, 0)


def listed_64(count: int) -> bytes:
    """The same, with the numbers where only zip64 has them."""
    listing = ENTRY * count
    end = END_64.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(listing), 0)
    locator = LOCATOR_64.pack(b"PK\x06\x07", 0, len(listing), 1)
    last = END.pack(b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return listing + end + locator + last


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Fail if more bytes are allocated at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("data", [listed(1001, 1), listed(1001, 0xFFFF), listed_64(1001)])
@pytest.mark.parametrize(("files", "size"), [(1000, 1 << 20), (10_000, 1001 * len(ENTRY) - 1)])
def test_what_is_read_is_measured_not_what_is_stated(data: bytes, files: int, size: int) -> None:
    """Of the numbers in a zip, none is believed; zip64 has more of them."""
    with pytest.raises(zip_listing.ListingError):
        zip_listing.opened(io.BytesIO(data), files, size)
    with zip_listing.opened(io.BytesIO(data), 1001, 1001 * len(ENTRY)) as archive:
        assert 1001 == len(archive.infolist())


def test_the_bounds_are_of_the_list_only() -> None:
    """A file in a zip may be larger than the list, and contain what looks like one."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("a", ENTRY * 100)
    with zip_listing.opened(sink, 1, 100) as archive:
        assert ENTRY * 100 == archive.read("a")


def _unpack(path: Path) -> None:
    with pytest.raises(SettingsError, match="not a proof bundle: a list of files"):
        bundle.unpack(path.read_bytes())


def _bag(path: Path) -> None:
    with path.open("rb") as stream, pytest.raises(bag.BagError, match="more than 200,000 files"):
        bag.ZippedFiles(stream)


def _proof(path: Path) -> None:
    with pytest.raises(check_proof.NotReadable, match="a zip whose list of files"):
        check_proof.read_zip(path)


def _case(path: Path) -> None:
    with pytest.raises(check_proof.NotReadable, match="more than 200000 files"):
        _check_case().Zip(path)


def _check_case() -> Any:
    """The program for investigators, which imports the other from beside it."""
    sys.modules.setdefault("check_proof", check_proof)
    is_writing = sys.dont_write_bytecode
    try:
        return importlib.import_module(f"{case.__name__}.check_case")
    finally:
        sys.dont_write_bytecode = is_writing
        if sys.modules["check_proof"] is check_proof:
            del sys.modules["check_proof"]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # the program ends with it
@pytest.mark.parametrize("read", [_unpack, _bag, _proof, _case])
def test_many_files_take_no_memory(tmp_path: Path, read: Callable[[Path], None]) -> None:
    """A zip of 9 MB took ten times as much before it was refused; now it is read at most once."""
    path = tmp_path / "many.zip"
    path.write_bytes(listed(bag.MAX_FILES + 1, 1))
    with at_most(3 * path.stat().st_size):
        read(path)


def test_a_log_may_be_in_a_zip_of_a_million_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """One with more is refused as a file, with what to do."""
    monkeypatch.setattr(containers, "_ZIP_FILES", 1000)
    data = b"PK\x03\x04" + listed(1001, 1)
    (member,) = containers.members("logs.zip", io.BytesIO(data))
    assert isinstance(member.content, Unreadable)
    assert "looks like a zip with more than 1,000 files; unpack it first" == member.content.text()
