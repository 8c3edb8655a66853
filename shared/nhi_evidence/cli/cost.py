"""`nhi-evidence cost`: what a deployment costs per month, each line with its arithmetic."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import msgspec
import typer

from nhi_evidence.cli import json_output, screen
from nhi_evidence.cost import table
from nhi_evidence.cost.bill import Bill, bill
from nhi_evidence.cost.estate import REFERENCE, Estate
from nhi_evidence.cost.prices import every_price
from nhi_evidence.terminal import fitting

EXAMPLES = """\b
Examples:
  nhi-evidence cost
  nhi-evidence cost --events-per-day 40000000 --accounts 120 --regions 4 --retention-days 2555
  nhi-evidence cost --events-per-day 40000000 --accounts 120 --regions 4 --replica --json

Exit codes: 0 printed; 4 the numbers contradict each other; 64 wrong usage.
"""


def command(
    *,
    events_per_day: Annotated[
        int | None, typer.Option(min=1, help="CloudTrail events per day, over all accounts.")
    ] = None,
    accounts: Annotated[int | None, typer.Option(min=1, help="AWS accounts.")] = None,
    regions: Annotated[
        int | None, typer.Option(min=1, help="Regions with activity in an average account.")
    ] = None,
    enabled_regions: Annotated[
        int, typer.Option(min=1, help="Enabled regions; each signs a digest every hour.")
    ] = 17,
    retention_days: Annotated[
        int, typer.Option(min=1, help="R: how long each object is locked.")
    ] = 400,
    archive_after_days: Annotated[
        int, typer.Option(min=0, help="Days until Glacier Instant Retrieval.")
    ] = 30,
    no_archive: Annotated[
        bool, typer.Option("--no-archive", help="Keep everything in S3 Standard.")
    ] = False,
    replica: Annotated[
        bool, typer.Option("--replica", help="Add a locked replica in another region.")
    ] = False,
    subscriber: Annotated[
        bool, typer.Option("--subscriber", help="Add a SIEM that gets new evidence.")
    ] = False,
    canaries: Annotated[
        int, typer.Option(min=0, help="AWS accounts with a canary, over the whole evidence bucket.")
    ] = 0,
    coverage: Annotated[
        int, typer.Option(min=0, help="AWS accounts whose settings are read every hour.")
    ] = 0,
    other_region: Annotated[
        bool,
        typer.Option("--other-region", help="The trail's bucket is in another region."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print bills and prices as one JSON object.")
    ] = False,
) -> None:
    """Print what a deployment costs per month at list prices, each line with its arithmetic.

    Without a size, prints two reference estates, a small and a large one. Calls no cloud; check
    the prices that matter to you against the providers' pages.
    """
    sizes = {"events-per-day": events_per_day, "accounts": accounts, "regions": regions}
    missing = [f"--{name}" for name, value in sizes.items() if value is None]
    if missing and len(missing) < len(sizes):
        raise typer.BadParameter(f"a size also needs {' and '.join(missing)}")
    terms: dict[str, Any] = {
        "enabled_regions": enabled_regions,
        "retention_days": retention_days,
        "archive_after_days": None if no_archive else archive_after_days,
        "replica": replica,
        "subscriber": subscriber,
        "canaries": canaries,
        "coverage": coverage,
        "other_region": other_region,
    }
    if events_per_day is None or accounts is None or regions is None:
        estates = tuple(msgspec.structs.replace(one, **terms) for one in REFERENCE)
    else:
        terms |= {"events_per_day": events_per_day, "accounts": accounts, "regions": regions}
        estates = (Estate(**terms),)
    bills = tuple(bill(estate) for estate in estates)
    if as_json:
        json_output.write("cost", _document(bills))
    else:
        screen.say(*table.text(bills, fitting.width(sys.stdout)).splitlines())


def _document(bills: tuple[Bill, ...]) -> dict[str, object]:
    return {
        "bills": [
            {**msgspec.structs.asdict(one), "usd_a_month": round(one.usd_a_month, 2)}
            for one in bills
        ],
        "prices": every_price(),
    }
