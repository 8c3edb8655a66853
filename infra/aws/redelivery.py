"""The numbers that govern redelivery, and their table in docs/operations.md."""

from __future__ import annotations

from nhi_evidence.config.aws.redelivery import (
    MOST_IN_FLIGHT,
    RETENTION_SECONDS,
    TIMEOUTS_TO_VISIBILITY,
    Redelivery,
    redelivery,
)
from nhi_evidence.config.declaration import Declaration

__all__ = ["RETENTION_SECONDS", "Redelivery", "redelivery", "table"]


def table(declared: Declaration) -> str:
    """Return the declared numbers as a Markdown table, each with its arithmetic."""
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
            "files per second an outage may pile up",
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
