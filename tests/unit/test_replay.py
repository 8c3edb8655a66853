"""Which files a replay sends again, and as which attempt."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import msgspec
import pytest

from nhi_evidence import sources
from nhi_evidence.adapters.aws import s3_notification
from nhi_evidence.adapters.aws.s3_notification import ObjectRef
from nhi_evidence.demo.story import generate
from nhi_evidence.errors import DeliveryRefusedError, SettingsError
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import keys
from nhi_evidence.pipeline import replay
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import Locked, lock
from nhi_evidence.pipeline.replay import File, Held, Sending, Standing
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
    """A window is whole hours, from the first, inclusive, to the last, exclusive."""
    assert hours == list(replay.window(begins, ends).hours())


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [
        ("yesterday", "2026-03-02", "--from 'yesterday': write a UTC time such as 2026-03-02T08"),
        ("2026-03-02", "2026-03-02T08+01", "--to '2026-03-02T08+01': write a UTC time"),
        ("2026-02-30", "2026-03-02", "--from '2026-02-30'"),
        ("2026-03-02", "2026-03-02", "--to 2026-03-02 is not after --from 2026-03-02"),
        ("2024-03-02", "2026-03-02", "is more than 366 days"),
    ],
)
def test_no_window(begins: str, ends: str, said: str) -> None:
    """What is no window is named, with what one looks like."""
    with pytest.raises(SettingsError) as caught:
        replay.window(begins, ends)
    assert said in str(caught.value)


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
    ],
)
def test_folders_of_other_dates_are_not_walked(folder: str, may: bool) -> None:
    """A dated folder is entered only within a day of the window; any other always is."""
    assert may == replay.window("2026-03-02T08", "2026-03-02T10").may_hold(folder)


def test_files_are_chosen_by_their_names_then_by_their_time() -> None:
    """The hour in a file's name decides, wherever it is stored; without one its storing does."""
    when = replay.window("2026-03-02T08", "2026-03-02T10")
    late = file(stored=datetime(2026, 3, 20, tzinfo=UTC))
    other = file(NAME.replace("T0805Z", "T1005Z"))
    nameless, old = file("notes.json"), file("notes.json", stored=datetime(2026, 3, 1, tzinfo=UTC))
    found = list(replay.chosen([late, other, nameless, old], PACK, when))
    assert [Sending(late, "2026030208"), Sending(nameless, None)] == found


class Squatted:
    """One file exported, and somebody else's bytes put where its evidence belongs."""

    def __init__(self, *, before: bool) -> None:
        self.store = MemoryStore()
        self.mapper = Mapper("aws_cloudtrail")
        self.body = generate()[0].body
        batch = next(iter(self.mapper.export(self.delivery(0))))
        if before:
            self.store.add(batch.key, b"squatter", {})
        self.key = batch.key

    def delivery(self, attempt: int) -> Delivery:
        return Delivery(file().unit, self.body, hour="2026030208", attempt=attempt)

    def export(self, attempt: int) -> Locked:
        return lock(self.mapper, self.delivery(attempt), self.store)

    def judged(self) -> Sending:
        sending = Sending(file(), "2026030208")
        versions = [
            one
            for prefix in replay.prefixes([sending], PACK)
            for one in self.store.versions(prefix)
        ]
        described = zip(versions, self.store.describe(versions), strict=True)
        return replay.judged(sending, PACK, replay.held(described))


def test_a_squatted_unit_is_sent_as_a_new_attempt() -> None:
    """A squatter's bytes are told by the hash; the next attempt has a key of its own."""
    world = Squatted(before=True)
    assert 0 == sum(key == world.key for key in world.store.calls)
    world.export(0)
    assert (Standing.SQUATTED, 1) == (world.judged().standing, world.judged().attempt)
    done = world.export(1)
    assert (world.key.replace(".ndjson.zst", ".r1.ndjson.zst"),) == done.keys
    assert (Standing.PRESENT, 0) == (world.judged().standing, world.judged().attempt)
    assert b"squatter" == world.store.get(world.key)


def test_a_squatted_attempt_leads_to_the_next() -> None:
    """Whoever squats an attempt as well only makes the number grow."""
    world = Squatted(before=True)
    world.store.add(keys.of_attempt(world.key, 1), b"squatter again", {})
    assert (Standing.SQUATTED, 2) == (world.judged().standing, world.judged().attempt)


def test_what_is_there_needs_no_attempt() -> None:
    """A unit without anything is missing, one with its evidence present; both as attempt 0."""
    world = Squatted(before=False)
    assert (Standing.MISSING, 0) == (world.judged().standing, world.judged().attempt)
    before = dict(world.store.versions_by_key)
    world.export(0)
    assert (Standing.PRESENT, 0) == (world.judged().standing, world.judged().attempt)
    assert set(before) < set(world.store.versions_by_key)


def test_a_shadow_or_marker_changes_nothing() -> None:
    """The first version counts, whatever is put or marked over it."""
    world = Squatted(before=False)
    world.export(0)
    world.store.mark(world.key)
    world.store.add(world.key, b"shadow", {})
    assert Standing.PRESENT is world.judged().standing


def test_a_part_that_is_missing_is_told() -> None:
    """A unit of several parts is present when all of them are."""
    assert Standing.MISSING is Held(parts=2, genuine={1}).standing()
    assert Standing.PRESENT is Held(parts=2, genuine={1, 2}).standing()
    assert Standing.SQUATTED is Held(parts=2, genuine={1}, squatted={2}).standing()


def test_a_companion_has_no_attempts() -> None:
    """A digest is kept as a copy alone; one that is squatted is said to be, and stays so."""
    sending = Sending(file(DIGEST), "2026030208")
    (prefix,) = replay.prefixes([sending], PACK)
    assert prefix == "src/v1/aws_cloudtrail/h=2026030208/"
    store = MemoryStore()
    key = keys.source_copy_key(
        source="aws_cloudtrail",
        hour="2026030208",
        unit=sending.file.unit,
        body_sha256=sha256(b"digest").digest(),
    )
    store.add(key, b"squatter", {})
    versions = list(store.versions(prefix))
    units = replay.held(zip(versions, store.describe(versions), strict=True))
    judged = replay.judged(sending, PACK, units)
    assert (Standing.SQUATTED, 0) == (judged.standing, judged.attempt)


def test_an_hour_nobody_states_is_not_looked_up() -> None:
    """Without an hour in the file's name its evidence cannot be found, and nothing is claimed."""
    sending = Sending(file("notes.json"), None)
    assert sending == replay.judged(sending, PACK, {})
    assert [] == replay.prefixes([sending], PACK)


@pytest.mark.parametrize("version", ["v1", None])
def test_the_exporter_understands_what_is_sent(version: str | None) -> None:
    """Key, version and attempt arrive as they were sent, whatever is in the name."""
    ref = ObjectRef("trail", "a b/ü+%2F.json.gz", version, 3)
    assert (ref,) == s3_notification.objects(s3_notification.again(ref))


@pytest.mark.parametrize("attempt", [-1, 100, "1", None, 1.5])
def test_an_attempt_out_of_bounds_is_refused(attempt: object) -> None:
    """Whoever can write to the queue cannot make keys at will."""
    message = msgspec.json.decode(s3_notification.again(ObjectRef("trail", NAME)))
    message["Records"][0][s3_notification.ATTEMPT] = attempt
    with pytest.raises(DeliveryRefusedError, match="attempt"):
        s3_notification.objects(msgspec.json.encode(message).decode())


def test_keys_of_attempts_are_read_back() -> None:
    """An attempt changes the name alone: unit, part and hash are what they were."""
    key = Squatted(before=False).key
    again = keys.of_attempt(key, 12)
    assert (0, 12) == (keys.attempt_in(key), keys.attempt_in(again))
    assert keys.parse_key(key) == keys.parse_key(again)
    assert key == keys.of_attempt(key, 0)
