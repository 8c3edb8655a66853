"""Event -> OCSF 1.8.0 record with the nhi extension (docs/ocsf).

A class is used only when the record itself supports everything the class requires; otherwise
the record is written as API Activity, and where even that would need an invented source or
actor, as Base Event. Nothing is filled in to satisfy a schema.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from nhi_evidence.event import Account, Event, Result
from nhi_evidence.ocsf_classes import OTHER, OcsfClass, choose
from nhi_evidence.ocsf_objects import (
    Actor,
    Api,
    Cloud,
    Databucket,
    Entity,
    Extension,
    Fingerprint,
    HttpRequest,
    Metadata,
    Named,
    Product,
    Record,
    Request,
    Response,
    Service,
)
from nhi_evidence.phases import Classification, Phase

VERSION = "1.8.0"
EXTENSION_VERSION = "0.2.0"

_SHA256 = 3
_SEVERITY_UNKNOWN = 0
"""No source states a severity, so none is claimed."""

_STATUS = {
    Result.SUCCESS: (1, "Success"),
    Result.UNKNOWN: (0, "Unknown"),
}
_FAILURE = (2, "Failure")

_S3_BUCKET = (1, "S3")
_CREDENTIAL = "Programmatic Credential"
_PHASE_CAPTION = {phase: phase.name.replace("_", " ").title() for phase in Phase}


_EXTENSIONS = (Extension("999", "nhi", EXTENSION_VERSION),)
_PROFILES = ("cloud", "nhi/nhi")


@lru_cache(maxsize=256)
def _product(name: str, vendor: str) -> Product:
    return Product(name, vendor)


@lru_cache(maxsize=4096)
def _cloud(provider: str, account: str | None, region: str | None) -> Cloud:
    return Cloud(provider, Account(account) if account else None, region)


@lru_cache(maxsize=1024)
def _service(name: str) -> Service:
    return Service(name)


def write(
    event: Event, classification: Classification, *, raw_sha256: bytes, raw_size: int
) -> Record:
    """Compose the OCSF record of an event.

    `raw_sha256` and `raw_size` describe exactly the bytes received for the record.
    """
    ocsf_class, activity_id = choose(event, classification.class_uid, classification.activity_id)
    uid = ocsf_class.uid
    outcome = event.outcome
    status_id, status = _STATUS.get(outcome.result, _FAILURE)
    named = uid != 0
    fields = _CLASS_FIELDS.get(uid, _no_fields)(event)
    return Record(
        time=event.time,
        class_uid=uid,
        class_name=ocsf_class.name,
        category_uid=ocsf_class.category_uid,
        category_name=ocsf_class.category_name,
        activity_id=activity_id,
        activity_name=_activity_name(ocsf_class, activity_id, event),
        type_uid=uid * 100 + activity_id,
        severity_id=_SEVERITY_UNKNOWN,
        status_id=status_id,
        status=status,
        status_code=outcome.code,
        status_detail=outcome.detail,
        metadata=Metadata(
            VERSION,
            _PROFILES,
            _EXTENSIONS,
            _product(event.product, event.provider),
            event.original_time,
            event.uid,
            event.correlation_uid,
            event.event_code,
            event.record_class,
            event.log_version,
        ),
        cloud=_cloud(event.provider, event.account, event.region),
        api=Api(
            event.operation_name,
            _service(event.service_name),
            event.api_version,
            Request(event.request_uid) if event.request_uid else None,
            Response(outcome.code, outcome.detail) if outcome.code else None,
        ),
        actor=_actor(event) if named else None,
        src_endpoint=event.source if named else None,
        http_request=(
            HttpRequest(event.user_agent)
            if event.user_agent and ocsf_class.has_http_request
            else None
        ),
        resources=event.targets if ocsf_class.has_resources else (),
        nhi=event.actor,
        nhi_phase_id=classification.phase,
        nhi_phase=_PHASE_CAPTION[classification.phase],
        nhi_base_phase_id=classification.base_phase,
        nhi_base_phase=_PHASE_CAPTION[classification.base_phase],
        nhi_sub_phase=classification.sub_phase,
        nhi_phase_rules=classification.rules,
        nhi_phase_refinable_by=classification.refinable_by,
        nhi_outcome=outcome.result,
        nhi_delegations=event.hops,
        nhi_issued_credential_uids=event.issued_credentials,
        raw_data_hash=Fingerprint(_SHA256, raw_sha256.hex()),
        raw_data_size=raw_size,
        **fields,
    )


def _activity_name(ocsf_class: OcsfClass, activity_id: int, event: Event) -> str:
    """OCSF: activity 99 carries the source's own name of the activity."""
    if activity_id == OTHER:
        return event.operation_name
    return ocsf_class.activities[activity_id]


def _actor(event: Event) -> Actor | None:
    if event.user is None and event.session is None and event.invoked_by is None:
        return None
    return Actor(event.user, event.session, event.invoked_by)


def _no_fields(_: Event) -> dict[str, Any]:
    return {}


def _event_log_fields(event: Event) -> dict[str, Any]:
    return {"log_name": event.log_name, "log_provider": event.service_name}


def _account_fields(event: Event) -> dict[str, Any]:
    return {"user": event.subject_user}


def _authentication_fields(event: Event) -> dict[str, Any]:
    return {
        "user": event.subject_user or event.user,
        "session": event.issued_session,
        "service": _service(event.service_name),
    }


def _entity_fields(event: Event) -> dict[str, Any]:
    entity = event.entity
    if entity is None:
        return {}
    return {
        "entity": Entity(
            OTHER, entity.type or _CREDENTIAL, entity.uid, entity.name, event.subject_user
        )
    }


def _access_fields(event: Event) -> dict[str, Any]:
    return {"user": event.subject_user, "privileges": event.privileges}


def _group_fields(event: Event) -> dict[str, Any]:
    group = event.group
    return {
        "group": Named(group.uid, group.name) if group else None,
        "user": event.subject_user,
    }


def _datastore_fields(event: Event) -> dict[str, Any]:
    if event.databucket is not None:
        type_id, caption = _S3_BUCKET
        bucket = event.databucket
        return {"databucket": Databucket(type_id, caption, bucket.uid, bucket.name)}
    if event.table is not None:
        return {"table": Named(event.table.uid, event.table.name)}
    return {}


_CLASS_FIELDS: dict[int, Callable[[Event], dict[str, Any]]] = {
    1008: _event_log_fields,
    3001: _account_fields,
    3002: _authentication_fields,
    3004: _entity_fields,
    3005: _access_fields,
    3006: _group_fields,
    6005: _datastore_fields,
}
