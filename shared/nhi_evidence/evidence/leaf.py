"""Entries of the sealed log (docs/evidence-format.md, "The log"): one line of JSON each."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated

import msgspec

from nhi_evidence.stored import Unreadable

FORMAT_VERSION = 1

Number = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
"""Every number in the log is in this range, which any JSON reader represents exactly."""

Instant = Annotated[int, msgspec.Meta(gt=-(1 << 53), lt=1 << 53)]
"""Milliseconds since the epoch: as large as `Number`, and before 1970 as far back."""


class ObjectLeaf(msgspec.Struct, frozen=True, tag_field="k", tag="obj", omit_defaults=True):
    """One object version, as the store described it when it was sealed."""

    key: str
    vid: str
    """Version id."""
    at: Number
    """When the store received it, milliseconds since the epoch, UTC."""
    size: Number
    sha256: str | None = None
    """The store's SHA-256 of the stored bytes, hex; absent if it keeps none."""
    until: Number | None = None
    """End of the lock, milliseconds since the epoch; absent if it was not locked."""
    md: Mapping[str, str] = {}
    """User metadata, fixed with the version."""
    flags: tuple[str, ...] = ()


class MarkerLeaf(msgspec.Struct, frozen=True, tag_field="k", tag="del", omit_defaults=True):
    """One delete marker. It hides nothing from a reader of versions, and is recorded."""

    key: str
    vid: str
    at: Number
    flags: tuple[str, ...] = ("marker",)


class Sweep(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one run listed under one prefix."""

    hours: Number
    first: str
    last: str
    versions: Number


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a listing of a prefix that one run did not finish resumes."""

    after: str
    """The last key or folder that was listed; empty if it starts over."""
    began: Number
    """When the listing began, milliseconds since the epoch, UTC."""
    since: Number = 0
    """For a level of folders: everything due in them by then is sealed."""


class Closed(msgspec.Struct, frozen=True):
    """The final state of a shard that another one continues."""

    shard: str
    epoch: Number
    plan: str
    """SHA-256 of the closing plan, hex."""
    size: Number
    root: str


class EpochLeaf(msgspec.Struct, frozen=True, tag_field="k", tag="epoch", omit_defaults=True):
    """First entry of every plan: time, what was swept, configuration, and predecessor."""

    v: Number
    origin: str
    epoch: Number
    at: Number
    """The sealer's clock, milliseconds since the epoch, UTC."""
    size: Number
    """Size of the tree before this plan."""
    root: str
    """Root of the tree before this plan, hex."""
    previous: str | None = None
    """SHA-256 of the previous plan, hex; absent in the first."""
    swept: Mapping[str, Sweep] = {}
    config: Mapping[str, str] = {}
    """Each setting of the store and the keys, as written by `setting`."""
    opens: Closed | None = None
    """In the first plan of a shard that continues another."""
    more: bool = False
    """Whether more was found than this plan holds; what was due stays due."""
    closes: str | None = None
    """The shard that continues this one, which takes no further plan."""
    until: Number | None = None
    """Everything due for listing by then is sealed; absent if that is `at`."""
    cursors: Mapping[str, Cursor] = {}
    """By prefix, where an unfinished listing resumes."""


Leaf = ObjectLeaf | MarkerLeaf | EpochLeaf

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder: msgspec.json.Decoder[Leaf] = msgspec.json.Decoder(Leaf)


def setting(value: str | Unreadable) -> str:
    """Return an epoch leaf's record of a setting: its SHA-256, hex, or why it is unreadable."""
    if isinstance(value, Unreadable):
        return f"unreadable: {value.reason}"
    return sha256(value.encode()).hexdigest()


def encode(leaf: Leaf) -> bytes:
    """Write an entry: one line of JSON, keys sorted, without its newline."""
    return _encoder.encode(leaf)


def decode(entry: bytes) -> Leaf:
    """Read an entry. Raises `ValueError` naming what is wrong with it."""
    try:
        return _decoder.decode(entry)
    except RecursionError as error:
        raise ValueError(f"nested too deeply: {error}") from error
