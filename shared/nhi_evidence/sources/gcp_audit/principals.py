"""Read Google's names of principals: e-mail addresses, subjects, pools, agents.

https://cloud.google.com/iam/docs/principal-identifiers
https://cloud.google.com/iam/docs/service-account-types
"""

from __future__ import annotations

import re
from typing import NamedTuple

from nhi_evidence.identity import IdentityKind
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.gcp_audit.record import Delegate

_LONGEST = 1024

_POOL = re.compile(
    r"principal://iam\.googleapis\.com/"
    r"((?:projects/[^/]+/)?locations/[^/]+/(workloadIdentityPools|workforcePools)/([^/]+))"
    r"/subject/(.+)"
)
_LEGACY_POOL = re.compile(r"serviceAccount:([a-z0-9.:-]+\.(?:svc|hub)\.id\.goog)\[([^\]]+)\]")
_AGENT = re.compile(r"principal://(agents\.global\.[a-z0-9.-]+\.system\.id\.goog)/(.+)")
_GKE_POOL = ".id.goog"
_GKE_SUBJECT = re.compile(r"(?:ns/)?([^/]+)/(?:sa/)?([^/]+)")
_PREFIXES = ("user:", "serviceAccount:")

_SERVICE_ACCOUNTS = ".gserviceaccount.com"
_USER_MANAGED = ".iam.gserviceaccount.com"
_DEFAULTS = ("@developer.gserviceaccount.com", "@appspot.gserviceaccount.com")
_LEGACY_BUILD = "@cloudbuild.gserviceaccount.com"
_AGENT_DOMAINS = re.compile(
    r"(?:gcp-sa-[a-z0-9-]+|bigquery-encryption|cloud-filer|cloud-ml\.google\.com|cloud-redis"
    r"|cloud-tpu\.google\.com|cloudcomposer-accounts|compute-system|container-analysis"
    r"|container-engine-robot|containerregistry|dataflow-service-producer-prod|dataproc-accounts"
    r"|dlp-api|endpoints-portal|firebase-rules|gae-api-prod\.google\.com|gcf-admin-robot"
    r"|genomics-api|gs-project-accounts|remotebuildexecution|security-center-api"
    r"|serverless-robot-prod|service-consumer-management|service-networking"
    r"|sourcerepo-service-accounts)\.iam\.gserviceaccount\.com"
)
"""Google's own projects, whose service accounts are service agents.

https://cloud.google.com/iam/docs/service-agents
"""
_AGENT_NAME = re.compile(r"service-(?:org-|folder-)?\d+")
_SYSTEM_DOMAINS = frozenset({"system.gserviceaccount.com", "cloudservices.gserviceaccount.com"})
_GOOGLE_SYSTEM = frozenset({"system@google.com", "cloud-logs@google.com"})
_LEAKED_KEY_RESPONSE = "gcp-compromised-key-response@"

ANONYMOUS = "allUsers"


class Pool(NamedTuple):
    """A principal of an identity pool, or of another Google trust domain."""

    kind: IdentityKind
    issuer: str
    """The pool's resource name, or the trust domain: who vouches for the subject."""
    subject: str
    canonical_uid: str | None
    """None for a person: a workforce pool does not vouch for workloads."""


@bounded_cache(results=1024, longest=_LONGEST)
def pool(subject: str | None) -> Pool | None:
    """Parse the principal identifier of a workload, workforce or agent; None for any other."""
    if not subject:
        return None
    agent = _AGENT.fullmatch(subject)
    if agent is not None:
        return Pool(
            IdentityKind.AI_AGENT, agent[1], agent[2], f"nhi:gcp:agent/{agent[1]}/{agent[2]}"
        )
    legacy = _LEGACY_POOL.fullmatch(subject)
    if legacy is not None:
        return _of_pool(legacy[1], legacy[1], legacy[2])
    match = _POOL.fullmatch(subject)
    if match is None:
        return None
    resource, kind, name, of_pool = match.groups()
    if kind == "workforcePools":
        return Pool(IdentityKind.HUMAN, resource, of_pool, None)
    return _of_pool(resource, name, of_pool)


def _of_pool(resource: str, name: str, subject: str) -> Pool:
    is_gke = name.endswith(_GKE_POOL) and _GKE_SUBJECT.fullmatch(subject) is not None
    kind = IdentityKind.K8S_SERVICE_ACCOUNT if is_gke else IdentityKind.FEDERATED_WORKLOAD
    return Pool(kind, resource, subject, f"nhi:gcp:wif/{resource}/subject/{subject}")


def email_of(email: str | None, subject: str | None) -> str | None:
    """Return a principal's e-mail address, from its subject if it is stated only there."""
    if email:
        return email
    for prefix in _PREFIXES:
        if subject is not None and subject.startswith(prefix) and "[" not in subject:
            return subject.removeprefix(prefix)
    return None


def is_service_account(email: str) -> bool:
    """Whether an e-mail address is in a domain that only has service accounts."""
    return email.endswith(_SERVICE_ACCOUNTS)


def is_user_managed(email: str) -> bool:
    """Whether an e-mail address is that of a project's own service account."""
    return email.endswith(_USER_MANAGED)


def is_default(email: str) -> bool:
    """Whether it is an account that a service creates and workloads use by default."""
    return email.endswith((*_DEFAULTS, _LEGACY_BUILD))


def is_service_agent(email: str) -> bool:
    """Whether an e-mail address has the form of a service agent's or a Google system's."""
    name, _, domain = email.rpartition("@")
    if email in _GOOGLE_SYSTEM or domain in _SYSTEM_DOMAINS:
        return True
    return _AGENT_DOMAINS.fullmatch(domain) is not None or (
        is_user_managed(email) and _AGENT_NAME.fullmatch(name) is not None
    )


def agent_labels(email: str) -> tuple[str, ...]:
    """Return the labels of a service agent.

    A project may name one of its own accounts `service-<number>`; only the domains of Google's own
    projects tell the two apart.
    """
    if email.startswith(_LEAKED_KEY_RESPONSE):
        return ("leaked_key_response",)
    domain = email.rpartition("@")[2]
    known = not is_user_managed(email) or _AGENT_DOMAINS.fullmatch(domain) is not None
    return () if known else ("service_agent_name_spoof_possible",)


def account_uid(email: str) -> str:
    """Return a service account's canonical id: its e-mail, which another account may later get."""
    return f"nhi:gcp:sa/{email}"


def key_uid(key_name: str | None) -> str | None:
    """Return a key's name as the call that created it spells it, without the leading service.

    `serviceAccountKeyName` is `//iam.googleapis.com/projects/...`; the `name` of a new key is the
    same without the service. One spelling for both allows the key to be followed.
    """
    return key_name.removeprefix("//iam.googleapis.com/") if key_name else None


def key_owner(key_name: str) -> str | None:
    """Return the account that owns a key, from `.../serviceAccounts/<account>/keys/<id>`."""
    _, marker, rest = key_name.partition("/serviceAccounts/")
    return rest.partition("/")[0] or None if marker else None


def delegate_email(delegate: Delegate) -> str | None:
    """Return the e-mail address of one authority of a delegation."""
    first = delegate.first_party_principal
    return email_of(first.principal_email if first else None, delegate.principal_subject)
