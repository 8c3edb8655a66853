"""Activity Log files -> exact record slices.

Diagnostic settings write `{"records":[...]}` to a hub and one record per line to storage, the REST
API returns `{"value":[...]}`, and the command line prints a bare list.
https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
https://learn.microsoft.com/rest/api/monitor/activity-logs/list
"""

from __future__ import annotations

from nhi_evidence.event import Decoded, Limits, Undecodable
from nhi_evidence.reading import json_slices

_ENVELOPES = tuple(json_slices.Envelope(name) for name in ("records", "value", None))


def decode(body: bytes, limits: Limits) -> Decoded | Undecodable:
    """Return the exact slice of every record, or why the file cannot be decoded."""
    return json_slices.document(body, _ENVELOPES, limits)


unwrap = decode
"""Records occur in no form that a delivered file cannot have."""
