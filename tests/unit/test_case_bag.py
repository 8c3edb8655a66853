"""The files of a case: what one computer keeps apart and another does not, and how much is read."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from nhi_evidence.cli.case_create import _statements
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import bundle, note, proof
from nhi_evidence.investigate import case
from nhi_evidence.investigate.case import bag, verify
from tests.signing import LocalSigner

KEY = str(note.from_spki("example.org/log", LocalSigner("case").public_key()))
CHECKER = Path(case.__file__).parent / "check_case.py"
TWICE = {"data/report.html": b"what was checked", "data/Report.html": b"what is read"}


def bagged(files: Mapping[str, bytes]) -> bytes:
    """A bag as a forger makes it, who follows BagIt."""

    def manifest(named: Mapping[str, bytes]) -> bytes:
        lines = (f"{sha256(body).hexdigest()}  {name}\n" for name, body in named.items())
        return "".join(lines).encode()

    tags = {bag.BAGIT: bag.DECLARATION, bag.INFO: b"", bag.MANIFEST: manifest(files)}
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as written:
        for name, body in {**files, **tags, bag.TAG_MANIFEST: manifest(tags)}.items():
            written.writestr(f"case/{name}", body)
    return sink.getvalue()


@pytest.fixture
def checker(tmp_path: Path) -> Path:
    """The program for investigators, with the one it needs beside it."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for path in (CHECKER, Path(bundle.__file__).parent / "check_proof.py"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder / CHECKER.name


def alone(checker: Path, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-E", checker, path, KEY], capture_output=True, text=True, check=False
    )


def test_names_that_differ_only_in_capitals_are_refused(tmp_path: Path, checker: Path) -> None:
    """Unpacked, one replaces the other on many computers: the zip holds, the page is another."""
    assert [] == bag.check(bag.ZippedFiles(io.BytesIO(bagged({"data/report.html": b""}))))
    with pytest.raises(bag.BagError, match="duplicate"):
        bag.ZippedFiles(io.BytesIO(bagged(TWICE)))
    hostile = tmp_path / "case.zip"
    hostile.write_bytes(bagged(TWICE))
    theirs = alone(checker, hostile)
    assert (2, True) == (theirs.returncode, "or a duplicate" in theirs.stderr)


def test_no_case_is_made_with_such_names() -> None:
    with bag.Writer(io.BytesIO(), "case") as writer:
        writer.add("statements/a.json", b"")
        with pytest.raises(ValueError, match="duplicate"):
            writer.add("statements/A.json", b"")


@pytest.mark.parametrize("name", ["absence.json", "Absence.json"])
def test_two_statements_of_one_name_are_refused(tmp_path: Path, name: str) -> None:
    """The second would have replaced the first, without a word."""
    paths = [tmp_path / "a" / "absence.json", tmp_path / "b" / name]
    for path in paths:
        path.parent.mkdir()
        path.write_text("{}")
    with pytest.raises(SettingsError, match="the same name"):
        _statements(paths)
    assert {"absence.json": b"{}"} == _statements(paths[:1])


def test_the_program_reads_no_more_than_a_case_may_hold(tmp_path: Path, checker: Path) -> None:
    """Eight gibibytes in all, as `case verify`: files that each stay below their own limit."""
    folder = tmp_path / "case" / "data"
    folder.mkdir(parents=True)
    for number in range(9):
        with (folder / f"{number}.bin").open("wb") as file:
            os.truncate(file.fileno(), 1 << 30)  # holes: no block of a disk is written
    theirs = alone(checker, tmp_path / "case")
    assert (2, True) == (theirs.returncode, "too large" in theirs.stderr), theirs.stderr


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_another_packing_is_refused_in_words(tmp_path: Path, checker: Path, packing: int) -> None:
    """What unpacks it raises errors of its own: a damaged file ended in a traceback."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", packing) as written:
        written.writestr(f"case/{bag.BAGIT}", bag.DECLARATION * 9)
    data = bytearray(sink.getvalue())
    start = data.index(b"bagit.txt") + len("bagit.txt") + 9
    data[start : start + 5] = b"\xff" * 5
    with pytest.raises(bag.BagError, match=r"bagit.txt': compressed in an unsupported way"):
        bag.ZippedFiles(io.BytesIO(data))
    path = tmp_path / "case.zip"
    path.write_bytes(data)
    theirs = alone(checker, path)
    assert (2, True) == (theirs.returncode, "in an unsupported way" in theirs.stderr), theirs.stderr


def test_of_a_proof_only_what_is_checked_is_read() -> None:
    """A hundred zeros deflate to one: a small case could fill the memory of whoever checks it."""
    reads: list[tuple[str, int]] = []

    class Files:
        def names(self) -> Iterator[str]:
            raise AssertionError

        def read(self, name: str, limit: int) -> bytes:
            reads.append((name, limit))
            return bytes(min(limit, 100))

    names = ["raw.txt", "anchor-a.tsr", "junk.bin", "check_proof.py"]
    read = verify._read_proof(Files(), names, "proofs/1")
    assert {"raw.txt", "anchor-a.tsr"} == set(read)
    assert [("data/proofs/1/raw.txt", proof.SIZES["raw.txt"])] == reads[:1]
    assert bundle.MAX_OTHER_BYTES == reads[1][1]
    many = [f"anchor-{number}.tsr" for number in range(bundle.MAX_FILES + 1)]
    with pytest.raises(bag.BagError, match=f"{len(many)} files"):
        verify._read_proof(Files(), many, "proofs/1")
    assert 2 == len(reads)
