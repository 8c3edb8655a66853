"""Which files a replay sends again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from nhi_evidence import sources
from nhi_evidence.demo.story import generate
from nhi_evidence.errors import SettingsError, StoreUnavailableError
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import unit
from nhi_evidence.pipeline import replay
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.replay import File, Sending
from nhi_evidence.pipeline.standing import Standing
from nhi_evidence.stored import Version
from tests.altering import altered
from tests.memory_store import MemoryStore

PACK = sources.load("aws_cloudtrail")
FOLDER = "AWSLogs/o-exampleorg1/111122223333/CloudTrail/eu-central-1/2026/03/02/"
NAME = FOLDER + "111122223333_CloudTrail_eu-central-1_20260302T0805Z_abcdefgh.json.gz"
DIGEST = NAME.replace("_CloudTrail_", "_CloudTrail-Digest_").replace(
    "/CloudTrail/", "/CloudTrail-Digest/"
)
STORED = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)


def file(key: str = NAME, version: str | None = "v1", stored: datetime = STORED) -> File:
    return File("trail", key, version, "etag", 100, stored)


@pytest.mark.parametrize(
    ("begins", "ends", "hours"),
    [
        ("2026-03-02T08", "2026-03-02T10", ["2026030208", "2026030209"]),
        ("2026-03-02T08:30", "2026-03-02T08:40", ["2026030208"]),
        ("2026-03-02T08Z", "2026-03-02T09:00:00Z", ["2026030208"]),
        ("2026-02-28T23", "2026-03-01", ["2026022823"]),
    ],
)
def test_window(begins: str, ends: str, hours: list[str]) -> None:
    """A window is whole hours, including the first and excluding the last."""
    assert hours == list(replay.window(begins, ends).hours())


@pytest.mark.parametrize(
    ("begins", "ends", "problem"),
    [
        ("yesterday", "2026-03-02", "--from 'yesterday': write a UTC time such as 2026-03-02T08"),
        ("2026-03-02", "2026-03-02T08+01", "--to '2026-03-02T08+01': write a UTC time"),
        ("2026-02-30", "2026-03-02", "--from '2026-02-30'"),
        ("2026-03-02", "2026-03-02", "--to 2026-03-02 is not after --from 2026-03-02"),
        ("2024-03-02", "2026-03-02", "is more than 366 days"),
    ],
)
def test_an_invalid_window_is_refused(begins: str, ends: str, problem: str) -> None:
    """The error names it and shows what a window looks like."""
    with pytest.raises(SettingsError) as caught:
        replay.window(begins, ends)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("folder", "may"),
    [
        ("AWSLogs/", True),
        (FOLDER, True),
        ("a/2026/", True),
        ("a/2025/", False),
        ("a/2026/03/", True),
        ("a/2026/05/", False),
        ("a/2026/03/01/", True),
        ("a/2026/03/03/", True),
        ("a/2026/03/05/", False),
        ("a/2026/02/27/", False),
        ("a/2026/13/", True),
        ("a/111122223333/", True),
        ("a/0001/", True),
        ("a/9999/12/31/", False),
    ],
)
def test_folders_of_other_dates_are_not_walked(folder: str, may: bool) -> None:
    """A dated folder is entered only within a day of the window; any other folder always."""
    assert may == replay.window("2026-03-02T08", "2026-03-02T10").may_hold(folder)


def test_files_are_chosen_by_their_names_then_by_their_time() -> None:
    """The hour in a file's name decides, wherever it is; otherwise the time of storing."""
    when = replay.window("2026-03-02T08", "2026-03-02T10")
    late = file(stored=datetime(2026, 3, 20, tzinfo=UTC))
    other = file(NAME.replace("T0805Z", "T1005Z"))
    nameless, old = file("notes.json"), file("notes.json", stored=datetime(2026, 3, 1, tzinfo=UTC))
    chosen = list(replay.chosen([late, other, nameless, old], PACK, when))
    assert [
        Sending(late, f"trail/{NAME}@v1", "2026030208"),
        Sending(nameless, "trail/notes.json@v1!h=2026030208", "2026030208"),
    ] == chosen


@pytest.mark.parametrize("version", ["v1", None])
def test_a_unit_is_named_as_the_exporter_names_it(version: str | None) -> None:
    """By the version, or the etag where there is none."""
    when = replay.window("2026-03-02T08", "2026-03-02T10")
    (sending,) = replay.chosen([file(version=version)], PACK, when)
    assert f"trail/{NAME}@{version or 'etag'}" == sending.unit


WHEN = replay.window("2026-03-02T08", "2026-03-02T10")
FILES = [
    file(),
    file(DIGEST),
    file(NAME.replace("T0805Z", "T0905Z")),
    file("notes.json"),
]


class Evidence:
    """Evidence of four files of two hours, two of them in one batch, or as a test decides."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=False)
        self.sendings = list(replay.chosen(FILES, PACK, WHEN))

    def lock(self, *numbers: int, body: bytes | None = None) -> None:
        deliveries = [
            Delivery(
                sending.unit,
                body or generate()[number].body,
                kind=PACK.kind_of(sending.file.key),
            )
            for number, sending in enumerate(self.sendings)
            if number in numbers
        ]
        lock_batch(self.mapper, deliveries, self.store)

    def standings(self) -> list[Standing]:
        """Return each file's standing, in the order of FILES."""
        judged = replay.judged(self.sendings, self.store, PACK)
        by_unit = {sending.unit: sending.standing for sending in judged}
        return [by_unit[sending.unit] for sending in self.sendings]


PRESENT, MISSING, CONTESTED = Standing.PRESENT, Standing.MISSING, Standing.CONTESTED


def test_a_file_with_a_unit_line_in_any_object_is_present() -> None:
    """Records and companions, in one object or several, with an hour in the name or without."""
    world = Evidence()
    assert [MISSING] * 4 == world.standings()
    world.lock(0, 1)
    assert [PRESENT, PRESENT, MISSING, MISSING] == world.standings()
    world.lock(1, 2, 3)
    assert [PRESENT] * 4 == world.standings()
    assert 3 == len(world.store.objects)


def test_only_tables_are_read() -> None:
    """They are read by range: the lines after them may be large."""

    class Ranges(MemoryStore):
        read_sizes: ClassVar[list[int]] = []

        def beginnings(self, versions: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
            wanted = list(versions)
            self.read_sizes.extend(size for _, _, size in wanted)
            return super().beginnings(wanted)

        def bodies(self, versions: Iterable[tuple[str, str]]) -> Iterator[bytes | None]:
            raise AssertionError(versions)

    world = Evidence(Ranges())
    world.lock(0, 2)
    assert [PRESENT, MISSING, PRESENT, MISSING] == world.standings()
    sizes = [len(body) for body in world.store.objects.values()]
    assert all(size < body / 2 for size, body in zip(Ranges.read_sizes, sizes, strict=True))


def test_a_shadow_or_marker_changes_nothing() -> None:
    """The first version counts, whatever is put over it."""
    world = Evidence()
    world.lock(0)
    (key,) = world.store.objects
    world.store.mark(key)
    world.store.add(key, b"shadow", {})
    assert PRESENT is world.standings()[0]


def test_an_invalid_object_counts_as_absent() -> None:
    """Bytes that do not match the key, a truncated table, or false metadata."""
    world = Evidence()
    world.lock(0)
    (key,) = world.store.objects
    stored = world.store.first(key)
    genuine, metadata = stored.body, dict(stored.metadata)
    stored.body = altered(genuine)
    assert MISSING is world.standings()[0]
    stored.body = genuine
    for table, standing in (
        ("1", MISSING),
        ("none", PRESENT),
        ("9" * 400, PRESENT),
        ("0", PRESENT),
    ):
        stored.metadata = metadata | {"table": table}
        assert standing is world.standings()[0], table


def test_an_object_under_another_hour_claims_nothing() -> None:
    """The hour follows from the unit: an object under another hour is void for it."""
    world = Evidence()
    world.lock(0)
    (key,) = world.store.objects
    stored = world.store.first(key)
    elsewhere = MemoryStore()
    elsewhere.add(key.replace("h=2026030208", "h=2026030209"), stored.body, stored.metadata)
    world.store = elsewhere
    assert MISSING is world.standings()[0]


def test_contradictory_contents_are_contested() -> None:
    """Two contents under one name: whoever replays is told."""
    world = Evidence()
    world.lock(0)
    world.lock(0, body=b'{"Records":[]}')
    assert CONTESTED is world.standings()[0]


def test_a_unit_that_lacks_a_part_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit is present only if it is complete."""
    monkeypatch.setattr(unit, "PART_BYTES", 8 * 1024)
    world = Evidence()
    world.lock(0)
    assert PRESENT is world.standings()[0]
    assert len(world.store.objects) > 1
    world.store.remove(next(iter(world.store.objects)))
    assert MISSING is world.standings()[0]


def test_an_unavailable_store_is_an_error() -> None:
    """Nothing counts as missing without having been checked."""

    class Away(MemoryStore):
        def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
            raise StoreUnavailableError(prefix + after)

    with pytest.raises(StoreUnavailableError, match="h=2026030208"):
        Evidence(Away()).standings()
