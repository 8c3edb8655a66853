"""What a subscriber gets from an evidence object: every kept record, once, with a pointer back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nhi_evidence.demo.story import generate
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import forwarding, frame, lines, objects
from nhi_evidence.evidence.forwarding import Part, Place, UnsoundObjectError
from nhi_evidence.evidence.objects import EvidenceObject
from nhi_evidence.evidence.unit import MappingResult, PartPosition, UnitIdentity, unit_part
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.memory_store import MemoryStore
from tests.ocsf_schema import problems
from tests.unit.test_objects import HOUR, packer

LEAKS = Path(__file__).parents[1] / "cases" / "github_audit" / "leaks"


@pytest.fixture(scope="module")
def story() -> dict[str, bytes]:
    """Evidence objects of the story, by key."""
    return locked(Mapper("aws_cloudtrail", keep_out_of_scope_raw=True))


def locked(mapper: Mapper) -> dict[str, bytes]:
    store = MemoryStore()
    files = [Delivery(f"trail/{file.key}@v", file.body) for file in generate()]
    lock_batch(mapper, files, store).ensure_locked()
    return {key: store.get(key) for key in store.keys("ev/")}


def place(key: str, version: str = "v1") -> Place:
    return Place("evidence", key, version)


def records(part: Part) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(part.body).splitlines()]


def kept(body: bytes) -> list[tuple[str, int, dict[str, Any]]]:
    """Unit, index and record of every kept line, by the reader of the format."""
    table, rest = objects.read_object(body)
    kept = []
    for unit, own in objects.lines_of(table, rest):
        for line in own:
            parsed = lines.decode_line(line)
            if parsed.form == "kept":
                kept.append((unit.unit, parsed.i or 0, json.loads(bytes(parsed.n))))
    return kept


def test_every_kept_record_is_a_line_and_nothing_else_is(story: dict[str, bytes]) -> None:
    """They are in the object's order, unchanged except for the pointer, and valid OCSF."""
    total = 0
    for key, body in story.items():
        forwarded = [one for part in forwarding.parts(place(key), body) for one in records(part)]
        pointers = [one.pop("nhi_evidence") for one in forwarded]
        expected = kept(body)
        assert [record for _, _, record in expected] == forwarded
        assert [(unit, at) for unit, at, _ in expected] == [
            (one["stream_uid"], one["stream_sequence"]) for one in pointers
        ]
        total += len(forwarded)
    assert total > 20


def test_a_line_is_valid_and_leads_back_to_its_record(story: dict[str, bytes]) -> None:
    """The pointer names bucket, key, version and hash; its offset is the line in the object."""
    for key, body in story.items():
        inflated = frame.unpack(body, limit=objects.MAX_LINES_BYTES)
        for part in forwarding.parts(place(key, "a+b"), body):
            for record in records(part):
                assert [] == problems(record)
                pointer = record.pop("nhi_evidence")
                assert f"s3://evidence/{key}?versionId=a%2Bb" == pointer["object_uri"]
                assert sha256(body).hexdigest() == pointer["object_fingerprint"]["value"]
                line = json.loads(inflated[pointer["object_offset"]])
                assert (record, pointer["stream_sequence"]) == (line["n"], line["i"])
                assert lines.unit_id(pointer["stream_uid"]) == line["u"]


def test_raw_text_and_records_of_people_are_not_forwarded(story: dict[str, bytes]) -> None:
    """No line contains a raw record, or anything of a record out of scope."""
    for key, body in story.items():
        text = b"".join(gzip.decompress(one.body) for one in forwarding.parts(place(key), body))
        for line in frame.unpack(body, limit=objects.MAX_LINES_BYTES):
            read = json.loads(line)
            if "o" in read:
                assert json.loads(read["r"])["eventID"].encode() not in text
        assert b'\\"eventVersion\\"' not in text


def test_what_was_cut_is_not_forwarded() -> None:
    """A source's leaks are cut before mapping, so no line can contain them."""
    mapper, store = Mapper("github_audit", keep_out_of_scope_raw=True), MemoryStore()
    deliveries = [
        Delivery(f"logs/{path.name}@v", path.read_bytes()) for path in sorted(LEAKS.iterdir())
    ]
    lock_batch(mapper, deliveries, store).ensure_locked()
    seen = 0
    for key in store.keys("ev/"):
        for part in forwarding.parts(place(key), store.get(key)):
            assert b"LEAKED-VALUE" not in gzip.decompress(part.body)
            seen += part.records
    assert seen > 0


def many(count: int) -> EvidenceObject:
    """Return an object of many small records, with one out of scope at the end."""
    name = "b/many@v"
    u = lines.unit_id(name)
    own = [lines.kept_line(u, at, {"time": at}, "{}") for at in range(count)]
    own.append(lines.out_of_scope_line(u, count, "human", "{}"))
    identity = UnitIdentity(
        unit=name, hour=HOUR, kind="records", src_sha256="0" * 64, raw_sha256="0" * 64, raw_size=2
    )
    part = unit_part(
        identity,
        PartPosition.only(2),
        own,
        rebuild="no",
        mapping=MappingResult(kept=count, out_of_scope={"human": 1}),
    )
    (packed,) = packer().pack([part])
    return packed


def test_a_large_object_is_split_into_deterministic_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Parts end at lines of the object; no line is lost or repeated, and a rerun gives the same."""
    monkeypatch.setattr(forwarding, "PART_LINES", 1_000)
    packed = many(2_500)
    forwarded = list(forwarding.parts(place(packed.key), packed.body))
    assert [1_000, 1_000, 500] == [one.records for one in forwarded]
    assert list(range(2_500)) == [one["time"] for part in forwarded for one in records(part)]
    assert [forwarding.key_of(packed.key, at) for at in range(3)] == [one.key for one in forwarded]
    assert forwarded == list(forwarding.parts(place(packed.key), packed.body))


def test_an_object_without_kept_records_makes_nothing() -> None:
    """With only people's records nothing is written, and no subscriber is notified."""
    packed = many(0)
    assert [] == list(forwarding.parts(place(packed.key), packed.body))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda body: body[:-1], "hash does not match"),
        (lambda body: body + b"x", "hash does not match"),
    ],
)
def test_bytes_that_do_not_match_the_key_are_refused(change: Any, why: str) -> None:
    """A shadow of a key, or a truncated body, is not evidence: nothing of it is forwarded."""
    packed = many(3)
    with pytest.raises(UnsoundObjectError, match=why):
        next(forwarding.parts(place(packed.key), change(packed.body)))


def forged(*rows: bytes, table: int) -> tuple[Place, bytes]:
    """Return an object of these lines under the key of its own bytes."""
    body, _ = frame.pack(rows, table=table)
    return place(f"ev/v1/aws_cloudtrail/h=2026030208/{sha256(body).hexdigest()}.ndjson.zst"), body


def test_an_invalid_object_under_a_valid_key_is_refused() -> None:
    """It has no table, other units than announced, or missing lines, under a key that fits its
    bytes.
    """
    inflated = frame.unpack(many(2).body, limit=objects.MAX_LINES_BYTES)
    header, unit, first, *_ = inflated
    for rows, table in (
        ([b"{}"], 1),
        ([b"not json", b"{}"], 1),
        ([header], 1),
        ([header, unit, first], 2),
        ([*inflated, first], 2),
        ([header, unit, *(line.replace(b'"u":"', b'"u":"0') for line in inflated[2:])], 2),
        ([header.replace(b"2026030208", b"2026030209"), *inflated[1:]], 2),
        ([header, unit, b'{"u":"%s","i":0,"n":[]}' % unit_id(first), *inflated[3:]], 2),
    ):
        at, body = forged(*rows, table=table)
        with pytest.raises(UnsoundObjectError, match="2026030208"):
            list(forwarding.parts(at, body))


def unit_id(line: bytes) -> bytes:
    return str(json.loads(line)["u"]).encode()


def test_an_object_without_lines_is_refused_alone() -> None:
    """The error concerns the object, not the batch it came in."""
    at, body = forged(table=0)
    with pytest.raises(UnsoundObjectError, match="2026030208"):
        list(forwarding.parts(at, body))


def test_a_second_frame_is_refused() -> None:
    """Libraries that stop after one frame would miss what follows it."""
    packed = many(2)
    body = packed.body * 2
    key = f"ev/v1/aws_cloudtrail/h=2026030208/{sha256(body).hexdigest()}.ndjson.zst"
    with pytest.raises(UnsoundObjectError, match="after the zstd frame"):
        list(forwarding.parts(place(key), body))


def test_a_key_that_is_not_evidence_is_refused() -> None:
    """Statements and the log are not for subscribers."""
    for key in (f"op/v1/recon/h=2026030208/{'0' * 64}", "log/v1/2026/plan/1", "x"):
        with pytest.raises(UnsoundObjectError, match="not an evidence key"):
            list(forwarding.parts(place(key), b""))


Stored = tuple[str, dict[str, str], bytes]
"""Key, user metadata and body of an object."""


@cache
def genuine() -> Stored:
    """An object of the story with several units."""
    store = MemoryStore()
    files = [Delivery(f"trail/{file.key}@v", file.body) for file in generate()]
    lock_batch(Mapper("aws_cloudtrail", keep_out_of_scope_raw=True), files, store).ensure_locked()
    key = max(store.keys("ev/"), key=lambda key: int(store.first(key).metadata["units"]))
    return key, dict(store.first(key).metadata), store.get(key)


def altered(change: Callable[[lines.Header, list[lines.UnitLine]], object]) -> Stored:
    """Return an object whose table a writer changed, with metadata that fits the change."""
    key, _, before = genuine()
    table, rest = objects.read_object(before)
    units = list(table.units)
    header = change(table.header, units) or table.header
    assert isinstance(header, lines.Header)
    rows = [lines.encode(header), *map(lines.encode, units)]
    body, size = frame.pack([*rows, *rest], table=len(rows))
    metadata = objects.metadata(header, units, objects.table_root(rows), size)
    folder = key.rpartition("/")[0]
    return f"{folder}/{sha256(body).hexdigest()}.ndjson.zst", metadata, body


def checked(stored: Stored, **metadata: str) -> None:
    key, own, body = stored
    forwarding.check(place(key), {**own, **metadata}, body)


def one_more(_header: lines.Header, units: list[lines.UnitLine]) -> None:
    units[0] = msgspec.structs.replace(units[0], kept=units[0].kept + 1)


def of_another_hour(header: lines.Header, _units: list[lines.UnitLine]) -> lines.Header:
    return msgspec.structs.replace(header, hour="2020010100")


def twice(header: lines.Header, units: list[lines.UnitLine]) -> lines.Header:
    units.append(units[0])
    return msgspec.structs.replace(header, units=len(units))


def unchanged(_header: lines.Header, _units: list[lines.UnitLine]) -> None:
    """Nothing."""


@pytest.mark.parametrize(
    ("change", "code"),
    [(one_more, "arithmetic"), (of_another_hour, "table_mismatch"), (twice, "table_invalid")],
)
def test_what_verify_gives_no_weight_to_is_not_forwarded(change: Any, code: str) -> None:
    """By the same rules of a table, and with the code of the finding."""
    checked(altered(unchanged))
    with pytest.raises(UnsoundObjectError, match=f": {code}: "):
        checked(altered(change))


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("table", "1", "no block of the zstd frame ends at byte 1"),
        ("table", "x", "metadata states a table of 'x' bytes"),
        ("root", "0" * 64, "table_root"),
        ("kept", "0", "table_mismatch: kept"),
    ],
)
def test_metadata_that_contradicts_the_table_is_refused(name: str, value: str, why: str) -> None:
    """It is what is sealed of an object."""
    key, own, body = genuine()
    checked((key, own, body))
    with pytest.raises(UnsoundObjectError, match=why):
        checked((key, own, body), **{name: value})
    with pytest.raises(UnsoundObjectError, match="metadata states a table of ''"):
        checked((key, {}, body))
