"""Notes on inputs while they are read: what was not read, how it begins, and what to do."""

from __future__ import annotations

import sys

from nhi_evidence import plural
from nhi_evidence.cli.raw_input import Inputs, Reading
from nhi_evidence.event import Rejection
from nhi_evidence.local_files import assumed
from nhi_evidence.terminal import fitting, safe_text

_PER_FILE = 5
_IN_ALL = 100
_EXCERPT = 40
_NO_ZONE = "event_time_malformed"


class Notes:
    """Collects notes, a bounded number for each file and none twice; prints them unless quiet."""

    def __init__(self, *, quiet: bool) -> None:
        """With `quiet` nothing is printed: the closing JSON object holds the notes."""
        self._quiet = quiet
        self._file = ""
        self._of_file: set[str] = set()
        self.texts: list[str] = []
        self.left_out = 0

    def rejected(self, reading: Reading, rejection: Rejection) -> None:
        """Note a rejected record, or a file or line that is not a record."""
        if reading.name != self._file:
            self._file, self._of_file = reading.name, set()
        if len(self._of_file) >= _PER_FILE or len(self.texts) >= _IN_ALL:
            self.left_out += 1
            return
        text = _text(reading, rejection)
        if text in self._of_file:  # of records on one line, whose notes are the same
            self.left_out += 1
            return
        self._of_file.add(text)
        self.note(text)

    def close(self, inputs: Inputs) -> None:
        """Note something about all inputs."""
        for text in (*inputs.unread, *inputs.skipped):
            self.note(text)
        if self.left_out:
            self.note(f"{self.left_out} more like these; normalize --rejects writes every one")
        for source, count in sorted(inputs.detected.items()):
            documents = plural.count(count, "document")
            self.note(f"source {source}, detected from the attributes of {documents}")

    def note(self, text: str) -> None:
        """Note a text; whatever a terminal could act on is made inert."""
        inert = safe_text.neutralize(text)
        self.texts.append(inert)
        if not self._quiet:
            fitting.say(sys.stderr, inert)


def _text(reading: Reading, rejection: Rejection) -> str:
    """Return what was not read or mapped, why, and what to do."""
    where = fitting.path(reading.name)
    if reading.line:
        where += f", line {reading.line}"
    if reading.problem is not None:
        return f"{where}: not read: {reading.problem.text()}"
    begins = reading.raw[:_EXCERPT].decode("utf-8", "backslashreplace")
    hint = ""
    if rejection.reason == _NO_ZONE and assumed.utc(reading.raw) is not None:
        hint = "; --assume-utc reads times without a zone as UTC, and marks the record"
    why = f"({rejection.reason}) {rejection.detail}".rstrip()
    return f"{where}: rejected {why}, begins {begins!r}{hint}"
