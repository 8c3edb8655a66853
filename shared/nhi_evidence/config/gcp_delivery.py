"""How Google Cloud's subscriptions deliver: numbers that the stack and the doctor share."""

from __future__ import annotations

REPLAY_SECONDS = 7 * 86_400
"""How far back a subscription can be sought: a mended exporter gets what it missed again."""

LONGEST_SECONDS = 31 * 86_400
"""The longest Pub/Sub keeps an unacknowledged message."""

KEPT_DAYS = 14
"""How long a batched file is kept, and its announcement tried."""

MINIMUM_BACKOFF, MAXIMUM_BACKOFF = "10s", "600s"
"""Between two attempts; the second is Pub/Sub's largest. An outage of the evidence store costs 144
calls a message and day."""

ACK_MARGIN_SECONDS = 60
"""How much longer Pub/Sub waits for an answer than a call may take."""

LONGEST_ACK_SECONDS = 600
"""Pub/Sub's largest acknowledgement deadline."""

MAX_BYTES = 16 * 1024 * 1024
"""Of one file, which is one delivery and, nearly always, one evidence object: some 12,000 entries,
and 3 MB once mapped and compressed (docs/deploy-gcp.md, "Sizes"). Larger files would save little
and cost more to hold and to repeat."""

MAX_SECONDS = 300
"""The longest an entry waits for its file, in the order of CloudTrail's delivery. A quiet estate
makes 288 evidence objects a day; a fifth of the wait would make five times as many."""

BATCH_ACK_SECONDS = 600
"""Pub/Sub's largest; a file must be closed within it, slow writes included."""

ATTEMPTS = 100
"""Pub/Sub's largest: with the backoff, what could not be written for 16 hours is set aside."""
