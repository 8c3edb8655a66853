"""Write one value into the configuration file, leaving every other line as it is."""

from __future__ import annotations

import re
from pathlib import Path

from nhi_evidence.config import read
from nhi_evidence.errors import SettingsError


def set_value(path: Path, table: str, key: str, value: str) -> None:
    """Write `key = "value"` into a table of the file, if the whole is then valid.

    A commented-out line of the key is used; otherwise the line follows the table's header. Raises
    `SettingsError` if the file has no such header on a line of its own.
    """
    # As bytes, or each of Windows' line ends would be changed.
    text = path.read_bytes().decode()
    header = re.search(rf"^\[{re.escape(table)}\][^\n]*\n", text, re.MULTILINE)
    if header is None:
        raise SettingsError(f"{path} has no line [{table}]: write {key} = {value!r} there yourself")
    rest = text[header.end() :]
    following = re.search(r"^\[", rest, re.MULTILINE)
    end = following.start() if following else len(rest)
    inside, after = rest[:end], rest[end:]
    end_of_line = "\r\n" if header[0].endswith("\r\n") else "\n"
    line = f'{key} = "{value}"{end_of_line}'
    commented = re.compile(rf"^# {re.escape(key)} = [^\n]*\n", re.MULTILINE)
    if commented.search(inside):
        inside = commented.sub(lambda _: line, inside, count=1)
    else:
        inside = line + inside
    changed = text[: header.end()] + inside + after
    read(changed, path.name)
    path.write_bytes(changed.encode())
