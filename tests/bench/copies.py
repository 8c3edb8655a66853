"""Many generated CloudTrail files, and their evidence, without mapping each record anew.

A batch of files is generated and mapped once. In each further hour its files come again, in other
accounts, every record under an id of its own and every session under a key of its own: the same
bytes at the same places, but for these. So records, identities and credentials grow with the
size, and shapes do not. The evidence is what the mapper makes of those files, byte for byte, its
hashes and trees computed (`tests/unit/test_bench_copies.py`), in a quarter of the time.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256

import msgspec

from nhi_evidence.demo.story import bulk
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import merkle
from nhi_evidence.evidence.lines import encode, unit_id
from nhi_evidence.evidence.unit import UnitPart
from nhi_evidence.pipeline.export import Mapper

FILE_RECORDS = 150
BATCH_FILES = 500

_HOUR_MS = 3_600_000
_MARK = 9731
"""Number of the round the others are copied from: nothing else in its bytes looks like its ids."""

_GENERATED = (
    (re.compile(rb'("eventID":")[0-9a-f]{8}'), b"%08x" % _MARK),
    (re.compile(rb'("accessKeyId":"ASIA)[0-9A-Z]{4}(?=[0-9A-Z]{5}EXAMPLE")'), b"%04d" % _MARK),
    (re.compile(rb"(11112222)[0-9]{4}\b"), b"%04d" % _MARK),
    (re.compile(rb"(44445555)[0-9]{4}\b"), b"%04d" % _MARK),
    (re.compile(rb"(21098765)[0-9]{4}\b"), b"%04d" % _MARK),
    (re.compile(rb"(12345678)[0-9]{4}\b"), b"%04d" % _MARK),
    (re.compile(rb'("eventTime":"2026-03-)02T08(?=:)'), b"02T00"),
    # A session ends after every round begins: of one that ended before, the mapper says nothing.
    (re.compile(rb'("expiration":"Mar )2(?=,)'), b"30"),
)
_ACCOUNTS = (b"11112222", b"44445555", b"21098765", b"12345678")
_PLACES = (
    (re.compile(rb"()%08x-" % _MARK),),
    (re.compile(rb"(ASIA)%04d" % _MARK),),
    tuple(re.compile(rb"(%s)%04d\b" % (account, _MARK)) for account in _ACCOUNTS),
    (re.compile(rb"(2026-03-)02T00:"),),
)
"""Where the marked round's own texts stand: behind what the first group matches."""

_TIME = re.compile(rb'("n":\{"time":)([0-9]{13}),')
_UNIT = re.compile(rb'(\{"u":")[0-9a-f]{16}","i":')
_HASH = re.compile(rb'("raw_data_hash":\{"algorithm_id":3,"value":")([0-9a-f]{64})"')
_NUMBER = re.compile(r"_([0-9]{16})\.json\.gz@v$")


class _Records(msgspec.Struct):
    Records: list[msgspec.Raw]


class _Pattern:
    """Bytes of the marked round, and where those of another differ."""

    def __init__(self, marked: bytes) -> None:
        self._marked = marked
        self._places = [
            [hit.end(1) for pattern in patterns for hit in pattern.finditer(marked)]
            for patterns in _PLACES
        ]

    def of_round(self, again: int) -> bytearray:
        copied = bytearray(self._marked)
        texts = (b"%08x" % again, b"%04d" % again, b"%04d" % again, _hour(again).encode())
        for places, text in zip(self._places, texts, strict=True):
            for place in places:
                copied[place : place + len(text)] = text
        return copied


def _hour(again: int) -> str:
    return f"{2 + again // 24:02}T{again % 24:02}"


@cache
def _marked(seed: int, records: int) -> bytes:
    body = bulk(seed=seed, records=records)
    for pattern, text in _GENERATED:
        body = pattern.sub(rb"\g<1>" + text, body)
    return body


def deliveries(records: int) -> Iterator[Delivery]:
    """Yield generated files, a batch for each hour."""
    patterns: dict[tuple[int, int], _Pattern] = {}
    for number in range(-(-records // FILE_RECORDS)):
        count = min(FILE_RECORDS, records - number * FILE_RECORDS)
        again, seed = divmod(number, BATCH_FILES)
        pattern = patterns.get((seed, count))
        if pattern is None:
            pattern = patterns[seed, count] = _Pattern(_marked(seed, count))
        hour = _hour(again)
        name = f"111122223333_CloudTrail_us-east-1_202603{hour}00Z_{number:016}.json.gz"
        folder = f"trail/AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/{hour[:2]}"
        # Not compressed: evidence holds what was in it, and of the rest the hash.
        yield Delivery(f"{folder}/{name}@v", gzip.compress(pattern.of_round(again), 0, mtime=0))


class _MappedPattern:
    """What the mapper made of a marked file."""

    def __init__(self, mapper: Mapper, unit: str, body: bytes) -> None:
        (self._part,) = Mapper.units(mapper, Delivery(unit, gzip.compress(body, 0, mtime=0)))
        lines = b"\n".join(self._part.lines)
        self._lines = _Pattern(lines)
        self._units = [hit.end(1) for hit in _UNIT.finditer(lines)]
        self._times = [(hit.end(1), int(hit[2])) for hit in _TIME.finditer(lines)]
        self._hashes = []
        hashes = iter(_HASH.finditer(lines))
        end = 0
        for raw in msgspec.json.decode(body, type=_Records).Records:
            start = body.index(raw, end)
            end = start + len(bytes(raw))
            place = next(hashes)
            if place[2].decode() != sha256(body[start:end]).hexdigest():
                raise ValueError("a record that is not kept")
            self._hashes.append((place.end(1), start, end))

    def copied(self, again: int, hour: str, delivery: Delivery, body: bytes) -> UnitPart:
        lines = self._lines.of_round(again)
        name = unit_id(delivery.unit)
        for place in self._units:
            lines[place : place + 16] = name.encode()
        for place, time in self._times:
            lines[place : place + 13] = b"%d" % (time + again * _HOUR_MS)
        for place, start, end in self._hashes:
            lines[place : place + 64] = sha256(body[start:end]).hexdigest().encode()
        own = tuple(bytes(lines).split(b"\n"))
        line = msgspec.structs.replace(
            self._part.table_line,
            u=name,
            unit=delivery.unit,
            src_sha256=sha256(delivery.body).hexdigest(),
            raw_sha256=sha256(body).hexdigest(),
            root=merkle.root(map(merkle.leaf_hash, own)).hex(),
        )
        encoded = encode(line)
        size = len(encoded) + len(lines) + 2
        categories = self._part.categories
        return UnitPart(hour, line, encoded, own, size, categories=categories)


class CopyingMapper(Mapper):
    """A mapper of `deliveries` alone: maps those of one round, and copies what it made."""

    def __init__(self, *args: object, **settings: object) -> None:
        """Take what a mapper takes."""
        super().__init__(*args, **settings)  # type: ignore[arg-type]
        self._patterns: dict[tuple[int, int], _MappedPattern] = {}

    def units(self, delivery: Delivery) -> Iterator[UnitPart]:
        """See `Mapper.units`."""
        number = _NUMBER.search(delivery.unit)
        if number is None:
            raise ValueError(f"{delivery.unit}: not one of the generated files")
        again, seed = divmod(int(number[1]), BATCH_FILES)
        body = gzip.decompress(delivery.body)
        records = len(msgspec.json.decode(body, type=_Records).Records)
        pattern = self._patterns.get((seed, records))
        if pattern is None:
            pattern = _MappedPattern(self, delivery.unit, _marked(seed, records))
            self._patterns[seed, records] = pattern
        yield pattern.copied(again, self.hour(delivery.unit), delivery, body)
