"""Whose keys encrypt what is on its way."""

from __future__ import annotations

_REASON = (
    "Logs on their way are encrypted with Google's own keys. A key of the customer's that is"
    " disabled or destroyed would stop the export and lose what is unread."
)

GOOGLE_KEY = {"CKV_GCP_83": _REASON}
"""For a topic: no key of the customer's, and why."""
