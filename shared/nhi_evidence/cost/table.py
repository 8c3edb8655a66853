"""A bill as text: groups, lines with their arithmetic, and their sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from nhi_evidence.cost import measured as m
from nhi_evidence.cost.bill import Bill
from nhi_evidence.cost.estate import Estate, Volumes
from nhi_evidence.cost.line import Line, count, size
from nhi_evidence.cost.prices import AMAZON, MONTH, REGION, every_price

_ITEM = 30
_ARITHMETIC = 58
_USD = 11
_AS_OF = 9
_NARROW = 46
"""Columns of an item whose arithmetic is on the next line."""


def text(bills: tuple[Bill, ...], columns: int | None = None) -> str:
    """Return bills one below the other, and the pages their prices are on.

    If a line does not fit the columns, its arithmetic goes below it; None is wide enough.
    """
    beside = columns is None or columns >= _ITEM + _ARITHMETIC + _USD + _AS_OF
    blocks = ["\n".join(_bill(one, _beside if beside else _below)) for one in bills]
    return "\n\n".join([*blocks, "\n".join(_prices())])


_Form = Callable[[str, str, str, str], Iterator[str]]
"""Yields the rows for an item, its arithmetic, its dollars and the month of its price."""


def _beside(item: str, arithmetic: str, usd: str, as_of: str) -> Iterator[str]:
    month = f"  {as_of}" if as_of else ""
    line = f"{item:{_ITEM}}{arithmetic}"
    yield f"{line:{_ITEM + _ARITHMETIC}}{usd:>{_USD}}{month}"


def _below(item: str, arithmetic: str, usd: str, as_of: str) -> Iterator[str]:
    month = f"  {as_of}" if as_of else ""
    yield f"{item:{_NARROW}}{usd:>{_USD}}{month}"
    if arithmetic:
        yield f"      {arithmetic}"


def _bill(bill: Bill, form: _Form) -> Iterator[str]:
    yield from _estate(bill.estate, bill.a_day)
    yield ""
    yield from form("US dollars for 30 days, the store being full", "", "USD", "")
    yield from _lines(bill.monthly, form)
    yield from form("together", "", f"{bill.usd_a_month:,.2f}", "")
    yield ""
    yield "not in it"
    yield from _lines(bill.verification, form)


def _estate(estate: Estate, a_day: Volumes) -> Iterator[str]:
    yield (
        f"{count(estate.events_per_day)} events a day from {count(estate.accounts)} accounts x "
        f"{estate.regions} regions; R = {estate.retention_days:,} days, then "
        f"{estate.grace_days} of grace"
    )
    yield (
        f"  a day  {count(a_day.files)} files + {count(a_day.digests)} digests in "
        f"{count(a_day.batches)} batches make {count(a_day.objects)} objects of "
        f"{_bytes(a_day.object_bytes)}, {size(a_day.gigabytes)}"
    )
    yield f"  class  {_classes(estate, a_day)}"


def _classes(estate: Estate, a_day: Volumes) -> str:
    if a_day.archive_days:
        return (
            f"S3 Standard for {a_day.standard_days} days, then Glacier Instant Retrieval for "
            f"{a_day.archive_days:,}"
        )
    if estate.archive_after_days is None:
        return f"S3 Standard for all {a_day.standard_days:,} days, as asked"
    if a_day.object_bytes < m.SMALLEST_TRANSITION:
        return "S3 Standard throughout: S3 moves no object below 128 KB"
    return (
        f"S3 Standard throughout: R is shorter than {estate.archive_after_days} + "
        f"{m.ARCHIVE_MINIMUM_DAYS} days, the least that the archive class bills"
    )


def _lines(lines: tuple[Line, ...], form: _Form) -> Iterator[str]:
    for group, members in groupby(lines, key=lambda line: line.group):
        yield group
        for line in members:
            yield from form(f"  {line.item}", line.arithmetic, f"{line.usd:,.2f}", line.as_of or "")


def _bytes(number: float) -> str:
    """Return a size in KB or MB."""
    return f"{number / 1e6:.1f} MB" if number >= 1e6 else f"{number / 1e3:.0f} KB"  # noqa: PLR2004


def _prices() -> Iterator[str]:
    yield f"List prices of {REGION}, read in the month beside each line, without free allowances:"
    by_page: dict[str, set[str]] = {}
    for price in every_price().values():
        by_page.setdefault(price.source, set()).add(price.as_of)
    for page, months in by_page.items():
        whose = "" if page.startswith(AMAZON) else ", not Amazon's own page"
        yield f"  {page:<42} {', '.join(sorted(months))}{whose}"
    yield (
        f"A record takes {m.RECORD_BYTES} bytes stored and {m.LINE_BYTES:,} as a line, both "
        f"measured; a month is {MONTH} days, a GB 2^30 bytes."
    )
    yield "Every event is taken to be kept, and days to be alike."
    yield "Not in it either: what the trail itself costs, and the space of its bucket; Firehose"
    yield "streams of other sources, charged by the GB taken in, each record rounded up to 5 KB."
