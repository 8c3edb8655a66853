"""Items collected from sealed evidence to judge an hour by, in a sorter: bounded memory.

An item is filed under its source, hour and scope, and states the index in the log from which it
counts, so that an hour can be judged as of any prefix of the log.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nhi_evidence.completeness.statement import Scope, Subject
from nhi_evidence.evidence.counting import Claim
from nhi_evidence.evidence.verify.sorting import Sorter


class ClaimItem(msgspec.Struct, frozen=True, array_like=True, tag="claim", gc=False):
    """A claim of a unit."""

    claim: Claim
    vid: str
    """Version id of the object."""
    delivered: str | None = None
    """For a rejection: SHA-256 of its inflated bytes, hex, if they inflate."""

    @property
    def order(self) -> int:
        """Place in the whole log."""
        return self.claim.index


class ListItem(msgspec.Struct, frozen=True, array_like=True, tag="list", gc=False, kw_only=True):
    """A document in which the provider states what it delivered, without its files."""

    order: int
    source: str
    place: str
    unit_place: str
    """`<bucket>/<key>` it was delivered under."""
    sha256: str
    chain: str
    begins: int
    ends: int
    previous: str | None
    previous_sha256: str | None
    previous_signature: str | None
    signed: bytes
    fingerprint: str
    signature: bytes
    """Empty if it was not kept."""


class FileItem(msgspec.Struct, frozen=True, array_like=True, tag="file", gc=False):
    """A file that such a document names."""

    order: int
    name: str
    """`<bucket>/<key>`."""
    sha256: str
    by: str
    """SHA-256 of the document, hex."""


class BrokenItem(msgspec.Struct, frozen=True, array_like=True, tag="broken", gc=False):
    """A unit that should be such a document but is not."""

    order: int
    unit: str
    why: str


class ChainItem(msgspec.Struct, frozen=True, array_like=True, tag="chain", gc=False):
    """A problem with the chain of such documents."""

    order: int
    reason: str
    name: str
    detail: str
    by: str
    """SHA-256 of the document that shows it, hex."""


class RunItem(msgspec.Struct, frozen=True, array_like=True, tag="run", gc=False):
    """A unit's messages of one stream, with consecutive numbers."""

    order: int
    unit: str
    partition: str
    first: int
    last: int
    hashes: bytes
    """The first 8 bytes of the SHA-256 of each message."""


class GapItem(msgspec.Struct, frozen=True, array_like=True, tag="gap", gc=False):
    """Numbers of a stream that are in no run."""

    order: int
    partition: str
    first: int
    last: int


class EdgeItem(msgspec.Struct, frozen=True, array_like=True, tag="edge", gc=False):
    """Where a stream's runs begin or end: what is beyond it is unknown."""

    order: int
    partition: str
    number: int
    is_end: bool


class OthersItem(msgspec.Struct, frozen=True, array_like=True, tag="others", gc=False):
    """Gaps, or ends of a stream's runs, too many to be filed one by one."""

    order: int
    """That of the first of them."""
    reason: str
    """What they keep an hour from being, as a code of `reasons.REASONS`."""


class PromiseItem(msgspec.Struct, frozen=True, array_like=True, tag="promise", gc=False):
    """A heartbeat that was promised."""

    order: int
    at: int
    """When the store received the promise, milliseconds since the epoch."""
    sealed: int | None
    """When it was sealed, by the sealer's clock; None if unknown."""


class TwiceItem(msgspec.Struct, frozen=True, array_like=True, tag="twice", gc=False):
    """A number that has a different message in a run of another hour."""

    order: int
    partition: str
    number: int


Item = (
    ClaimItem
    | ListItem
    | FileItem
    | BrokenItem
    | ChainItem
    | RunItem
    | GapItem
    | EdgeItem
    | OthersItem
    | TwiceItem
    | PromiseItem
)

_encode = msgspec.msgpack.Encoder().encode
_decode: msgspec.msgpack.Decoder[Item] = msgspec.msgpack.Decoder(Item)
_END = b"\0"


class Items:
    """Items ordered by subject."""

    def __init__(self, sorter: Sorter) -> None:
        """Collect items in `sorter`."""
        self._sorter = sorter

    def add(self, subject: Subject, item: Item) -> None:
        """Add one item."""
        self._sorter.add(subject_key(subject), _encode(item))

    def __iter__(self) -> Iterator[tuple[Subject, list[Item]]]:
        """Yield the items of each subject, subjects in order of `subject_key`."""
        current: bytes | None = None
        group: list[Item] = []
        for key, value in self._sorter:
            if current is not None and key != current:
                yield subject_of(current), group
                group = []
            current = key
            group.append(_decode.decode(value))
        if current is not None:
            yield subject_of(current), group


def subject_key(subject: Subject) -> bytes:
    """Return the sort key of a subject: source, hour, then scope."""
    source, hour, scope = subject
    names = (source, hour, scope.account, scope.region, scope.stream)
    return _END.join(name.encode(errors="surrogatepass") for name in names)


def subject_of(key: bytes) -> Subject:
    """Return the subject of a sort key."""
    source, hour, *scope = (
        part.decode(errors="surrogatepass") for part in key.split(_END, maxsplit=4)
    )
    return source, hour, Scope(*scope)
