"""A line of a bill: what is paid for, the arithmetic, and where and when its prices were read."""

from __future__ import annotations

import msgspec

from nhi_evidence.cost.prices import PRICES, Price, Tiers, by_tiers, tiers_of


class Line(msgspec.Struct, frozen=True):
    """One line of a bill."""

    group: str
    item: str
    arithmetic: str
    usd: float
    sources: tuple[str, ...]
    """Pages of its prices."""
    as_of: str
    """Month its prices were read, the oldest if there are several; empty if it has none."""


def line(group: str, item: str, arithmetic: str, usd: float, *prices: Price) -> Line:
    """Return a line that is based on prices."""
    sources = tuple(dict.fromkeys(price.source for price in prices))
    as_of = min((price.as_of for price in prices), default="")
    return Line(group, item, arithmetic, usd, sources, as_of)


def times(group: str, item: str, quantity: float, price_name: str) -> Line:
    """Return a line of a quantity times one price."""
    price = PRICES[price_name]
    return line(group, item, f"{count(quantity)} x {price}", price.of(quantity), price)


def of_tiers(group: str, item: str, quantity: str, gigabytes: float, tiers: Tiers) -> Line:
    """Return a line of gigabytes whose price falls with the amount."""
    prices = tiers_of(gigabytes, tiers)
    falling = " down to ".join(str(price) for price in dict.fromkeys((prices[0], prices[-1])))
    usd = by_tiers(gigabytes, tiers)
    return line(group, item, f"{quantity} x {falling}", usd, *prices)


def count(number: float) -> str:
    """Return a number in full, rounded to the unit."""
    return f"{number:,.0f}"


def size(gigabytes: float) -> str:
    """Return gigabytes, to three digits if there are few."""
    return f"{gigabytes:,.0f} GB" if gigabytes >= 100 else f"{gigabytes:.3g} GB"  # noqa: PLR2004
