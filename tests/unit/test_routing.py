"""One source, several packs: which pack maps a record, and what an object says about it."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from nhi_evidence import sources
from nhi_evidence.azure import event_hub
from nhi_evidence.errors import SettingsError
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import lines
from nhi_evidence.pipeline import release
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.faults.test_bad_input import GOOD
from tests.memory_store import MemoryStore
from tests.reading import Unit

MONITOR = partial(Mapper, "azure_monitor", keep_out_of_scope_raw=False)
ROUTES = {"version": 1, "routes": {"trail": "aws_cloudtrail"}}
HUMAN: dict[str, Any] = {
    **GOOD,
    "userIdentity": {"type": "IdentityCenterUser", "userName": "ada"},
    "eventID": "22222222-2222-4333-8444-555555555555",
}


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A router that knows only one pack."""
    table = sources.table

    def row(name: str, file: str) -> bytes:
        return json.dumps(ROUTES).encode() if file == sources.ROUTES else table(name, file)

    monkeypatch.setattr(sources, "table", row)


def deliver(mapper: Mapper, *records: Any) -> Unit:
    body = json.dumps({"records": records}).encode()
    run = event_hub.Run("ns/hub#1/0", (event_hub.Message(body, 1),))
    store = MemoryStore()
    lock_batch(mapper, [Delivery(run.unit, event_hub.frame(run))], store).ensure_locked()
    assert all(key.split("/")[2] == "azure_monitor" for key in store.keys(""))
    return Unit(store)


@pytest.mark.usefixtures("routed")
def test_each_record_goes_to_the_pack_of_its_category() -> None:
    """A line names the pack that mapped it, kept or rejected."""
    timeless = {name: value for name, value in GOOD.items() if name != "eventTime"}
    unit = deliver(MONITOR(), {**GOOD, "category": "Trail"}, {**timeless, "category": "trail"})
    assert ["aws_cloudtrail"] * 2 == [line["s"] for line in unit.lines]
    assert "ListUsers" == unit.lines[0]["n"]["api"]["operation"]
    assert {1: "event_time_missing"} == unit.reasons()


@pytest.mark.usefixtures("routed")
def test_a_category_without_a_row_is_kept_raw() -> None:
    """Nothing is guessed from the form of a record, and nothing is dropped."""
    records = [{**GOOD, "category": "Trial"}, {"a": 1}, {"category": 7}, {"category": " "}, 7, None]
    unit = deliver(MONITOR(), *records)
    assert [
        "category_unknown",
        "category_missing",
        "category_malformed",
        "category_missing",
        "record_not_an_object",
        "record_not_an_object",
    ] == list(unit.reasons().values())
    assert records == [json.loads(raw) for raw in unit.raw()]
    assert "'trial'" == unit.lines[0]["x"]["detail"]
    assert all("s" not in line for line in unit.lines)


@pytest.mark.usefixtures("routed")
def test_excluded_records_are_named_by_a_hash_of_their_id() -> None:
    """The last line names each, so that the provider's list can be compared with it."""
    unit = deliver(MONITOR(), {**HUMAN, "category": "trail"})
    assert {"human": 1} == unit.headers[0]["out_of_scope"]
    assert [lines.out_of_scope_hash(HUMAN["eventID"])] == unit.out_of_scope_ids


@pytest.mark.usefixtures("routed")
def test_a_record_without_an_id_is_never_left_out() -> None:
    """If it were left out, nobody could request it again."""
    nameless = {name: value for name, value in HUMAN.items() if name != "eventID"}
    unit = deliver(MONITOR(), {**nameless, "category": "trail"})
    assert (1, []) == (unit.headers[0]["kept"], unit.out_of_scope_ids)


def test_a_source_queried_by_files_does_not_name_excluded_records() -> None:
    """CloudTrail's output is unchanged."""
    store = MemoryStore()
    body = b'{"Records":[' + json.dumps(HUMAN).encode() + b"]}"
    mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=False)
    lock_batch(mapper, [Delivery("b/k@1", body)], store).ensure_locked()
    unit = Unit(store)
    assert ({"human": 1}, []) == (unit.headers[0]["out_of_scope"], unit.out_of_scope_ids)
    assert [] == unit.lines


def test_the_digest_covers_the_routes() -> None:
    """Another routing table is another release: the digest covers every pack's tables."""
    contents = dict(release._contents())
    assert b"administrative" in contents["sources/azure_monitor/routes.json"]


def test_a_malformed_routing_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names source and file."""
    monkeypatch.setattr(sources, "table", lambda *_: b'{"routes":1}')
    with pytest.raises(SettingsError, match=r"azure_monitor.*routes\.json"):
        MONITOR()


def test_every_route_leads_to_a_pack() -> None:
    """It is in lower case, as categories are compared."""
    for name in sources.names():
        routes = sources.routes(name) or {}
        assert set(routes.values()) <= set(sources.names())
        assert all(category == category.lower() for category in routes)


@pytest.mark.parametrize(
    ("record", "category"),
    [
        ({"Category": "ServicePrincipalSignInLogs"}, "serviceprincipalsigninlogs"),
        ({"Type": "AADServicePrincipalSignInLogs"}, "aadserviceprincipalsigninlogs"),
        (
            {"category": "AuditLogs", "resourceId": "/tenants/t/providers/Microsoft.aadiam"},
            "auditlogs",
        ),
        (
            {"category": "AuditLogs", "resourceId": "/subscriptions/s/providers/Microsoft.X/y/z"},
            "microsoft.x/auditlogs",
        ),
        (
            {
                "CATEGORY": "auditevent",
                "RESOURCEID": "/SUBSCRIPTIONS/S/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/V",
            },
            "microsoft.keyvault/auditevent",
        ),
        (
            {
                "category": "Administrative",
                "resourceId": "/subscriptions/s/providers/Microsoft.X/y",
            },
            "administrative",
        ),
    ],
)
def test_a_category_is_one_of_its_provider(record: dict[str, str], category: str) -> None:
    """Category and provider are case-insensitive; an Activity Log category fits every provider."""
    router = sources.router("azure_monitor")
    assert category == router.category(json.dumps(record).encode())
