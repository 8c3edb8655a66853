"""The values that cross boundaries. Frozen, without behavior, the same for every source.

Sub-values (`Target`, `Session`, `Identity`) have the shape of their OCSF objects, so that writing
an event is composing it, not converting it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from nhi_evidence.identity import Hop, Identity


class Limits(msgspec.Struct, frozen=True, gc=False):
    """Limits of a decoder, so that no delivery can exhaust the function."""

    inflated_bytes: int = 512 * 1024 * 1024
    record_bytes: int = 8 * 1024 * 1024
    """A file with a larger record is kept whole, as a rejection unit."""
    mapped_bytes: int = 2 * 1024 * 1024
    """A larger record is kept raw: its normalized form could outgrow one write."""


class Kind(StrEnum):
    """What a delivered file is to its source."""

    RECORDS = "records"
    COMPANION = "companion"
    """Kept byte for byte, never read as records: a digest, a manifest."""


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """What a trigger hands over: one named unit of a source and its exact bytes."""

    unit: str
    """Stable name of the delivered thing, e.g. `<bucket>/<key>@<version>`; states its hour."""
    body: bytes
    """The bytes as delivered, before any inflation."""
    kind: Kind = Kind.RECORDS
    source_metadata: Mapping[str, str] = {}
    """What the source states about it (owner, content type, user metadata), the same at every
    delivery. For a companion it includes the provider's signature."""
    undecodable: Undecodable | None = None
    """Why the trigger adapter could not read the content; `body` is then as delivered."""
    raw_form: str | None = None
    """`api` where the records are as listed by the source's API, not as delivered by the log."""
    messages: tuple[Message, ...] = ()
    """For a run of a stream: the messages in its bytes, so that even a run that cannot be decoded
    states its range. Their record counts are 0."""


class Announced(msgspec.Struct, frozen=True, gc=False):
    """A delivery that is named but not read yet."""

    unit: str
    """Name of the unit; the fetched delivery has the same name."""
    fetch: Callable[[], Delivery]
    """Reads it, or raises what prevents that."""


class Statement(msgspec.Struct, frozen=True, gc=False):
    """What a provider signed about a file it delivered."""

    signed: bytes
    """The signed text; it contains the hash of the document that names the file."""
    fingerprint: str
    """Names the provider's key."""


class FileScope(msgspec.Struct, frozen=True, gc=False):
    """Whose file a delivered file is, according to its name."""

    account: str
    region: str
    folder: str
    """Prefix of its key, up to the account."""


class SignedList(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A document in which a provider states everything it delivered in a span of time."""

    place: str
    """`<bucket>/<key>` of the document, as it states it."""
    statement: Statement
    chain: str
    """Lists of one chain are linked: each names the previous one."""
    begins: int
    """Milliseconds since the epoch."""
    ends: int
    previous: str | None
    """`<bucket>/<key>` of the previous list; None where the chain begins with this one."""
    previous_sha256: str | None
    """SHA-256 of that document, hex; None where it is not stated."""
    previous_signature: str | None
    """Of that document, hex."""
    files: tuple[tuple[str, str], ...]
    """`<bucket>/<key>` and SHA-256, hex, of each delivered file, inflated."""


class RawRecord(msgspec.Struct, frozen=True, gc=False):
    """One raw log entry: an exact slice of the inflated delivery, never re-serialized."""

    index: int
    """Position in the delivery, from 0."""
    offset: int
    """Byte offset of the slice in the inflated delivery."""
    raw: bytes


class Undecodable(msgspec.Struct, frozen=True, gc=False):
    """A delivery without readable records; it becomes one rejection unit."""

    reason: str
    """Stable token, e.g. `truncated_gzip`; see docs/evidence-format.md."""
    detail: str


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message of a delivery that is a run of a stream, by its sequence number."""

    number: int
    start: int
    """Offset of its first byte in the delivery."""
    end: int
    records: int
    """How many records of the delivery it holds."""


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """The records of one delivery, as spans of its inflated bytes."""

    data: bytes
    spans: tuple[tuple[int, int], ...]
    """Start and end offset of each record in `data`, in source order."""
    messages: tuple[Message, ...] = ()
    """The messages the records came in, where the delivery is a run of a stream."""
    are_json: bool = False  # whether each was decoded, and is one JSON value

    def record(self, index: int) -> RawRecord:
        """Return one record as its exact slice."""
        start, end = self.spans[index]
        return RawRecord(index, start, self.data[start:end])


LONGEST_DETAIL = 200  # characters: a detail may quote something arbitrarily long


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """Why a record could not be normalized. Its raw bytes are kept; nothing is dropped."""

    reason: str
    """Stable token, e.g. `event_time_malformed`; see docs/evidence-format.md."""
    detail: str = ""
    """What was found and where, bounded in length."""


class Result(StrEnum):
    """The outcome of an operation, as far as the record states one (`nhi_outcome`)."""

    SUCCESS = "success"
    DENIED = "denied"
    UNAUTHENTICATED = "unauthenticated"
    THROTTLED = "throttled"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    FAILED = "failed"
    """Refused or failed for a reason outside the classes above."""
    UNKNOWN = "unknown"


class Account(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An account, project, subscription or tenant (OCSF `account`)."""

    uid: str


class Owner(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Who owns a resource (OCSF `user`, only its account)."""

    account: Account


class Target(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What was acted on (OCSF `resource_details`); at least one of uid and name is set."""

    uid: str | None = None
    name: str | None = None
    type: str | None = None
    owner: Owner | None = None
    region: str | None = None


class Endpoint(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Where the call came from (OCSF `network_endpoint`). `ip` only ever holds an address."""

    ip: str | None = None
    svc_name: str | None = None
    name: str | None = None
    uid: str | None = None
    """The private endpoint the call came through, e.g. `vpce-...`."""
    vpc_uid: str | None = None
    interface_uid: str | None = None
    intermediate_ips: tuple[str, ...] = ()
    """Addresses the caller itself may have written (`X-Forwarded-For`): claims, not facts."""


class ProgrammaticCredential(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A credential by its id, never its secret (OCSF `programmatic_credential`)."""

    uid: str


class User(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A principal in the provider's own terms (OCSF `user`); one of uid, name, account is set."""

    uid: str | None = None
    name: str | None = None
    type: str | None = None
    type_id: int | None = None
    email_addr: str | None = None
    account: Account | None = None
    programmatic_credentials: tuple[ProgrammaticCredential, ...] = ()


class Session(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A session (OCSF `session`). Times are milliseconds since the epoch, UTC."""

    uid: str | None = None
    credential_uid: str | None = None
    issuer: str | None = None
    created_time: int | None = None
    expiration_time: int | None = None
    is_mfa: bool | None = None


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The outcome of the operation, from the record alone."""

    result: Result
    code: str | None = None
    """The provider's own code, untouched."""
    detail: str | None = None
    """The provider's own message, untouched."""


class Logged(msgspec.Struct, frozen=True, gc=False):
    """Where the source wrote the record, and of which class."""

    provider: str
    """`AWS`, `GCP`, `Azure` ..."""
    product: str
    """The log that recorded it, e.g. `CloudTrail`."""
    record_class: str | None = None
    """The class of record in the catalog's spelling, e.g. `management`, if the record states it."""
    event_code: str | None = None
    version: str | None = None
    uid: str | None = None
    """The source's native id of the record."""
    correlation_uid: str | None = None
    account: str | None = None
    """The account, project or subscription in whose log the record was written."""
    region: str | None = None
    labels: tuple[str, ...] = ()
    """Marks a record that is a part of, or an addition to, another one (`split:1/2`)."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """The operation, and where it came from."""

    service: str
    """Service in the catalog's spelling, e.g. `sts`."""
    service_name: str
    """Service in the provider's own words, e.g. `sts.amazonaws.com`."""
    operation: str
    """Operation in the catalog's spelling (API-date suffixes stripped)."""
    operation_name: str
    """Operation in the provider's own words."""
    api_version: str | None = None
    request_uid: str | None = None
    source: Endpoint | None = None
    user_agent: str | None = None
    permissions: tuple[str, ...] = ()
    """Permissions the call needed, in the provider's words, where the record lists them."""
    access_level: str | None = None
    """Level of access stated in the record, in the spelling of a catalog's fallbacks."""
    endpoint: str | None = None
    """Host name of the service that was called, if the record has it."""
    details: tuple[tuple[str, str], ...] = ()
    """Further known facts OCSF has no attribute for: name and value, for `unmapped`."""


class Actor(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who acted: our decision, the provider's own terms, and through whom."""

    identity: Identity
    user: User | None = None
    session: Session | None = None
    invoked_by: str | None = None
    hops: tuple[Hop, ...] = ()
    app_uid: str | None = None
    """Client application the call came through, where the provider distinguishes it."""
    app_name: str | None = None


class About(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the operation acted on, as far as the record names it."""

    targets: tuple[Target, ...] = ()
    is_nhi: bool = False
    """Whether a non-human identity or its credential is named as target."""
    user: User | None = None
    """The principal created, changed, assumed or granted to."""
    entity: Target | None = None
    """The durable credential."""
    group: Target | None = None
    privileges: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    """Policies attached, detached or written, by id or name."""
    service: Target | None = None
    """What was signed in to."""
    log_name: str | None = None
    """The log, trail or sink."""
    databucket: Target | None = None
    file: Target | None = None
    """The object within its bucket: its path as `name`."""
    table: Target | None = None
    issued_credentials: tuple[str, ...] = ()
    """Ids (never secrets) of credentials that the operation issued."""
    issued_session: Session | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record, normalized from the record alone: no clock, network, inventory or history."""

    time: int
    """The source's own event time, milliseconds since the epoch, UTC."""
    original_time: str
    logged: Logged
    call: Call
    actor: Actor
    about: About
    outcome: Outcome
    request: msgspec.Raw | None = None
    """Request parameters as the exact JSON slice, for catalog conditions."""
    response: msgspec.Raw | None = None
    record: msgspec.Raw | None = None
    """The whole record, where conditions look beyond request and response."""
