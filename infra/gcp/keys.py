"""Whose keys encrypt what is in transit."""

from __future__ import annotations

_REASON = (
    "Logs in transit are encrypted with Google's own keys. If a customer-managed key were "
    "disabled or destroyed, the export would stop and lose what is unread."
)

GOOGLE_KEY = {"CKV_GCP_83": _REASON}
"""Why a topic has no customer-managed key."""
