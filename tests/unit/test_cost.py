"""What a deployment costs: volumes, prices, and arithmetic that gives the amount beside it."""

from __future__ import annotations

import json
import random
import re
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nhi_evidence.adapters.aws.canary import HOURS_AHEAD
from nhi_evidence.cost import measured, prices
from nhi_evidence.cost.bill import Bill, bill, listings
from nhi_evidence.cost.estate import REFERENCE, Estate, volumes
from nhi_evidence.cost.line import Line
from nhi_evidence.cost.prices import PRICES, STANDARD_STORAGE, Price, by_tiers
from nhi_evidence.cost.table import text
from nhi_evidence.coverage.canary import hourly
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.hourly import Locked
from nhi_evidence.coverage.cells import cells, setting_of
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import frame, keys
from tests.bench.sealed import HOUR, NOW, seal
from tests.memory_store import MemoryStore

ROOT = Path(__file__).parents[2]
SMALL, LARGE = REFERENCE
TB = 1024.0


def changed(estate: Estate, **changes: Any) -> Estate:
    return msgspec.structs.replace(estate, **changes)


def lines(bill: Bill) -> dict[tuple[str, str], Line]:
    return {(line.group, line.item): line for line in (*bill.monthly, *bill.verification)}


def test_a_day_of_the_large_estate() -> None:
    """Files every five minutes, an hourly digest in each enabled region, batches of 500."""
    a_day = volumes(LARGE)
    assert (1_000 * 6 * 288, 1_000 * 17 * 24) == (a_day.files, a_day.digests)
    assert 2_136_000 / 500 == a_day.batches
    # A billion lines of 3,700 bytes fill 27,567 objects; a quarter of the batches begins another.
    assert 27_567 + 1_068 == round(a_day.objects)
    assert 168 == round(a_day.gigabytes)
    assert (30, 400) == (a_day.standard_days, a_day.archive_days)


def test_few_files_form_one_batch_each() -> None:
    """A window that closes empty locks nothing, so there are never more batches than files."""
    a_day = volumes(Estate(events_per_day=1_000, accounts=1, regions=1, enabled_regions=1))
    assert 288 + 24 == a_day.units == a_day.batches


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({}, (30, 400)),
        ({"archive_after_days": None}, (430, 0)),
        ({"retention_days": 119}, (149, 0)),
        ({"retention_days": 120}, (30, 120)),
        ({"events_per_day": 3_000_000}, (430, 0)),
    ],
)
def test_which_objects_move_to_the_archive_class(
    changes: dict[str, Any], days: tuple[int, int]
) -> None:
    """Only if R covers the class's minimum, and only objects of at least 128 KB."""
    a_day = volumes(changed(SMALL, **changes))
    assert days == (a_day.standard_days, a_day.archive_days)


@pytest.mark.parametrize(
    ("gigabytes", "usd"),
    [
        (0.0, 0.0),
        (1.0, 0.023),
        (50 * TB, 50 * TB * 0.023),
        (50 * TB + 1, 50 * TB * 0.023 + 0.022),
        (600 * TB, 50 * TB * 0.023 + 450 * TB * 0.022 + 100 * TB * 0.021),
    ],
)
def test_the_price_falls_with_the_amount(gigabytes: float, usd: float) -> None:
    """Each tier's price applies to the amount within it, and not below."""
    assert pytest.approx(usd) == by_tiers(gigabytes, STANDARD_STORAGE)


@pytest.mark.parametrize(
    ("price", "printed"),
    [
        (Price(0.005, 1_000, "", "", ""), "$0.005/1,000"),
        (Price(0.4, 1_000_000, "", "", ""), "$0.40/M"),
        (Price(1, 1, "", "", ""), "$1.00"),
        (Price(0.0000133334, 1, "", "", ""), "$0.0000133334"),
    ],
)
def test_a_price_is_shown_in_full(price: Price, printed: str) -> None:
    """It is never rounded and never in scientific notation; cents have two digits."""
    assert printed == str(price)


def test_every_price_states_its_page_and_month() -> None:
    """An AWS page, except for two prices whose page was not read, and a month."""
    others = {"cw_composite": prices.COMPOSITES, "athena": prices.ATHENA}
    for name, price in prices.every_price().items():
        if name in others:
            assert price.source == others[name]
            continue
        assert re.fullmatch(r"https://aws\.amazon\.com/[a-z0-9]+/pricing/", price.source), name
        assert re.fullmatch(r"20\d\d-\d\d", price.as_of), name
        assert price.usd > 0, name
    assert set(PRICES) < set(prices.every_price())


def amount(arithmetic: str) -> float:
    """Evaluate the arithmetic of a line, as a reader with a calculator would."""
    formula = arithmetic.replace(",", "").replace("not charged", "0").replace("/M", "/1e6")
    formula = formula.replace(" B ", f"/{prices.GB} ").replace(" us ", "*1e-6 ")
    formula = re.sub(r"\b(?:idle polls|a day|days|keys|runs|lines|GB|s)\b", "", formula)
    formula = formula.replace("x", "*").replace("$", "")
    assert re.fullmatch(r"[0-9.e*/+() -]+", formula), arithmetic
    return float(eval(formula))  # noqa: S307 digits and signs alone


@pytest.mark.parametrize("estate", [SMALL, LARGE, changed(LARGE, replica=True, other_region=True)])
def test_the_arithmetic_gives_the_amount(estate: Estate) -> None:
    """The arithmetic beside an amount gives it, except for rounding."""
    for line in lines(bill(estate)).values():
        if "down to" not in line.arithmetic:
            assert pytest.approx(line.usd, rel=0.01) == amount(line.arithmetic), line
        assert line.usd == 0 or (line.sources and line.as_of), line


def test_the_large_estate_costs_about_as_designed() -> None:
    """About $530 a month at R = 400 days, about $2,000 at seven years; reading it back the same."""
    assert 500 < bill(LARGE).usd_a_month < 580
    assert 1_900 < bill(changed(LARGE, retention_days=7 * 365)).usd_a_month < 2_100
    assert 2_000 < lines(bill(LARGE))["each full verification", "retrieval"].usd < 2_050


def test_twice_the_retention_is_twice_the_archive() -> None:
    """Storage follows R, and requests do not."""
    short, long = (lines(bill(changed(LARGE, retention_days=days))) for days in (400, 800))
    archive = "storage", "Glacier Instant Retrieval"
    assert pytest.approx(2 * short[archive].usd) == long[archive].usd
    put = "requests", "S3 PUT of evidence"
    assert short[put] == long[put]


def test_a_replica_costs_storage_and_transfer() -> None:
    """Its lines are those of the first bucket, plus the transfer to it."""
    single, double = (lines(bill(changed(LARGE, replica=on))) for on in (False, True))
    added = {item: line for (group, item), line in double.items() if group == "replica"}
    assert {name: line for name, line in double.items() if name[0] != "replica"} == single
    assert added["S3 Standard"].usd == single["storage", "S3 Standard"].usd
    assert added["Glacier Instant Retrieval"].usd > 200
    assert 100 < added["to its region"].usd < 102


def test_transfer_is_charged_only_between_regions() -> None:
    """Within one region S3, SQS and Lambda charge none."""
    near, far = (lines(bill(changed(LARGE, other_region=on))) for on in (False, True))
    assert 0 == near["transfer", "within one region"].usd
    assert 100 < far["transfer", "to its region"].usd < 102


def test_sweeps_are_counted_by_their_schedule() -> None:
    """Three hours every five minutes, 45 hourly, 33 days daily, the rest weekly; 1,000 per page."""
    assert 3 * 288 + 45 * 24 + 33 * 24 == listings(24_000, 35)
    assert 2 * (3 * 288 + 45 * 24 + 33 * 24) == listings(24_001, 35)
    assert 3 * 288 + 45 * 24 + 33 * 24 + 24 == listings(10, 42)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"events_per_day": 0}, "events_per_day: 0"),
        ({"accounts": -1}, "accounts: -1"),
        ({"grace_days": -1}, "grace_days: -1"),
        ({"archive_after_days": -2}, "archive_after_days: -2"),
        ({"regions": 18}, "regions: 18 is more than the 17"),
    ],
)
def test_an_invalid_estate_is_refused(changes: dict[str, Any], named: str) -> None:
    """The error names the number and its value."""
    with pytest.raises(SettingsError, match=re.escape(named)):
        changed(SMALL, **changes)


def test_the_text_explains_why_nothing_is_archived() -> None:
    """Small objects, a short R and an explicit wish are distinguished."""
    tiny = text((bill(changed(SMALL, events_per_day=100_000)),))
    assert "S3 moves no object below 128 KB" in tiny
    assert "R is shorter than 30 + 90 days" in text((bill(changed(LARGE, retention_days=100)),))
    assert "as asked" in text((bill(changed(LARGE, archive_after_days=None)),))
    assert "objects of 6.3 MB" in text((bill(LARGE),))


def test_batch_sizes_and_schedules_are_those_deployed() -> None:
    """Sizes and schedules are those of the deployment's own declarations."""
    declared = [
        tomllib.loads((ROOT / "functions" / name / "deploy.toml").read_text())
        for name in ("aws_export", "seal", "canary", "reconcile", "coverage")
    ]
    exporter, sealer, canary, reconciler, collector = (one["trigger"] for one in declared)
    assert [one["function"]["memory_mb"] for one in declared] == [
        measured.EXPORTER_MEGABYTES,
        measured.SEALER_MEGABYTES,
        measured.CANARY_MEGABYTES,
        measured.RECONCILER_MEGABYTES,
        measured.COLLECTOR_MEGABYTES,
    ]
    assert (60, 60) == (reconciler["rate_minutes"], collector["rate_minutes"])
    assert (60, HOURS_AHEAD) == (canary["rate_minutes"], measured.PLANS_AHEAD)
    assert exporter["batch_size"] == measured.BATCH_FILES
    assert exporter["maximum_batching_window_seconds"] == measured.BATCH_SECONDS
    assert sealer["rate_minutes"] * 60 == measured.SEAL_SECONDS


def test_the_hours_that_are_read_for_canaries_are_those_of_their_plans() -> None:
    """Until the last record of each hour's probes is due, on average over a day."""
    delays = {cell.id: setting_of(cell).delay_minutes for cell in cells()}
    role = "arn:aws:iam::333344445555:role/canary"
    windows = []
    for number in range(24):
        hour = f"20260302{number:02d}"
        locked = Locked("", 0, plans.plan("example.org/evidence", "aws", hour, role, delays))
        begins = keys.hour_start(hour)
        assert begins is not None
        windows.append(hourly.over([locked]) - begins)
    assert sum(windows) / 24 / 3_600_000 == measured.CANARY_HOURS


def test_every_object_is_opened_where_every_account_has_a_canary() -> None:
    """With few canaries among many accounts, only some are."""
    for canaries, share in ((1_000, 1.0), (1, 1 - (1 - 0.001) ** (2_136_000 / 28_635))):
        of = lines(bill(changed(LARGE, canaries=canaries)))
        tables = of["canaries", "S3 GET of tables"].usd
        assert of["canaries", "S3 GET of evidence"].usd == pytest.approx(share * tables, rel=1e-3)


def digest_lines(chance: random.Random, files: int) -> bytes:
    """Return the lines of a digest file that names this many files, with its unit line."""
    bucket = "organization-trail-111122223333"
    account = f"{chance.randrange(10**12):012d}"

    def key(kind: str, name: str) -> str:
        return f"AWSLogs/o-exampleorg1/{account}/{kind}/us-east-2/2026/03/02/{account}_{name}"

    digest = {
        "awsAccountId": account,
        "digestStartTime": "2026-03-02T07:00:00Z",
        "digestEndTime": "2026-03-02T08:00:00Z",
        "digestS3Bucket": bucket,
        "digestS3Object": key("CloudTrail-Digest", "CloudTrail-Digest_20260302T080000Z.json.gz"),
        "digestSignatureAlgorithm": "SHA256withRSA",
        "previousDigestS3Bucket": bucket,
        "previousDigestS3Object": key("CloudTrail-Digest", "CloudTrail-Digest_20260302T070000Z"),
        "previousDigestHashValue": chance.randbytes(32).hex(),
        "previousDigestSignature": chance.randbytes(256).hex(),
        "logFiles": [
            {
                "s3Bucket": bucket,
                "s3Object": key("CloudTrail", f"20260302T07{number * 5:02d}Z_{number}.json.gz"),
                "hashValue": chance.randbytes(32).hex(),
                "hashAlgorithm": "SHA-256",
            }
            for number in range(files)
        ],
    }
    unit = {
        "u": chance.randbytes(8).hex(),
        "src_sha256": chance.randbytes(32).hex(),
        "raw_sha256": chance.randbytes(32).hex(),
        "root": chance.randbytes(32).hex(),
        "source_metadata": {"signature": chance.randbytes(256).hex()},
    }
    return json.dumps({"r": json.dumps(digest)}).encode() + json.dumps(unit).encode()


@pytest.mark.parametrize("files", [0, 12])
def test_a_digest_takes_as_many_bytes_as_measured(files: int) -> None:
    """Hashes and signatures do not compress; the rest nearly vanishes."""
    chance = random.Random(1)  # noqa: S311 bytes that stand for hashes
    number = 200
    stored = len(frame.pack([digest_lines(chance, files) for _ in range(number)])[0]) / number
    expected = measured.DIGEST_BYTES + files * measured.NAMED_FILE_BYTES
    assert pytest.approx(expected, rel=0.2) == stored


def test_a_leaf_takes_as_many_bytes_as_measured() -> None:
    """In a plan, compressed, and in a bundle that is full, with its hash in a tile."""
    chance = random.Random(2)  # noqa: S311 bytes that stand for hashes
    store, leaves = MemoryStore(now=lambda: NOW), 4 * measured.LEAVES_A_BUNDLE
    for number in range(leaves):
        body = b"%d" % number
        metadata = {"root": chance.randbytes(32).hex(), "mapper": "a" * 64, "kept": "580"}
        metadata |= {"request": chance.randbytes(18).hex(), "written-at": "2026-03-02T07:59:24Z"}
        key = f"ev/v1/aws_cloudtrail/h={HOUR}/{sha256(body).hexdigest()}.ndjson.zst"
        store.put_new(key, body, metadata=metadata)
    seal(store)
    sizes = {key: len(store.get(key)) for key in store.keys("log/")}
    plan = sum(size for key, size in sizes.items() if "/plan/" in key)
    tiles = sum(size for key, size in sizes.items() if "/tile/" in key)
    assert pytest.approx(measured.PLAN_ENTRY_BYTES, rel=0.2) == plan / leaves
    assert pytest.approx(measured.LEAF_BYTES, rel=0.2) == tiles / leaves


def test_the_prose_beside_the_bills_states_what_they_come_to() -> None:
    """The bills in the page are rewritten when a figure changes; the sentences below are not."""
    page = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")
    small, large = (bill(estate) for estate in REFERENCE)
    watching = sum(
        one.usd
        for one in small.monthly
        if one.item in {"alarms", "composite alarms", "custom metrics", "dashboards"}
    )
    stored = sum(one.usd for one in large.monthly if one.group == "storage")
    working = next(one.usd for one in large.monthly if one.item == "exporter, working")
    assert f"dashboards cost ${watching:.0f}, whatever" in page
    assert f"that last item is {100 * watching / small.usd_a_month:.0f} % of the bill" in page
    assert f"as measured: ${working:.0f}, not $50" in page
    assert 0.6 < stored / large.usd_a_month < 0.7, "two thirds, says the page"
