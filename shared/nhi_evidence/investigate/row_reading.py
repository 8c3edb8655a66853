"""Reading rows: from a normalized record, or from the line of an evidence object that holds one."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from nhi_evidence.investigate.row import Place, Row


class UnreadableRecordError(ValueError):
    """A normalized record that does not fit its schema version."""


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


SHAPE, UNPLACED = _Record, _Unmapped
"""What is read of a normalized record, and of its `unmapped`: other readers keep to it."""

_decode = msgspec.json.Decoder(_Record).decode
_unmapped = msgspec.json.Decoder(_Unmapped).decode


class _Line(msgspec.Struct, gc=False):
    """A line of an evidence object, as far as a row needs it; its raw text is passed over."""

    i: int = 0
    s: str | None = None
    n: _Record | None = None


_decode_line = msgspec.json.Decoder(_Line).decode


def read_line(line: bytes, source: str, place: Callable[[int], Place]) -> Row | None:
    """Return the row of a line of an evidence object; None of one that is no kept record.

    `source` is the object's, `place` makes a record's place of its index in the unit. Raises
    `UnreadableRecordError` as `read` does.
    """
    try:
        parsed = _decode_line(line)
        if parsed.n is None:
            return None
        targets = _targets(parsed.n)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableRecordError(str(error)) from error
    return _row(parsed.n, targets, parsed.s or source, place(parsed.i))


def read(normalized: bytes | msgspec.Raw, source: str, place: Place) -> Row:
    """Return the row of a normalized record.

    Raises `UnreadableRecordError` for what is none: a writer's bytes, so anything.
    """
    try:
        record = _decode(normalized)
        targets = _targets(record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableRecordError(str(error)) from error
    return _row(record, targets, source, place)


def _row(record: _Record, targets: tuple[str, ...], source: str, place: Place) -> Row:
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
        target_names=tuple(each.name for each in record.resources if each.uid and each.name),
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
