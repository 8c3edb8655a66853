"""What an event was about, as far as the entry names it."""

from __future__ import annotations

from nhi_evidence.event import About, Target, User
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.github_audit.record import (
    Entry,
    first,
    is_about_token,
    is_by_token,
    text_of,
)

_OF_NHI = frozenset(
    {
        "auto_approve_personal_access_token_requests",
        "codespaces",
        "environment",
        "integration",
        "integration_installation",
        "integration_installation_request",
        "oauth_access",
        "oauth_application",
        "oauth_authorization",
        "org_credential_authorization",
        "org_secret_scanning_custom_pattern",
        "personal_access_token",
        "personal_access_token_request",
        "public_key",
        "self_hosted_runner",
        "workflows",
    }
)
"""Categories of apps, tokens and keys, and of what runs with them."""
_OF_OAUTH_APPS = frozenset({"oauth_access", "oauth_application", "oauth_authorization"})
_SECRET, _RUNNER = "secret", "runner"
_LOG = "audit_log_streaming"
_ENTITIES = {
    "integration": "GitHub App",
    "oauth_access": "OAuth Token",
    "oauth_application": "OAuth App",
    "oauth_authorization": "OAuth Authorization",
    "org_credential_authorization": "Authorized Credential",
    "personal_access_token": "Personal Access Token",
    "personal_access_token_request": "Personal Access Token",
    "public_key": "SSH Key",
}


def about(entry: Entry, category: str, action: str) -> About:
    """Return what the entry says the operation was about."""
    targets = _targets(entry)
    # In the entry of an agent, `user` is who started it (identity.py).
    named = None if entry.actor_is_agent else entry.user or None
    user = None
    if named and named != entry.actor:
        user = User(uid=text_of(entry.user_id), name=named)
    concerns_secret = _SECRET in action or _RUNNER in action
    privileges = (entry.permission,) if entry.permission else ()
    return About(
        targets=targets,
        is_nhi=category in _OF_NHI or concerns_secret or bool(entry.integration),
        user=user,
        entity=_entity(entry, category, action),
        privileges=privileges,
        log_name=_LOG if category == _LOG else None,
    )


def _targets(entry: Entry) -> tuple[Target, ...]:
    targets = []
    repo = entry.repo or entry.repository
    if repo:
        targets.append(_named(repo, "repository", text_of(entry.repo_id)))
    organization = first(entry.org) if entry.org else None
    if organization:
        targets.append(_named(organization, "organization", first(entry.org_id)))
    if entry.integration:
        targets.append(Target(name=entry.integration, type="integration"))
    if entry.team:
        targets.append(Target(name=entry.team, type="team"))
    if entry.environment_name:
        targets.append(Target(name=entry.environment_name, type="environment"))
    if entry.job_workflow_ref:
        targets.append(Target(name=entry.job_workflow_ref, type="workflow"))
    if hook := text_of(entry.hook_id):
        targets.append(Target(uid=hook, type="hook"))
    if entry.url_path:
        targets.append(Target(name=entry.url_path, type="api_path"))
    return tuple(targets)


@bounded_cache(results=2048, longest=512)
def _named(name: str, kind: str, uid: str | None) -> Target:
    return Target(uid=uid, name=name, type=kind)


def _entity(entry: Entry, category: str, action: str) -> Target | None:
    """Return the durable credential or application that an event is about."""
    if _SECRET in action and entry.key:
        return Target(name=entry.key, type="Actions Secret")
    kind = _ENTITIES.get(category)
    if kind is None:
        return None
    uid = text_of(entry.public_key_id) or entry.fingerprint or None
    if is_about_token(entry) and not is_by_token(entry):
        uid = text_of(entry.token_id)
    if category in _OF_OAUTH_APPS:
        app = entry.application_client_id or text_of(entry.oauth_application_id)
        if app or entry.oauth_application_name:
            # A token or authorization has no id in the log: what is named is its app.
            return Target(uid=app, name=entry.oauth_application_name or None, type="OAuth App")
    name = entry.integration or entry.user_programmatic_access_name or entry.oauth_application_name
    name = name or entry.name
    return Target(uid=uid, name=name, type=kind) if uid or name else None
