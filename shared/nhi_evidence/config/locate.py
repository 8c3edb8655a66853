"""The line of each key and element in a TOML document.

`tomllib` reads values but does not say where they were. This walks a document that `tomllib` has
accepted, so it only needs to know TOML's shape, not its rules: https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)
_KEY = re.compile(r'[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_SCALAR = re.compile(r"[^,\]}#\n]+")
_DOT = re.compile(r"[ \t]*\.[ \t]*")


def lines(document: str) -> dict[Path, int]:
    """Return the line, starting at 1, of every table, key and array element.

    A path consists of keys and positions in arrays: `("auditors", 0, "principals", 1)`.
    """
    # tomllib reads CRLF as a newline, and so does this.
    return _Walk(document.replace("\r\n", "\n")).document()


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Path, int] = {(): 1}
        self._length_of: Counter[Path] = Counter()

    def document(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _header(self) -> Path:
        double = self._text.startswith("[[", self._at)
        line = self._line()
        self._at += 1 + double
        path: Path = ()
        keys = self._dotted()
        for key in keys[:-1]:
            self._lines.setdefault((*path, key), line)
            path = self._latest((*path, key))
        path = (*path, keys[-1])
        self._lines.setdefault(path, line)
        if double:
            self._length_of[path] += 1
            path = self._latest(path)
            self._lines[path] = line
        self._at += 1 + double
        return path

    def _latest(self, path: Path) -> Path:
        """Return the path of the last element if the path names an array of tables."""
        length = self._length_of[path]
        return (*path, length - 1) if length else path

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        for key in self._dotted():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._at += 1  # the equals sign
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip(_BLANK)
        opening = self._text[self._at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline(path)
        elif opening in "\"'":
            self._skip(_STRING)
        else:
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self._at += 1
        position = 0
        while not self._ends("]"):
            self._lines[*path, position] = self._line()
            self._value((*path, position))
            position += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while not self._ends("}"):
            self._pair(path)

    def _ends(self, closing: str) -> bool:
        """Skip blanks and a comma; return whether the array or inline table ends here."""
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)
        if self._text[self._at] == closing:
            self._at += 1
            return True
        return False

    def _dotted(self) -> list[str]:
        keys = []
        while True:
            self._skip(_BLANK)
            start = self._at
            spelt = self._text[start : self._skip(_KEY)]
            keys.append(_unquoted(spelt))
            if not self._matches(_DOT):
                self._skip(_BLANK)
                return keys

    def _matches(self, pattern: re.Pattern[str]) -> bool:
        before = self._at
        return self._skip(pattern) > before

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        if match:
            self._at = match.end()
        return self._at

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1


def _unquoted(spelt: str) -> str:
    if spelt[:1] not in {'"', "'"}:
        return spelt
    return str(tomllib.loads(f"k = {spelt}")["k"])
