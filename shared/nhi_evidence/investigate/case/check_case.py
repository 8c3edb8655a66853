#!/usr/bin/env python3
"""Check a case with nothing but this file, check_proof.py beside it, and Python 3.8 or newer.

    python3 check_case.py CASE 'NAME+ID+KEY'

The key may also be a file with that one line in it.
CASE is the zip, or the folder it was unpacked to. Get the key through another channel than the
case, and both programs too: the copies in a case prove nothing against whoever made it.

Checked: that the files match its manifests (RFC 8493), that every proof is valid under the key,
that case.json names each record once and states for it what its proof shows, that timeline.json
has the same records, and that case.json is the one its custody record was written for, if there is
one. ML-DSA signatures and time stamps are not checked here. Exit code: 0 it holds; 1 it does not;
2 it could not be read, is incomplete as it states itself, or has no record.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True  # else this import writes a file into the case, beside check_proof
import check_proof  # noqa: E402

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
NAME = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}/){0,8}[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
LINE = re.compile(r"([0-9a-f]{64})  ([^\r\n]+)")
TAGS = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt")
STATED = ("time", "uid", "raw_sha256", "object", "unit", "line", "shard", "leaf")
BAD_INPUT = (
    ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError,
    ValueError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What reading anything other than a case may raise; an encrypted zip raises RuntimeError."""
MAX_FILES = 200_000
MAX_FILE_BYTES = 1 << 30
MAX_DOCUMENT_BYTES = 128 << 20
MAX_CASE_BYTES = 8 << 30
MAX_KEY_BYTES = 1 << 16
MAX_LISTING_BYTES = 64 << 20


class Broken(Exception):
    """The input is not a case, or cannot be read."""


def sha256(data: bytes) -> str:
    """Return the SHA-256, hex."""
    return hashlib.sha256(data).hexdigest()


def inside(folder: Path) -> Iterator[Path]:
    """Yield everything in a folder; one that cannot be read could hold a file nothing lists."""
    for path in sorted(folder.iterdir()):
        yield path
        if stat.S_ISDIR(path.lstat().st_mode):
            yield from inside(path)


class Folder:
    """The files of a case in a folder: regular files only; no link is followed."""

    def __init__(self, path: Path) -> None:
        self.files: dict[str, Path] = {}
        total = 0
        for file in inside(path):
            status = file.lstat()
            if stat.S_ISDIR(status.st_mode):
                continue
            name = file.relative_to(path).as_posix()
            if not stat.S_ISREG(status.st_mode) or not NAME.fullmatch(name):
                raise Broken(f"{name!r}: not a regular file of a case")
            self.files[name] = file
            total += status.st_size
            if len(self.files) > MAX_FILES or total > MAX_CASE_BYTES:
                raise Broken("too many files, or too large")

    def read(self, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """Return a file."""
        if name not in self.files or self.files[name].stat().st_size > limit:
            raise Broken(f"{name}: missing, or too large")
        return self.files[name].read_bytes()


class Zip:
    """The files of a case in a zip whose only folder is the case."""

    def __init__(self, path: Path) -> None:
        file = check_proof.Bounded(path)
        self.zip: zipfile.ZipFile = check_proof.open_zip(file, MAX_FILES, MAX_LISTING_BYTES)
        self.files: dict[str, zipfile.ZipInfo] = {}
        # Names that differ only in capitals are one file on many computers, once unpacked.
        folded: set[str] = set()
        infos = self.zip.infolist()
        if len({info.filename.partition("/")[0] for info in infos}) != 1:
            raise Broken("not exactly one folder")
        for info in infos:
            name = info.filename.partition("/")[2]
            if not name or info.is_dir():
                continue
            if info.compress_type not in (0, 8):  # stored, deflated
                raise Broken(f"{name!r}: compressed in an unsupported way")
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG) or not NAME.fullmatch(name) or name.lower() in folded:
                raise Broken(f"{name!r}: not a regular file of a case, or a duplicate")
            folded.add(name.lower())
            self.files[name] = info
        if sum(info.file_size for info in self.files.values()) > MAX_CASE_BYTES:
            raise Broken("too large")

    def read(self, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """Return a file."""
        if name not in self.files or self.files[name].file_size > limit:
            raise Broken(f"{name}: missing, or too large")
        with self.zip.open(self.files[name]) as file:
            return file.read(limit + 1)  # never more than the size it states


def manifest(case: Folder | Zip, name: str) -> dict[str, str]:
    """Return the hashes a manifest states."""
    hashes = {}
    for number, line in enumerate(case.read(name).decode().splitlines(), start=1):
        match = LINE.fullmatch(line)
        if match is None or not NAME.fullmatch(match[2]) or match[2] in hashes:
            raise Broken(f"{name}, line {number}: not a line of a manifest")
        hashes[match[2]] = match[1]
    return hashes


def check_bag(case: Folder | Zip) -> list[str]:
    """Return how the files differ from the manifests."""
    if case.read("bagit.txt") != DECLARATION:
        raise Broken("bagit.txt: not BagIt 1.0")
    tags, payload = manifest(case, "tagmanifest-sha256.txt"), manifest(case, "manifest-sha256.txt")
    named = {**tags, **payload}
    unnamed = {*case.files, *TAGS} - {*named, "tagmanifest-sha256.txt"}
    wrong = [f"{name}: in no manifest" for name in sorted(unnamed)]
    wrong += [f"{name}: not a tag file" for name in tags if name not in TAGS]
    wrong += [f"{name}: outside data/" for name in payload if not name.startswith("data/")]
    for name, digest in named.items():
        try:
            if sha256(case.read(name)) != digest:
                wrong.append(f"{name}: hash does not match the manifest")
        except Broken as error:
            wrong.append(str(error))
    return wrong


def read_json(case: Folder | Zip, name: str) -> Any:
    """Return a document."""
    return json.loads(case.read(name, MAX_DOCUMENT_BYTES), object_pairs_hook=check_proof.once)


def read_document(case: Folder | Zip) -> dict[str, Any]:
    """Return case.json."""
    document = read_json(case, "data/case.json")
    if document["v"] != 1:
        raise Broken(f"case.json: version {document['v']}")
    if not isinstance(document["records"], list) or not isinstance(document["subject"], str):
        raise Broken("case.json: malformed")
    return dict(document)


def lacking(document: dict[str, Any]) -> list[str]:
    """Return why the case may lack records, as it states or as its records show."""
    reasons = document["incomplete"]
    if not isinstance(reasons, list) or not all(isinstance(text, str) for text in reasons):
        raise Broken("case.json: malformed")
    unread = document["unreadable_count"] or len(document["unreadable"])
    contested = sum(record["standing"] == "contested" for record in document["records"])
    if unread and not reasons:
        things = "object or line" if unread == 1 else "objects or lines"
        return [f"{unread} {things} could not be read"]
    if contested and not reasons:
        return [f"{contested} of its records are in contested units"]
    return list(reasons)


def by_folder(case: Folder | Zip) -> dict[str, list[str]]:
    """Return the names of the files in each folder."""
    names: dict[str, list[str]] = {}
    for name in case.files:
        names.setdefault(name.rpartition("/")[0], []).append(name)
    return names


def original_hash(line: dict[str, Any], kept: str) -> str | None:
    """Return the hash of the record as delivered; None if it is not that of the kept text.

    If something was cut from the record, the kept text has a different hash.
    """
    stated: str = line["n"]["raw_data_hash"]["value"]
    return stated if line.get("c") or stated == kept else None


def check_records(
    case: Folder | Zip, document: dict[str, Any], pinned: str
) -> tuple[int, int, list[str]]:
    """Return how many records are proven, how many have no proof in the case, and what is wrong."""
    proven, without, wrong = 0, 0, []
    times = [record["time"] for record in document["records"]]
    if times != sorted(times):
        wrong.append("case.json: records not in chronological order")
    claimed = set()
    places: dict[tuple[Any, ...], int] = {}
    contents = by_folder(case)
    for number, record in enumerate(document["records"], start=1):
        place = (record["object"], record["unit"], record["line"])
        if places.setdefault(place, number) != number:
            wrong.append(f"record {number}: the same as record {places[place]}")
        if not record["proof"]:
            without += 1
            continue
        if record["proof"] in claimed:  # never read again: a case could name one a million times
            wrong.append(f"record {number}: its proof is that of an earlier record")
            continue
        claimed.add(record["proof"])
        names = contents.get(f"data/{record['proof']}", [])
        named = {name.rpartition("/")[2]: name for name in names}
        try:
            # Only what is checked is read: a proof could have a hundred files of a gibibyte each.
            limits = [each for each in check_proof.SIZES.items() if each[0] in named]
            files = {name: case.read(named[name], limit) for name, limit in limits}
            shown = check_proof.check(files, pinned)
            line = json.loads(files["record.json"])
            row = line["n"]
            actual = (
                row["time"], row["metadata"].get("uid"), original_hash(line, shown["raw_sha256"]),
                shown["key"], shown["unit"], shown["record"],
                str(shown["origin"]).rpartition("/")[2], shown["leaf"],
            )  # fmt: skip
        except (check_proof.NotShown, Broken) as error:
            wrong.append(f"record {number}: {error}")
            continue
        except (check_proof.NotReadable, *BAD_INPUT) as error:
            wrong.append(f"record {number}: cannot be read: {error!r}")
            continue
        if tuple(map(record.get, STATED)) != actual:
            wrong.append(f"record {number}: its proof belongs to a different record")
        elif {"key_hash", "shadow"} & set(shown["flags"]):
            wrong.append(f"record {number}: in an object that is never counted")
        else:
            proven += 1
    proofs = {folder[5:] for folder in contents if (folder + "/").startswith("data/proofs/")}
    wrong += [f"{name}: a proof without a record" for name in sorted(proofs - claimed)]
    return proven, without, wrong


def check_timeline(case: Folder | Zip, document: dict[str, Any]) -> list[str]:
    """Return how the timeline differs from the records of case.json."""
    ours = [tuple(map(record.get, STATED[:3])) for record in document["records"]]
    steps = read_json(case, "data/timeline.json")["path"]["steps"]
    theirs = [tuple(map(step["row"].get, STATED[:3])) for step in steps]
    return [] if ours == theirs else ["timeline.json: differs from case.json"]


def check_custody(case: Folder | Zip) -> tuple[list[str], str]:
    """Return how the case differs from its custody record, and what that leaves unshown."""
    custody = read_json(case, "data/custody.json")
    key, name = custody.get("record"), "data/custody-record.json"
    if key is None:
        wrong = ["custody-record.json: custody.json names no record"] if name in case.files else []
        reason = str(custody.get("no_record") or "no reason is given")
        return wrong, (
            f"what case.json says is missing: no custody record was written ({reason}), "
            "so it rests on the word of whoever made the case"
        )
    wrong = []
    body = case.read(name)
    if sha256(body) != str(key).rpartition("/")[2].partition(".")[0]:
        wrong.append("custody-record.json: not the record that custody.json names")
    record = json.loads(body)
    if record["case_sha256"] != sha256(case.read("data/case.json")):
        wrong.append("case.json: not the one that custody-record.json was written for")
    return wrong, f"whether the evidence has {key}: that takes the evidence as well"


def read_key(argument: str) -> str:
    """Return the verifier key in an argument, or in the file it names."""
    try:
        is_file = Path(argument).is_file()
    except (OSError, ValueError):  # a key can be longer than a file name may be
        is_file = False
    if is_file:
        with Path(argument).open("rb") as file:
            argument = file.read(MAX_KEY_BYTES).decode()
    check_proof.read_key(argument)
    return argument


def verdict(proven: int, without: int, reasons: list[str], wrong: list[str]) -> tuple[int, str]:
    """Return the exit code and the first line."""
    count = f"{proven} records proven, {without} without"
    if wrong:
        return 1, f"DOES NOT HOLD  {count}"
    if reasons or without:
        why = "; ".join(reasons[:20]) or "the case has no proof of them"
        return 2, f"INCOMPLETE  {count}: {why}"
    if not proven:
        return 2, "NOTHING TO PROVE  the case has no record"
    return 0, f"HOLDS  {count}"


def main() -> int:
    """Run the check."""
    if len(sys.argv) != 3:
        sys.stderr.write(str(__doc__))
        return 2
    path = Path(sys.argv[1])
    try:
        pinned = read_key(sys.argv[2])
        case = Folder(path) if path.is_dir() else Zip(path)
        wrong = check_bag(case)
        document = read_document(case)
        reasons = lacking(document)
        proven, without, more = check_records(case, document, pinned)
        more += check_timeline(case, document)
        altered, unshown = check_custody(case)
    except (Broken, check_proof.NotReadable, check_proof.NotShown, *BAD_INPUT) as error:
        sys.stderr.write(f"NOT READABLE: {check_proof.inert(error)}\n")
        return 2
    wrong += more + altered
    code, first = verdict(proven, without, reasons, wrong)
    lines = [first]
    lines += [f"wrong     {text}" for text in wrong[:50]]
    if len(wrong) > 50:
        lines.append(f"          ... and {len(wrong) - 50} more")
    lines += [
        "not shown: that nothing was left out; that takes the evidence itself",
        "not shown: what timeline.json says beyond that, and any other document in the case",
        "not shown: how each record counts in its unit; that takes the evidence itself",
        f"not shown: {unshown}",
    ]
    for line in lines:
        text = check_proof.inert(line).encode("ascii", "backslashreplace").decode()
        sys.stdout.write(text + "\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
