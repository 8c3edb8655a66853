"""Evidence objects taken apart, changed and put together again, as a writer's role allows."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import msgspec

from nhi_evidence.evidence import frame, merkle, objects
from nhi_evidence.evidence.lines import unit_id


class EditedUnit:
    """One unit line, as the JSON it is, and its lines."""

    def __init__(self, line: dict[str, Any], lines: list[bytes]) -> None:
        self.line = line
        self.lines = lines

    def rename(self, unit: str) -> None:
        """Give the unit another name, on all its lines."""
        old, new = self.line["u"].encode(), unit_id(unit).encode()
        self.line |= {"unit": unit, "u": new.decode()}
        self.lines = [line.replace(b'"u":"%s"' % old, b'"u":"%s"' % new, 1) for line in self.lines]

    def reroot(self) -> None:
        """State the root and number of the lines as they are now."""
        self.line["root"] = merkle.root(map(merkle.leaf_hash, self.lines)).hex()
        self.line["lines"] = len(self.lines)


class EditedObject:
    """An object whose parts can be changed."""

    def __init__(self, body: bytes) -> None:
        table, lines = objects.read_object(body)
        self.header: dict[str, Any] = json.loads(table.lines[0])
        self.units = [
            EditedUnit(json.loads(line), list(own))
            for line, (_, own) in zip(table.lines[1:], objects.lines_of(table, lines), strict=True)
        ]

    def reroot(self) -> None:
        """Make every root anew."""
        for unit in self.units:
            unit.reroot()

    def table(self) -> list[bytes]:
        """The lines of the table as they are now."""
        header = self.header | {"units": len(self.units)}
        return [msgspec.json.encode(header), *(msgspec.json.encode(u.line) for u in self.units)]

    def body(self) -> bytes:
        """The object as it is now."""
        table = self.table()
        lines = [line for unit in self.units for line in unit.lines]
        return frame.pack([*table, *lines], table=len(table))[0]

    def metadata(self) -> dict[str, str]:
        """What a writer would state of it."""
        table = self.table()
        _, table_bytes = frame.pack(
            [*table, *(line for unit in self.units for line in unit.lines)], table=len(table)
        )
        sums = {
            name: str(sum(unit.line[name] for unit in self.units))
            for name in ("records", "kept", "rejected")
        }
        mapper = self.header["mapper"]
        return {
            "root": objects.table_root(table),
            "table": str(table_bytes),
            "units": str(len(self.units)),
            "mapper": f"{mapper['version']} {mapper['digest']}",
            **sums,
        }

    def key(self, like: str) -> str:
        """The key of it beside another one."""
        return f"{like.rpartition('/')[0]}/{sha256(self.body()).hexdigest()}.ndjson.zst"
