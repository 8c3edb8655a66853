"""Event -> OCSF 1.8.0 record with the nhi extension (docs/ocsf).

A class is used only when the record itself supports everything the class requires; otherwise
the record is written as API Activity or, if even that would need an invented source or actor, as
Base Event. Nothing is filled in to satisfy a schema.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from nhi_evidence.event import Account, Event, ProgrammaticCredential, Result
from nhi_evidence.ocsf.classes import BASE_EVENT, OTHER, choose
from nhi_evidence.ocsf.objects import (
    Actor,
    Api,
    Cloud,
    Databucket,
    Destination,
    Entity,
    Extension,
    File,
    Fingerprint,
    HttpRequest,
    Metadata,
    Named,
    Policy,
    Product,
    Record,
    Request,
    Response,
    Service,
    Specifics,
)
from nhi_evidence.ocsf.unplaced import NOTHING_SPECIFIC, observables, unmapped
from nhi_evidence.phases import Classification, Phase
from nhi_evidence.reading.bounded_cache import bounded_cache

VERSION = "1.8.0"
EXTENSION_VERSION = "0.2.0"

_SHA256 = 3
_SEVERITY_UNKNOWN = 0
"""No source states a severity, so none is claimed."""

_NO_ERRORS = frozenset({Result.SUCCESS, Result.UNKNOWN})
"""Outcomes whose code, if any, is not an error: an allowed dry run, an intermediate step."""
_SUCCESS = (1, "Success")
_FAILURE = (2, "Failure")
_UNKNOWN = (0, "Unknown")

_BUCKETS = {
    "AWS::S3::Bucket": (1, "S3"),
    "Microsoft.Storage/storageAccounts/blobServices/containers": (2, "Azure Blob"),
    "storage.googleapis.com/Bucket": (3, "GCP Bucket"),
}
"""The provider's type of a target to the schema's number and caption."""
_CREDENTIAL = "Programmatic Credential"
_PHASE_CAPTION = tuple(phase.name.replace("_", " ").title() for phase in sorted(Phase))
"""Captions by number: an enumeration is hashed in Python, a tuple is indexed in C."""


_EXTENSIONS = (Extension("999", "nhi", EXTENSION_VERSION),)
_PROFILES = ("cloud", "nhi/nhi")
_BASE_PROFILES = (*_PROFILES, "host")
"""Base Event only has an actor through the profile `host`."""
_REGULAR_FILE = 1
"""OCSF `file.type_id`."""


@bounded_cache(results=256, longest=256)
def _product(name: str, vendor: str) -> Product:
    return Product(name, vendor)


@bounded_cache(results=4096, longest=256)
def _cloud(provider: str, account: str | None, region: str | None) -> Cloud:
    return Cloud(provider, Account(account) if account else None, region)


@bounded_cache(results=1024, longest=256)
def _service(name: str) -> Service:
    return Service(name)


def ocsf_record(
    event: Event, classification: Classification, raw_sha256: bytes, raw_size: int
) -> Record:
    """Compose the OCSF record of an event.

    `raw_sha256` and `raw_size` describe exactly the bytes received for the record.
    """
    call, outcome = event.call, event.outcome
    chosen, activity_id = choose(event, classification.class_uid, classification.activity_id)
    status_id, status = _status(outcome.result)
    specific = _SPECIFICS[chosen.uid](event) if chosen.uid in _SPECIFICS else NOTHING_SPECIFIC
    has_source = chosen is not BASE_EVENT
    # By position, in the order of the struct: 43 keywords cost more than everything else here.
    return Record(
        event.time,
        chosen.uid,
        chosen.name,
        chosen.category_uid,
        chosen.category_name,
        activity_id,
        # OCSF: activity 99 has the source's own name for the activity.
        call.operation_name if activity_id == OTHER else chosen.activities[activity_id],
        chosen.uid * 100 + activity_id,
        _SEVERITY_UNKNOWN,
        status_id,
        status,
        _metadata(event, _PROFILES if has_source else _BASE_PROFILES),
        _cloud(event.logged.provider, event.logged.account, event.logged.region),
        _api(event),
        event.actor.identity,
        classification.phase.real,
        _PHASE_CAPTION[classification.phase],
        classification.base_phase.real,
        _PHASE_CAPTION[classification.base_phase],
        outcome.result,
        Fingerprint(_SHA256, raw_sha256.hex()),
        raw_size,
        outcome.code,
        outcome.detail,
        _actor(event),
        call.source if has_source else None,
        HttpRequest(call.user_agent) if call.user_agent and chosen.has_http_request else None,
        event.about.targets if chosen.has_resources else (),
        classification.sub_phase,
        classification.rules,
        classification.refinable_by,
        event.actor.hops,
        event.about.issued_credentials,
        specific.user,
        specific.session,
        specific.service,
        specific.entity,
        specific.privileges,
        specific.group,
        specific.databucket,
        specific.table,
        specific.log_name,
        specific.log_provider,
        specific.policies,
        specific.is_mfa,
        Destination(call.endpoint) if call.endpoint and chosen.has_dst_endpoint else None,
        observables(event, chosen),
        unmapped(event, chosen, specific),
    )


def _status(result: Result) -> tuple[int, str]:
    if result is Result.SUCCESS:
        return _SUCCESS
    return _UNKNOWN if result is Result.UNKNOWN else _FAILURE


def _metadata(event: Event, profiles: tuple[str, ...]) -> Metadata:
    logged = event.logged
    return Metadata(
        VERSION,
        profiles,
        _EXTENSIONS,
        _product(logged.product, logged.provider),
        event.original_time,
        logged.uid,
        logged.correlation_uid,
        logged.event_code,
        logged.record_class,
        logged.version,
        logged.labels,
    )


def _api(event: Event) -> Api:
    call, outcome = event.call, event.outcome
    return Api(
        call.operation_name,
        _service(call.service_name),
        call.api_version,
        Request(call.request_uid) if call.request_uid else None,
        (
            Response(outcome.code, outcome.detail)
            if outcome.code and outcome.result not in _NO_ERRORS
            else None
        ),
    )


def _actor(event: Event) -> Actor | None:
    actor = event.actor
    user, session, service = actor.user, actor.session, actor.invoked_by
    if user is not None:
        credential = actor.identity.credential_uid
        if credential and (session is None or session.credential_uid != credential):
            credentials = (ProgrammaticCredential(uid=credential),)
            user = msgspec.structs.replace(user, programmatic_credentials=credentials)
    elif session is None and service is None and actor.app_uid is None and actor.app_name is None:
        return None
    return Actor(user, session, service, actor.app_uid, actor.app_name)


def _event_log(event: Event) -> Specifics:
    return Specifics(log_name=event.about.log_name, log_provider=event.call.service_name)


def _account_change(event: Event) -> Specifics:
    return Specifics(user=event.about.user, policies=_policies(event))


def _policies(event: Event) -> tuple[Policy, ...]:
    return tuple(
        Policy(uid=text) if text.startswith("arn:") else Policy(name=text)
        for text in event.about.policies
    )


def _authentication(event: Event) -> Specifics:
    return Specifics(
        user=event.about.user or event.actor.user,
        session=event.about.issued_session,
        service=_signed_in_to(event),
        is_mfa=event.actor.session.is_mfa if event.actor.session else None,
    )


def _signed_in_to(event: Event) -> Service:
    """Return the service of a sign-in: what was signed in to, or the issuer of a token."""
    target = event.about.service
    if target is not None:
        return Service(name=target.name, uid=target.uid)
    return _service(event.call.service_name)


def _entity_management(event: Event) -> Specifics:
    entity, owner = event.about.entity, event.about.user
    if entity is None:
        return NOTHING_SPECIFIC
    kind = entity.type or _CREDENTIAL
    return Specifics(entity=Entity(OTHER, kind, entity.uid, entity.name, owner))


def _user_access(event: Event) -> Specifics:
    return Specifics(user=event.about.user, privileges=event.about.privileges)


def _group_management(event: Event) -> Specifics:
    group = event.about.group
    named = Named(group.uid, group.name) if group else None
    return Specifics(group=named, user=event.about.user, privileges=event.about.privileges)


def _datastore(event: Event) -> Specifics:
    bucket, table = event.about.databucket, event.about.table
    if bucket is not None:
        type_id, caption = _BUCKETS.get(bucket.type or "", (OTHER, bucket.type or "Other"))
        stored = event.about.file
        key = stored.name if stored else None
        return Specifics(
            databucket=Databucket(
                type_id,
                caption,
                bucket.uid,
                bucket.name,
                File(
                    key.rstrip("/").rpartition("/")[2] or key,
                    key,
                    _REGULAR_FILE,
                    stored.uid,
                )
                if stored and key
                else None,
            )
        )
    return Specifics(table=Named(table.uid, table.name) if table else None)


_SPECIFICS: dict[int, Callable[[Event], Specifics]] = {
    1008: _event_log,
    3001: _account_change,
    3002: _authentication,
    3004: _entity_management,
    3005: _user_access,
    3006: _group_management,
    6005: _datastore,
}
