"""Local files in every common form, plain and compressed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.local_files import documents, hive, rows, yaml_documents
from tests.cli.local_forms import FORMS, PACKINGS, TRAIL, YAML, Form, read, table, zipped

PAGE = Path(__file__).parents[2] / "docs" / "local-files.md"


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("form", FORMS, ids=[form.name for form in FORMS])
def test_a_form_is_read_or_refused_alike_however_it_is_packed(form: Form, packing: str) -> None:
    """The records and messages are the same; only the name shows the compression."""
    outcome = read(PACKINGS[packing](form.body), assume_utc=form.assume_utc)
    assert (form.records, form.rejected) == (outcome.accepted, outcome.rejected), outcome.messages
    plainly = read(form.body, assume_utc=form.assume_utc)
    plain = [re.sub("^FILE", "", text) for text in plainly.messages]
    packed = [re.sub(r"^FILE(:logs/a\.json)?", "", text) for text in outcome.messages]
    assert plain == packed


def test_the_page_lists_every_form() -> None:
    """The table in docs/local-files.md is the actual result; `python -m tests.docs` writes it."""
    listed = PAGE.read_text().partition("<!-- forms -->\n")[2].partition("\n<!-- end -->")[0]
    assert table() == listed


def test_an_archive_of_many_files() -> None:
    """Each is read separately: a refused member affects no other, and macOS extras are skipped."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.json", json.dumps(TRAIL))
        archive.writestr("b.json", b"<html>")
        archive.writestr("c.gz", gzip.compress(json.dumps({"Records": [TRAIL]}).encode()))
        archive.writestr("__MACOSX/._a.json", b"\x00\x05\x16\x07")
    outcome = read(packed.getvalue())
    assert (2, 1) == (outcome.accepted, outcome.rejected)
    assert outcome.messages[0].startswith("FILE:b.json: not read: looks like HTML or XML")


@pytest.mark.parametrize("newline", [b"", b"\n"], ids=["a single line", "lines"])
def test_a_bomb_is_refused(newline: bytes) -> None:
    """A file that inflates beyond any log is given up, with a message."""
    piece = gzip.compress((b" " * 65_535 + (newline or b" ")) * 1024, mtime=0)
    outcome = read(piece * 12)
    assert (0, 1) == (outcome.accepted, outcome.rejected)
    assert "a decompression bomb" in outcome.messages[0]


def tar(*names: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = len(json.dumps(TRAIL))
            archive.addfile(entry, io.BytesIO(json.dumps(TRAIL).encode()))
    return packed.getvalue()


def test_a_tar_that_ends_too_early_or_has_a_damaged_header_is_reported() -> None:
    """What follows is not read, and nothing says how much it is."""
    intact = tar("a.json", "b.json", "c.json")
    size = len(json.dumps(TRAIL)) // tarfile.BLOCKSIZE + 2  # in blocks, with its header
    second = size * tarfile.BLOCKSIZE
    damaged = intact[:second] + b"\x99" * tarfile.BLOCKSIZE + intact[second + tarfile.BLOCKSIZE :]
    assert (3, 0) == (read(intact).accepted, read(intact).rejected)
    for body in (intact[:second], intact[: second + 100], damaged):
        outcome = read(body)
        assert (1, 1) == (outcome.accepted, outcome.rejected)
        assert "a damaged or truncated archive" in outcome.messages[0]


def test_tars_that_follow_each_other_are_all_read() -> None:
    """`cat` joins archives; each has its own end."""
    outcome = read(tar("a.json") + tar("b.json", "c.json"))
    assert (3, 0) == (outcome.accepted, outcome.rejected)


def test_a_zip_is_damaged_wherever_bytes_are_missing() -> None:
    """Positions outside the file and impossible names are damage; other files are still read."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.json", json.dumps(TRAIL))
    intact = packed.getvalue()
    named = intact.replace(b"a.json", b"\xff.json").replace(
        b"\x14\x00\x00\x00", b"\x14\x00\x00\x08"
    )
    for body in (intact[:40] + intact[45:], named):
        outcome = read(body)
        assert (0, 1) == (outcome.accepted, outcome.rejected)
        assert "a damaged or truncated archive" in outcome.messages[0]


def test_a_line_before_damage_is_read_without_its_line_break() -> None:
    """Bytes after a gzip member, as some tools add them, do not lose the last record."""
    outcome = read(gzip.compress(json.dumps(TRAIL).encode()) + b"appended")
    assert (1, 1) == (outcome.accepted, outcome.rejected)
    assert "a damaged or truncated archive" in outcome.messages[0]


def test_nul_bytes_do_not_make_a_log_binary() -> None:
    """A log that was truncated while it was written to begins with a hole; only that is refused."""
    line = json.dumps(TRAIL).encode()
    outcome = read(b"\0" * 300 + line + b"\n" + line)
    assert (2, 1) == (outcome.accepted, outcome.rejected)


def test_rows_may_end_with_carriage_returns_alone() -> None:
    """Some spreadsheets save CSV in this way."""
    outcome = read(
        b"eventTime,eventSource,eventName\r2026-03-01T12:00:00Z,iam.amazonaws.com,ListUsers\r"
    )
    assert 1 == outcome.accepted + outcome.rejected
    assert not any("not read" in text for text in outcome.messages)


def test_an_encrypted_member_is_reported() -> None:
    """The message says what it is and what to do, without a traceback."""
    packed = bytearray(zipped(json.dumps(TRAIL).encode()))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(header) + flags] |= 1
    outcome = read(bytes(packed))
    assert "an encrypted archive; unpack it first" in outcome.messages[0].replace(", begins", "")


def test_a_row_of_csv_affects_no_other() -> None:
    """A record is larger than the default of Python's reader; others cannot be read at all."""
    padded = {**TRAIL, "requestParameters": {"policyDocument": "x" * 200_000}}
    cells = [f'"{json.dumps(record).replace(chr(34), chr(34) * 2)}"' for record in (TRAIL, padded)]
    lines = [b"eventJson", cells[0].encode(), cells[1].encode(), b'"{}",beyond', b"\xff\xfe"]
    outcome = read(b"\n".join((*lines, cells[0].encode())))
    assert (3, 2) == (outcome.accepted, outcome.rejected)
    cut, encoded = outcome.messages
    assert cut.startswith("FILE, line 4: not read: looks like a row of 2 cells under 1 columns")
    assert encoded.startswith("FILE, line 5: not read: looks like a row that is not utf-8")


def test_a_cell_beyond_the_limit_affects_no_other_row() -> None:
    """A quote that is never closed cannot collect the rest of the file in memory."""
    text = b'eventJson\n"' + b"x" * 50 + b"\n{}\n"
    documents_read = list(rows.documents(io.BufferedReader(io.BytesIO(text)), 20))
    assert [(2, True), (3, False)] == [
        (each.line, each.problem is not None) for each in documents_read
    ]
    assert csv.field_size_limit() > 20, "it is the whole process's, and is put back"


def test_a_long_file_of_lines_is_never_in_memory() -> None:
    """Documents are yielded before the file is read to the end."""

    class Endless(io.RawIOBase):
        served = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            view = memoryview(buffer)  # type: ignore[arg-type]
            line = b'{"a":1}\n'
            data = (line * (len(view) // len(line) + 1))[: len(view) // len(line) * len(line)]
            view[: len(data)] = data
            Endless.served += len(data)
            return len(data)

    stream = documents.split(io.BufferedReader(Endless(), 1 << 16), 1 << 20)
    assert [1, 2, 3] == [next(stream).line for _ in range(3)]
    assert Endless.served <= 1 << 17


def test_an_athena_struct_keeps_its_delimiters_inside_values() -> None:
    """Commas and equals signs inside a value are kept; text that does not parse is not a struct."""
    assert {"arn": "arn:a, b=c", "userName": "x"} == hive.struct("{arn=arn:a, b=c, username=x}")
    assert {"type": "Root"} == hive.struct("{type=Root, arn=null}")
    for broken in ("{arn=a", "arn=a}", "{arn=a} more", "{nope=a}", "{arn={type=a}"):
        assert hive.struct(broken) is None


def test_aliases_of_yaml_cannot_blow_up() -> None:
    """A document that refers to itself, or to the same node many times, affects no other."""
    wide = b"insertId: a\nx0: &x0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
    for depth in range(1, 9):
        inside = ", ".join([f"*x{depth - 1}"] * 9)
        wide += f"x{depth}: &x{depth} [{inside}]\n".encode()
    looped = b"insertId: a\nx: &x [*x]\n"
    outcome = read(wide + b"---\n" + looped + b"---\n" + YAML)
    assert (1, 2) == (outcome.accepted, outcome.rejected)
    assert all("aliases expand to too many values" in text for text in outcome.messages)


def test_dates_and_texts_of_yaml_stay_text() -> None:
    """An unquoted time is not converted."""
    plain = YAML.replace(b"'2026-03-01T12:00:00.5Z'", b"2026-03-01T12:00:00.5Z")
    raw: Any = io.BytesIO(plain)
    (document,) = yaml_documents.documents(io.BufferedReader(raw), 1 << 20)
    assert "2026-03-01T12:00:00.5Z" == json.loads(document.data)["timestamp"]
    assert 1 == document.line


def test_a_rejection_without_a_detail_leaves_no_gap_in_its_message() -> None:
    """The reason alone says why."""
    untimed = {name: value for name, value in TRAIL.items() if name != "eventTime"}
    (message,) = read(json.dumps(untimed).encode(), source="aws_cloudtrail").messages
    assert "rejected (event_time_missing), begins" in message
