"""Every failure that the functions of Google Cloud and Azure log is read by an alarm.

Their log lines are found in the code, so that a new one without an alarm is noticed.
"""

from __future__ import annotations

import ast
from pathlib import Path

from infra.azure import queries
from infra.gcp.alarm_rules import LOGGED

FUNCTIONS = Path(__file__).parents[3] / "functions"

GCP_RAISED = {"event not locked": "failing"}
"""Lines whose exception is raised on, so that the answer is 500: by the alarm that counts those."""


def lines(entry: str, calls: set[str]) -> set[str]:
    """Return the texts that an entry file logs by one of these calls."""
    return {
        str(node.args[0].value)
        for node in ast.walk(ast.parse((FUNCTIONS / entry).read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in calls
        and isinstance(node.args[0], ast.Constant)
    }


def test_every_failure_of_google_cloud_is_read() -> None:
    failures = lines("gcp_export/main.py", {"log.failed"})
    assert {"event not locked", "unmapped"} == failures
    in_filters = {one for one in failures if any(f'"{one}"' in each.filter for each in LOGGED)}
    assert set(GCP_RAISED) == failures - in_filters
    # Imported here: it starts the construct library.
    from infra.gcp.alarms import THRESHOLDS  # noqa: PLC0415

    assert set(GCP_RAISED.values()) <= {one.name for one in THRESHOLDS}


def test_every_failure_of_azure_is_read() -> None:
    """One alarm reads all lines of this level, except those that another one reads."""
    failures = lines("azure_export/function_app.py", {"logger.error", "logger.exception"})
    assert len(failures) >= 3
    assert 'Level in ("Error", "Critical")' in queries.FAILURES
    elsewhere = {one for one in failures if one.startswith(queries.UNMAPPED)}
    assert {"unmapped, locked as it came: %s"} == elsewhere
    assert f'Message startswith "{queries.UNMAPPED}"' in queries.REJECTED
    assert set() == lines("azure_export/function_app.py", {"logger.warning"})
