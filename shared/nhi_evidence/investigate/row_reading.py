"""Read rows from a normalized record, or from a line of an evidence object that contains one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from nhi_evidence.investigate.columns import CREDENTIAL_LABELS
from nhi_evidence.investigate.row import Place, Row


class UnreadableRecordError(ValueError):
    """A normalized record cannot be read as one."""


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
    labels: tuple[str, ...] = ()


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


_Instant = Annotated[int, msgspec.Meta(ge=-62_135_596_800_000, le=253_402_300_799_999)]
"""Milliseconds since the epoch, in the years 1 to 9999: beyond them SQL engines fail, and one
record would take down the answer about all others."""

_ClassUid = Annotated[int, msgspec.Meta(ge=0, le=(1 << 31) - 1)]

_Index = Annotated[int, msgspec.Meta(ge=0, le=(1 << 31) - 1)]


class _Record(msgspec.Struct, gc=False):
    """The attributes that are read; all others are skipped."""

    time: _Instant
    class_uid: _ClassUid
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
"""What is read of a normalized record, and of its `unmapped`; other readers derive from these."""

_decode = msgspec.json.Decoder(_Record).decode
_unmapped = msgspec.json.Decoder(_Unmapped).decode


class _Line(msgspec.Struct, gc=False):
    """What a row needs from a line of an evidence object; its raw text is skipped."""

    i: _Index = 0
    s: str | None = None
    n: _Record | None = None


_decode_line = msgspec.json.Decoder(_Line).decode


Values = tuple[Any, ...]
"""Every field of `Row` except its place, in order: a row on its way into a table of columns."""


def read_values(line: bytes, source: str) -> tuple[Values, int] | None:
    """Return the values in a line of an evidence object, and its index in the unit.

    None for a line that is not a kept record. `source` is the object's. Raises
    `UnreadableRecordError` as `read` does.
    """
    try:
        parsed = _decode_line(line)
        record = parsed.n
        return None if record is None else (_values(record, parsed.s or source), parsed.i)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableRecordError(str(error)) from error


def read_line(line: bytes, source: str, place: Callable[[int], Place]) -> Row | None:
    """Return the row in a line of an evidence object; None for one that is not a kept record.

    `source` is the object's; `place` maps a record's index in the unit to its place. Raises
    `UnreadableRecordError` as `read` does.
    """
    kept = read_values(line, source)
    if kept is None:
        return None
    values, index = kept
    return Row(*(*values, place(index)))


def read(normalized: bytes | msgspec.Raw, source: str, place: Place) -> Row:
    """Return the row of a normalized record.

    Raises `UnreadableRecordError` if it is not one: whoever wrote it chose the bytes.
    """
    try:
        values = _values(_decode(normalized), source)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableRecordError(str(error)) from error
    return Row(*(*values, place))


def _values(record: _Record, source: str) -> Values:
    """Return the fields of `Row`, in order, without a call for what most records lack."""
    nhi, metadata, cloud, api = record.nhi, record.metadata, record.cloud, record.api
    hops, resources, endpoint = record.nhi_delegations, record.resources, record.src_endpoint
    return (
        record.time,
        source,
        cloud.provider,
        cloud.account.uid if cloud.account else None,
        cloud.region,
        metadata.uid,
        metadata.correlation_uid,
        api.service.name,
        api.operation,
        metadata.event_code,
        record.class_uid,
        record.nhi_phase,
        record.nhi_base_phase,
        record.nhi_sub_phase,
        record.nhi_phase_rules,
        record.nhi_outcome,
        record.status_code,
        nhi.canonical_uid or nhi.uid,
        nhi.uid,
        nhi.name,
        nhi.type,
        nhi.issuer,
        nhi.subject,
        nhi.credential_uid,
        nhi.credential_kind,
        nhi.decision_rule,
        nhi.refinable_by,
        record.nhi_issued_credential_uids,
        tuple([hop.canonical_uid or hop.uid for hop in hops]) if hops else (),
        _hop_credentials(hops, nhi.labels) if hops or nhi.labels else (),
        tuple([hop.mechanism for hop in hops]) if hops else (),
        nhi.is_agentic,
        record.actor.invoked_by if record.actor else None,
        _observed(record, "src_endpoint.ip") if endpoint is None else endpoint.ip,
        _user_agent(record),
        _targets(record),
        tuple([each.name for each in resources if each.uid and each.name]) if resources else (),
        record.entity.uid if record.entity else None,
        (record.user.uid or record.user.name) if record.user else None,
        metadata.labels,
        record.raw_data_hash.value,
    )


def _hop_credentials(hops: tuple[_Hop, ...], labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the credentials of the hops, and those that the identity's labels name."""
    of_hops = [hop.credential_uid for hop in hops if hop.credential_uid]
    named = [each.partition(":")[2] for each in labels if each.startswith(CREDENTIAL_LABELS)]
    return (*of_hops, *named)


def _targets(record: _Record) -> tuple[str, ...]:
    """Return what was acted on, wherever the class keeps it; each once, in that order."""
    if not (record.unmapped or record.databucket or record.table or record.entity or record.group):
        names = dict.fromkeys([each.uid or each.name for each in record.resources])
        names |= {record.log_name: None} if record.log_name else {}
        return tuple([name for name in names if name])
    return _all_targets(record)


def _all_targets(record: _Record) -> tuple[str, ...]:
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


def _user_agent(record: _Record) -> str | None:
    """Return the caller's user agent; in a Base Event it is among the observables."""
    if record.http_request is not None:
        return record.http_request.user_agent
    return _observed(record, "http_request.user_agent")


def _observed(record: _Record, name: str) -> str | None:
    return next((each.value for each in record.observables if each.name == name), None)
