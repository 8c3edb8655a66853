"""Copies of evidence: what is copied, what is refused, and a copy made by somebody else."""

from __future__ import annotations

import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from nhi_evidence.adapters.store import copying
from nhi_evidence.adapters.store.copying import CopyState, OtherLogError
from nhi_evidence.adapters.store.directory import DirectoryStore, UnwritableKeyError
from nhi_evidence.evidence.verify import Options, Policy, Verifier
from tests.cli.command import run
from tests.memory_store import MemoryStore
from tests.proofs import sealed
from tests.proofs.sealed import NAME, NOW

HOUR_MS = 3_600_000


def states(source: MemoryStore, folder: Path) -> dict[str, CopyState]:
    """Return what happened to each key."""
    copied = copying.copy(source, DirectoryStore(folder))
    return {version.version.key: version.state for version in copied}


def copy_of(folder: Path) -> Path:
    """A complete copy of the sealed store."""
    copied = states(sealed.build().store, folder)
    assert {CopyState.COPIED} == set(copied.values())
    return folder


def codes(folder: Path) -> set[str]:
    """Return what verification finds in a copy."""
    policy = Policy(name=NAME, keys=(sealed.build().key,))
    options = Options(deep=True)
    report = Verifier(DirectoryStore(folder), policy, now=NOW + HOUR_MS, options=options).run()
    return {finding.code for finding in report.findings}


def objects_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("ev/**/*.zst"))


def test_a_copy_verifies(tmp_path: Path) -> None:
    """The clean copy passes, so the findings below have a reason."""
    assert set() == codes(copy_of(tmp_path))


ODD = ("ev//x", "ev/./x", "../x", "ev/" + "n" * 300, "ev/a/", ".metadata/x", "ev/.partial-1-x")


def test_keys_that_cannot_be_file_names_are_named_and_the_rest_copied(tmp_path: Path) -> None:
    """One odd key does not keep others from being copied, and none gets another's name."""
    store = sealed.build().store.copy()
    for key in (*ODD, "ev/file", "ev/file/below"):
        store.add(key, b"odd")
    by_key = states(store, tmp_path / "copy")
    assert {*ODD, "ev/file/below"} == {
        key for key, state in by_key.items() if state is CopyState.UNWRITABLE
    }
    copied = set(by_key) - {*ODD, "ev/file/below"}
    assert copied == set(DirectoryStore(tmp_path / "copy").keys(""))
    assert not (tmp_path / "x").exists()


def test_existing_files_are_compared_including_the_log(tmp_path: Path) -> None:
    """Differing bytes stay and are named, both of evidence and of a tile."""
    folder = copy_of(tmp_path)
    (tile,) = folder.glob("log/v1/*/tile/0/000.p/*")
    for path in (objects_of(folder)[0], tile):
        path.chmod(0o644)
        path.write_bytes(b"other")
    by_key = states(sealed.build().store, folder)
    differing = {key for key, state in by_key.items() if state is CopyState.DIFFERS}
    assert {str(objects_of(folder)[0].relative_to(folder)), str(tile.relative_to(folder))} == (
        differing
    )
    assert b"other" == tile.read_bytes()


def other_log() -> MemoryStore:
    """Return another log, sealed with another object in it."""
    store = MemoryStore(now=lambda: NOW)
    body = b"another"
    store.add(f"ev/v1/aws_cloudtrail/h=unknown/{sha256(body).hexdigest()}.ndjson.zst", body)
    sealed.seal(store)
    return store


def test_another_log_in_the_folder_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """Both heads are named, and the folder is unchanged."""
    folder = copy_of(tmp_path)
    before = sorted(folder.rglob("*"))
    with pytest.raises(OtherLogError, match=r"2026 4 .*2026 2 "):
        states(other_log(), folder)
    assert before == sorted(folder.rglob("*"))


def test_a_store_behind_its_copy_is_another_log(tmp_path: Path) -> None:
    """A copy ahead of the store shows that the store was rolled back."""
    folder = copy_of(tmp_path)
    with pytest.raises(OtherLogError, match="no checkpoint"):
        states(MemoryStore(), folder)


def test_the_command_ends_in_1_and_names_both(tmp_path: Path) -> None:
    """Another log is a finding, and not an error."""
    folder = copy_of(tmp_path / "copy")
    assert {CopyState.COPIED} == set(states(other_log(), tmp_path / "other").values())
    done = run("copy", tmp_path / "other", folder)
    assert (1, True) == (done.code, "another log" in done.err), done.err
    again = run("copy", tmp_path / "other", tmp_path / "new")
    assert 0 == again.code, again.err


def replaced(path: Path, how: str, elsewhere: Path) -> None:
    """Put something else where a file is."""
    body = path.read_bytes()
    path.unlink()
    match how:
        case "pipe":
            os.mkfifo(path)
        case "link":
            (elsewhere / "file").write_bytes(body)
            path.symlink_to(elsewhere / "file")
        case "link inside":
            path.with_name("beside").write_bytes(body)
            path.symlink_to("beside")
        case "device":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "sparse giant":
            with path.open("wb") as file:
                file.truncate(1 << 40)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("pipe", "object_missing"),
        ("link", "object_missing"),
        ("link inside", "object_missing"),
        ("device", "object_missing"),
        ("folder", "object_missing"),
        ("sparse giant", "object_altered"),
    ],
)
def test_only_plain_files_are_read(tmp_path: Path, how: str, code: str) -> None:
    """A hostile copy yields a finding: nothing blocks, and nothing outside it is read."""
    folder = copy_of(tmp_path / "copy")
    replaced(objects_of(folder)[0], how, tmp_path)
    assert code in codes(folder)


@pytest.mark.parametrize("place", ["ev/v1/aws_cloudtrail", ".metadata/ev"])
def test_a_folder_that_is_a_link_is_not_followed(tmp_path: Path, place: str) -> None:
    """It is followed neither to read nor to write."""
    folder = copy_of(tmp_path / "copy")
    shutil.move(folder / place, tmp_path / "moved")
    (folder / place).symlink_to(tmp_path / "moved")
    assert ("object_missing" in codes(folder)) is (place == "ev/v1/aws_cloudtrail")
    store = MemoryStore(now=lambda: NOW)
    key = f"ev/v1/aws_cloudtrail/h=unknown/{sha256(b'new').hexdigest()}.ndjson.zst"
    store.add(key, b"new")
    with pytest.raises(OtherLogError):
        states(store, folder)
    version, (description,) = next(store.versions("ev/")), store.describe(store.versions("ev/"))
    assert description is not None
    with pytest.raises(UnwritableKeyError):
        DirectoryStore(folder).keep(version, description, b"new")
    assert not list((tmp_path / "moved").rglob(f"{sha256(b'new').hexdigest()}*"))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{" * 100_000,
        b'{"metadata":{},"modified":-1,"size":0}',
        b"\xff",
        b'{"modified":1e99}',
    ],
    ids=["empty", "list", "deep", "negative", "bytes", "large"],
)
def test_a_hostile_description_costs_no_more_than_its_file(tmp_path: Path, text: bytes) -> None:
    """If the description beside a file is replaced, the file is still read and nothing breaks."""
    folder = copy_of(tmp_path)
    beside = folder / ".metadata" / f"{objects_of(folder)[0].relative_to(folder)}.json"
    beside.chmod(0o644)
    beside.write_bytes(text)
    assert "object_altered" not in codes(folder)


def test_file_names_that_are_not_utf_8_are_not_keys(tmp_path: Path) -> None:
    """A bucket has no such keys; the listing goes on."""
    folder = copy_of(tmp_path)
    with open(os.fsencode(folder) + b"/ev/\xff", "wb") as file:  # noqa: PTH123 a path of bytes
        file.write(b"x")
    assert set() == codes(folder)
