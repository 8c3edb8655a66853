"""The parts of an audit log entry that this pack reads.

https://docs.github.com/en/enterprise-cloud@latest/admin/monitoring-activity-in-your-enterprise/reviewing-audit-logs-for-your-enterprise/audit-log-events-for-your-enterprise
"""

from __future__ import annotations

import msgspec

from nhi_evidence.reading.lenient_decoder import LenientDecoder

Number = int | str | None
"""An id: a number in the stream, or a text if a pipeline rewrote it."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event."""

    timestamp: int | str | None = msgspec.field(name="@timestamp", default=None)
    created_at: int | str | None = None
    document_id: str | None = msgspec.field(name="_document_id", default=None)
    action: str | None = None
    actor: str | None = None
    actor_id: Number = None
    actor_ip: str | None = None
    actor_is_bot: bool | None = None
    actor_is_agent: bool | None = None
    agent_session_id: str | None = None
    user: str | None = None
    user_id: Number = None
    user_agent: str | None = None
    business: str | None = None
    business_id: Number = None
    org: str | list[str] | None = None
    org_id: int | str | list[int] | None = None
    repo: str | None = None
    repository: str | None = None
    repo_id: Number = None
    team: str | None = None
    name: str | None = None
    programmatic_access_type: str | None = None
    hashed_token: str | None = None
    token_id: Number = None
    token_scopes: str | None = None
    user_programmatic_access_name: str | None = None
    oauth_application_id: Number = None
    oauth_application_name: str | None = None
    application_client_id: str | None = None
    integration: str | None = None
    fingerprint: str | None = None
    public_key_id: Number = None
    permission: str | None = None
    old_permission: str | None = None
    request_id: str | None = None
    request_method: str | None = None
    route: str | None = None
    url_path: str | None = None
    status_code: Number = None
    conclusion: str | None = None
    workflow_run_id: Number = None
    job_workflow_ref: str | None = None
    head_branch: str | None = None
    environment_name: str | None = None
    key: str | None = None
    hook_id: Number = None


entries = LenientDecoder(Entry)


def text_of(value: Number) -> str | None:
    """Return an id as text; None for 0 and an empty text, by which the log means none."""
    return str(value) if value not in (None, 0, "", "0") else None


def first(value: object) -> str | None:
    """Return the value of an attribute that may be a list; None unless there is exactly one."""
    if isinstance(value, list):
        return str(value[0]) if len(value) == 1 else None
    return str(value) if value not in (None, "", 0) else None


_ABOUT_TOKENS = ("personal_access_token.", "personal_access_token_request.")


def is_about_token(entry: Entry) -> bool:
    """Whether the entry is about a personal access token, whose id is then in `token_id`.

    In any other entry, `token_id` is the token it was done with.
    https://docs.github.com/en/enterprise-cloud@latest/rest/orgs/personal-access-tokens
    """
    return (entry.action or "").startswith(_ABOUT_TOKENS)


def is_by_token(entry: Entry) -> bool:
    """Whether it was done with a token: with one, `token_id` of a token's entry could be either."""
    return bool(entry.programmatic_access_type or entry.hashed_token)
