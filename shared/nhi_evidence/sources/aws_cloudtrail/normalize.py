"""One CloudTrail record -> Event or Rejection, from the record alone.

Only a record that states when and what is an event: without `eventTime`, `eventName` or
`eventSource` it is rejected and kept raw. Anything else that is absent stays absent.
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Actor, Call, Event, Logged, Rejection, Session
from nhi_evidence.identity import with_unusable
from nhi_evidence.sources.aws_cloudtrail.actor import actor
from nhi_evidence.sources.aws_cloudtrail.outcome import outcome
from nhi_evidence.sources.aws_cloudtrail.record import (
    Addendum,
    TrailRecord,
    is_true,
    present,
    read,
)
from nhi_evidence.sources.aws_cloudtrail.service_events import (
    COGNITO,
    SERVICE_EVENT,
    machine_client,
)
from nhi_evidence.sources.aws_cloudtrail.targets import about
from nhi_evidence.sources.aws_cloudtrail.text import (
    endpoint,
    milliseconds,
    operation_key,
    service_key,
)
from nhi_evidence.sources.aws_cloudtrail.verdict import RecordContext

_MFA_USED = b'"MFAUsed"'
_FROM_CONSOLE = (("session_credential_from_console", "true"),)
_AGGREGATED = "AwsAggregatedEvent"
"""Event type of data event summaries, which need not name an operation: the type stands in."""
_JWT_GATEWAY = frozenset(
    {
        ("bedrock-agentcore.amazonaws.com", "InvokeGateway"),
        ("bedrock-agentcore.amazonaws.com", "InvokeMcp"),
    }
)
"""The AgentCore gateway authenticates its callers by JWT and logs them as anonymous."""

_RECORD_CLASSES = {
    "Management": "management",
    "Data": "data",
    "NetworkActivity": "network_activity",
    "Insight": "insight",
    "Aggregated": "aggregated",
}


def normalize(raw: bytes) -> Event | Rejection:
    """Normalize one record; one that cannot be read becomes a `Rejection`, never a guess."""
    decoded = read(raw)
    if isinstance(decoded, Rejection):
        return decoded
    record, unusable = decoded
    text = _stated_time(record)
    time = milliseconds(text)
    if text is None or time is None:
        if text is None and "eventTime" not in unusable:
            return Rejection("event_time_missing")
        return Rejection("event_time_malformed", repr(text)[:LONGEST_DETAIL])
    insight = record.insightDetails
    name = record.eventName or (insight.eventName if insight else None)
    if record.eventType == _AGGREGATED:
        name = name or _AGGREGATED
    source = record.eventSource or (insight.eventSource if insight else None)
    if not name:
        return Rejection("event_name_missing")
    if not source:
        return Rejection("event_source_missing")
    try:
        return _event(record, (time, text), name, source, unusable)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])


def _event(
    record: TrailRecord,
    time: tuple[int, str],
    name: str,
    source: str,
    unusable: tuple[str, ...],
) -> Event:
    service, operation = service_key(source), operation_key(name)
    is_service_event = record.eventType == SERVICE_EVENT
    context = RecordContext(
        record.eventType,
        record.recipientAccountId,
        (source, name) in _JWT_GATEWAY,
        is_true(record.sessionCredentialFromConsole),
        machine_client(record, service) if is_service_event else None,
        is_service_event and service == COGNITO,
    )
    who, misshapen = actor(bytes(record.userIdentity), context)
    if _MFA_USED in bytes(record.additionalEventData):
        who = _with_mfa(who, record)
    if unusable or misshapen:
        named = with_unusable(who.identity, (*unusable, *misshapen))
        who = msgspec.structs.replace(who, identity=named)
    # By position: for every record, keywords would cost more than reading it does.
    logged = Logged(
        "AWS",
        "CloudTrail",
        _record_class(record),
        record.eventType,
        record.eventVersion,
        record.eventID or record.eventId,
        record.sharedEventID or (record.addendum.originalEventID if record.addendum else None),
        record.recipientAccountId or record.accountId,
        record.awsRegion,
        _addendum_labels(record.addendum) if record.addendum else (),
    )
    call = Call(
        service,
        source,
        operation,
        name,
        record.apiVersion,
        record.requestID,
        endpoint(record.sourceIPAddress, record.vpcEndpointId),
        record.userAgent,
        endpoint=record.tlsDetails.clientProvidedHostHeader if record.tlsDetails else None,
        details=_FROM_CONSOLE if is_true(record.sessionCredentialFromConsole) else (),
    )
    return Event(
        time=time[0],
        original_time=time[1],
        logged=logged,
        call=call,
        actor=who,
        about=about(record, service, operation),
        outcome=outcome(record, service, operation, unusable),
        request=present(record.requestParameters),
        response=present(record.responseElements),
    )


def _with_mfa(who: Actor, record: TrailRecord) -> Actor:
    """Add whether a sign-in used a second factor, which it states apart from its identity.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
    """
    data = msgspec.json.decode(record.additionalEventData)
    word = data.get("MFAUsed") if isinstance(data, dict) else None
    # Compared, not looked up: it may be anything, also what has no hash.
    if word not in ("Yes", "No") or (who.session is not None and who.session.is_mfa is not None):
        return who
    session = msgspec.structs.replace(who.session or Session(), is_mfa=word == "Yes")
    return msgspec.structs.replace(who, session=session)


def _addendum_labels(addendum: Addendum) -> tuple[str, ...]:
    """Return the label of a record that adds to an earlier one.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    reason = addendum.reason or ""
    return (f"addendum:{reason}",) if reason else ("addendum",)


def _stated_time(record: TrailRecord) -> str | None:
    """Return the time a record states; for an aggregated event, when its window began.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aggregated-events.html
    """
    if record.eventType == _AGGREGATED and record.timeWindow is not None:
        return record.timeWindow.windowStart
    return record.eventTime


def _record_class(record: TrailRecord) -> str | None:
    if record.eventCategory is not None:
        return _RECORD_CLASSES.get(record.eventCategory, record.eventCategory.lower())
    return "management" if is_true(record.managementEvent) else None
