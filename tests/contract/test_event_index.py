"""Every index of events answers alike, the one in memory and the one in Parquet files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nhi_evidence.adapters.index import build, duck, groups, weigh
from nhi_evidence.adapters.index.local_index import LocalIndex
from nhi_evidence.adapters.index.state import FILE, State
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.demo.story import gcp_files
from nhi_evidence.errors import LogError, SettingsError
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import note
from nhi_evidence.evidence.counting import Status
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import in_memory
from nhi_evidence.investigate import sealed as sealed_reading
from nhi_evidence.investigate.index import MemoryIndex, Selection
from nhi_evidence.investigate.row import Row
from nhi_evidence.pipeline.lock import lock_batch
from tests.altering import altered
from tests.memory_store import DAY_MS
from tests.proofs import sealed
from tests.signing import LocalSigner

NAME = sealed.NAME
SIGNER = LocalSigner("log")
KEY = note.from_spki(NAME, SIGNER.public_key())


def _elsewhere(file: Delivery) -> Delivery:
    """Return the same records delivered by another trail, which in one batch is another object."""
    return msgspec.structs.replace(file, unit=file.unit.replace("AbCdEf", "GhIjKl"))


def seal(folder: Path) -> None:
    sealer = Sealer(
        DirectoryStore(folder), [SIGNER], lambda: sealed.NOW, name=NAME,
        lock_policy=LockPolicy(retention_ms=DAY_MS), lock_log=False,
    )  # fmt: skip
    sealer.run()


def refresh(folder: Path, index: Path, *, jobs: int = 1) -> State:
    store = DirectoryStore(folder)
    return build.refresh(
        index, store, StoredLog(store, NAME, (KEY,)), log_name=NAME, jobs=jobs
    )  # fmt: skip


def in_memory_of(folder: Path) -> MemoryIndex:
    store = DirectoryStore(folder)
    return in_memory.of_store(store, StoredLog(store, NAME, (KEY,)), log_name=NAME)


class Both(NamedTuple):
    """The same evidence in both indexes."""

    folder: Path
    memory: MemoryIndex
    local: LocalIndex


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("evidence")
    store = DirectoryStore(folder)
    file, digest, _ = sealed.deliveries(sealed.trail_file())
    entries = Delivery("bucket/file@1!h=2026030208", gcp_files()[0].body)
    for mapper, batch in (
        (sealed.mapper(), [file, digest]),
        (sealed.mapper(), [file, _elsewhere(file)]),
        (sealed.mapper("gcp_audit"), [entries]),
    ):
        assert not lock_batch(mapper, batch, store).failed
    seal(folder)
    index = tmp_path_factory.mktemp("index")
    with LocalIndex(index, refresh(folder, index)) as local:
        yield Both(folder, in_memory_of(folder), local)


def test_both_indexes_hold_the_same(both: Both) -> None:
    memory, local = both.memory.freshness(), both.local.freshness()
    assert memory.rows is not None
    assert memory.rows > 10
    assert memory.duplicates > 0
    assert (memory.rows, memory.first, memory.last, memory.duplicates) == (
        local.rows, local.first, local.last, local.duplicates,
    )  # fmt: skip
    assert memory.proven
    assert local.proven
    assert (memory.head, memory.head_time) == (local.head, local.head_time)
    assert local.head_time == sealed.NOW


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_both_indexes_answer_every_selection_alike(both: Both, data: st.DataObject) -> None:
    everything = list(both.memory.rows(Selection(identities=_all(both.memory))))
    row = data.draw(st.sampled_from(everything))
    values: dict[str, list[str | None]] = {
        "identities": [row.identity, row.identity_uid, row.identity_name, "nobody"],
        "credentials": [row.credential, *row.hop_credentials, "none"],
        "issued": [*row.issued, row.entity, "none"],
        "addresses": [row.ip, "192.0.2.200"],
        "resources": [*row.targets, *(each.upper() for each in row.target_names), "nothing"],
    }
    drawn = {
        name: frozenset(each for each in data.draw(st.lists(st.sampled_from(of))) if each)
        for name, of in values.items()
    }
    pair = (row.issuer or "", row.subject or "")
    selection = Selection(
        **drawn,
        subjects=frozenset(data.draw(st.lists(st.sampled_from([pair, ("a", "b")])))),
        since=data.draw(st.sampled_from([None, row.time, row.time + 1])),
        until=data.draw(st.sampled_from([None, row.time, row.time + 1])),
    )
    assert list(both.local.rows(selection)) == list(both.memory.rows(selection))


def _all(index: MemoryIndex) -> frozenset[str]:
    return frozenset(
        name for row in index._rows for name in (row.identity, row.identity_name) if name
    )


def test_a_second_refresh_reads_nothing_and_a_grown_log_only_what_is_new(
    both: Both, tmp_path: Path
) -> None:
    folder, index = tmp_path / "evidence", tmp_path / "index"
    folder.mkdir()
    store = DirectoryStore(folder)
    file, digest, _ = sealed.deliveries(sealed.trail_file())
    entries = Delivery("bucket/file@1!h=2026030208", gcp_files()[0].body)
    lock_batch(sealed.mapper(), [file, digest], store)
    seal(folder)
    first = refresh(folder, index)
    assert refresh(folder, index).generation == first.generation
    lock_batch(sealed.mapper("gcp_audit"), [entries], store)
    lock_batch(sealed.mapper(), [file, _elsewhere(file)], store)
    seal(folder)
    state = refresh(folder, index)
    assert (state.generation, len(state.events)) == (2, 2)
    with LocalIndex(index, state) as grown:
        everything = Selection(identities=_all(both.memory))
        assert _content(grown.rows(everything)) == _content(both.memory.rows(everything))
    assert {each.name for each in index.iterdir() if each.is_file()} == state.files


def _content(rows: Iterator[Row]) -> list[tuple[int, str, str]]:
    return [(row.time, row.raw_sha256, row.place.unit) for row in rows]


def test_several_processes_give_the_same_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "_GROUP_BYTES", 1)
    folder = tmp_path / "evidence"
    folder.mkdir()
    file, digest, _ = sealed.deliveries(sealed.trail_file())
    lock_batch(sealed.mapper(), [file, digest], DirectoryStore(folder))
    seal(folder)
    states = [refresh(folder, tmp_path / str(jobs), jobs=jobs) for jobs in (1, 2)]
    everything = "SELECT * FROM all_events ORDER BY time, object, unit, line"
    answers = []
    for jobs, state in zip((1, 2), states, strict=True):
        with LocalIndex(tmp_path / str(jobs), state) as index:
            answers.append(index.connection.execute(everything).fetchall())
    assert answers[0] == answers[1]
    assert answers[0]


def test_an_altered_object_is_named_and_nothing_of_it_is_shown(both: Both, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    shutil.copytree(both.folder, folder)
    path = next(folder.glob("ev/v1/gcp_audit/*/*.zst"))
    path.write_bytes(altered(path.read_bytes()))
    state = refresh(folder, tmp_path / "index")
    assert [text.partition(": ")[2] for text in state.unreadable] == [
        "body hash does not match its key"
    ]
    with LocalIndex(tmp_path / "index", state) as index:
        providers = index.connection.execute("SELECT DISTINCT provider FROM events").fetchall()
    assert providers == [("AWS",)]


@pytest.mark.parametrize("path", ["log/v1/2026/tile/entries/000.p/*", "log/v1/2026/checkpoint/*"])
def test_a_log_that_is_not_what_was_signed_is_refused(
    both: Both, tmp_path: Path, path: str
) -> None:
    folder = tmp_path / "evidence"
    shutil.copytree(both.folder, folder)
    (rewritten,) = folder.glob(path)
    body = rewritten.read_bytes()
    rewritten.write_bytes(body.replace(b"ev/v1/gcp_audit", b"ev/v1/gcp_audjt") if b"ev/v1" in body
                        else body[:-4] + b"AAA\n")  # fmt: skip
    with pytest.raises(LogError):
        refresh(folder, tmp_path / "index")


def test_a_rolled_back_log_is_read_anew(both: Both, tmp_path: Path) -> None:
    folder, index = tmp_path / "evidence", tmp_path / "index"
    shutil.copytree(both.folder, folder)
    refresh(folder, index)
    shutil.rmtree(folder)
    folder.mkdir()
    file, _, _ = sealed.deliveries(sealed.trail_file())
    lock_batch(sealed.mapper(), [file], DirectoryStore(folder))
    seal(folder)
    state = refresh(folder, index)
    assert (state.generation, state.objects) == (1, 1)


def test_a_folder_that_holds_something_else_is_left_alone(both: Both, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(SettingsError, match="other than an index"):
        refresh(both.folder, tmp_path)
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / FILE).write_text("{")
    with pytest.raises(SettingsError, match="rebuild the index"):
        refresh(both.folder, tmp_path / "index")


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO 'out.csv'",
        "SELECT 1; SELECT 2",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "CREATE TABLE x AS SELECT 1",
        "PRAGMA database_list",
        "EXPORT DATABASE 'x'",
        "",
    ],
)
def test_anything_but_a_single_select_is_refused(both: Both, sql: str) -> None:
    with pytest.raises(SettingsError, match="single SELECT"):
        duck.one_select(both.local.connection, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_parquet('https://192.0.2.1/x.parquet')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_blob('{index}/../../../../etc/hostname')",
    ],
)
def test_a_select_reaches_no_file_and_no_network(both: Both, sql: str) -> None:
    statement = duck.one_select(
        both.local.connection, sql.format(index=both.local._folder)
    )  # fmt: skip
    with pytest.raises(duckdb.Error, match=r"(?i)permission|disabled|does not exist|extension"):
        both.local.connection.execute(statement).fetchall()


def test_the_statuses_of_counting_are_all_known() -> None:
    assert set(sealed_reading._DISPUTED) == set(Status)


def test_an_interrupted_index_is_rebuilt(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder has files that nothing refers to, and is still an index."""
    index = tmp_path / "index"

    def broken_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(weigh, "hours", broken_off)
        with pytest.raises(KeyboardInterrupt):
            refresh(both.folder, index)
    assert any(index.glob("events-*"))
    state = refresh(both.folder, index)
    everything = Selection(identities=_all(both.memory))
    with LocalIndex(index, state) as rebuilt:
        assert _content(rebuilt.rows(everything)) == _content(both.memory.rows(everything))
    assert {each.name for each in index.iterdir() if each.is_file()} == state.files
