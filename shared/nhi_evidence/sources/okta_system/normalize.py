"""One System Log event -> Event or Rejection, from the record alone."""

from __future__ import annotations

import msgspec

from nhi_evidence.event import (
    LONGEST_DETAIL,
    About,
    Call,
    Endpoint,
    Event,
    Logged,
    Outcome,
    Rejection,
    Result,
    Target,
    User,
)
from nhi_evidence.identity import with_unusable
from nhi_evidence.reading import instant
from nhi_evidence.reading.address import is_absent, is_address
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.okta_system.identity import actor
from nhi_evidence.sources.okta_system.record import (
    Entity,
    LogEvent,
    Read,
    known,
    read,
    text_in,
)

_RESULTS = {
    "SUCCESS": Result.SUCCESS,
    "ALLOW": Result.SUCCESS,
    "DENY": Result.DENIED,
    "RATE_LIMIT": Result.THROTTLED,
}
_FAILURE, _DENY = "FAILURE", "DENY"
_REASONS: tuple[tuple[str, Result], ...] = (
    ("invalid_credentials", Result.UNAUTHENTICATED),
    ("verification_error", Result.UNAUTHENTICATED),
    ("locked_out", Result.UNAUTHENTICATED),
    ("invalid_client", Result.UNAUTHENTICATED),
    ("invalid_token", Result.UNAUTHENTICATED),
    ("invalid_grant", Result.UNAUTHENTICATED),
    ("no_matching_scope", Result.DENIED),
    ("invalid_scope", Result.DENIED),
    ("no_matching_policy", Result.DENIED),
    ("access_denied", Result.DENIED),
    ("access denied", Result.DENIED),
    ("unauthorized", Result.DENIED),
    ("permission", Result.DENIED),
    ("rate limit", Result.THROTTLED),
    ("too many requests", Result.THROTTLED),
)
"""What a failure's reason says, in Okta's words; the first that occurs in it decides."""
_THROTTLED = tuple(words for words, result in _REASONS if result is Result.THROTTLED)
_LOGS = ("log_stream", "execution_history")
"""Logs of Okta, as the names of events about them call them."""
_ISSUES = (".token.grant", ".authorize.implicit.")
"""In the names of events that issue the tokens they name; others revoke or report them."""
_TOKENS = frozenset({"access_token", "id_token", "refresh_token", "device_secret"})
_CREDENTIALS = {
    "Token": "API Token",
    "OAuth2ClientSecret": "Client Secret",
    "client_secret": "Client Secret",
    "JWK": "Client Key",
}
_OF_NHI = _TOKENS | frozenset(_CREDENTIALS) | {"PublicClientApp", "AIAgent"}


def normalize(raw: bytes) -> Event | Rejection:
    """Normalize one record; one that cannot be read becomes a `Rejection`, never a guess."""
    done = read(raw)
    if isinstance(done, Rejection):
        return done
    event = done.event
    time = instant.milliseconds(event.published)
    if event.published is None or time is None:
        if event.published is None and "published" not in done.unusable:
            return Rejection("event_time_missing")
        return Rejection("event_time_malformed", repr(event.published)[:LONGEST_DETAIL])
    if not event.event_type:
        return Rejection("event_name_missing")
    return _event(done, event.event_type, (time, event.published))


def _event(done: Read, name: str, time: tuple[int, str]) -> Event:
    event = done.event
    service = name.partition(".")[0]
    who = actor(event, done.organization)
    if done.unusable:
        named = with_unusable(who.identity, done.unusable)
        who = msgspec.structs.replace(who, identity=named)
    client = event.client
    agent = client.user_agent.raw_user_agent if client and client.user_agent else None
    transaction = event.transaction
    return Event(
        time=time[0],
        original_time=time[1],
        logged=Logged(
            "Okta",
            "System Log",
            event_code=name,
            version=event.version or None,
            uid=event.uuid or None,
            correlation_uid=(transaction.id if transaction else None) or None,
            account=done.organization,
        ),
        call=Call(
            service,
            service,
            name,
            name,
            None,
            text_in(event.debug_context.debug_data if event.debug_context else None, "requestId"),
            _source(client.ip_address if client else None),
            agent or None,
            details=_details(event),
        ),
        actor=who,
        about=_about(event, name),
        outcome=_outcome(event),
        record=msgspec.Raw(done.document),
    )


@bounded_cache(results=4096, longest=256)
def _source(address: str | None) -> Endpoint | None:
    if address is None or is_absent(address):
        return None
    return Endpoint(ip=address) if is_address(address) else Endpoint(name=address)


def _outcome(event: LogEvent) -> Outcome:
    """Derive the outcome from Okta's result; for a failure, from its reason."""
    stated = event.outcome
    return _known_outcome(stated.result, stated.reason or None) if stated else _UNKNOWN


_UNKNOWN = Outcome(Result.UNKNOWN)


@bounded_cache(results=2048, longest=512)
def _known_outcome(stated: str | None, reason: str | None) -> Outcome:
    if not stated:
        return _UNKNOWN
    if stated == _FAILURE:
        text = (reason or "").lower()
        result = next((result for words, result in _REASONS if words in text), Result.FAILED)
        return Outcome(result, stated, reason)
    result = _RESULTS.get(stated, Result.UNKNOWN)
    if stated == _DENY and any(words in (reason or "").lower() for words in _THROTTLED):
        result = Result.THROTTLED
    return Outcome(result, None if result is Result.SUCCESS else stated, reason)


def _about(event: LogEvent, name: str) -> About:
    data = event.debug_context.debug_data if event.debug_context else None
    privilege = text_in(data, "privilegeGranted") or text_in(data, "privilegeRevoked")
    log_name = next((log for log in _LOGS if log in name), None)
    about = _about_entities(tuple(event.target or ()), privilege, log_name)
    if about.issued_credentials and not any(part in name for part in _ISSUES):
        return msgspec.structs.replace(about, issued_credentials=())
    return about


@bounded_cache(results=2048, longest=2048)
def _about_entities(
    entities: tuple[Entity, ...], privilege: str | None, log_name: str | None
) -> About:
    entities = tuple(
        Entity(known(each.id), each.type, known(each.alternate_id), known(each.display_name))
        for each in entities
    )
    targets = tuple(
        Target(
            uid=each.id or None,
            name=each.alternate_id or each.display_name or None,
            type=each.type or None,
        )
        for each in entities
        if each.id or each.alternate_id or each.display_name
    )
    user = _first(entities, "User")
    group = _first(entities, "UserGroup")
    app = _first(entities, "AppInstance")
    issued = tuple(each.id for each in entities if each.type in _TOKENS and each.id)
    credential = next((each for each in entities if each.type in _CREDENTIALS), None)
    return About(
        targets=targets,
        is_nhi=any(each.type in _OF_NHI for each in entities),
        user=_user(user) if user else None,
        group=_named(group) if group else None,
        service=_named(app) if app else None,
        entity=Target(
            uid=credential.id or None,
            name=credential.display_name or None,
            type=_CREDENTIALS[credential.type or ""],
        )
        if credential and (credential.id or credential.display_name)
        else None,
        privileges=(privilege,) if privilege else (),
        log_name=log_name,
        issued_credentials=issued,
    )


def _first(entities: tuple[Entity, ...], kind: str) -> Entity | None:
    return next(
        (each for each in entities if each.type == kind and (each.id or each.alternate_id)), None
    )


def _user(entity: Entity) -> User:
    return User(
        uid=entity.id or None, name=entity.alternate_id or entity.display_name or None, type_id=1
    )


def _named(entity: Entity) -> Target:
    return Target(uid=entity.id or None, name=entity.display_name or entity.alternate_id or None)


def _details(event: LogEvent) -> tuple[tuple[str, str], ...]:
    """Return facts that OCSF has no attribute for."""
    data = (event.debug_context.debug_data if event.debug_context else None) or {}
    kind = event.transaction.type if event.transaction else None
    details = [("transaction_type", kind)] if kind else []
    for name, key in _DATA:
        text = data.get(key)
        if text and isinstance(text, str):
            details.append((name, text))
    return tuple(details)


_DATA = (
    ("request_uri", "requestUri"),
    ("granted_scopes", "grantedScopes"),
    ("requested_scopes", "requestedScopes"),
    ("grant_type", "grantType"),
)
