"""How often, how long apart and for how long a notification is tried: numbers that fit together.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

from __future__ import annotations

import msgspec

from infra.declaration import Declaration, DeclarationError, Sqs

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
        raise DeclarationError(f"{name}: files arrive by SQS, not by {trigger}")
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


def table(declared: Declaration) -> str:
    """Return the numbers as declared, as Markdown, each with its arithmetic."""
    numbers = redelivery(declared)
    days = numbers.gives_up_after / 86_400
    memory = declared.function.memory_mb
    rows = (
        ("batch", f"{numbers.batch_size} messages, or 6 MB of them", "`batch_size`"),
        ("batching window", _seconds(numbers.window), "`batch_window_seconds` of the source"),
        ("function timeout", _seconds(numbers.timeout), "`timeout_seconds`"),
        (
            "memory",
            f"{memory} MB",
            (
                "1,769 MB is one vCPU, and the exporter uses one; "
                "128 MiB of lines, their compressed form, files fetched ahead"
            ),
        ),
        (
            "visibility timeout",
            _seconds(numbers.visibility),
            f"{TIMEOUTS_TO_VISIBILITY} x {numbers.timeout} + {numbers.window}",
        ),
        (
            "receives before dead letters",
            str(numbers.max_receive_count),
            f"`give_up_after_hours`: {numbers.gives_up_after:,} s / {numbers.visibility:,} s",
        ),
        (
            "longest outage without a dead letter",
            f"{days:.1f} days",
            f"{numbers.max_receive_count} x {numbers.visibility:,} s",
        ),
        ("retention of both queues", f"{RETENTION_SECONDS // 86_400} days", "SQS keeps no longer"),
        (
            "left for redriving dead letters",
            f"{numbers.left_for_redrive / 86_400:.1f} days",
            f"{RETENTION_SECONDS // 86_400} - {days:.1f}: both counted from when it was sent",
        ),
        (
            "files a second an outage may pile up",
            f"{MOST_IN_FLIGHT // numbers.visibility}",
            (
                f"{MOST_IN_FLIGHT:,} messages in flight / {numbers.visibility:,} s; "
                "above it the rest waits unreceived, which costs nothing but time"
            ),
        ),
    )
    lines = ["| | value | arithmetic |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {value} | {why} |" for what, value, why in rows)])


def _seconds(seconds: int) -> str:
    return f"{seconds:,} s"
