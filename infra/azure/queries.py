"""The alarms' queries of the workspace, in the Kusto query language.

Every alarm is a log query, even of the hub's metrics: a metric alert does not fire while its metric
has no value, and the point is to notify that nothing arrived, or was read.
https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-types
"""

from __future__ import annotations

from infra.azure.names import shared

NO_SUCCESS_HOURS = 6
"""Used if the configuration does not say how long the source may be silent."""

LONGEST_HOURS = 47
"""A query looks back at most two days, and one hour of them shows that the workspace is older."""

LAG_SECONDS = 3_600

LOSS_SECONDS = 7 * 86_400 // 2
"""Half the time after which the hub deletes a message."""

LOCKED = "locked "
"""Start of the function's log line for each evidence object, which follows as JSON."""

UNMAPPED = "unmapped"
"""Start of its line for what broke the mapper."""

READ = "read partition "
"""Start of its line for each batch: `read partition 3, 128 messages, oldest 42 s`."""

TOOK = "took "
"""Start of its line for each category in a batch: `took signinlogs, 128 records`."""

MANY_MESSAGES = 1_000
"""This many messages in six hours reach every partition, since Azure Monitor names no partition."""

FAILURES = f"""FunctionAppLogs
| where Level in ("Error", "Critical") and Message !startswith "{UNMAPPED}\""""

REJECTED = f"""FunctionAppLogs
| where (Message startswith "{LOCKED}" and Message !contains '"rejected_deliveries":0')
  or Message startswith "{UNMAPPED}\""""

_NONE = "(datatable(TimeGenerated: datetime)[])"
"""Keeps a query valid while a table has had no row and so does not exist: `isfuzzy` skips missing
tables."""

_SINCE = f"""let since = toscalar(union isfuzzy=true
  FunctionAppLogs, AzureActivity, AzureMetrics, {_NONE}
| summarize min(TimeGenerated));"""
"""The first row of any kind: the time a deployment is allowed counts from then, whatever never
arrives."""

_LOCKED = f'FunctionAppLogs | where Message startswith "{LOCKED}"'
_READ = f'FunctionAppLogs | where Message startswith "{READ}"'
_DIRECTORY = f"""FunctionAppLogs
  | where Message startswith "{TOOK}" and Message contains "managedidentitysigninlogs\""""
_CAME = 'AzureMetrics | where MetricName == "IncomingMessages" and Total > 0'
"""The hub's messages, by the minute; of the namespace, which has no other hub."""


def _count(rows: str, when: str) -> str:
    """Return an expression for how many rows there are in a time, 0 if the table does not exist."""
    return f"""toscalar(union isfuzzy=true
  ({rows} | project TimeGenerated), {_NONE}
| where TimeGenerated {when}
| count)"""


def _never(rows: str, hours: int) -> str:
    """Return a query with one row if nothing of a kind arrived for so many hours, or ever."""
    return f"""{_SINCE}
let found = {_count(rows, f"> ago({hours}h)")};
print TimeGenerated = now(), Since = since, Found = found
| where Found == 0 and Since < ago({hours}h)"""


def no_success(hours: int) -> str:
    """Return the query for an export that has locked nothing for so many hours, or ever."""
    return _never(_LOCKED, hours)


def silent(hours: int) -> str:
    """Return the query for a hub that no message has reached for so many hours, or ever."""
    return _never(_CAME, hours)


DIRECTORY_SILENT = _never(_DIRECTORY, LONGEST_HOURS)
"""The exporter itself signs in at least once a day, as a managed identity: so if the directory is
exported, this category arrives, however quiet the tenant."""

THROTTLED = 'AzureMetrics | where MetricName == "ThrottledRequests" and Total > 0'
"""What the hub refused has no number in a partition, so nothing that is read shows that it is
missing. https://learn.microsoft.com/azure/event-hubs/monitor-event-hubs-reference#metrics"""

UNREAD = f"""let came = {_count(_CAME, "between (ago(3h) .. ago(1h))")};
let read = {_count(_READ, "> ago(3h)")};
print TimeGenerated = now(), Came = came, Read = read
| where Came > 0 and Read == 0"""


def partition_unread(partitions: int) -> str:
    """Return the query for partitions that nothing reads while many messages arrive in others.

    The host logs nothing about a partition it does not read, so no line shows its lag.
    """
    return f"""let read = FunctionAppLogs
| where Message startswith "{READ}"
| parse Message with "{READ}" Partition ", " Messages: long " messages" *
| project Partition, Messages;
let messages = toscalar(read | summarize sum(Messages));
range Number from 0 to {partitions - 1} step 1
| project Partition = tostring(Number)
| join kind=leftanti (read) on Partition
| where messages >= {MANY_MESSAGES}
| project TimeGenerated = now(), Partition"""


def behind(seconds: int) -> str:
    """Return the query for partitions whose oldest message had waited longer when it was read."""
    return f"""FunctionAppLogs
| where Message startswith "{READ}"
| parse Message with "{READ}" Partition ", " Messages: long " messages, oldest " Age: long " s"
| where Age > {seconds}
| summarize Age = max(Age), TimeGenerated = max(TimeGenerated) by Partition"""


CATEGORY_SILENT = f"""FunctionAppLogs
| where Message startswith "{TOOK}"
| parse Message with "{TOOK}" Category ", " Records: long " records"
| extend Quarter = toint((now() - TimeGenerated) / 6h)
| summarize Recent = countif(Quarter < 2),
  Quarters = dcountif(Quarter, Quarter between (2 .. 5)),
  TimeGenerated = max(TimeGenerated) by Category
| where Recent == 0 and Quarters == 4"""
"""Categories that arrived in every quarter of a day, so without a gap of twelve hours, and then did
not for twelve hours. What never arrived that evenly is not expected to."""


def removed_settings(deployment: str) -> str:
    """Return the query for settings of this deployment that were deleted in a subscription."""
    return f"""AzureActivity
| where OperationNameValue =~ "Microsoft.Insights/diagnosticSettings/delete"
| where ActivityStatusValue in~ ("Success", "Succeeded")
| where _ResourceId has "{shared(deployment)}"
| project TimeGenerated, Setting = _ResourceId, Caller"""
