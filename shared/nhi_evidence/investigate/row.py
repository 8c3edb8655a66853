"""One kept record as an investigator reads it: what its normalized form says, and where it lies.

The columns of the index, of `query` and of the lake are the fields of `Row`, by these names.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Standing(StrEnum):
    """How the unit a record came in stands (docs/evidence-format.md, "Counting")."""

    COUNTED = "counted"
    DUPLICATE = "duplicate"
    """In a claim that repeats another that counts."""
    CONTESTED = "contested"
    INCOMPLETE = "incomplete"
    VOID = "void"
    """In an object under another source or hour than its unit's."""
    UNPROVEN = "unproven"
    """Read from raw log files, without a store: nothing about it is proven."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a record lies."""

    object: str
    """Key of the evidence object; of a raw log file its path."""
    unit: str
    """Name of the unit; empty of a raw log file."""
    line: int
    """Index of the record in its unit; of a raw log file its number, from 1."""
    shard: str = ""
    """Shard of the log whose checkpoint signs the object; empty of a raw log file."""
    leaf: int = -1
    """Index of the object's leaf in the shard; -1 of a raw log file."""
    standing: Standing = Standing.UNPROVEN


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One kept record. Absent is None or empty: nothing is filled in."""

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
    """Canonical id, or the provider's own where there is none."""
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
    """Ids of credentials the operation handed out."""
    hops: tuple[str, ...]
    """Chain of delegation as the record states it, origin first: canonical id, or the own."""
    hop_credentials: tuple[str, ...]
    """Credentials of the hops that name any."""
    mechanisms: tuple[str, ...]
    is_agentic: bool | None
    invoked_by: str | None
    ip: str | None
    user_agent: str | None
    targets: tuple[str, ...]
    """What was acted on, by id, or by name where there is no id."""
    entity: str | None
    """The durable credential the operation was about."""
    principal: str | None
    """The principal created, changed, assumed or granted to."""
    labels: tuple[str, ...]
    """Marks of a record that is a part of, or an addition to, another."""
    raw_sha256: str
    place: Place


class UnreadableRecordError(ValueError):
    """A normalized record that has not the form of its schema version."""


class _Named(msgspec.Struct, gc=False):
    uid: str | None = None
    name: str | None = None


class _Product(msgspec.Struct, gc=False):
    vendor_name: str


class _Metadata(msgspec.Struct, gc=False):
    product: _Product
    uid: str | None = None
    correlation_uid: str | None = None
    event_code: str | None = None
    labels: tuple[str, ...] = ()


class _Cloud(msgspec.Struct, gc=False):
    provider: str
    account: _Named | None = None
    region: str | None = None


class _Api(msgspec.Struct, gc=False):
    operation: str
    service: _Named


class _Actor(msgspec.Struct, gc=False):
    invoked_by: str | None = None


class _Source(msgspec.Struct, gc=False):
    ip: str | None = None


class _Agent(msgspec.Struct, gc=False):
    user_agent: str


class _Identity(msgspec.Struct, gc=False):
    type: str
    decision_rule: str
    name: str | None = None
    uid: str | None = None
    canonical_uid: str | None = None
    credential_uid: str | None = None
    credential_kind: str | None = None
    issuer: str | None = None
    subject: str | None = None
    is_agentic: bool | None = None
    refinable_by: tuple[str, ...] = ()


class _Hop(msgspec.Struct, gc=False):
    uid: str
    mechanism: str
    canonical_uid: str | None = None
    credential_uid: str | None = None


class _Fingerprint(msgspec.Struct, gc=False):
    value: str


class _Observable(msgspec.Struct, gc=False):
    name: str
    value: str


class _File(msgspec.Struct, gc=False):
    path: str | None = None
    uid: str | None = None
    name: str | None = None


class _Databucket(msgspec.Struct, gc=False):
    uid: str | None = None
    name: str | None = None
    file: _File | None = None


class _Unmapped(msgspec.Struct, gc=False):
    """What the class has no attribute for, as `ocsf.unplaced` writes it."""

    resources: tuple[_Named, ...] = ()
    entity: _Named | None = None
    group: _Named | None = None
    databucket: _Databucket | None = None
    table: _Named | None = None
    file: _File | None = None


class _Record(msgspec.Struct, gc=False):
    """The attributes that are read; all others are passed over unread."""

    time: int
    class_uid: int
    metadata: _Metadata
    cloud: _Cloud
    api: _Api
    nhi: _Identity
    nhi_phase: str
    nhi_base_phase: str
    nhi_outcome: str
    raw_data_hash: _Fingerprint
    status_code: str | None = None
    nhi_sub_phase: str | None = None
    nhi_phase_rules: tuple[str, ...] = ()
    actor: _Actor | None = None
    src_endpoint: _Source | None = None
    http_request: _Agent | None = None
    resources: tuple[_Named, ...] = ()
    nhi_delegations: tuple[_Hop, ...] = ()
    nhi_issued_credential_uids: tuple[str, ...] = ()
    user: _Named | None = None
    entity: _Named | None = None
    group: _Named | None = None
    databucket: _Databucket | None = None
    table: _Named | None = None
    log_name: str | None = None
    observables: tuple[_Observable, ...] = ()
    unmapped: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Record).decode
_unmapped = msgspec.json.Decoder(_Unmapped).decode


def read(normalized: bytes | msgspec.Raw, source: str, place: Place) -> Row:
    """Return the row of a normalized record.

    Raises `UnreadableRecordError` for what is none: a writer's bytes, so anything.
    """
    try:
        record = _decode(normalized)
        targets = _targets(record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableRecordError(str(error)) from error
    nhi, metadata, cloud = record.nhi, record.metadata, record.cloud
    hops = record.nhi_delegations
    return Row(
        time=record.time,
        source=source,
        provider=cloud.provider,
        account=cloud.account.uid if cloud.account else None,
        region=cloud.region,
        uid=metadata.uid,
        correlation_uid=metadata.correlation_uid,
        service=record.api.service.name,
        operation=record.api.operation,
        event_code=metadata.event_code,
        class_uid=record.class_uid,
        phase=record.nhi_phase,
        base_phase=record.nhi_base_phase,
        sub_phase=record.nhi_sub_phase,
        phase_rules=record.nhi_phase_rules,
        outcome=record.nhi_outcome,
        status_code=record.status_code,
        identity=nhi.canonical_uid or nhi.uid,
        identity_uid=nhi.uid,
        identity_name=nhi.name,
        identity_type=nhi.type,
        issuer=nhi.issuer,
        subject=nhi.subject,
        credential=nhi.credential_uid,
        credential_kind=nhi.credential_kind,
        decision_rule=nhi.decision_rule,
        refinable_by=nhi.refinable_by,
        issued=record.nhi_issued_credential_uids,
        hops=tuple(hop.canonical_uid or hop.uid for hop in hops),
        hop_credentials=tuple(hop.credential_uid for hop in hops if hop.credential_uid),
        mechanisms=tuple(hop.mechanism for hop in hops),
        is_agentic=nhi.is_agentic,
        invoked_by=record.actor.invoked_by if record.actor else None,
        ip=_address(record),
        user_agent=_user_agent(record),
        targets=targets,
        entity=record.entity.uid if record.entity else None,
        principal=(record.user.uid or record.user.name) if record.user else None,
        labels=metadata.labels,
        raw_sha256=record.raw_data_hash.value,
        place=place,
    )


def _targets(record: _Record) -> tuple[str, ...]:
    """What was acted on, wherever the class has its place for it; each once, in that order."""
    names: dict[str, None] = {}
    things: list[_Named | _Databucket | _File | None] = [*record.resources]
    bucket = record.databucket
    things += [bucket, record.table, record.entity, record.group, bucket and bucket.file]
    if record.unmapped:
        rest = _unmapped(record.unmapped)
        bucket = rest.databucket
        things += [*rest.resources, bucket, rest.table, rest.entity, rest.group, rest.file]
    for thing in things:
        path = thing.path if isinstance(thing, _File) else None
        if thing is not None and (name := thing.uid or path or thing.name):
            names[name] = None
    if record.log_name:
        names[record.log_name] = None
    return tuple(names)


def _address(record: _Record) -> str | None:
    """The caller's address; of a Base Event it stands among the observables."""
    if record.src_endpoint is not None:
        return record.src_endpoint.ip
    return _observed(record, "src_endpoint.ip")


def _user_agent(record: _Record) -> str | None:
    if record.http_request is not None:
        return record.http_request.user_agent
    return _observed(record, "http_request.user_agent")


def _observed(record: _Record, name: str) -> str | None:
    return next((each.value for each in record.observables if each.name == name), None)
