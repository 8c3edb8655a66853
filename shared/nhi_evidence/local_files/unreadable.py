"""What a file that cannot be read looks like, by its first bytes, and what to do about it."""

from __future__ import annotations

import codecs
import re

import msgspec

HEAD_BYTES = 4096
"""How much of a file is examined to tell its format."""
_LONGEST = 40


class Unreadable(msgspec.Struct, frozen=True):
    """Why content has no records: a value, so that the next file is read all the same."""

    reason: str
    """A stable token: `unknown_form`, `damaged_archive`, `inflation_limit`, `encoding` ..."""
    looks_like: str
    advice: str
    begins: bytes = b""
    """The first bytes, unescaped; whoever shows them must make them inert."""

    def text(self) -> str:
        """Describe it in words; the first bytes are not made inert yet."""
        begins = self.begins[:_LONGEST].decode("utf-8", "backslashreplace")
        beginning = f", begins {begins!r}" if self.begins else ""
        return f"looks like {self.looks_like}{beginning}; {self.advice}"


_JSON = "ask again with --format=json (gcloud) or --output json (aws, az)"
_JSON_AWS = "ask again with --output json"

_BINARY: tuple[tuple[bytes, str, str], ...] = (
    (b"PAR1", "Parquet", "export it as JSON lines"),
    (b"BZh", "bzip2", "decompress it first (bunzip2)"),
    (b"\xfd7zXZ\x00", "xz", "decompress it first (unxz)"),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "decompress it first (unzstd)"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip", "unpack it first"),
    (b"ORC", "ORC", "export it as JSON lines"),
    (b"Obj\x01", "Avro", "export it as JSON lines"),
    (b"%PDF", "PDF", "export the log as JSON"),
    (b"ElfFile\x00", "a Windows event log", "it has no cloud audit records"),
    (b"SQLite format 3\x00", "an SQLite database", "export the rows as JSON lines"),
)
_TEXT: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (
        re.compile(rb"<"),
        "HTML or XML",
        "download the log again, as JSON; a login page is not a log",
    ),
    (
        re.compile(rb"(?:---\s*\n|- |[\"']?\w+[\"']?:[^\n]*\n\s*[\"']?\w+[\"']?:)"),
        "YAML of no known log",
        _JSON,
    ),
    (re.compile(rb"[+|][-=+|]"), "a table for people", _JSON_AWS),
    (re.compile(rb"-{4}"), "a table for people", _JSON_AWS),
    (re.compile(rb"EVENTS\t"), "the text output of the AWS command line", _JSON_AWS),
    (
        re.compile(rb"[^\n]*operation name,[^\n]*event category", re.IGNORECASE),
        "the CSV of the Azure portal, which names operations in words",
        "use `az monitor activity-log list --output json`, or the portal's JSON",
    ),
)


def binary(head: bytes) -> Unreadable | None:
    """Return what a binary file is; None if it may be text."""
    for magic, form, advice in _BINARY:
        if head.startswith(magic):
            return Unreadable("unknown_form", form, advice, head)
    if b"\x00" in head:
        return Unreadable("unknown_form", "binary data", "export the log as JSON", head)
    return None


def text(head: bytes) -> Unreadable:
    """Return what a text is if it is neither JSON nor rows with known columns."""
    stripped = head.lstrip()
    for pattern, form, advice in _TEXT:
        if pattern.match(stripped):
            return Unreadable("unknown_form", form, advice, stripped)
    if not _is_utf8(head):
        form = "binary data, or text that is not UTF-8"
        return Unreadable("unknown_form", form, "export the log as JSON, in UTF-8", stripped)
    first = stripped.partition(b"\n")[0]
    if first.count(b",") >= 2:  # noqa: PLR2004 a header of three columns or more
        return Unreadable(
            "unknown_form",
            "CSV with the columns of no known log",
            "export the records as JSON, or keep the provider's column names",
            stripped,
        )
    return Unreadable("unknown_form", "text that is not a log", "export the log as JSON", stripped)


def _is_utf8(head: bytes) -> bool:
    """Whether bytes may begin a text in UTF-8; the last character may be cut off."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True
