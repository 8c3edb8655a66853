"""Log lines as Cloud Logging reads them from a Cloud Run function: one JSON object per line.

Google's logging library would write the same, but takes longer to load than the whole function.
https://cloud.google.com/logging/docs/structured-logging
"""

from __future__ import annotations

import sys
import traceback
from typing import Any

import msgspec

_TRACE = "logging.googleapis.com/trace"


class CloudLog:
    """Writes the lines of one request."""

    def __init__(self, traceparent: str | None) -> None:
        """Identify the request by its `traceparent` header (W3C Trace Context)."""
        parts = (traceparent or "").split("-")
        is_known = len(parts) == len(("version", "trace", "parent", "flags"))
        self._trace_id = parts[1] if is_known else None
        self._trace: dict[str, str] = {}

    def of(self, project: str | None) -> None:
        """Tie the following lines to the request's trace in this project."""
        if project is not None and self._trace_id is not None:
            self._trace = {_TRACE: f"projects/{project}/traces/{self._trace_id}"}

    def done(self, message: str, **fields: Any) -> None:
        """Log what was done."""
        self._write("INFO", message, fields)

    def failed(self, message: str, error: BaseException, **fields: Any) -> None:
        """Log what failed, and where. Error Reporting groups lines by their `stack_trace`."""
        trace = "".join(traceback.format_exception(error))
        self._write("ERROR", message, {"error": str(error), **fields, "stack_trace": trace})

    def _write(self, severity: str, message: str, fields: dict[str, Any]) -> None:
        line = {"severity": severity, "message": message, **self._trace, **fields}
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        sys.stdout.flush()
