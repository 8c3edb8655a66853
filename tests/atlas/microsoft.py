"""Azure operations, Microsoft Graph calls and Entra audit activities: names kept as inputs."""

from __future__ import annotations

from nhi_evidence.catalog.atlas import Entry, Log
from nhi_evidence.sources.azure_entra.graph_path import path_of
from tests.atlas.classify import entry, rows

DOCUMENTED = "documented"


def azure() -> list[Entry]:
    """Operations named in built-in roles; patterns are not operations.

    The Activity Log records writes, deletions and actions, never a read; what acts on data is for
    resource logs. https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
    """
    every = []
    for row in rows("azure_operations.csv"):
        operation = row["operation"]
        if row["plane"] == "data":
            log = Log.DATA
        else:
            log = Log.NONE if operation.lower().endswith("/read") else Log.MANAGEMENT
        service = operation.partition("/")[0].lower()
        facts = {"log": log.value, "log_known": DOCUMENTED, "target": "resourceId"}
        every.append(entry("azure_activity", service, operation, **facts))
    return every


def graph() -> list[Entry]:
    """Every method of every path, with ids taken out as the pack takes them out."""
    by_name = {}
    for row in rows("graph_paths.csv"):
        for method in row["methods"].split():
            operation = f"{method} {path_of(row['path']).operation}"
            facts = {"log": Log.DATA.value, "log_known": DOCUMENTED}
            by_name[operation.lower()] = entry(
                "azure_entra", "MicrosoftGraphActivityLogs", operation, **facts
            )
    return [by_name[key] for key in sorted(by_name)]


def entra() -> list[Entry]:
    """Activities of the audit log."""
    facts = {"log": Log.MANAGEMENT.value, "log_known": DOCUMENTED, "target": "targetResources"}
    return [
        entry("azure_entra", "AuditLogs", row["activity"], **facts)
        for row in rows("entra_activities.csv")
    ]
