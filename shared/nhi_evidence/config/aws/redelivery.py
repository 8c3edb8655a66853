"""How often, at what intervals and for how long a notification is retried, in matching numbers.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

from __future__ import annotations

import msgspec

from nhi_evidence.config.declaration import Declaration, DeclarationError, Sqs

RETENTION_SECONDS = 14 * 86_400
"""SQS keeps no message longer, including dead letters: the time counts from when it was sent."""

LONGEST_REDRIVE = 1_000
"""Maximum `maxReceiveCount` of SQS."""

MOST_IN_FLIGHT = 120_000
"""Maximum messages of a standard queue that may be received but not yet deleted."""

TIMEOUTS_TO_VISIBILITY = 6
"""Ratio that AWS recommends: room for Lambda's own retries of a batch that it could not start."""


class Redelivery(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of an exporter's queue and event source mapping; durations in seconds."""

    batch_size: int
    window: int
    timeout: int
    visibility: int
    """Time from one receive to the next if the message is not deleted in between."""
    max_receive_count: int
    """Receives before a message is moved to the dead-letter queue."""

    @property
    def gives_up_after(self) -> int:
        """Minimum time from the first receive to the dead-letter queue."""
        return self.max_receive_count * self.visibility

    @property
    def left_for_redrive(self) -> int:
        """How long a message then waits in the dead-letter queue before SQS deletes it."""
        return RETENTION_SECONDS - self.gives_up_after


def redelivery(declared: Declaration, window: int | None = None) -> Redelivery:
    """Return the numbers for a function fed by SQS; `window` overrides the declared one.

    Raises `DeclarationError` when they do not match: messages would be deleted before they are
    given up, or received more often than SQS allows.
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
            f"deletes a message, after {RETENTION_SECONDS // 3600} hours"
        )
    if numbers.max_receive_count > LONGEST_REDRIVE:
        raise DeclarationError(
            f"{name}: give_up_after_hours = {trigger.give_up_after_hours} requires "
            f"{numbers.max_receive_count} receives, more than {LONGEST_REDRIVE}"
        )
    return numbers
