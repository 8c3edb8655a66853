"""Reading Google Cloud settings for coverage: the policies of all ancestors, sinks, groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.coverage.answers import Deployment, Reading
from nhi_evidence.coverage.gathering import gathered
from nhi_evidence.coverage.gcp import audit_config, sinks, tree

RESOURCES = "cloudresourcemanager.googleapis.com"
LOGGING = "logging.googleapis.com"
IDENTITY = "cloudidentity.googleapis.com"
IAM = "iam.googleapis.com"
HOSTS = (RESOURCES, LOGGING, IDENTITY, IAM)
_PLURALS = {"project": "projects", "folder": "folders", "organization": "organizations"}
_POLICY = {"options": {"requestedPolicyVersion": 3}}


def read_settings(
    reader: RestReader, *, at: int, deployment: Deployment, identities: Sequence[str] = ()
) -> Reading:
    """Read everything that Google Cloud cells depend on.

    `at` is the time of the reading, milliseconds since the epoch. `identities` are e-mail addresses
    of service accounts whose state is also read.
    """

    def walk() -> None:
        for email in identities:
            _identity(reader, email)
        _walk(reader)

    return gathered("gcp", walk, reader.answers, at=at, deployment=deployment)


def _identity(reader: RestReader, email: str) -> None:
    """Ask for a service account and its keys."""
    scope = f"projects/-/serviceAccounts/{email}"
    url = f"https://{IAM}/v1/projects/-/serviceAccounts/{quote(email)}"
    reader.ask("iam.projects.serviceAccounts.get", scope, url)
    reader.ask("iam.projects.serviceAccounts.keys.list", scope, f"{url}/keys")


def _walk(reader: RestReader) -> None:
    listed = reader.ask(
        tree.LIST,
        "all",
        f"https://{RESOURCES}/v1/projects?filter=lifecycleState%3AACTIVE",
        items="projects",
        next_page="nextPageToken",
        page_parameter="pageToken",
    )
    resources: dict[str, None] = {}
    for project in (listed or {}).get("projects", ()):
        resources.update(dict.fromkeys(_above(reader, str(project["projectId"]))))
    members: dict[str, None] = {}
    for resource in resources:
        members.update(dict.fromkeys(_of_resource(reader, resource)))
    for member in members:
        _group(reader, member)


def _above(reader: RestReader, project: str) -> Iterator[str]:
    """Yield a project and everything above it."""
    answer = reader.ask(
        tree.ANCESTRY,
        f"projects/{project}",
        f"https://{RESOURCES}/v1/projects/{quote(project)}:getAncestry",
        body={},
    )
    for ancestor in (answer or {}).get("ancestor", ()):
        kind, name = ancestor["resourceId"]["type"], ancestor["resourceId"]["id"]
        if kind in _PLURALS:
            yield f"{_PLURALS[kind]}/{name}"


def _of_resource(reader: RestReader, resource: str) -> Iterator[str]:
    """Ask for policy and sinks of a resource; yield the groups its policy exempts."""
    version = "v2" if resource.startswith("folders/") else "v1"
    policy = reader.ask(
        tree.POLICY,
        resource,
        f"https://{RESOURCES}/{version}/{quote(resource)}:getIamPolicy",
        body=_POLICY,
    )
    reader.ask(
        sinks.SINKS,
        resource,
        f"https://{LOGGING}/v2/{quote(resource)}/sinks",
        items="sinks",
        next_page="nextPageToken",
        page_parameter="pageToken",
    )
    yield from _exempted(policy or {})


def _exempted(policy: Mapping[str, Any]) -> Iterator[str]:
    for config in policy.get("auditConfigs", ()):
        for log in config.get("auditLogConfigs", ()):
            yield from (
                member for member in log.get("exemptedMembers", ()) if member.startswith("group:")
            )


def _group(reader: RestReader, member: str) -> None:
    """Ask for all members of a group, including those through other groups."""
    email = quote(member.partition(":")[2])
    group = reader.ask(
        "cloudidentity.groups.lookup",
        member,
        f"https://{IDENTITY}/v1/groups:lookup?groupKey.id={email}",
    )
    name = (group or {}).get("name")
    if name:
        reader.ask(
            audit_config.MEMBERS,
            member,
            f"https://{IDENTITY}/v1/{quote(str(name))}/memberships:searchTransitiveMemberships",
            items="memberships",
            next_page="nextPageToken",
            page_parameter="pageToken",
        )
