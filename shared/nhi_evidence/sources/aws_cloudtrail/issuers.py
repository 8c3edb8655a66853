"""Web identity issuers whose subjects are workloads, and the kind of workload.

A provider in a record is an ARN (`arn:<partition>:iam::<account>:oidc-provider/<host><path>`) or,
for the social providers that STS knows by name, that name.
"""

from __future__ import annotations

import re

from nhi_evidence import partitions
from nhi_evidence.identity import IdentityKind

_OIDC_PROVIDER = ":oidc-provider/"

_DOMAINS = "|".join(map(re.escape, partitions.DNS_SUFFIXES))
_DUAL_STACK = "|".join(map(re.escape, partitions.DUAL_STACK_SUFFIXES))
_K8S_HOSTS = re.compile(
    rf"oidc\.eks\.[a-z0-9-]+\.(?:{_DOMAINS})|oidc-eks\.[a-z0-9-]+\.(?:{_DUAL_STACK})"
)
_WORKLOAD_HOSTS = re.compile(
    r"token\.actions\.githubusercontent\.com"
    r"|gitlab\.com|oidc\.circleci\.com|api\.bitbucket\.org|agent\.buildkite\.com"
    r"|app\.terraform\.io"
    r"|sts\.windows\.net|login\.microsoftonline\.com"
    rf"|[a-z0-9-]+\.tokens\.sts\.global\.(?:{_DUAL_STACK})"
)
_PEOPLE_HOSTS = frozenset({"www.amazon.com", "graph.facebook.com", "accounts.google.com"})
"""Social logins that STS knows by name; a Google subject may also be a service account."""

_JOB_SUBJECT = re.compile(r"(?:^|:)(?:run_id|job_id|build_number):")
_GOOGLE = "accounts.google.com"

_K8S_SUBJECT = "system:serviceaccount:"


def issuer_of(provider: str) -> str:
    """Return the issuer as host and path, from a provider ARN or the bare name."""
    _, marker, issuer = provider.partition(_OIDC_PROVIDER)
    return issuer if marker else provider


def kind_of(provider: str | None, subject: str | None) -> IdentityKind:
    """Return what kind of identity an issuer vouches for; `UNKNOWN` if that cannot be told."""
    if subject is not None and subject.startswith(_K8S_SUBJECT):
        return IdentityKind.K8S_SERVICE_ACCOUNT
    if provider is None:
        return IdentityKind.UNKNOWN
    host = issuer_of(provider).partition("/")[0].lower()
    if _K8S_HOSTS.fullmatch(host):
        return IdentityKind.K8S_SERVICE_ACCOUNT
    if _WORKLOAD_HOSTS.fullmatch(host):
        is_job = subject is not None and _JOB_SUBJECT.search(subject) is not None
        return IdentityKind.CI_JOB if is_job else IdentityKind.FEDERATED_WORKLOAD
    if host == _GOOGLE and subject is not None and subject.isdigit():
        return IdentityKind.FEDERATED_WORKLOAD
    return IdentityKind.HUMAN if host in _PEOPLE_HOSTS else IdentityKind.UNKNOWN


def may_be_person(provider: str | None, kind: IdentityKind) -> bool:
    """Whether what was taken for a workload may be a person, as far as the record tells.

    Google's numeric subject is the id of a service account or of a person's account.
    """
    return (
        kind is IdentityKind.FEDERATED_WORKLOAD
        and provider is not None
        and issuer_of(provider) == _GOOGLE
    )
