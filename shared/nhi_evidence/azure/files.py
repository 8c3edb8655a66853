"""Files of Azure records -> exact record slices.

Diagnostic settings write JSON lines to storage (`PT1H.json`) and `{"records":[...]}` to event
hubs; Microsoft Graph returns `{"value":[...]}`; exports are bare lists, or one object.
https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs
"""

from __future__ import annotations

from nhi_evidence.event import Decoded, Limits, Undecodable
from nhi_evidence.reading import json_slices
from nhi_evidence.reading.inflate import inflated

_ENVELOPES = (
    json_slices.Envelope("records"),
    json_slices.Envelope("value"),
    json_slices.Envelope(),
)


def decode(body: bytes, limits: Limits) -> Decoded | Undecodable:
    """Return the exact slice of every record, or why the file has none."""
    data = inflated(body, limits)
    if isinstance(data, Undecodable):
        return data
    return json_slices.document(data, _ENVELOPES, limits)
