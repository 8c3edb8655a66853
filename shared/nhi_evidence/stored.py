"""What goes into the locked store and what it answers. Frozen values, without behavior."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """The store's answer to a create-only write: the key now holds these bytes."""

    key: str
    created: bool
    """False when the key was there already: the same bytes, since the key holds their hash."""
    version: str | None = None


class Version(msgspec.Struct, frozen=True, gc=False):
    """One version of a key in the locked store, or a delete marker."""

    key: str
    id: str
    modified: int
    """When the store took it, milliseconds since the epoch, UTC."""
    size: int = 0
    marker: bool = False
    shadow: bool = False
    """A version that is not the first one of its key."""


class Description(msgspec.Struct, frozen=True, gc=False):
    """What the store says of one version, without its bytes being read."""

    size: int
    sha256: str | None
    """The store's own SHA-256 of what it holds, hex; None where it keeps none."""
    metadata: Mapping[str, str]
    retain_until: int | None
    """End of the lock in COMPLIANCE mode, milliseconds since the epoch; None without one."""
    encryption: str | None
    undescribed: str | None = None
    """Why the store would describe nothing but the size it lists, where it would not."""


class Unreadable(msgspec.Struct, frozen=True):
    """In place of the value of a setting: why it could not be read."""

    reason: str
    """Error code of the service, such as `AccessDenied`."""


class AnchorForm(StrEnum):
    """How somebody outside writes what they say of a checkpoint; the ending of its key."""

    TIMESTAMP = "tsr"
    """DER of a TimeStampResp (RFC 3161 section 2.4.2) over the text of the checkpoint."""
    COSIGNATURE = "cosig"
    """The text of the checkpoint as a note with a witness's signature lines."""
