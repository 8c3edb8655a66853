"""Readings: a provider's raw answers to read-only calls, as a collector stored them.

A reading holds the answers one collector run got from one platform. It is stored as is, under
`op/v1/config`, and judged later, so that a better evaluator can judge old readings again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from nhi_evidence.errors import EvidenceError

READING_VERSION = 1
MAX_READING_BYTES = 64 * 1024 * 1024
DEPLOYMENT = "nhi-evidence:Deployment"
"""The answer that comes from no provider: what this deployment ingests (`Deployment`)."""
COLLECTOR = "nhi-evidence:Collector"
"""The answer that says why a collector ended early; it is always a failed one."""

Derived = TypeVar("Derived")
Status = Literal["ok", "absent", "denied", "failed"]


class ReadingError(EvidenceError):
    """A reading, or another object of coverage, cannot be decoded: says which, and why."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call and its outcome."""

    call: str
    """As the provider names it: `cloudtrail:GetEventSelectors`, `projects.getIamPolicy`."""
    scope: str
    """Where the call was made: an account, an account and region, a resource name, a tenant."""
    request: dict[str, Any] = {}
    status: Status = "ok"
    """`absent`: the provider says there is none; `denied`: the collector lacks permission;
    `failed`: any other failure."""
    error: str = ""
    """The provider's error code, unless `ok`."""
    answer: Any = None
    """The body, as JSON."""
    raw: str = ""
    """The body's exact text, where it is not JSON (XML), or was stored besides `answer`."""

    @property
    def account(self) -> str:
        """The AWS account it was asked in: scopes of AWS are an account, or account and region."""
        return self.scope.partition("/")[0]

    @property
    def name(self) -> str:
        """The answer's name in reports."""
        return f"{self.call} {self.scope}"


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One source this deployment ingests, and how it arrives."""

    source: str
    buckets: tuple[str, ...] = ()
    """Names of the buckets whose files are read."""
    queues: tuple[str, ...] = ()
    """ARNs of the queues those buckets notify."""
    destinations: tuple[str, ...] = ()
    """Destinations of Google Cloud sinks, as a sink spells them."""
    event_hubs: tuple[str, ...] = ()
    """Resource ids of Event Hub namespaces that diagnostic settings may name."""


class Deployment(msgspec.Struct, frozen=True, omit_defaults=True):
    """What this deployment ingests."""

    sources: tuple[Source, ...] = ()

    def source(self, name: str) -> Source | None:
        """Return a source by its name; None where it is not deployed."""
        return next((source for source in self.sources if source.source == name), None)


class Reading(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The answers one collector run got from one platform."""

    v: int
    platform: str
    """`aws`, `gcp`, `azure`, or the name of another product."""
    at: int
    """When it was asked, milliseconds since the epoch."""
    answers: tuple[Answer, ...]

    def all(self, call: str) -> Iterator[Answer]:
        """Yield every answer to a call, whatever its outcome."""
        return (answer for answer in self.answers if answer.call == call)

    def ok(self, call: str) -> Iterator[Answer]:
        """Yield the successful answers to a call."""
        return (answer for answer in self.all(call) if answer.status == "ok")

    def single(self, call: str, scope: str | None = None, **request: object) -> Answer | None:
        """Return the answer to a call at a scope with these parameters, whatever its outcome.

        Where several accounts were asked, a successful answer is preferred to any other.
        """
        refused: Answer | None = None
        for answer in self.all(call):
            matches = (answer.request.get(name) == value for name, value in request.items())
            if scope in (None, answer.scope) and all(matches):
                if answer.status == "ok":
                    return answer
                refused = refused or answer
        return refused

    def unread(self, call: str) -> tuple[Answer, ...]:
        """Return the answers to a call that tell nothing: denied or failed."""
        return tuple(a for a in self.all(call) if a.status in {"denied", "failed"})

    def deployment(self) -> Deployment | None:
        """Return what this deployment ingests; None where the reading does not say."""
        for answer in self.ok(DEPLOYMENT):
            return msgspec.convert(answer.answer, Deployment)
        return None

    def derived(self, make: Callable[[Reading], Derived]) -> Derived:
        """Return what `make` makes of it, made once: every cell asks, and no answer changes."""
        results: dict[object, Derived] = self.__dict__.setdefault("_derived", {})
        if make not in results:
            results[make] = make(self)
        return results[make]

    def replaced(self, old: Answer, new: Answer | None) -> Reading:
        """Return the reading with one answer replaced, or removed if `new` is None."""
        kept = (new if answer is old else answer for answer in self.answers)
        answers = tuple(answer for answer in kept if answer is not None)
        return msgspec.structs.replace(self, answers=answers)


def read(content: bytes, name: str) -> Reading:
    """Decode a reading. Raises `ReadingError` naming `name` and what is wrong."""
    if len(content) > MAX_READING_BYTES:
        raise ReadingError(f"{name}: more than {MAX_READING_BYTES} bytes")
    try:
        reading = msgspec.json.decode(content, type=Reading)
        reading.deployment()
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ReadingError(f"{name}: {error}") from error
    if reading.v != READING_VERSION:
        raise ReadingError(f"{name}: version {reading.v}, this reads {READING_VERSION}")
    return reading


def write(reading: Reading) -> bytes:
    """Encode a reading; equal readings have equal bytes."""
    return msgspec.json.encode(reading, order="sorted")


def bounded(reading: Reading) -> Reading:
    """Return the reading, cut down to `MAX_READING_BYTES` by dropping its largest answers.

    A dropped answer becomes `failed` and says why: whatever rests on it is then unknown.
    """
    total = len(write(reading))
    if total <= MAX_READING_BYTES:
        return reading
    sizes = [len(msgspec.json.encode(answer)) for answer in reading.answers]
    kept = list(reading.answers)
    for at in sorted(range(len(kept)), key=lambda index: -sizes[index]):
        if total <= MAX_READING_BYTES:
            break
        kept[at] = msgspec.structs.replace(
            kept[at],
            status="failed",
            error=f"{sizes[at]} bytes, too much to be kept with the rest",
            answer=None,
            raw="",
        )
        total -= sizes[at] - len(msgspec.json.encode(kept[at]))
    return msgspec.structs.replace(reading, answers=tuple(kept))


def by_platform(readings: Iterable[Reading]) -> Mapping[str, tuple[Reading, ...]]:
    """Return the readings of each platform in chronological order."""
    ordered = sorted(readings, key=lambda reading: reading.at)
    names = dict.fromkeys(reading.platform for reading in ordered)
    return {name: tuple(r for r in ordered if r.platform == name) for name in names}
