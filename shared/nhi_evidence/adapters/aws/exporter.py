"""What an AWS execution environment builds once, and what it does with a batch of messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache

import msgspec

from nhi_evidence.adapters import environ
from nhi_evidence.adapters.aws import session, sqs_batch
from nhi_evidence.adapters.aws.fetch_ahead import MAX_OBJECTS, FetchAhead
from nhi_evidence.adapters.aws.s3_notification import ObjectRef
from nhi_evidence.adapters.aws.s3_source import AnnouncedObject, S3Source, SourceBucket
from nhi_evidence.adapters.aws.sqs_batch import Batch
from nhi_evidence.adapters.aws.sqs_queue import HandledMessages, QueueError
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.errors import DeliveryRefusedError, EvidenceError
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import WRITES_FAILED, Outcome, lock_batch
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.ports import EvidenceWriter

MARGIN_MS = 60_000
"""Time for the last objects of a batch: mapping a large file, packing, and one PUT."""


class Settings(msgspec.Struct, frozen=True):
    """`NHI_EVIDENCE_*` environment of a function that exports delivered S3 files."""

    source: str
    source_buckets: tuple[SourceBucket, ...]
    bucket: str
    bucket_owner: str
    writer_role_arn: str
    keep_out_of_scope_raw: bool
    """Whether the raw text of out-of-scope records is kept: a question of privacy."""
    external_id: str | None = None
    scope: Scope = Scope.NHI


class Invocation(msgspec.Struct, frozen=True):
    """What an exporter needs to know about its invocation."""

    id: str
    written: Mapping[str, str]
    """Who writes, and when: metadata of every object."""
    time_is_up: Callable[[], bool]
    report: Callable[[Outcome], None]
    """Called with each group as soon as it is done: the next group may kill the process."""


class Answer(msgspec.Struct):
    """The result for the messages of a batch."""

    refused: dict[str, Exception] = msgspec.field(default_factory=dict)
    """By id, messages that name something this deployment does not accept."""
    unreadable: dict[str, Exception] = msgspec.field(default_factory=dict)
    """By id, messages that name an object S3 does not have, or cannot describe now."""
    unlocked: list[str] = msgspec.field(default_factory=list)
    """Messages with a unit that failed."""
    unreached: list[str] = msgspec.field(default_factory=list)
    """Messages with units that were not reached and none that failed, which is not their fault."""
    oldest_sent_ms: int | None = None
    """When the oldest message to be redelivered was sent, milliseconds since the epoch."""
    undeleted: Exception | None = None
    """Why messages that are done could not be deleted before the answer."""

    @property
    def failed(self) -> list[str]:
        """Ids of all messages to be redelivered."""
        known = [*self.refused, *self.unreadable, *self.unlocked, *self.unreached]
        return list(dict.fromkeys(known))

    def age(self, now_ms: int) -> int:
        """Return for how many seconds the oldest of those has waited; 0 if there is none.

        SQS's own age metric leaves out messages that were received more than three times.
        """
        sent = self.oldest_sent_ms
        return 0 if sent is None else max(0, now_ms - sent) // 1000


def deadline(remaining_ms: Callable[[], int]) -> Callable[[], bool]:
    """Return a function that says when to stop: `MARGIN_MS` before the platform's timeout.

    The margin is at most a quarter of the remaining time.
    """
    margin = min(MARGIN_MS, remaining_ms() // 4)
    return lambda: remaining_ms() <= margin


class Exporter(msgspec.Struct, frozen=True):
    """Turns a batch of messages into locked evidence of the objects they name."""

    mapper: Mapper
    source: S3Source
    writer: EvidenceWriter
    handled: Callable[[str], HandledMessages]
    """Returns what deletes messages of the queue with an ARN."""

    def export(self, batch: Batch, invocation: Invocation) -> Answer:
        """Lock every object a batch names; a message is done when everything it names is locked.

        The results for single messages and objects are in the answer and the reports. Any other
        failure is raised, and the batch redelivered.
        """
        threads = ThreadPoolExecutor(MAX_OBJECTS, thread_name_prefix="fetch")
        try:
            return _Run(self, batch, invocation, threads).run()
        finally:  # do not wait for what is still being read when time is up
            threads.shutdown(wait=False, cancel_futures=True)


class _Run:
    """The processing of one batch."""

    def __init__(
        self, exporter: Exporter, batch: Batch, invocation: Invocation, threads: Executor
    ) -> None:
        self._exporter = exporter
        self._batch = batch
        self._invocation = invocation
        self._threads = threads
        self._objects: dict[str, AnnouncedObject] = {}
        self._units: dict[str, set[str]] = {}
        self._locked: set[str] = set()
        self._failed: set[str] = set()
        self._deleted: set[str] = set()
        self._writes_failed = 0
        self._answer = Answer()

    def run(self) -> Answer:
        self._name_units()
        order = sqs_batch.order(self._batch.messages, self._units, seed=self._invocation.id)
        if order.together:
            self._lock(order.together)
        if order.alone:
            self._lock_alone(order.alone)
        return self._answered()

    def _answered(self) -> Answer:
        answer = self._answer
        for message_id, units in self._units.items():
            if self._is_bad(message_id) or self._is_done(message_id):
                continue
            failed = not self._failed.isdisjoint(units)
            (answer.unlocked if failed else answer.unreached).append(message_id)
        again = set(answer.failed)
        sent = [message.sent_ms for message in self._batch.messages if message.id in again]
        answer.oldest_sent_ms = min(sent, default=None)
        return answer

    def _name_units(self) -> None:
        """Find out which units the messages name, asking about each object only once."""
        named = sqs_batch.named(self._batch.messages)
        self._answer.refused.update(named.refused)
        refs = list(dict.fromkeys(ref for refs in named.objects.values() for ref in refs))
        announced = dict(zip(refs, self._threads.map(self._announce, refs), strict=True))
        for message_id, wanted in named.objects.items():
            units = self._units.setdefault(message_id, set())
            for ref in wanted:
                stored = announced[ref]
                if isinstance(stored, AnnouncedObject):
                    self._objects[stored.unit] = stored
                    units.add(stored.unit)
                elif isinstance(stored, DeliveryRefusedError):
                    self._answer.refused[message_id] = stored
                else:
                    self._answer.unreadable[message_id] = stored

    def _announce(self, ref: ObjectRef) -> AnnouncedObject | EvidenceError:
        try:
            return self._exporter.source.announce(ref)
        except EvidenceError as error:
            return error

    def _lock(self, units: Iterable[str]) -> None:
        """Lock units as one group."""
        exporter, invocation = self._exporter, self._invocation
        ordered = sorted(units, key=lambda unit: (exporter.mapper.hour(unit), unit))
        objects = [self._objects[unit] for unit in ordered]
        outcome = lock_batch(
            exporter.mapper,
            FetchAhead(exporter.source, objects, self._threads).announced(),
            exporter.writer,
            metadata=invocation.written,
            time_is_up=invocation.time_is_up,
        )
        self._locked |= outcome.locked
        self._failed |= outcome.failed.keys()
        before = 0 if outcome.objects else self._writes_failed
        self._writes_failed = before + outcome.writes_failed
        invocation.report(outcome)

    def _lock_alone(self, units: Sequence[str]) -> None:
        """Lock units one by one, and delete messages as soon as they are done.

        If the process dies, all acknowledgments that wait for the answer are lost, including those
        of the first group.
        """
        self._delete_done()
        start = streak = 0
        while start < len(units) and not self._is_over():
            group = units[start : start + sqs_batch.group_size(streak)]
            start += len(group)
            self._lock(group)
            streak = streak + 1 if self._locked.issuperset(group) else 0
            self._delete_done()

    def _is_over(self) -> bool:
        return self._invocation.time_is_up() or self._writes_failed >= WRITES_FAILED

    def _is_bad(self, message_id: str) -> bool:
        return message_id in self._answer.refused or message_id in self._answer.unreadable

    def _is_done(self, message_id: str) -> bool:
        return not self._is_bad(message_id) and self._units[message_id] <= self._locked

    def _delete_done(self) -> None:
        if self._answer.undeleted is not None:
            return
        done = {
            message.id: message.receipt
            for message in self._batch.messages
            if message.id in self._units
            and message.id not in self._deleted
            and self._is_done(message.id)
        }
        try:
            self._exporter.handled(self._batch.queue_arn).delete(done)
        except QueueError as error:  # the answer acknowledges them anyway
            self._answer.undeleted = error
        self._deleted |= done.keys()


@cache
def aws_exporter() -> Exporter:
    """Read the settings and build the clients, on first use. Raises `SettingsError`."""
    settings = environ.read_settings(Settings)
    mapper = Mapper(
        settings.source,
        scope=settings.scope,
        keep_out_of_scope_raw=settings.keep_out_of_scope_raw,
    )
    writer = session.role_client(
        settings.writer_role_arn,
        session_name=f"nhi-evidence-{settings.source}",
        external_id=settings.external_id,
    )
    return Exporter(
        mapper,
        S3Source(session.own_client(), settings.source_buckets, mapper.source),
        S3EvidenceWriter(writer, settings.bucket, owner=settings.bucket_owner),
        cache(lambda arn: HandledMessages(session.own_queue_client(), arn)),
    )
