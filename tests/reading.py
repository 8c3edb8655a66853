"""Reading evidence objects back, as a stranger would from docs/evidence-format.md."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from nhi_evidence.evidence import counting, frame, gaps, merkle, objects
from tests.memory_store import MemoryStore

LIMIT = 1 << 31


class Unit:
    """All evidence of one delivered unit, checked against the format."""

    def __init__(self, store: MemoryStore, name: str | None = None) -> None:
        """Read the unit `name`, or the only one of the store.

        Only the objects of one batch: a unit that is there twice fails the test.
        """
        self.headers: list[dict[str, Any]] = []
        """Unit lines of its parts, in order."""
        self.lines: list[dict[str, Any]] = []
        """Lines that hold raw text, over all parts, in source order."""
        self.out_of_scope_ids: list[str] = []
        self._parts: dict[int, list[dict[str, Any]]] = {}
        for key in store.keys("ev/"):
            for header, lines in read(key, store.get(key), store.first(key).metadata):
                if name is None or header["unit"] == name:
                    self._add(header, lines)
        assert self.headers, f"no unit {name}"
        assert len({header["unit"] for header in self.headers}) == 1
        self.headers.sort(key=lambda header: int(header["part"]))
        assert list(range(1, len(self.headers) + 1)) == [one["part"] for one in self.headers]
        assert {len(self.headers)} == {header["parts"] for header in self.headers}
        first = position = 0
        for header in self.headers:
            self.lines += self._parts[header["part"]]
            if self.rejection is None:
                assert header["first"] == first
            assert header["span"][0] == position
            first += header["records"]
            position = header["span"][1]
        assert position == self.headers[0]["raw_size"]

    def _add(self, header: dict[str, Any], lines: list[dict[str, Any]]) -> None:
        lines = list(lines)
        if lines and lines[-1].get("k") == "out_of_scope_ids":
            ids = lines.pop()["h"]
            assert len(ids) == sum(header["out_of_scope"].values())
            self.out_of_scope_ids += ids
        kept = [line for line in lines if "n" in line]
        rejected = [line for line in lines if "x" in line]
        out_of_scope = [line for line in lines if "o" in line]
        assert header["kept"] == len(kept)
        if header["kind"] == "records":
            assert header["rejected"] == len(rejected)
            assert len(out_of_scope) in {0, sum(header["out_of_scope"].values())}
        else:
            assert header["rejected"] == header["records"] == 0
        self.headers.append(header)
        self._parts[header["part"]] = lines

    def size_with_cuts(self) -> int:
        """Bytes of gaps, texts and cuts together: those of the delivery, where all is kept."""
        between = sum(gaps.extent(tuple(map(tuple, header["gaps"])))[1] for header in self.headers)
        gone = sum(int(cut[2]) for line in self.lines for cut in line.get("c", ()))
        return between + gone + sum(len(text) for text in self.raw())

    @property
    def seen(self) -> int:
        """Records of the unit."""
        return sum(header["records"] for header in self.headers)

    @property
    def messages(self) -> dict[str, Any] | None:
        """What part 1 states of the messages of a run."""
        assert not any("messages" in header for header in self.headers[1:])
        messages: dict[str, Any] | None = self.headers[0].get("messages")
        return messages

    @property
    def rejection(self) -> str | None:
        """Why the unit as a whole was rejected."""
        reasons = {(header.get("rejection") or {}).get("reason") for header in self.headers}
        (reason,) = reasons
        return reason

    def raw(self) -> list[bytes]:
        """Raw bytes of every line, in order."""
        return list(map(_raw, self.lines))

    def reasons(self) -> dict[int, str]:
        """Index of each rejected record to its reason."""
        return {line["i"]: line["x"]["reason"] for line in self.lines if "x" in line}

    def rebuilt(self) -> bytes:
        """Put the unit's bytes together again: gap, record, gap, ..., gap, part after part."""
        return b"".join(rebuilt(header, self._parts[header["part"]]) for header in self.headers)


def rebuilt(header: dict[str, Any], lines: list[dict[str, Any]]) -> bytes:
    """Return the bytes a part accounts for; it must say that it holds them all."""
    assert header["rebuild"] == "exact"
    raws = [_raw(line) for line in lines if line.get("k") is None]
    if header["kind"] != "records":
        return b"".join(raws)
    content = b"".join(gaps.rebuild([tuple(gap) for gap in header["gaps"]], raws))
    assert len(content) == header["span"][1] - header["span"][0]
    return content


def read(
    key: str, body: bytes, metadata: Mapping[str, str]
) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Return each unit line of an object with its lines, all checked against the format."""
    digest = sha256(body).hexdigest()
    written = frame.unpack(body, limit=LIMIT)
    header = json.loads(written[0])
    assert header["k"] == "hdr"
    assert key == f"ev/v1/{header['source']}/h={header['hour']}/{digest}.ndjson.zst"
    table, rest = written[: header["units"] + 1], written[header["units"] + 1 :]
    units = list(map(json.loads, table[1:]))
    assert frame.unpack_table(body[: int(metadata["table"])], limit=LIMIT) == table
    assert metadata["root"] == merkle.root(map(merkle.leaf_hash, table)).hex()
    for name in ("records", "kept", "rejected"):
        assert metadata[name] == str(sum(unit[name] for unit in units))
    assert metadata["units"] == str(len(units))
    order = [(unit["unit"], unit["part"]) for unit in units]
    assert order == sorted(set(order))
    assert objects.read_object(body)[0].units
    contents = []
    for unit in units:
        lines, rest = rest[: unit["lines"]], rest[unit["lines"] :]
        assert unit["root"] == merkle.root(map(merkle.leaf_hash, lines)).hex()
        assert unit["u"] == sha256(unit["unit"].encode()).hexdigest()[:16]
        decoded = list(map(json.loads, lines))
        assert {unit["u"]} >= {line["u"] for line in decoded}
        records = unit["kept"] + unit["rejected"] + sum(unit["out_of_scope"].values())
        assert unit["records"] == records
        contents.append((unit, decoded))
    assert not rest
    return contents


def _raw(line: dict[str, Any]) -> bytes:
    return line["r"].encode() if "r" in line else b64decode(line["r64"])


def raw_of(line: bytes) -> bytes:
    """Raw bytes a record line holds."""
    return _raw(json.loads(line))


def counted(store: MemoryStore) -> dict[str, tuple[str, int, tuple[str, ...]]]:
    """Weigh what a store holds: unit -> status, records, hashes of the unit lines that count."""
    claims: list[counting.Claim] = []
    for index, key in enumerate(store.keys("ev/")):
        table, _ = objects.read_object(store.get(key))
        claims += counting.claims(index, key, table.header, table.units)
    return {
        name: (
            unit.status.value,
            sum(claim.records for claim in unit.counted),
            tuple(claim.line for claim in unit.counted),
        )
        for (_, name), unit in counting.count(claims).items()
    }
