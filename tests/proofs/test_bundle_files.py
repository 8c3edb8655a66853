"""A bundle is plain files of bounded size, each once; none of its text acts on a terminal."""

from __future__ import annotations

import io
import os
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nhi_evidence.evidence import bundle, note, proof
from nhi_evidence.evidence.bundle import check_proof
from tests.cli.command import run
from tests.proofs import resealed, sealed
from tests.proofs.three_checkers import walk

CHECKER = Path(check_proof.__file__ or "")
ACTED_ON = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Characters that a terminal acts on, except line breaks."""

Zip = Callable[[zipfile.ZipFile], None]


def files_of() -> dict[str, bytes]:
    return sealed.bundle_of(sealed.build(), sealed.uids()[1])


def key() -> str:
    return str(sealed.build().key)


def alone(path: Path, pinned: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the stand-alone program in a process with only the standard library."""
    return subprocess.run(
        [sys.executable, "-I", "-S", CHECKER, path, pinned or key()],
        capture_output=True,
        text=True,
        check=False,
    )


def zipped(path: Path, change: Zip) -> Path:
    buffer = io.BytesIO(bundle.pack(files_of()))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        change(archive)
    path.write_bytes(buffer.getvalue())
    return path


def _entry(name: str, mode: int = 0) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


def _twice(archive: zipfile.ZipFile) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("raw.txt", b"another")


def _bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr("bomb", b"\0" * (bundle.MAX_OTHER_BYTES + 1))


def _many(archive: zipfile.ZipFile) -> None:
    for number in range(bundle.MAX_FILES):
        archive.writestr(f"file-{number}", b"")


REFUSED: dict[str, Zip] = {
    "a file twice": _twice,
    "a file twice but for its case": lambda archive: archive.writestr("RAW.txt", b"another"),
    "a link": lambda archive: archive.writestr(_entry("link", stat.S_IFLNK), b"/etc/passwd"),
    "a device": lambda archive: archive.writestr(_entry("device", stat.S_IFCHR), b""),
    "a path": lambda archive: archive.writestr("../x", b""),
    "a folder": lambda archive: archive.writestr("folder/", b""),
    "a name with an escape": lambda archive: archive.writestr("a\x1b[2J", b""),
    "an option": lambda archive: archive.writestr("-rf", b""),
    "a bomb": _bomb,
    "many files": _many,
    "another packing": lambda archive: archive.writestr("x", b"x", zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_zip_cannot_be_read(tmp_path: Path, name: str) -> None:
    """Both programs refuse it as not a bundle, without a verdict on the proof."""
    path = zipped(tmp_path / "proof.zip", REFUSED[name])
    done = run("check-proof", path, "--key", key())
    assert (4, True) == (done.code, f"{path}: not a proof bundle" in done.err), done.err
    checked = alone(path)
    assert (2, "", True) == (
        checked.returncode,
        checked.stdout,
        checked.stderr.startswith("NOT READABLE"),
    )
    assert not ACTED_ON.search(done.out + done.err + checked.stdout + checked.stderr)


def test_a_harmless_extra_file_is_ignored(tmp_path: Path) -> None:
    """So the rows above fail for the reason they state."""
    path = zipped(tmp_path / "proof.zip", lambda archive: archive.writestr("note.txt", b"hello"))
    assert 0 == run("check-proof", path, "--key", key()).code
    assert 0 == alone(path).returncode


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_zip_never_causes_a_traceback(tmp_path: Path, seed: int) -> None:
    """With bytes changed anywhere in the archive, both give an answer, and the same one."""
    data = bytearray(bundle.pack(files_of()))
    for step in range(1 + seed % 3):
        data[(seed * 7919 + step * 104729) % len(data)] ^= 1 + seed % 255
    path = tmp_path / "proof.zip"
    path.write_bytes(data[: len(data) - seed % 4])
    done, checked = run("check-proof", path, "--key", key()), alone(path)
    assert (done.code, checked.returncode) in {(0, 0), (1, 1), (4, 2)}
    assert "Traceback" not in checked.stderr + done.err


def test_a_damaged_file_of_a_bundle_is_named(tmp_path: Path) -> None:
    """Neither program gives a verdict on the proof; both say which file, and what to do."""
    path = tmp_path / "proof.zip"
    data = bytearray(bundle.pack(files_of()))
    data[data.index(b"raw.txt") + len("raw.txt") + 3] ^= 0xFF
    path.write_bytes(data)
    done, checked = run("check-proof", path, "--key", key()), alone(path)
    assert (4, 2) == (done.code, checked.returncode)
    assert f"{path}: the proof bundle is damaged: raw.txt cannot be unpacked" in done.err
    assert "get the bundle again" in done.err
    assert checked.stderr.startswith("NOT READABLE: raw.txt is damaged")


def test_a_bundle_that_is_cut_off_is_told_from_another_file(tmp_path: Path) -> None:
    """Half a download is fetched again; a wrong file is replaced by the right one."""
    for data, text in (
        (bundle.pack(files_of())[:-100], "damaged or cut off"),
        (b"{}", "not a proof bundle: not a zip"),
    ):
        path = tmp_path / "proof.zip"
        path.write_bytes(data)
        done = run("check-proof", path, "--key", key())
        assert (4, True) == (done.code, text in done.err), done.err


def unpacked(folder: Path) -> Path:
    folder.mkdir()
    for name, body in files_of().items():
        (folder / name).write_bytes(body)
    return folder


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _giant(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize("change", [_link, _pipe, _giant])
@pytest.mark.parametrize("name", ["raw.txt", "provider-key.der"])
def test_a_folder_with_anything_but_plain_files_is_refused(
    tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    """None of the three follows a link, waits for a pipe, or reads a giant file."""
    folder = unpacked(tmp_path / "folder")
    assert 0 == run("check-proof", folder, "--key", key()).code
    assert 0 == alone(folder).returncode
    change(folder / name)
    assert 4 == run("check-proof", folder, "--key", key()).code
    assert 2 == alone(folder).returncode
    walked = subprocess.run(
        ["/bin/bash", CHECKER.with_name("walkthrough.sh"), key()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,  # hung, however busy the machine
    )
    assert (1, True) == (walked.returncode, name in walked.stderr)


def test_programs_that_are_not_the_released_ones_are_named(tmp_path: Path) -> None:
    """A bundle with another program holds, and the checker warns against running that program."""
    files = files_of() | {"check_proof.py": b"print('holds')"}
    path = tmp_path / "proof.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    done = run("check-proof", path, "--key", key(), "--json")
    assert (0, ["check_proof.py"]) == (done.code, done.json["altered"])
    assert "check_proof.py in the bundle differs from this release" in done.err
    assert b"prove nothing" in bundle.released(bundle.README)


HOSTILE = 'a\x1b[31m\x9b2J\u202e\u2066$(id)`id`"\\\n/@v1'


def test_no_text_of_the_evidence_reaches_a_terminal(tmp_path: Path) -> None:
    """A unit name with escapes, C1 and bidirectional marks is inert in all three, and in JSON."""
    files = resealed.one_unit(files_of())
    name = check_proof.quoted(HOSTILE.encode())
    short = check_proof.sha256(HOSTILE.encode()).hex()[:16].encode()
    files["unit.json"] = re.sub(rb'"unit":"[^"]*"', lambda _: b'"unit":' + name, files["unit.json"])
    for line in ("unit.json", "record.json"):
        files[line] = re.sub(rb'"u":"[0-9a-f]*"', b'"u":"' + short + b'"', files[line])
    files = {key: body for key, body in files.items() if not key.startswith("provider-")}
    files = resealed.sealed_anew(files)
    path = tmp_path / "proof.zip"
    path.write_bytes(bundle.pack(files))
    plain = run("check-proof", path, "--key", key())
    as_json = run("check-proof", path, "--key", key(), "--json")
    checked, walked = alone(path), walk(files, key(), tmp_path)
    for done in (plain.out, as_json.out, checked.stdout, walked.stdout):
        assert not ACTED_ON.search(done)
    assert (0, 0, 0, 0) == (plain.code, as_json.code, checked.returncode, walked.returncode)
    assert HOSTILE == as_json.json["shown"]["unit"]
    refused = alone(path, f"{key()}x\x1b[2J")
    assert (2, None) == (refused.returncode, ACTED_ON.search(refused.stderr))


def test_an_anchor_with_an_odd_name_is_left_out() -> None:
    """A key under the log that cannot be a file name in a bundle does not make it unreadable."""
    evidence = sealed.build()
    store = evidence.store.copy()
    for name in ("tsa%2Fone.tsr", "x/../../y.tsr", "a\x1b.tsr", "-rf"):
        store.add(f"log/v1/2026/anchor/000000000001/{name}", b"x")
    copied = sealed.Sealed(store, evidence.key, evidence.signer)
    files = sealed.bundle_of(copied, sealed.uids()[1])
    assert {"anchor-tsa%2Fone.tsr", "anchor--rf"} == {
        name for name in files if name.startswith(proof.ANCHOR)
    }
    assert bundle.unpack(bundle.pack(files))


def test_a_witness_key_is_not_a_log_key() -> None:
    """The stand-alone program accepts the two kinds of log keys, of the right length."""
    pinned = note.parse_key(key())
    for wrong in ("", "x", key()[:-4], key() + "AAAA", key().replace("+A", "+B", 1)):
        with pytest.raises(check_proof.NotReadable):
            check_proof.read_key(wrong)
    name, stored = check_proof.read_key(key())
    assert (pinned.name.encode(), pinned.public) == (name, stored[1:])


def _many_anchors(folder: Path) -> None:
    for number in range(bundle.MAX_FILES):
        (folder / f"anchor-{number}.tsr").write_bytes(b"x")


def _large(folder: Path) -> None:
    for number in range(17):
        with (folder / f"anchor-{number}.tsr").open("wb") as file:
            file.truncate(bundle.MAX_OTHER_BYTES)


def _piped(folder: Path) -> None:
    os.mkfifo(folder / "anchor-x.tsr")


@pytest.mark.parametrize("change", [_many_anchors, _large, _piped])
def test_a_folder_larger_than_any_bundle_is_refused(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """Anchors are plain files, too, and bounded in total."""
    folder = unpacked(tmp_path / "folder")
    change(folder)
    assert 4 == run("check-proof", folder, "--key", key()).code
    assert 2 == alone(folder).returncode


def test_a_bundle_cannot_be_a_pipe_or_device(tmp_path: Path) -> None:
    """Neither is opened: reading them might never end or never begin."""
    pipe = tmp_path / "proof.zip"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        assert 4 == run("check-proof", path, "--key", key()).code
        assert 2 == alone(path).returncode
