"""What Google Cloud answers about the estate: organization-wide Data Access logs, and one sink."""

from __future__ import annotations

from typing import Any

from nhi_evidence.coverage.answers import Answer
from nhi_evidence.demo.story import gcp_entry

ORGANIZATION, FOLDER = "organizations/123456789012", "folders/456789012345"
CROSSED = f"projects/{gcp_entry.PROJECT}"
"""The project that the story of the demo crosses; it has Data Access switched on itself, too."""
PROJECTS = ("projects/example-shop", "projects/example-canary", CROSSED)
DESTINATION = "pubsub.googleapis.com/projects/example-evidence/topics/audit-log-entries"
MEMBERS = "cloudidentity.groups.memberships.searchTransitiveMemberships"


def audit_config(*log_types: str, exempted: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the audit configuration of all services."""
    configs = [
        {"logType": name, **({"exemptedMembers": list(exempted)} if exempted else {})}
        for name in log_types
    ]
    return {"service": "allServices", "auditLogConfigs": configs}


def answers() -> tuple[Answer, ...]:
    """Return every answer."""
    return (*_tree(), *_policies(), *_sinks())


def _tree() -> tuple[Answer, ...]:
    return tuple(
        Answer(
            call="cloudresourcemanager.projects.getAncestry",
            scope=project,
            answer={
                "ancestor": [
                    {"resourceId": {"type": kind, "id": name.partition("/")[2]}}
                    for kind, name in (
                        ("project", project),
                        ("folder", FOLDER),
                        ("organization", ORGANIZATION),
                    )
                ]
            },
        )
        for project in PROJECTS
    )


def _policies() -> tuple[Answer, ...]:
    everything = audit_config("ADMIN_READ", "DATA_READ", "DATA_WRITE")
    empty: dict[str, Any] = {"version": 3, "bindings": []}
    return tuple(
        Answer(
            call="cloudresourcemanager.getIamPolicy",
            scope=name,
            answer={**empty, "auditConfigs": [everything]}
            if name in {ORGANIZATION, CROSSED}
            else empty,
        )
        for name in (ORGANIZATION, FOLDER, *PROJECTS)
    )


def _sinks() -> tuple[Answer, ...]:
    sink = {
        "name": "nhi-evidence",
        "destination": DESTINATION,
        "filter": 'logName:"cloudaudit.googleapis.com"',
        "includeChildren": True,
    }
    return tuple(
        Answer(
            call="logging.sinks.list",
            scope=name,
            answer={"sinks": [sink]} if name == ORGANIZATION else {},
        )
        for name in (ORGANIZATION, FOLDER, *PROJECTS)
    )
