"""Unreadable lines are all counted, even if only some are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhi_evidence.adapters.index import build
from nhi_evidence.adapters.index.local_index import LocalIndex
from nhi_evidence.adapters.index.state import State
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import in_memory, row_reading, sealed, trust
from nhi_evidence.investigate.index import Freshness
from nhi_evidence.terminal.timeline_report import freshness_lines
from tests import stated_store


def unreadable(*_: object) -> None:
    raise row_reading.UnreadableRecordError("odd")


def indexed(folder: Path, tmp_path: Path) -> list[Freshness]:
    store = DirectoryStore(folder)
    log = StoredLog(store, stated_store.NAME, (stated_store.KEY,))
    state = build.refresh(tmp_path / "index", store, log, log_name=stated_store.NAME, jobs=1)
    with LocalIndex(tmp_path / "index", state) as local:
        in_full = in_memory.of_store(store, log, log_name=stated_store.NAME)
        return [local.freshness(), in_full.freshness()]


def test_every_line_is_counted_and_the_first_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    stated_store.lock(folder, "aws_cloudtrail", stated_store.trail()[:1])
    stated_store.seal(folder)
    monkeypatch.setattr(sealed, "_MAX_UNREADABLE", 2)
    monkeypatch.setattr(row_reading, "read_values", unreadable)
    for fresh in indexed(folder, tmp_path):
        assert (len(fresh.unreadable), fresh.rows) == (2, 0)
        assert fresh.unreadable_count > 5
        last = [line.strip() for line in freshness_lines(fresh)][-1]
        assert last == f"... and {fresh.unreadable_count - 2} more"


def test_a_line_is_either_a_row_or_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one whose record can be read, but not what it states about trust."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    stated_store.lock(folder, "aws_cloudtrail", stated_store.trail()[:1])
    stated_store.seal(folder)
    kept = [each.rows for each in indexed(folder, tmp_path / "sound")]
    monkeypatch.setattr(trust, "may_state", lambda *_: True)
    monkeypatch.setattr(sealed, "decode_line", unreadable)
    for rows, fresh in zip(kept, indexed(folder, tmp_path / "odd"), strict=True):
        assert (fresh.rows, fresh.unreadable_count) == (0, rows)
    assert (kept[0] or 0) > 5


def test_the_list_of_an_index_is_bounded_and_its_number_is_not() -> None:
    state = State(log="", accepted=[])
    state.note_unreadable((str(number) for number in range(20)), 1_500)
    state.note_unreadable(map(str, range(2_000)), 2_000)
    assert (len(state.unreadable), state.unreadable_count) == (1_000, 3_500)
