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
    """Collects notes, a bounded number for each file and none like another; may print them."""

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
        why = _why(reading, rejection)
        if why in self._of_file:  # of the same file: another line would say no more
            self.left_out += 1
            return
        self._of_file.add(why)
        where = fitting.path(reading.name)
        self.note(f"{where}, line {reading.line}: {why}" if reading.line else f"{where}: {why}")

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


def _why(reading: Reading, rejection: Rejection) -> str:
    """Return why something was not read or mapped, how it begins, and what to do."""
    if reading.problem is not None:
        return f"not read: {reading.problem.text()}"
    begins = reading.raw[:_EXCERPT].decode("utf-8", "backslashreplace")
    hint = ""
    if rejection.reason == _NO_ZONE and assumed.utc(reading.raw) is not None:
        hint = "; --assume-utc reads times without a zone as UTC, and marks the record"
    why = f"({rejection.reason}) {rejection.detail}".rstrip()
    return f"rejected {why}, begins {begins!r}{hint}"
