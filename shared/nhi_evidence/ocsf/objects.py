"""The OCSF 1.8.0 objects and the record that this package writes, attributes as in the schema."""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.event import Account, Endpoint, Session, Target, User
from nhi_evidence.identity import Hop, Identity


class Product(msgspec.Struct, frozen=True, gc=False):
    """`product`: the log that recorded the event."""

    name: str
    vendor_name: str


class Extension(msgspec.Struct, frozen=True, gc=False):
    """`extension`: the schema extension a record uses."""

    uid: str
    name: str
    version: str


class Metadata(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`metadata`."""

    version: str
    profiles: tuple[str, ...]
    extensions: tuple[Extension, ...]
    product: Product
    original_time: str
    uid: str | None = None
    correlation_uid: str | None = None
    event_code: str | None = None
    log_name: str | None = None
    log_version: str | None = None
    labels: tuple[str, ...] = ()


class Cloud(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`cloud`: where the record was written."""

    provider: str
    account: Account | None = None
    region: str | None = None


class Actor(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`actor`: at least one attribute is set."""

    user: User | None = None
    session: Session | None = None
    invoked_by: str | None = None
    app_uid: str | None = None
    app_name: str | None = None


class Service(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`service`; at least one attribute is set."""

    name: str | None = None
    uid: str | None = None


class Request(msgspec.Struct, frozen=True, gc=False):
    """`request` of an API call."""

    uid: str


class Response(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`response`: the error of an API call."""

    error: str | None = None
    error_message: str | None = None


class Api(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`api`: the operation called."""

    operation: str
    service: Service
    version: str | None = None
    request: Request | None = None
    response: Response | None = None


class HttpRequest(msgspec.Struct, frozen=True, gc=False):
    """`http_request`: the user agent, which the caller chooses."""

    user_agent: str


class Fingerprint(msgspec.Struct, frozen=True, gc=False):
    """`fingerprint`."""

    algorithm_id: int
    value: str


class Entity(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`managed_entity`: the durable credential an event is about."""

    type_id: int
    type: str
    uid: str | None = None
    name: str | None = None
    user: User | None = None


class Policy(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`policy`: attached, detached or written; at least one attribute is set."""

    uid: str | None = None
    name: str | None = None


class File(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`file`: an object in a bucket."""

    name: str
    path: str
    type_id: int
    uid: str | None = None


class Observable(msgspec.Struct, frozen=True, gc=False):
    """`observable`: one value, named like the attribute it stands for."""

    name: str
    type: str
    type_id: int
    value: str


class Destination(msgspec.Struct, frozen=True, gc=False):
    """`dst_endpoint`: the service's host name, as the caller gave it."""

    svc_name: str


class Databucket(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`databucket`."""

    type_id: int
    type: str
    uid: str | None = None
    name: str | None = None
    file: File | None = None


class Named(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`group` or `table`: at least one attribute is set."""

    uid: str | None = None
    name: str | None = None


class Specifics(msgspec.Struct, frozen=True, gc=False):
    """The attributes of a record that only some classes have."""

    user: User | None = None
    session: Session | None = None
    service: Service | None = None
    entity: Entity | None = None
    privileges: tuple[str, ...] = ()
    group: Named | None = None
    databucket: Databucket | None = None
    table: Named | None = None
    log_name: str | None = None
    log_provider: str | None = None
    policies: tuple[Policy, ...] = ()
    is_mfa: bool | None = None


class Record(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One OCSF record; attributes that its class lacks stay absent. Encode with msgspec."""

    time: int
    class_uid: int
    class_name: str
    category_uid: int
    category_name: str
    activity_id: int
    activity_name: str
    type_uid: int
    severity_id: int
    status_id: int
    status: str
    metadata: Metadata
    cloud: Cloud
    api: Api
    nhi: Identity
    nhi_phase_id: int
    nhi_phase: str
    nhi_base_phase_id: int
    nhi_base_phase: str
    nhi_outcome: str
    raw_data_hash: Fingerprint
    raw_data_size: int
    status_code: str | None = None
    status_detail: str | None = None
    actor: Actor | None = None
    src_endpoint: Endpoint | None = None
    http_request: HttpRequest | None = None
    resources: tuple[Target, ...] = ()
    nhi_sub_phase: str | None = None
    nhi_phase_rules: tuple[str, ...] = ()
    nhi_phase_refinable_by: tuple[str, ...] = ()
    nhi_delegations: tuple[Hop, ...] = ()
    nhi_issued_credential_uids: tuple[str, ...] = ()
    user: User | None = None
    session: Session | None = None
    service: Service | None = None
    entity: Entity | None = None
    privileges: tuple[str, ...] = ()
    group: Named | None = None
    databucket: Databucket | None = None
    table: Named | None = None
    log_name: str | None = None
    log_provider: str | None = None
    policies: tuple[Policy, ...] = ()
    is_mfa: bool | None = None
    dst_endpoint: Destination | None = None
    observables: tuple[Observable, ...] = ()
    unmapped: dict[str, Any] | None = None
