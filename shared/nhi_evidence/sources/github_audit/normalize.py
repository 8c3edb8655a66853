"""One audit log entry -> Event or Rejection, from the record alone.

Only an entry that states when and what is an event. What is absent stays absent.
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import (
    LONGEST_DETAIL,
    Call,
    Endpoint,
    Event,
    Logged,
    Outcome,
    Rejection,
    Result,
)
from nhi_evidence.identity import with_unusable
from nhi_evidence.reading import http_status, instant
from nhi_evidence.reading.address import is_absent, is_address
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.github_audit.identity import actor
from nhi_evidence.sources.github_audit.record import (
    Entry,
    entries,
    first,
    is_about_token,
    is_by_token,
    text_of,
)
from nhi_evidence.sources.github_audit.targets import about

_API_REQUEST = "api.request"
_CONCLUSIONS = {
    "success": Result.SUCCESS,
    "failure": Result.FAILED,
    "startup_failure": Result.FAILED,
    "timed_out": Result.FAILED,
}
_REFUSALS = {
    "device_verification_failure": Result.UNAUTHENTICATED,
    "failed_login": Result.UNAUTHENTICATED,
    "recovery_code_failed": Result.UNAUTHENTICATED,
    "rejected_ref_update": Result.DENIED,
    "two_factor_challenge_failure": Result.UNAUTHENTICATED,
}
"""Actions that say that somebody was refused. One like `request_denied` is its actor's own deed."""
_FAILURES = frozenset({"error", "failed", "failure"})


def normalize(raw: bytes) -> Event | Rejection:
    """Normalize one record; one that cannot be read becomes a `Rejection`, never a guess."""
    decoded = entries.record(raw)
    if isinstance(decoded, Rejection):
        return decoded
    entry, unusable = decoded
    stated = entry.timestamp if entry.timestamp is not None else entry.created_at
    if stated is None:
        of_no_use = {"@timestamp", "created_at"} & set(unusable)
        return Rejection("event_time_malformed" if of_no_use else "event_time_missing")
    time = instant.of_count(stated) if isinstance(stated, int) else instant.milliseconds(stated)
    if time is None:
        return Rejection("event_time_malformed", repr(stated)[:LONGEST_DETAIL])
    if not entry.action:
        return Rejection("event_name_missing")
    return _event(entry, entry.action, (time, str(stated)), raw, unusable)


def _event(
    entry: Entry, action: str, time: tuple[int, str], raw: bytes, unusable: tuple[str, ...]
) -> Event:
    category = action.partition(".")[0]
    who = actor(entry)
    if unusable:
        who = msgspec.structs.replace(who, identity=with_unusable(who.identity, unusable))
    operation = _operation(entry, action)
    return Event(
        time=time[0],
        original_time=time[1],
        logged=Logged(
            "GitHub",
            "Enterprise Audit Log",
            event_code=action,
            uid=entry.document_id or None,
            account=entry.business or first(entry.org),
        ),
        call=Call(
            category,
            category,
            operation,
            operation,
            None,
            entry.request_id or None,
            _source(entry.actor_ip),
            entry.user_agent or None,
            details=_details(entry),
        ),
        actor=who,
        about=about(entry, category, action),
        outcome=_outcome(entry, action),
        record=msgspec.Raw(raw),
    )


def _operation(entry: Entry, action: str) -> str:
    """Return the action, or the method and route of an API request."""
    if action == _API_REQUEST and entry.request_method and entry.route:
        return f"{entry.request_method} {entry.route}"
    return action


@bounded_cache(results=4096, longest=256)
def _source(address: str | None) -> Endpoint | None:
    if address is None or is_absent(address):
        return None
    return Endpoint(ip=address) if is_address(address) else Endpoint(name=address)


def _outcome(entry: Entry, action: str) -> Outcome:
    """Derive the outcome: requests and runs state it; any other entry says something was done."""
    code = text_of(entry.status_code)
    if action == _API_REQUEST or code is not None:
        return _of_status(code)
    if entry.conclusion is not None:
        result = _CONCLUSIONS.get(entry.conclusion, Result.UNKNOWN)
        return Outcome(result, None if result is Result.SUCCESS else entry.conclusion)
    last = action.rpartition(".")[2]
    if last in _REFUSALS:
        return Outcome(_REFUSALS[last], last)
    if not _FAILURES.isdisjoint(last.split("_")):
        return Outcome(Result.FAILED, last)
    return Outcome(Result.SUCCESS)


@bounded_cache(results=1024, longest=64)
def _of_status(code: str | None) -> Outcome:
    status = http_status.number(code)
    if status is None:
        return Outcome(Result.UNKNOWN, code)
    result = http_status.result(status)
    return Outcome(result, None if result is Result.SUCCESS else code)


def _details(entry: Entry) -> tuple[tuple[str, str], ...]:
    """Return facts that OCSF has no attribute for."""
    details = []
    if entry.token_scopes:
        details.append(("token_scopes", entry.token_scopes))
    if entry.workflow_run_id and (run := text_of(entry.workflow_run_id)):
        details.append(("workflow_run_id", run))
    if entry.head_branch:
        details.append(("head_branch", entry.head_branch))
    if entry.agent_session_id:
        details.append(("agent_session_id", entry.agent_session_id))
    if entry.old_permission:
        details.append(("old_permission", entry.old_permission))
    if is_about_token(entry) and is_by_token(entry) and (token := text_of(entry.token_id)):
        details.append(("token_id", token))
    return tuple(details)
