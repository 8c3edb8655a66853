"""One kept record as an investigator reads it: what its normalized form says, and where it is.

The columns of the index, of `query` and of the lake are the fields of `Row`, under these names.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

REFUSED = frozenset({"denied", "unauthenticated"})
"""Outcomes that make the effective phase a failed attempt (names of `Result`)."""


class Standing(StrEnum):
    """How the claim that holds a record is judged (docs/evidence-format.md, "Counting")."""

    COUNTED = "counted"
    DUPLICATE = "duplicate"
    """In a claim that repeats a counted one."""
    CONTESTED = "contested"
    INCOMPLETE = "incomplete"
    VOID = "void"
    """In an object under another source or hour than its unit's."""
    UNPROVEN = "unproven"
    """Read from raw log files, without a store: nothing about it is proven."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a record is."""

    object: str
    """Key of the evidence object, or path of a raw log file."""
    unit: str
    """Name of the unit; empty for a raw log file."""
    line: int
    """Index of the record in its unit; for a raw log file its number, from 1."""
    shard: str = ""
    """Shard of the log whose checkpoint signs the object; empty for a raw log file."""
    leaf: int = -1
    """Index of the object's leaf in the shard; -1 for a raw log file."""
    standing: Standing = Standing.UNPROVEN


class Row(msgspec.Struct, frozen=True, gc=False):
    """One kept record. What is absent is None or empty: nothing is filled in.

    Pass fields by name; only `row_reading`, which keeps this order, passes them by position.
    """

    time: int
    """The source's own event time, milliseconds since the epoch, UTC."""
    source: str
    """The pack that mapped it."""
    provider: str
    account: str | None
    region: str | None
    uid: str | None
    """The source's native id of the record."""
    correlation_uid: str | None
    service: str | None
    operation: str
    event_code: str | None
    class_uid: int
    phase: str
    base_phase: str
    sub_phase: str | None
    phase_rules: tuple[str, ...]
    outcome: str
    status_code: str | None
    identity: str | None
    """Canonical id, or the provider's own if there is none."""
    identity_uid: str | None
    """In the provider's own words, e.g. an ARN."""
    identity_name: str | None
    identity_type: str
    issuer: str | None
    subject: str | None
    credential: str | None
    """Id of the credential used, never the secret."""
    credential_kind: str | None
    decision_rule: str
    refinable_by: tuple[str, ...]
    issued: tuple[str, ...]
    """Ids of the credentials the operation issued."""
    hops: tuple[str, ...]
    """Delegation chain as the record states it, origin first: canonical ids, or the provider's."""
    hop_credentials: tuple[str, ...]
    """Credentials of the hops that name any, and those that the identity's labels name: one of a
    hop that has no entry, or another id of the caller's own."""
    mechanisms: tuple[str, ...]
    is_agentic: bool | None
    invoked_by: str | None
    ip: str | None
    user_agent: str | None
    targets: tuple[str, ...]
    """What was acted on, by id, or by name if it has no id."""
    target_names: tuple[str, ...]
    """Names of those that have an id as well."""
    entity: str | None
    """The durable credential the operation was about."""
    principal: str | None
    """The principal created, changed, assumed or granted to."""
    labels: tuple[str, ...]
    """Marks of a record that is a part of, or an addition to, another."""
    raw_sha256: str
    place: Place

    @property
    def is_refused(self) -> bool:
        """Whether the caller was refused."""
        return self.outcome in REFUSED

    @property
    def is_guess(self) -> bool:
        """Whether no row of a catalog names the operation."""
        return not self.phase_rules or self.phase_rules[0].startswith("fallback:")
