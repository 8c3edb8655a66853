"""What is sealed of completeness, asked of a live bucket: whether two clouds' listings match."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from nhi_evidence.completeness import statement_file
from nhi_evidence.completeness.statement import Statement
from nhi_evidence.config import Config
from tests.conform.estate_facts import NOT_ASKED, EstateFact, Live

_HOURS = 96


def activity_log(live: Live, config: Config) -> str:
    """Whether an hour was reconciled in which Resource Manager listed something."""
    if config.azure is None or config.azure.reconcile_client_id is None:
        return f"{NOT_ASKED}no reconcile_client_id of [azure]"
    store = config.evidence.buckets[0]
    verdicts = [
        f"{each.verdict}: {', '.join(each.reasons)} {each.found} of {each.expected}"
        for each in statements_on(live.client("s3"), store.bucket, "azure_activity")
        if each.expected or each.expected is None
    ]
    if any(each.startswith("reconciled") for each in verdicts):
        return "an hour is reconciled"
    return verdicts[0] if verdicts else "no hour in which anything was listed"


def statements_on(s3: Any, bucket: str, source: str) -> Iterator[Statement]:
    """Yield the sealed statements on a source of the last days, the newest hour first."""
    now = datetime.now(UTC)
    for back in range(_HOURS):
        prefix = f"{statement_file.PREFIX}h={now - timedelta(hours=back):%Y%m%d%H}/"
        for key in _keys(s3, bucket, prefix):
            statements = statement_file.read(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            if statements.source == source:
                yield from statements.statements


def _keys(s3: Any, bucket: str, prefix: str) -> list[str]:
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return [each["Key"] for each in listed if statement_file.is_statements(each["Key"])]


RECONCILED = (
    EstateFact(
        "the Activity Log's times are those its API lists",
        "an hour is reconciled",
        "the hub leaves out the id, so both are matched by time to the tick, among others",
        "an auditor of the evidence account, a day after something was done in a subscription",
        activity_log,
    ),
)
