"""The bill of an estate: every line with its arithmetic, for a full store."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nhi_evidence.cost import measured as m
from nhi_evidence.cost.estate import Estate, Volumes, volumes
from nhi_evidence.cost.line import Line, count, line, of_tiers, size, times
from nhi_evidence.cost.prices import GB, INTERNET_TRANSFER, MONTH, PRICES, STANDARD_STORAGE

_RUNS = 86_400 / m.SEAL_SECONDS
"""Runs of the sealer per day."""


class Bill(msgspec.Struct, frozen=True):
    """What an estate costs."""

    estate: Estate
    a_day: Volumes
    monthly: tuple[Line, ...]
    """For 30 days with a full store: R and the grace have passed once."""
    verification: tuple[Line, ...]
    """Each full verification."""

    @property
    def usd_a_month(self) -> float:
        """Sum of the monthly lines."""
        return sum(one.usd for one in self.monthly)


def bill(estate: Estate) -> Bill:
    """Return what an estate costs at list prices."""
    a_day = volumes(estate)
    monthly = (
        *_requests(a_day),
        *_storage("storage", a_day),
        *_digests(a_day),
        *_sealing(estate, a_day),
        *_compute(estate, a_day),
        *_watching(a_day),
        *_transfer(estate, a_day),
        *_replica(estate, a_day),
        *_subscriber(estate, a_day),
        *_canaries(estate, a_day),
        *_coverage(estate),
    )
    return Bill(estate, a_day, monthly, tuple(_verification(a_day)))


def _requests(a_day: Volumes) -> Iterator[Line]:
    yield times("requests", "S3 GET of delivered files", a_day.files * MONTH, "s3_get")
    yield times("requests", "S3 PUT of evidence", a_day.objects * MONTH, "s3_put")
    if a_day.archive_days:
        yield times(
            "requests", "moves to the archive class", a_day.objects * MONTH, "archive_transition"
        )
    yield _queue("requests", a_day.files, idle=m.POLLERS * 86_400 / m.POLL_SECONDS)


def _queue(group: str, messages: float, *, idle: float = 0.0) -> Line:
    """Return a queue's line: messages are sent singly, and received and deleted ten at a time."""
    calls, price = 1 + 2 / m.MESSAGES_A_CALL, PRICES["sqs"]
    polls = f" + {count(idle * MONTH)} idle polls" if idle else ""
    return line(
        group,
        "SQS send, receive, delete",
        f"({count(messages * MONTH)} x {calls:g}{polls}) x {price}",
        price.of((messages * calls + idle) * MONTH),
        price,
    )


def _storage(group: str, a_day: Volumes) -> Iterator[Line]:
    yield of_tiers(
        group,
        "S3 Standard",
        f"{size(a_day.gigabytes)} a day x {a_day.standard_days} days",
        a_day.gigabytes * a_day.standard_days,
        STANDARD_STORAGE,
    )
    if a_day.archive_days:
        price = PRICES["archive_storage"]
        yield line(
            group,
            "Glacier Instant Retrieval",
            f"{size(a_day.gigabytes)} a day x {a_day.archive_days:,} days x {price}",
            price.of(a_day.gigabytes * a_day.archive_days),
            price,
        )


def _digests(a_day: Volumes) -> Iterator[Line]:
    yield times("digests", "S3 GET of digest files", a_day.digests * MONTH, "s3_get")
    yield _queue("digests", a_day.digests)


def _sealing(estate: Estate, a_day: Volumes) -> Iterator[Line]:
    group = "sealing"
    kept = estate.retention_days + estate.grace_days
    yield times(group, "S3 HEAD of new objects", a_day.objects * MONTH, "s3_get")
    yield times(group, "S3 LIST, the sweeps", listings(a_day.objects, kept) * MONTH, "s3_put")
    epochs = min(_RUNS, max(a_day.objects, 24))
    written = epochs * m.LOG_OBJECTS_AN_EPOCH + a_day.objects / m.LEAVES_A_BUNDLE * 2
    yield times(group, "S3 PUT of the log", written * MONTH, "s3_put")
    # Each leaf is in a plan and in a bundle; a bundle that is not full is rewritten each epoch.
    bundled = a_day.objects + epochs * m.LEAVES_A_BUNDLE / 2
    logged = (bundled * m.LEAF_BYTES + a_day.objects * m.PLAN_ENTRY_BYTES) / GB
    # Until the end of its year, half a year on average, and then as long as what it proves.
    days = kept + 365 // 2
    yield of_tiers(
        group, "the log", f"{size(logged)} a day x {days:,} days", logged * days, STANDARD_STORAGE
    )
    key, signature = PRICES["kms_key"], PRICES["kms_sign"]
    signed = epochs * 2 * MONTH
    yield line(
        group,
        "KMS, Ed25519 and ML-DSA-44",
        f"2 keys x {key} + {count(signed)} x {signature}",
        key.of(2) + signature.of(signed),
        key,
        signature,
    )


def listings(objects: float, kept_days: int) -> float:
    """Return how many pages a sealer lists a day: recent hours in every run, others less often.

    The last 3 hours at every run, those up to 48 hourly, up to 35 days daily, older ones weekly;
    `objects` is a day's.
    """
    pages = max(1.0, -(-objects / 24 // m.KEYS_A_PAGE))
    hours = 3 * _RUNS + 45 * 24 + 33 * 24 + max(0, kept_days - 35) * 24 / 7
    return hours * pages


def _compute(estate: Estate, a_day: Volumes) -> Iterator[Line]:
    duration, request = PRICES["lambda_arm"], PRICES["lambda_request"]
    # One processor works. With too little memory for a full one, time grows as memory shrinks.
    gigabytes = max(m.CPU_MEGABYTES, m.EXPORTER_MEGABYTES) / 1024
    records = estate.events_per_day * MONTH
    yield line(
        "compute",
        "exporter, working",
        f"{count(records)} x {m.CPU_SECONDS_A_RECORD * 1e6:g} us x {gigabytes:.2f} GB x {duration}",
        duration.of(records * m.CPU_SECONDS_A_RECORD * gigabytes),
        duration,
    )
    for item, runs, seconds, megabytes in (
        ("exporter, waiting", a_day.batches * MONTH, m.WAIT_SECONDS, m.EXPORTER_MEGABYTES),
        ("sealer", _RUNS * MONTH, m.SEAL_RUN_SECONDS, m.SEALER_MEGABYTES),
    ):
        memory = megabytes / 1024
        yield line(
            "compute",
            item,
            f"{count(runs)} runs x ({seconds:g} s x {memory:g} GB x {duration} + {request})",
            duration.of(runs * seconds * memory) + request.of(runs),
            duration,
            request,
        )


def _watching(a_day: Volumes) -> Iterator[Line]:
    group = "metrics and logs"
    yield times(group, "alarms", m.EXPORTER_ALARM_METRICS + m.BUCKET_ALARM_METRICS, "cw_alarm")
    yield times(group, "composite alarms", m.COMPOSITE_ALARMS, "cw_composite")
    yield times(group, "custom metrics", m.CUSTOM_METRICS, "cw_metric")
    yield times(group, "dashboards", m.DASHBOARDS, "cw_dashboard")
    lines = (a_day.batches + a_day.objects + _RUNS) * MONTH
    price = PRICES["cw_logs"]
    yield line(
        group,
        "function logs",
        f"{count(lines)} lines x {m.LOG_LINE_BYTES:,} B x {price}",
        price.of(lines * m.LOG_LINE_BYTES / GB),
        price,
    )


def _transfer(estate: Estate, a_day: Volumes) -> Iterator[Line]:
    if estate.other_region:
        yield _to_region("transfer", a_day)
    else:
        yield line("transfer", "within one region", "not charged", 0.0)


def _to_region(group: str, a_day: Volumes) -> Line:
    price = PRICES["region_transfer"]
    return line(
        group,
        "to its region",
        f"{size(a_day.gigabytes)} a day x {MONTH} days x {price}",
        price.of(a_day.gigabytes * MONTH),
        price,
    )


def _replica(estate: Estate, a_day: Volumes) -> Iterator[Line]:
    if not estate.replica:
        return
    yield times("replica", "S3 PUT", a_day.objects * MONTH, "s3_put")
    yield _to_region("replica", a_day)
    if a_day.archive_days:
        yield times(
            "replica", "moves to the archive class", a_day.objects * MONTH, "archive_transition"
        )
    yield from _storage("replica", a_day)
    yield times("replica", "alarms", m.REPLICA_ALARM_METRICS, "cw_alarm")
    yield times("replica", "metrics of replication", m.REPLICATION_METRICS, "cw_metric")
    yield times("replica", "dashboards", m.REPLICA_DASHBOARDS, "cw_dashboard")


def _subscriber(estate: Estate, a_day: Volumes) -> Iterator[Line]:
    """Yield the cost of forwarding, and of the subscriber's requests, paid by the same account."""
    if not estate.subscriber:
        return
    group, objects = "subscriber", a_day.objects * MONTH
    yield times(group, "S3 GET of evidence", objects, "s3_get")
    yield times(group, "S3 PUT of lines", objects, "s3_put")
    yield times(group, "S3 GET of lines", objects, "s3_get")
    # The function's queue, which Lambda polls, and the subscriber's, polled as often.
    idle = 2 * m.POLLERS * 86_400 / m.POLL_SECONDS
    yield _queue(group, 2 * a_day.objects, idle=idle)
    lines = estate.events_per_day * m.FORWARDED_BYTES / GB
    yield of_tiers(
        group,
        "S3 Standard",
        f"{size(lines)} a day x {m.SUBSCRIBER_DAYS} days",
        lines * m.SUBSCRIBER_DAYS,
        STANDARD_STORAGE,
    )
    duration, records = PRICES["lambda_arm"], estate.events_per_day * MONTH
    gigabytes = m.CPU_MEGABYTES / 1024
    yield line(
        group,
        "forwarding",
        f"{count(records)} x {m.FORWARD_SECONDS_A_RECORD * 1e6:g} us x {gigabytes:.2f} GB x "
        f"{duration}",
        duration.of(records * m.FORWARD_SECONDS_A_RECORD * gigabytes),
        duration,
    )
    yield times(group, "alarms", m.FORWARD_ALARM_METRICS, "cw_alarm")
    yield times(group, "composite alarms", 1, "cw_composite")
    yield times(group, "custom metrics", m.FORWARD_METRICS, "cw_metric")


def _canaries(estate: Estate, a_day: Volumes) -> Iterator[Line]:
    """Yield the cost of announcing, probing and weighing; probes' records count as any others."""
    if not estate.canaries:
        return
    group, hours = "canaries", 24 * MONTH
    plans = estate.canaries * hours * m.PLANS_AHEAD
    yield times(group, "S3 PUT of plans", plans, "s3_put")
    duration, request = PRICES["lambda_arm"], PRICES["lambda_request"]
    memory, seconds = m.CANARY_MEGABYTES / 1024, m.CANARY_SECONDS * estate.canaries
    yield line(
        group,
        "probing",
        f"{count(hours)} runs x ({seconds:g} s x {memory:g} GB x {duration} + {request})",
        duration.of(hours * seconds * memory) + request.of(hours),
        duration,
        request,
    )
    yield from _weighing(group, estate, a_day)
    yield times(group, "alarms", m.CANARY_ALARM_METRICS, "cw_alarm")
    yield times(group, "composite alarms", 1, "cw_composite")
    yield times(group, "custom metrics", m.CANARY_METRICS, "cw_metric")


def _weighing(group: str, estate: Estate, a_day: Volumes) -> Iterator[Line]:
    """Yield the cost of reading tables, and whole objects with a file of a canary's account."""
    tables = a_day.objects * m.CANARY_HOURS * MONTH
    units, records = a_day.units / a_day.objects, estate.events_per_day / a_day.objects
    probed = min(1.0, estate.canaries / estate.accounts)
    opened = tables * (1 - (1 - probed) ** units)
    yield times(group, "S3 GET of tables", tables, "s3_get")
    yield times(group, "S3 GET of evidence", opened, "s3_get")
    duration = PRICES["lambda_arm"]
    gigabytes = max(m.CPU_MEGABYTES, m.RECONCILER_MEGABYTES) / 1024
    seconds = tables * units * m.WEIGH_SECONDS_A_UNIT + opened * records * m.WEIGH_SECONDS_A_RECORD
    yield line(
        group,
        "weighing",
        f"({count(tables * units)} units x {m.WEIGH_SECONDS_A_UNIT * 1e6:g} us + "
        f"{count(opened * records)} records x {m.WEIGH_SECONDS_A_RECORD * 1e6:g} us) x "
        f"{gigabytes:g} GB x {duration}",
        duration.of(seconds * gigabytes),
        duration,
    )


def _coverage(estate: Estate) -> Iterator[Line]:
    """Yield the cost of reading settings every hour; its alarms are part of every deployment."""
    if not estate.coverage:
        return
    group, runs = "reading settings", 24 * MONTH
    yield times(group, "S3 PUT", runs * m.COLLECTOR_PUTS, "s3_put")
    duration, request = PRICES["lambda_arm"], PRICES["lambda_request"]
    memory = m.COLLECTOR_MEGABYTES / 1024
    seconds = m.COLLECTOR_CALLS * m.CALL_SECONDS * estate.coverage
    yield line(
        group,
        "asking",
        f"{count(runs)} runs x ({seconds:g} s x {memory:g} GB x {duration} + {request})",
        duration.of(runs * seconds * memory) + request.of(runs),
        duration,
        request,
    )


def _verification(a_day: Volumes) -> Iterator[Line]:
    """Yield the cost of listing every object and reading it whole, once."""
    group = "each full verification"
    standard = a_day.objects * a_day.standard_days
    archived = a_day.objects * a_day.archive_days
    yield times(group, "S3 LIST", (standard + archived) / m.KEYS_A_PAGE, "s3_put")
    yield times(group, "S3 GET, S3 Standard", standard, "s3_get")
    if archived:
        yield times(group, "S3 GET, archive class", archived, "archive_get")
        retrieved, price = a_day.gigabytes * a_day.archive_days, PRICES["archive_retrieval"]
        yield line(group, "retrieval", f"{size(retrieved)} x {price}", price.of(retrieved), price)
    yield from _scan(a_day)
    gigabytes = a_day.gigabytes * (a_day.standard_days + a_day.archive_days)
    yield of_tiers(
        "where it runs outside AWS",
        "transfer to the internet",
        size(gigabytes),
        gigabytes,
        INTERNET_TRANSFER,
    )


def _scan(a_day: Volumes) -> Iterator[Line]:
    """Yield the cost of one read of a day's evidence by Athena; a query with a join reads more."""
    group = "each reading of one day by Athena"
    read, price = a_day.gigabytes, PRICES["athena"]
    yield line(group, "read", f"{size(read)} x {price}", price.of(read), price)
    yield times(group, "S3 GET, S3 Standard", a_day.objects, "s3_get")
    if a_day.archive_days:
        retrieval = PRICES["archive_retrieval"]
        yield line(
            group,
            "of an archived day, besides",
            f"{size(read)} x {retrieval}",
            retrieval.of(read),
            retrieval,
        )
