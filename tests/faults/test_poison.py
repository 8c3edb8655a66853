"""Messages that fail, and one that kills the process, on a queue that redelivers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from moto.sqs.models import sqs_backends

from nhi_evidence.adapters.aws import s3_notification, sqs_batch
from nhi_evidence.adapters.aws.exporter import Answer, Exporter, Invocation
from nhi_evidence.adapters.aws.s3_notification import ObjectRef
from nhi_evidence.adapters.aws.s3_source import S3Source, SourceBucket
from nhi_evidence.adapters.aws.sqs_queue import HandledMessages
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import Outcome
from tests.memory_store import Fault, MemoryStore
from tests.reading import counted

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

BUCKET = "trail"
ACCOUNT = "123456789012"
FINE: Fault = (True, False)
LOST: Fault = (False, True)
AT_ONCE = 10


class Killed(BaseException):
    """The process died, out of memory or out of time."""


class Deadly(Mapper):
    """A mapper that units named `poison` kill, and units named `away` fail."""

    def units(self, delivery: Delivery) -> Any:
        """Map, or die."""
        if "poison" in delivery.unit:
            raise Killed
        return super().units(delivery)


class World:
    """A bucket, its queue with unacknowledged messages, and an exporter."""

    def __init__(self, *, deletes: bool = True) -> None:
        self.s3: S3Client = boto3.client("s3", region_name="us-east-1")
        self.sqs: SQSClient = boto3.client("sqs", region_name="us-east-1")
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.url = self.sqs.create_queue(QueueName="q")["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{'q' if deletes else 'another'}"
        self.refuses: Callable[[int, str], Fault] = lambda *_: FINE
        self.store = MemoryStore(self._fault)
        mapper = Deadly("aws_cloudtrail", keep_out_of_scope_raw=False)
        self.exporter = Exporter(
            mapper,
            S3Source(self.s3, (SourceBucket(BUCKET, ACCOUNT),), mapper.source),
            self.store,
            lambda arn: HandledMessages(self.sqs, arn),
        )
        self.invocations = 0
        self.outcomes: list[Outcome] = []

    def _fault(self, number: int, key: str) -> Fault:
        return self.refuses(number, key)

    def deliver(self, names: Sequence[str]) -> None:
        """Store a file for each name, and notify the queue."""
        for name in names:
            body = json.dumps({"Records": [{"name": name}]}).encode()
            version = self.s3.put_object(Bucket=BUCKET, Key=key(name), Body=body)["VersionId"]
            self.notify(name, version)

    def notify(self, name: str, version: str | None = None) -> None:
        ref = ObjectRef(BUCKET, key(name), version)
        self.sqs.send_message(QueueUrl=self.url, MessageBody=s3_notification.again(ref))

    def event(self) -> dict[str, Any]:
        """Receive everything there is, as an event source mapping does."""
        records: list[dict[str, Any]] = []
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=AT_ONCE,
                VisibilityTimeout=1800,
                AttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
            if not answer.get("Messages"):
                return {"Records": records}
            records += [
                {
                    "messageId": received["MessageId"],
                    "receiptHandle": received["ReceiptHandle"],
                    "body": received["Body"],
                    "attributes": received["Attributes"],
                    "eventSourceARN": self.arn,
                }
                for received in answer["Messages"]
            ]

    def invoke(self, *, time_is_up: Callable[[], bool] = lambda: False) -> Answer | None:
        """Receive, export and answer, as Lambda does; return None if the process died."""
        self.invocations += 1
        event = self.event()
        try:
            answer = self.exporter.export(
                sqs_batch.read(event),
                Invocation(f"request {self.invocations}", {}, time_is_up, self.outcomes.append),
            )
        except Killed:
            answer = None
        failed = (
            {record["messageId"] for record in event["Records"]}
            if answer is None
            else answer.failed
        )
        for record in event["Records"]:
            if record["messageId"] in failed:
                self._show_again(record["receiptHandle"])
            else:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=record["receiptHandle"])
        return answer

    def _show_again(self, receipt: str) -> None:
        with contextlib.suppress(self.sqs.exceptions.ReceiptHandleIsInvalid):  # deleted already
            self.sqs.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=0
            )

    def waiting(self) -> list[str]:
        """Return the names of unacknowledged files, without receiving them."""
        messages = sqs_backends[ACCOUNT]["us-east-1"].queues["q"]._messages
        bodies = [json.loads(message.body) for message in messages]
        return sorted(
            body["Records"][0]["s3"]["object"]["key"].rpartition("_")[2] for body in bodies
        )

    def locked(self) -> list[str]:
        """Return the names of counted files."""
        return sorted(
            unit.rpartition("_")[2].partition("@")[0]
            for unit, (status, *_) in counted(self.store).items()
            if status == "counted"
        )


def key(name: str) -> str:
    return (
        "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/02/"
        f"111122223333_CloudTrail_us-east-1_20260302T0815Z_{name}"
    )


@pytest.fixture
def _mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield


pytestmark = pytest.mark.usefixtures("_mocked")


@pytest.mark.parametrize("innocents", [1, 5, pytest.param(40, marks=pytest.mark.slow)])
def test_a_unit_that_kills_the_process_affects_no_other(innocents: int) -> None:
    """A killed invocation has deleted what it had locked; in the end only the poison is left."""
    world = World()
    names = sorted(f"innocent{n}" for n in range(innocents))
    world.deliver([*names, "poison"])
    while world.locked() != names or world.waiting() != ["poison"]:
        assert world.invoke() is None
        # Messages are grouped by their ids, which are drawn: some draws take two rounds more.
        assert world.invocations < 24, f"waiting: {world.waiting()}"


@pytest.mark.slow
def test_two_killing_units_are_isolated_in_the_end() -> None:
    """Whichever comes first kills; the units before it are done."""
    world = World()
    names = sorted(f"innocent{n}" for n in range(20))
    world.deliver([*names, "poison1", "poison2"])
    while world.waiting() != ["poison1", "poison2"]:
        world.invoke()
        assert world.invocations < 24, f"waiting: {world.waiting()}"
    assert names == world.locked()


def test_a_message_is_deleted_when_it_is_locked_and_never_before() -> None:
    """Everything deleted before an answer that never came is counted."""
    world = World()
    names = {"a", "b", "c", "poison"}
    world.deliver(sorted(names))
    while world.waiting() != ["poison"]:
        assert world.invoke() is None
        assert names - set(world.waiting()) <= set(world.locked())
        assert world.invocations < 12


def test_messages_that_cannot_be_deleted_early_are_answered_all_the_same() -> None:
    """If the permission is missing or the queue unavailable, the answer acknowledges them."""
    world = World(deletes=False)
    world.deliver(["a", "b"])
    world.refuses = lambda *_: LOST
    for _ in range(2):
        answer = world.invoke()
        assert answer is not None
        assert 2 == len(answer.failed)
    world.refuses = lambda *_: FINE
    answer = world.invoke()
    assert answer is not None
    assert answer.undeleted is not None
    assert [] == answer.failed
    assert [] == world.waiting()
    assert ["a", "b"] == world.locked()


@pytest.mark.slow
def test_a_backlog_after_an_outage_is_grouped() -> None:
    """An outage makes messages old, not bad: objects grow again after three."""
    world = World()
    world.deliver([f"n{n}" for n in range(40)])
    world.refuses = lambda *_: LOST
    for _ in range(4):
        answer = world.invoke()
        assert answer is not None
        assert 40 == len(answer.failed)
    assert len(world.store.calls) <= 12  # a store that is away is not asked forty times
    world.refuses = lambda *_: FINE
    world.invoke()
    assert [] == world.waiting()
    sizes = [locked.units for outcome in world.outcomes for locked in outcome.objects]
    assert [1, 1, 1, 2, 4, 8, 16, 7] == sizes


def test_a_unit_that_was_not_reached_has_not_failed() -> None:
    """If time is up before the second file, its message is redelivered without having failed."""
    world = World()
    world.deliver(["a", "b", "c"])
    calls = count()
    answer = world.invoke(time_is_up=lambda: next(calls) > 0)
    assert answer is not None
    assert (2, []) == (len(answer.unreached), answer.unlocked)
    assert answer.unreached == answer.failed
    assert (answer.oldest_sent_ms or 0) > 0
    world.refuses = lambda *_: LOST
    answer = world.invoke()
    assert answer is not None
    assert (2, []) == (len(answer.unlocked), answer.unreached)
    world.refuses = lambda *_: FINE
    assert Answer() == world.invoke()


def test_bad_messages_fail_alone_and_the_rest_is_one_object() -> None:
    """Refused, missing or malformed messages do not affect the others."""
    world = World()
    world.deliver(["a", "b"])
    world.notify("gone", "no such version")
    world.sqs.send_message(QueueUrl=world.url, MessageBody="not json")
    elsewhere = s3_notification.again(ObjectRef("elsewhere", key("x"), "1"))
    world.sqs.send_message(QueueUrl=world.url, MessageBody=elsewhere)
    answer = world.invoke()
    assert answer is not None
    assert (2, 0, 1) == (len(answer.refused), len(answer.unreadable), len(answer.unlocked))
    (outcome,) = world.outcomes
    assert [2] == [locked.units for locked in outcome.objects]
    assert ["a", "b"] == world.locked()


def test_a_unit_announced_again_while_it_is_old_stays_alone() -> None:
    """Both its messages are done when it is locked."""
    world = World()
    world.deliver(["a"])
    world.refuses = lambda *_: LOST
    world.invoke()
    world.invoke()
    version = world.s3.head_object(Bucket=BUCKET, Key=key("a"))["VersionId"]
    world.notify("a", version)
    world.deliver(["b"])
    world.refuses = lambda *_: FINE
    answer = world.invoke()
    assert answer is not None
    assert [] == answer.failed
    sizes = [locked.units for outcome in world.outcomes for locked in outcome.objects]
    assert [1, 1] == sizes


def test_units_that_were_not_reached_are_redelivered() -> None:
    """If time is up after two units, they are done; the rest is redelivered, not as old."""
    world = World()
    world.deliver([f"n{n}" for n in range(6)])
    calls = iter(range(100))
    answer = world.invoke(time_is_up=lambda: next(calls) >= 2)
    assert answer is not None
    assert 4 == len(answer.failed)
    assert 2 == len(world.locked())
    world.invoke()
    assert [] == world.waiting()
    assert 6 == len(world.locked())
