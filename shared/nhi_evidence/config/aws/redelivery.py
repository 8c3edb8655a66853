"""How often, how long apart and for how long a notification is tried: numbers that fit together.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

from __future__ import annotations

import msgspec

from nhi_evidence.config.declaration import Declaration, DeclarationError, Sqs

RETENTION_SECONDS = 14 * 86_400
"""SQS keeps no message longer, dead letters included: both are counted from when it was sent."""

LONGEST_REDRIVE = 1_000
"""Largest `maxReceiveCount` SQS takes."""

MOST_IN_FLIGHT = 120_000
"""Messages of a standard queue that may be received and not yet deleted."""

TIMEOUTS_TO_VISIBILITY = 6
"""As AWS advises: room for Lambda's own retries of a batch it could not start."""


class Redelivery(msgspec.Struct, frozen=True, kw_only=True):
    """Every number of one exporter's queue and event source mapping; durations in seconds."""

    batch_size: int
    window: int
    timeout: int
    visibility: int
    """From a receive to the next, where the message is not deleted in between."""
    max_receive_count: int
    """Receives before a message is moved to the dead letters."""

    @property
    def gives_up_after(self) -> int:
        """From the first receive to the dead letters, at the earliest."""
        return self.max_receive_count * self.visibility

    @property
    def left_for_redrive(self) -> int:
        """How long a message then waits among the dead letters before SQS forgets it."""
        return RETENTION_SECONDS - self.gives_up_after


def redelivery(declared: Declaration, window: int | None = None) -> Redelivery:
    """Return the numbers of a function fed by SQS; `window` in place of the declared one.

    Raises `DeclarationError` when they cannot fit: messages would be forgotten before they are
    given up, or be received more often than SQS counts.
    """
    name, trigger = declared.function.name, declared.trigger
    if not isinstance(trigger, Sqs):
        raise DeclarationError(f"{name}: files arrive through SQS, not through {trigger}")
    seconds = trigger.maximum_batching_window_seconds if window is None else window
    timeout = declared.function.timeout_seconds
    visibility = TIMEOUTS_TO_VISIBILITY * timeout + seconds
    numbers = Redelivery(
        batch_size=trigger.batch_size,
        window=seconds,
        timeout=timeout,
        visibility=visibility,
        max_receive_count=-(-trigger.give_up_after_hours * 3600 // visibility),
    )
    if numbers.left_for_redrive <= 0:
        raise DeclarationError(
            f"{name}: give_up_after_hours = {trigger.give_up_after_hours} is not before SQS "
            f"forgets a message, after {RETENTION_SECONDS // 3600} hours"
        )
    if numbers.max_receive_count > LONGEST_REDRIVE:
        raise DeclarationError(
            f"{name}: give_up_after_hours = {trigger.give_up_after_hours} takes "
            f"{numbers.max_receive_count} receives, more than {LONGEST_REDRIVE}"
        )
    return numbers
