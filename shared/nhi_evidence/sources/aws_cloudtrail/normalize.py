"""One CloudTrail record -> Event or Rejection, from the record alone.

Only a record that states when and what is an event: without `eventTime`, `eventName` or
`eventSource` it is rejected and kept raw. Everything else that is absent stays absent.
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import Account, Event, Rejection, Session, User
from nhi_evidence.sources.aws_cloudtrail.delegation import hops
from nhi_evidence.sources.aws_cloudtrail.identity import identify
from nhi_evidence.sources.aws_cloudtrail.outcome import outcome
from nhi_evidence.sources.aws_cloudtrail.record import TrailRecord, is_true, present, read
from nhi_evidence.sources.aws_cloudtrail.targets import about
from nhi_evidence.sources.aws_cloudtrail.text import (
    endpoint,
    milliseconds,
    operation_key,
    service_key,
)

_DETAIL = 200
_USER_TYPE_OTHER = 99
_USER_TYPE_SYSTEM = 3

_RECORD_CLASSES = {
    "Management": "management",
    "Data": "data",
    "NetworkActivity": "network_activity",
    "Insight": "insight",
    "Aggregated": "aggregated",
}


def normalize(raw: bytes) -> Event | Rejection:
    """Normalise one record; a record that cannot be read is a `Rejection`, never a guess."""
    found = read(raw)
    if isinstance(found, Rejection):
        return found
    record, unusable = found
    time = milliseconds(record.eventTime)
    if record.eventTime is None or time is None:
        if record.eventTime is None and "eventTime" not in unusable:
            return Rejection("event_time_missing")
        return Rejection("event_time_malformed", repr(record.eventTime)[:_DETAIL])
    insight = record.insightDetails
    name = record.eventName or (insight.eventName if insight else None)
    source = record.eventSource or (insight.eventSource if insight else None)
    if not name:
        return Rejection("event_name_missing")
    if not source:
        return Rejection("event_source_missing")
    try:
        return _event(record, time, name, source, unusable)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return Rejection("malformed_json", str(error)[:_DETAIL])


def _event(
    record: TrailRecord, time: int, name: str, source: str, unusable: tuple[str, ...]
) -> Event:
    service, operation = service_key(source), operation_key(name)
    actor = identify(record)
    if unusable:
        labels = tuple(f"unusable:{field}" for field in unusable)
        actor = msgspec.structs.replace(actor, labels=actor.labels + labels)
    subject = about(record, service)
    return Event(
        provider="AWS",
        product="CloudTrail",
        record_class=_record_class(record),
        time=time,
        original_time=record.eventTime or "",
        service=service,
        service_name=source,
        operation=operation,
        operation_name=name,
        actor=actor,
        user=_user(record),
        session=_session(record),
        invoked_by=record.userIdentity.invokedBy if record.userIdentity else None,
        hops=hops(record, actor),
        targets=subject.targets,
        target_is_nhi=subject.target_is_nhi,
        outcome=outcome(record, service, operation),
        source=endpoint(record.sourceIPAddress),
        user_agent=record.userAgent,
        uid=record.eventID,
        correlation_uid=record.sharedEventID,
        request_uid=record.requestID,
        event_code=record.eventType,
        api_version=record.apiVersion,
        log_version=record.eventVersion,
        account=record.recipientAccountId,
        region=record.awsRegion,
        issued_credentials=subject.issued_credentials,
        issued_session=subject.issued_session,
        subject_user=subject.subject_user,
        entity=subject.entity,
        group=subject.group,
        privileges=subject.privileges,
        log_name=subject.log_name,
        databucket=subject.databucket,
        table=subject.table,
        request=present(record.requestParameters),
        response=present(record.responseElements),
    )


def _record_class(record: TrailRecord) -> str | None:
    if record.eventCategory is not None:
        return _RECORD_CLASSES.get(record.eventCategory, record.eventCategory.lower())
    return "management" if is_true(record.managementEvent) else None


def _user(record: TrailRecord) -> User | None:
    principal = record.userIdentity
    if principal is None:
        return None
    context = principal.sessionContext
    issuer = context.sessionIssuer if context else None
    name = principal.userName or (issuer.userName if issuer else None)
    uid = principal.principalId or principal.arn
    if not (uid or name or principal.accountId):
        return None
    return User(
        uid=uid,
        name=name,
        type=principal.type,
        type_id=_USER_TYPE_SYSTEM if principal.type == "AWSService" else _USER_TYPE_OTHER,
        account=Account(principal.accountId) if principal.accountId else None,
    )


def _session(record: TrailRecord) -> Session | None:
    principal = record.userIdentity
    if principal is None or (principal.sessionContext is None and not principal.accessKeyId):
        return None
    context = principal.sessionContext
    attributes = context.attributes if context else None
    issuer = context.sessionIssuer if context else None
    stated = attributes is not None and attributes.mfaAuthenticated is not None
    return Session(
        uid=principal.arn if context else None,
        credential_uid=principal.accessKeyId or None,
        issuer=issuer.arn if issuer else None,
        created_time=milliseconds(attributes.creationDate) if attributes else None,
        is_mfa=is_true(attributes.mfaAuthenticated) if attributes and stated else None,
    )
