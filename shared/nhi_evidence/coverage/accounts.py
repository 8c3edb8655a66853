"""The accounts that readings name, and when: of another account a report says nothing.

An account is what records call so: an AWS account, a project, a subscription, a tenant, an
enterprise, an organization.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from nhi_evidence.coverage.answers import DEPLOYMENT, Reading, by_platform
from nhi_evidence.coverage.aws import trails
from nhi_evidence.coverage.azure import estate
from nhi_evidence.coverage.gcp import tree
from nhi_evidence.coverage.intervals import Span, union

Accounts = Mapping[str, Mapping[str, tuple[Span, ...]]]
"""By kind (`KINDS`) and name: for which time."""

KINDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("aws", "aws_agent", "aws_gateway", "eks"), ("aws",)),
    **dict.fromkeys(("gcp", "gcp_agent", "gke"), ("gcp",)),
    **dict.fromkeys(("azure", "aks"), ("azure",)),
    "entra": ("entra",),
    "azure_agent": ("azure", "entra"),
}
"""Kinds of account that the records of a platform name; of another platform its own."""


def kinds(platform: str) -> tuple[str, ...]:
    """Return the kinds of account that a platform's records may name."""
    return KINDS.get(platform, (platform,))


def over_time(readings: Iterable[Reading]) -> dict[str, dict[str, tuple[Span, ...]]]:
    """Return the accounts that are named, and for which time.

    An account is named between two readings that both name it, and at each that does.
    """
    spans: dict[str, dict[str, list[Span]]] = {}
    for of_platform in by_platform(readings).values():
        named = [_named(reading) for reading in of_platform]
        for index, (reading, names) in enumerate(zip(of_platform, named, strict=True)):
            following = named[index + 1] if index + 1 < len(named) else {}
            for kind, accounts in names.items():
                for account in accounts:
                    end = reading.at + 1
                    if account in following.get(kind, ()):
                        end = of_platform[index + 1].at
                    known = spans.setdefault(kind, {}).setdefault(account, [])
                    known.append(Span(reading.at, max(end, reading.at + 1)))
    return {
        kind: {account: union(known) for account, known in sorted(accounts.items())}
        for kind, accounts in spans.items()
    }


def _named(reading: Reading) -> dict[str, Sequence[str]]:
    """Return the accounts one reading names, lower case; none of an answer of another shape."""
    try:
        if reading.platform == "aws":
            return {"aws": trails.estate(reading)[0]}
        if reading.platform == "gcp":
            projects = (*tree.projects(reading), *tree.unread(reading))
            return {"gcp": [name.removeprefix("projects/").lower() for name in projects]}
        if reading.platform == "azure":
            subscriptions = [estate.subscription_of(one) for one in estate.subscriptions(reading)]
            tenant = estate.tenant(reading)
            return {"azure": subscriptions, "entra": (tenant,) if tenant else ()}
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, IndexError):
        return {}
    scopes = (answer.scope for answer in reading.answers if answer.call != DEPLOYMENT)
    return {reading.platform: tuple(dict.fromkeys(_own(scope) for scope in scopes))}


_OKTA = (".okta.com", ".okta-emea.com", ".oktapreview.com")


def _own(scope: str) -> str:
    """Return what a product's records call the organization that was asked, lower case."""
    name = scope.lower()
    for domain in _OKTA:
        name = name.removesuffix(domain)
    return name
