"""`nhi-evidence cost`: estates, JSON, and refusals."""

from __future__ import annotations

from tests.cli.command import run

SIZE = ("--events-per-day", "40000000", "--accounts", "120", "--regions", "4")


def test_without_a_size_both_reference_estates_are_printed() -> None:
    """A small and a large estate, with the prices' pages listed once."""
    result = run("cost")
    assert 0 == result.code
    assert "5,000,000 events a day from 10 accounts x 3 regions" in result.out
    assert "1,000,000,000 events a day from 1,000 accounts x 6 regions" in result.out
    assert 2 == result.out.count("\ntogether")
    assert 1 == result.out.count("List prices of us-east-1")


def test_a_third_party_price_is_labeled() -> None:
    """Prices from Amazon's own pages are not, and every page is one or the other."""
    pages = [line.strip() for line in run("cost").out.splitlines() if line.startswith("  https://")]
    labeled = [line for line in pages if line.endswith(", not Amazon's own page")]
    assert labeled
    assert [line for line in pages if not line.startswith("https://aws.amazon.com/")] == labeled


def test_every_option_reaches_the_estate() -> None:
    """The requested estate is computed and repeated in the output."""
    terms = ("--enabled-regions", "20", "--retention-days", "2555", "--archive-after-days", "60")
    result = run("cost", *SIZE, *terms, "--replica", "--other-region", "--json")
    (bill,) = result.json["bills"]
    assert {
        "events_per_day": 40_000_000,
        "accounts": 120,
        "regions": 4,
        "enabled_regions": 20,
        "retention_days": 2555,
        "grace_days": 30,
        "archive_after_days": 60,
        "replica": True,
        "other_region": True,
        "subscriber": False,
        "canaries": 0,
        "coverage": 0,
    } == bill["estate"]
    assert bill["usd_a_month"] == round(sum(line["usd"] for line in bill["monthly"]), 2)
    assert {"replica", "transfer", "storage"} <= {line["group"] for line in bill["monthly"]}
    used = {page for line in bill["monthly"] for page in line["sources"]}
    assert used <= {price["source"] for price in result.json["prices"].values()}
    (never,) = run("cost", *SIZE, "--no-archive", "--json").json["bills"]
    assert never["estate"]["archive_after_days"] is None


def test_a_subscriber_is_paid_for_only_where_there_is_one() -> None:
    (without,) = run("cost", *SIZE, "--json").json["bills"]
    (result,) = run("cost", *SIZE, "--subscriber", "--json").json["bills"]
    assert result["estate"]["subscriber"]
    assert result["usd_a_month"] > without["usd_a_month"]


def test_canaries_are_paid_for_only_where_there_are_some() -> None:
    """Once for their alarms, and per account for the calls."""
    (without,) = run("cost", *SIZE, "--json").json["bills"]
    (ten,) = run("cost", *SIZE, "--canaries", "10", "--json").json["bills"]
    (twenty,) = run("cost", *SIZE, "--canaries", "20", "--json").json["bills"]
    first, second = (
        after["usd_a_month"] - before["usd_a_month"]
        for before, after in ((without, ten), (ten, twenty))
    )
    assert first > second > 0


def test_reading_settings_is_priced_per_account() -> None:
    (without,) = run("cost", *SIZE, "--json").json["bills"]
    (ten,) = run("cost", *SIZE, "--coverage", "10", "--json").json["bills"]
    (twenty,) = run("cost", *SIZE, "--coverage", "20", "--json").json["bills"]
    assert without["usd_a_month"] < ten["usd_a_month"] < twenty["usd_a_month"]


def test_half_a_size_is_wrong_usage() -> None:
    """The missing options are named, and nothing is assumed."""
    result = run("cost", "--accounts", "3")
    assert 64 == result.code
    assert "a size also needs --events-per-day and --regions" in result.err
    assert "" == result.out


def test_invalid_estate_numbers_are_named() -> None:
    """For example, more active regions than exist."""
    result = run("cost", "--events-per-day", "9", "--accounts", "3", "--regions", "18")
    assert (4, "") == (result.code, result.out)
    assert "regions: 18 is more than the 17 that are enabled" in result.err
    assert 64 == run("cost", *SIZE, "--retention-days", "0").code
