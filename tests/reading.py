"""Reading evidence objects back, as a stranger would from docs/evidence-format.md."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256
from typing import Any

from nhi_evidence.evidence import frame
from tests.memory_store import MemoryStore


class Unit:
    """All evidence of one delivered unit, checked against the format."""

    def __init__(self, store: MemoryStore) -> None:
        """Read every evidence object of the store as parts of one unit."""
        self.headers: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []
        self.out_of_scope_ids: list[str] = []
        self.messages: dict[str, Any] | None = None
        for key in store.keys("ev/"):
            body = store.get(key)
            assert sha256(body).hexdigest() in key
            header, *lines = map(json.loads, frame.unpack(body, limit=1 << 31))
            self.headers.append(header)
            assert header["k"] == "hdr"
            lines = self._after(header, lines)
            kept = [line for line in lines if "n" in line]
            assert header["kept"] == len(kept)
            assert header["rejected"] == len(lines) - len(kept)
            assert header["n"] == len(lines) + sum(header["out_of_scope"].values())
            self.lines += lines
        self.headers.sort(key=lambda one: int(one["part"]))
        self.lines.sort(key=lambda one: int(one["i"]))
        assert list(range(1, len(self.headers) + 1)) == [one["part"] for one in self.headers]
        assert {len(self.headers)} == {one["parts"] for one in self.headers}
        first = 0
        for header in self.headers:
            assert header["first"] == first
            first += header["n"]

    def _after(self, header: dict[str, Any], lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Take the lines after the records off, as the header announces them."""
        if header.get("left_out"):
            last = lines.pop()
            assert last["k"] == "left_out"
            assert len(last["h"]) == sum(header["out_of_scope"].values())
            self.out_of_scope_ids += last["h"]
        if lines and lines[-1].get("k") == "messages":
            assert header["part"] == 1
            self.messages = lines.pop()
        assert not [line for line in lines if "k" in line]
        return lines

    @property
    def seen(self) -> int:
        """Records of the unit."""
        return sum(one["n"] for one in self.headers)

    @property
    def rejection(self) -> str | None:
        """Why the unit as a whole was rejected."""
        found = {(one.get("rejection") or {}).get("reason") for one in self.headers}
        (reason,) = found
        return reason

    def raw(self) -> list[bytes]:
        """Raw bytes of every kept and rejected record, in order."""
        return [one["r"].encode() if "r" in one else b64decode(one["r64"]) for one in self.lines]

    def reasons(self) -> dict[int, str]:
        """Index of each rejected record to its reason."""
        return {one["i"]: one["x"]["reason"] for one in self.lines if "x" in one}


def raw_of(line: bytes) -> bytes:
    """Raw bytes a record line holds."""
    held = json.loads(line)
    return held["r"].encode() if "r" in held else b64decode(held["r64"])
