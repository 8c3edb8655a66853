"""A row's values are in the order of its fields, each in its own column."""

from __future__ import annotations

import functools
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from nhi_evidence.adapters.index import duck, schema
from nhi_evidence.evidence import objects
from nhi_evidence.investigate import row_reading
from nhi_evidence.investigate.columns import COLUMNS, Type
from nhi_evidence.investigate.row import Place, Row
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.memory_store import MemoryStore
from tests.story_store import deliveries

LISTS_OF_PARTS = {"hops", "hop_credentials", "mechanisms", "targets", "target_names"}
"""Columns made from parts of a list, whose path names only the list."""


@pytest.fixture(scope="module")
def lines() -> list[tuple[str, bytes]]:
    """Return every line of the story's evidence, with its source."""
    every = []
    for source, delivery in deliveries():
        store = MemoryStore()
        lock_batch(Mapper(source, keep_out_of_scope_raw=False), [delivery], store).ensure_locked()
        for body in store.objects.values():
            every += [(source, line) for line in objects.read_object(body)[1]]
    return every


def at(record: Any, path: str) -> Any:
    return functools.reduce(
        lambda value, key: value.get(key) if isinstance(value, dict) else None,
        path.split("."),
        record,
    )


def test_each_value_is_what_its_column_names(lines: list[tuple[str, bytes]]) -> None:
    """Compared with the record as JSON, path by path, on every platform of the story."""
    seen = 0
    for source, line in lines:
        kept = row_reading.read_values(line, source)
        record = json.loads(line).get("n")
        if kept is None:
            assert record is None
            continue
        seen += 1
        values, index = kept
        assert json.loads(line)["i"] == index
        for column, value in zip(COLUMNS, values, strict=True):
            if not column.path or column.name in LISTS_OF_PARTS:
                continue
            stated = next((one for one in (at(record, path) for path in column.path) if one), None)
            if column.type is Type.TEXTS:
                assert tuple(stated or ()) == value, column.name
            elif column.name in {"ip", "user_agent"} and stated is None:
                pass  # of a Base Event it stands among the observables
            else:
                assert (stated or None) == (value or None), column.name
    assert seen > 100


def test_a_row_and_its_values_are_the_same(lines: list[tuple[str, bytes]]) -> None:
    """Row, values and table agree on a line."""
    rows, values = [], []
    for source, line in lines:
        row = row_reading.read_line(line, source, functools.partial(Place, "key", source))
        kept = row_reading.read_values(line, source)
        assert (row is None) == (kept is None)
        if row is not None and kept is not None:
            assert kept[0] == tuple(getattr(row, name) for name in Row.__struct_fields__[:-1])
            rows.append(row)
            values.append(kept)
    event_rows = schema.EventRows(first_claim=7)
    for number in range(20):  # more than are made at once
        for row_values, index in values:
            event_rows.put(number, index, row_values)
    table = event_rows.table()
    assert table["claim"].to_pylist()[:: len(rows)] == list(range(7, 27))
    assert len(rows) * 20 == table.num_rows
    for name in ("uid", "credential", "operation", "raw_sha256"):
        assert [getattr(row, name) for row in rows] * 20 == table[name].to_pylist()
    assert [list(row.targets) for row in rows] * 20 == table["targets"].to_pylist()


def test_an_object_without_records_is_an_empty_table() -> None:
    assert schema.EVENTS == schema.EventRows().table().schema


@pytest.mark.parametrize(
    "odd", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "\u0661" * 64, "\ud800"]
)
def test_a_record_has_one_number_whatever_is_beside_it(odd: str) -> None:
    """This includes one without a hash, which a writer may have written."""
    digest = sha256(b"record").hexdigest()
    (plain,) = schema.record_hashes([digest]).to_pylist()
    (alone,) = schema.record_hashes([odd]).to_pylist()
    assert plain == int(digest[:16], 16)
    assert schema.record_hashes([digest, odd, digest]).to_pylist() == [plain, alone, plain]
    # As long together as hashes are, and of their digits.
    assert schema.record_hashes(["a" * 63, "a" * 65])[0] == schema.record_hashes(["a" * 63])[0]


LEAST = (
    b'{"u":"x","i":0,"n":{"time":1,"class_uid":1,"metadata":{"product":{"vendor_name":"V"}},'
    b'"cloud":{"provider":"P"},"api":{"operation":"O","service":{"name":"S"}},'
    b'"nhi":{"type":"T","decision_rule":"R"},"nhi_phase":"p","nhi_base_phase":"p",'
    b'"nhi_outcome":"success","raw_data_hash":{"value":"ab"}},"r":"{}"}'
)


@pytest.mark.parametrize("name", ["time", "class_uid", "i"])
@pytest.mark.parametrize("odd", [1 << 63, 1 << 64, 9 * 10**18, -9 * 10**18])
def test_a_number_too_large_for_a_table_affects_one_record(name: str, odd: int) -> None:
    """Such a record is named as unreadable, and does not prevent the answer for all others."""
    assert row_reading.read_values(LEAST, "aws_cloudtrail") is not None
    line = re.sub(rb'("%s":)[01]' % name.encode(), rb"\g<1>%d" % odd, LEAST)
    assert line != LEAST
    with pytest.raises(row_reading.UnreadableRecordError):
        row_reading.read_values(line, "aws_cloudtrail")


@pytest.mark.parametrize("time", [-62_135_596_800_000, 253_402_300_799_999])
def test_the_first_and_the_last_instant_are_answered(time: int, tmp_path: Path) -> None:
    kept = row_reading.read_values(
        LEAST.replace(b'"time":1', b'"time":%d' % time), "aws_cloudtrail"
    )
    assert kept is not None
    rows = schema.EventRows()
    rows.put(0, kept[1], kept[0])
    pq.write_table(rows.table(), tmp_path / "events.parquet")
    with duck.connect(tmp_path) as connection:
        answer = connection.execute(
            "SELECT epoch_ms(time), time IS NOT NULL FROM read_parquet($1)",
            [str(tmp_path / "events.parquet")],
        )
        assert answer.fetchall() == [(time, True)]
