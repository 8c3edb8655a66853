"""List prices in us-east-1: one row each, with the page it is on and the month it was read.

AWS publishes them on the pages named and through its Price List API. A gigabyte is 2^30 bytes, as
AWS bills it, and a month is 30 days. Free tiers are left out: they belong to an account, not to
this deployment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

REGION = "us-east-1"
GB = 1 << 30
"""Bytes of a gigabyte on a bill (https://aws.amazon.com/s3/faqs/, "Billing")."""
MONTH = 30
"""Days."""
MILLION = 1_000_000

AMAZON = "https://aws.amazon.com/"
"""How the addresses of Amazon's own pages begin; a price from another page is labeled as such."""

S3 = "https://aws.amazon.com/s3/pricing/"
SQS = "https://aws.amazon.com/sqs/pricing/"
LAMBDA = "https://aws.amazon.com/lambda/pricing/"
KMS = "https://aws.amazon.com/kms/pricing/"
CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
COMPOSITES = "https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm"
"""A third party's list of Amazon's prices: no copy of an Amazon page with this one was found."""


ATHENA = "https://athena.guide/articles/athena-basics-pricing-model"
"""A third party's page on Amazon's price: no copy of an Amazon page with it was found."""


class Price(msgspec.Struct, frozen=True):
    """One list price."""

    usd: float
    """US dollars for `per` units."""
    per: int
    unit: str
    source: str
    """The page it is published on."""
    as_of: str
    """Month it was read."""

    def of(self, quantity: float) -> float:
        """Return what a quantity costs, in US dollars."""
        return quantity / self.per * self.usd

    def __str__(self) -> str:
        """Return the price as arithmetic shows it: `$0.005/1,000`, `$0.40/M`, `$0.023`."""
        dollars, _, cents = f"{self.usd:.10f}".rstrip("0").partition(".")
        amount = f"${dollars}.{cents:0<2}"
        if self.per == 1:
            return amount
        return f"{amount}/M" if self.per == MILLION else f"{amount}/{self.per:,}"


PRICES: Mapping[str, Price] = {
    "s3_put": Price(0.005, 1_000, "PUT, COPY, POST or LIST, S3 Standard", S3, "2026-06"),
    "s3_get": Price(0.0004, 1_000, "GET, HEAD and others, S3 Standard", S3, "2026-06"),
    "archive_get": Price(0.01, 1_000, "GET, Glacier Instant Retrieval", S3, "2026-06"),
    "archive_transition": Price(
        0.02, 1_000, "transition to Glacier Instant Retrieval", S3, "2026-06"
    ),
    "archive_retrieval": Price(0.03, 1, "GB read from Glacier Instant Retrieval", S3, "2026-06"),
    "archive_storage": Price(0.004, 1, "GB-month, Glacier Instant Retrieval", S3, "2026-06"),
    "region_transfer": Price(0.02, 1, "GB to another AWS region", S3, "2026-01"),
    "sqs": Price(0.40, MILLION, "request, standard queue", SQS, "2026-06"),
    "lambda_request": Price(0.20, MILLION, "invocation", LAMBDA, "2025-10"),
    "lambda_arm": Price(0.0000133334, 1, "GB-second, arm64", LAMBDA, "2025-10"),
    "kms_key": Price(1.00, 1, "key a month", KMS, "2026-06"),
    "kms_sign": Price(0.15, 10_000, "asymmetric request", KMS, "2026-06"),
    "cw_alarm": Price(0.10, 1, "alarm metric a month", CLOUDWATCH, "2026-06"),
    "cw_composite": Price(0.50, 1, "composite alarm a month", COMPOSITES, "2026-11"),
    "cw_metric": Price(0.30, 1, "custom metric a month", CLOUDWATCH, "2026-06"),
    "cw_dashboard": Price(3.00, 1, "dashboard a month", CLOUDWATCH, "2026-06"),
    "athena": Price(5.00, 1024, "GB read by Athena, at least 10 MB a query", ATHENA, "2026-11"),
    "cw_logs": Price(0.50, 1, "GB of logs taken in", CLOUDWATCH, "2026-06"),
}

Tiers = Sequence[tuple[float, Price]]
"""Gigabytes up to which a price applies, in ascending order; the last has no limit."""

OPEN = float("inf")

STANDARD_STORAGE: Tiers = (
    (50 * 1024, Price(0.023, 1, "GB-month, S3 Standard, first 50 TB", S3, "2026-06")),
    (500 * 1024, Price(0.022, 1, "GB-month, S3 Standard, next 450 TB", S3, "2026-06")),
    (OPEN, Price(0.021, 1, "GB-month, S3 Standard, above 500 TB", S3, "2026-06")),
)

INTERNET_TRANSFER: Tiers = (
    (10 * 1024, Price(0.09, 1, "GB out of AWS, first 10 TB", S3, "2026-06")),
    (50 * 1024, Price(0.085, 1, "GB out of AWS, next 40 TB", S3, "2026-06")),
    (150 * 1024, Price(0.07, 1, "GB out of AWS, next 100 TB", S3, "2026-06")),
    (OPEN, Price(0.05, 1, "GB out of AWS, above 150 TB", S3, "2026-06")),
)


def tiers_of(gigabytes: float, tiers: Tiers) -> tuple[Price, ...]:
    """Return the prices that apply to a number of gigabytes."""
    lower = (0.0, *(upper for upper, _ in tiers))
    return tuple(
        price for below, (_, price) in zip(lower, tiers, strict=False) if below < gigabytes
    )


def by_tiers(gigabytes: float, tiers: Tiers) -> float:
    """Return the cost of gigabytes whose price falls with the amount, in US dollars."""
    total, below = 0.0, 0.0
    for upper, price in tiers:
        total += price.of(max(0.0, min(gigabytes, upper) - below))
        below = upper
    return total


def every_price() -> Mapping[str, Price]:
    """Return all prices by name, the tiers' numbered."""
    tiers = {"s3_storage": STANDARD_STORAGE, "internet_transfer": INTERNET_TRANSFER}
    numbered = {
        f"{name}_{number}": price
        for name, rows in tiers.items()
        for number, (_, price) in enumerate(rows, start=1)
    }
    return {**PRICES, **numbered}
