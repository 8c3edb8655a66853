"""What the stack and the doctor share about Google Cloud's sink and subscriptions."""

from __future__ import annotations

AUDIT_LOGS = ("activity", "data_access", "system_event", "policy")
"""The four Cloud Audit Logs: https://docs.cloud.google.com/logging/docs/audit"""

FILTER = " OR ".join(f'log_id("cloudaudit.googleapis.com/{log}")' for log in AUDIT_LOGS)
"""What the sink takes."""

REPLAY_SECONDS = 7 * 86_400
"""How far back a subscription can seek, so that a repaired exporter gets what it missed."""

LONGEST_SECONDS = 31 * 86_400
"""The longest time that Pub/Sub keeps an unacknowledged message."""

KEPT_DAYS = 14
"""How long a batched file is kept, and its announcement retried."""

MINIMUM_BACKOFF, MAXIMUM_BACKOFF = "10s", "600s"
"""Times between two attempts; the second is Pub/Sub's maximum. An outage of the evidence store
costs 144 calls per message and day."""

ACK_MARGIN_SECONDS = 60
"""How much longer Pub/Sub waits for an answer than a call may take."""

LONGEST_ACK_SECONDS = 600
"""Pub/Sub's maximum acknowledgement deadline."""

MAX_BYTES = 16 * 1024 * 1024
"""Maximum size of a file, which is one delivery and nearly always one evidence object: about 12,000
entries, and 3 MB once mapped and compressed (docs/deploy-gcp.md, "Sizes"). Larger files would save
little, and cost more to hold and to repeat."""

MAX_SECONDS = 300
"""The longest time an entry waits for its file, similar to CloudTrail's delivery. A quiet estate
makes 288 evidence objects a day; a fifth of the wait would make five times as many."""

BATCH_ACK_SECONDS = 600
"""Pub/Sub's maximum; a file must be closed within this time, even if writes are slow."""

ATTEMPTS = 100
"""Pub/Sub's maximum: with the backoff, what could not be written for 16 hours is set aside."""
