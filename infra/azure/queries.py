"""What alarms search the workspace for, in the Kusto query language."""

from __future__ import annotations

from infra.azure.names import NAME

NO_SUCCESS_HOURS = 6
"""Where the configuration does not say how long the source may be silent."""

LONGEST_HOURS = 47
"""A search looks back two days at most, and one hour of them tells that the workspace is older."""

LAG_SECONDS = 3_600

LOCKED = "locked "
"""How the function's line begins for each evidence object."""

READ = "read partition "
"""How its line begins for each batch: `read partition 3, 128 messages, oldest 42 s`."""

FAILURES = 'FunctionAppLogs | where Level in ("Error", "Critical")'

_TABLES = (
    "union isfuzzy=true FunctionAppLogs, AzureActivity, (datatable(TimeGenerated: datetime)[])"
)
"""Both tables, whether or not they have had a row: `isfuzzy` passes over what is not there yet."""


def no_success(hours: int) -> str:
    """Return the search for an export that has locked nothing for so many hours, or never.

    One row when it is so, counted from the first row of any kind in the workspace: a deployment
    has that long to bring its first evidence, and one that never brings any is told.
    """
    return f"""let since = toscalar({_TABLES} | summarize min(TimeGenerated));
let locked = toscalar(union isfuzzy=true
  (FunctionAppLogs | where Message startswith "{LOCKED}" | project TimeGenerated),
  (datatable(TimeGenerated: datetime)[])
| where TimeGenerated > ago({hours}h)
| count);
print TimeGenerated = now(), Since = since, Locked = locked
| where Locked == 0 and Since < ago({hours}h)"""


LAG = f"""FunctionAppLogs
| where Message startswith "{READ}"
| parse Message with "{READ}" Partition ", " Messages: long " messages, oldest " Age: long " s"
| where Age > {LAG_SECONDS}
| summarize Age = max(Age), TimeGenerated = max(TimeGenerated) by Partition"""

REMOVED_SETTINGS = f"""AzureActivity
| where OperationNameValue =~ "Microsoft.Insights/diagnosticSettings/delete"
| where ActivityStatusValue in~ ("Success", "Succeeded")
| where _ResourceId has "{NAME}"
| project TimeGenerated, _ResourceId, Caller"""
