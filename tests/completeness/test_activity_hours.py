"""Azure's Activity Log: an hour is reconciled if Resource Manager lists what the hub delivered.

The hub's records lack the API's ids, so records are matched by what both state.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nhi_evidence import sources
from nhi_evidence.adapters.listing import activity, http_json, microsoft
from nhi_evidence.adapters.listing.activity import ActivityScope
from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Message, Run
from nhi_evidence.completeness import listing
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.config.azure_names import ACTIVITY_CATEGORIES
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import keys, objects
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope as Kept
from tests.completeness.api_server import ApiServer
from tests.completeness.test_api_hours import Outcome, Sealed, sealed
from tests.memory_store import MemoryStore

SUBSCRIPTION = "11112222-3333-4444-5555-666677778888"
TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
HOUR = "2026030208"
LISTED = "/subscriptions/{}/providers/Microsoft.Insights/eventtypes/management/values"
Entry = dict[str, Any]


def entry(number: int, time: str = "", **changes: Any) -> Entry:
    """Return an entry as Resource Manager lists it."""
    return {
        "eventDataId": f"33333333-4444-4555-8666-{number:012}",
        "correlationId": f"22222222-3333-4444-8555-{number:012}",
        "eventTimestamp": time or f"2026-03-02T08:{number:02}:30.12345Z",
        "submissionTimestamp": "2026-03-02T08:45:00Z",
        "category": {"value": "Administrative", "localizedValue": "Administrative"},
        "operationName": {"value": "Microsoft.Storage/storageAccounts/listKeys/action"},
        "resourceId": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/example/providers/"
        "Microsoft.Storage/storageAccounts/examplestore",
        "status": {"value": "Succeeded"},
        "claims": {"appid": "00001111-aaaa-2222-bbbb-3333cccc4444", "idtyp": "app"},
        "subscriptionId": SUBSCRIPTION,
        "tenantId": TENANT,
        **changes,
    }


def delivered(listed: Entry, **changes: Any) -> Entry:
    """Return it as the hub delivers it: without its id, in capitals, and in other words."""
    words = {"Started": "Start", "Succeeded": "Success", "Failed": "Failure"}
    head, _, fraction = listed["eventTimestamp"].removesuffix("Z").partition(".")
    return {
        "time": f"{head}.{fraction.ljust(7, '0')}Z",
        "resourceId": listed["resourceId"].upper(),
        "operationName": listed["operationName"]["value"].upper(),
        "category": listed["category"]["value"],
        "resultType": words.get(listed["status"]["value"], listed["status"]["value"]),
        "correlationId": listed["correlationId"],
        "identity": {"claims": listed["claims"]},
        "tenantId": TENANT,
        **changes,
    }


LISTED_ENTRIES = [entry(number) for number in range(1, 6)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(http_json, "_FIRST_WAIT", 0.01)
    with ApiServer() as running:
        running.activities = [*LISTED_ENTRIES, entry(9, "2026-03-02T09:00:00Z")]
        yield running


def scope(server: ApiServer, subscription: str = SUBSCRIPTION) -> ActivityScope:
    return ActivityScope(
        TENANT, "client", subscription, ACTIVITY_CATEGORIES, login=server.url, manager=server.url
    )


def evidence(records: list[Entry], kept: Kept = Kept.ALL) -> Sealed:
    """Return what the exporter locks of a hub's messages, with one record each."""
    store = MemoryStore()
    mapper = Mapper("azure_monitor", scope=kept, keep_out_of_scope_raw=False)
    messages = tuple(
        Message(
            json.dumps({"records": [record]}).encode(), number, str(number), "2026-03-02T08:50:00Z"
        )
        for number, record in enumerate(records)
    )
    run = Run("ns/hub#2026-03-01T00:00:00Z/0", messages)
    lock_batch(mapper, [Delivery(run.unit, event_hub.frame(run))], store).ensure_locked()
    return sealed(store)


def reconciled(server: ApiServer, records: list[Entry], **more: Any) -> Outcome:
    return Outcome(scope(server), evidence(records), HOUR, **more)


@pytest.mark.parametrize("kept", [Kept.ALL, Kept.NHI])
def test_records_that_are_listed_and_delivered_are_reconciled(
    server: ApiServer, kept: Kept
) -> None:
    """Over all pages, in scope or not, since a record without an id is always kept."""
    person = entry(6, claims={"name": "A Person", "idtyp": "user"}, caller="person@example.com")
    server.activities.append(person)
    records = [delivered(one) for one in (*LISTED_ENTRIES, person)]
    outcome = Outcome(scope(server), evidence(records, kept), HOUR)
    assert (Verdict.RECONCILED, (), 6, 6) == (
        outcome.statement.verdict,
        outcome.statement.reasons,
        outcome.statement.expected,
        outcome.statement.found,
    )
    (kept_listing,) = outcome.put
    listed = listing.read(kept_listing.body)
    assert ("azure_activity", SUBSCRIPTION, 6) == (
        listed.question.source,
        listed.question.scope.account,
        len(listed.ids),
    )
    assert listed.question.request.endswith("#categories=Administrative,Security,Policy")
    assert 3 == sum(path == LISTED.format(SUBSCRIPTION) for path, _ in server.asked)


def test_exactly_the_hour_is_requested(server: ApiServer) -> None:
    """The API includes both ends, so the end is the last tick of the hour."""
    reconciled(server, [delivered(LISTED_ENTRIES[0])])
    ((_, request),) = [one for one in server.asked if one[0] == LISTED.format(SUBSCRIPTION)][:1]
    assert (
        "eventTimestamp ge '2026-03-02T08:00:00.0000000Z' and "
        "eventTimestamp le '2026-03-02T08:59:59.9999999Z'" == request["$filter"][0]
    )


def test_missing_entries_are_named_and_filled(server: ApiServer) -> None:
    lost = LISTED_ENTRIES[2]
    records = [delivered(one) for one in LISTED_ENTRIES if one is not lost]
    outcome = reconciled(server, records)
    (named,) = outcome.statement.named
    assert (("missing",), 5, 4) == (
        outcome.statement.reasons,
        outcome.statement.expected,
        outcome.statement.found,
    )
    assert named.name.startswith(f"{lost['correlationId']}|2026-03-02T08:03:30.1234500Z|microsoft.")
    _, fill = outcome.put
    assert f"filled in {fill.key}" == named.detail
    table, lines = objects.read_object(fill.body)
    ((unit, own),) = objects.lines_of(table, lines)
    assert ("api", 1, "azure_activity") == (unit.raw_form, unit.kept, table.header.source)
    assert any(lost["eventDataId"].encode() in line for line in own)


def test_a_late_record_is_missing_until_it_arrives(server: ApiServer) -> None:
    """An event may be listed and delivered hours later; the hour is judged again."""
    late = entry(7, submissionTimestamp="2026-03-02T13:00:00Z")
    records = [delivered(one) for one in LISTED_ENTRIES]
    assert Verdict.RECONCILED is reconciled(server, records).statement.verdict
    server.activities.append(late)
    assert ("missing",) == reconciled(server, records).statement.reasons
    assert Verdict.RECONCILED is reconciled(server, [*records, delivered(late)]).statement.verdict
    assert (outcome := reconciled(server, records)).statement.open_until is not None
    assert (keys.hour_start(HOUR) or 0) < (outcome.statement.open_until or 0)


DIFFERENCES: dict[str, dict[str, Any]] = {
    "a tick of 100 ns": {"time": "2026-03-02T08:01:30.1234501Z"},
    "another correlation id": {"correlationId": "99999999-3333-4444-8555-000000000001"},
    "another operation": {"operationName": "MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE"},
    "another status": {"resultType": "Failure"},
    "another resource": {"resourceId": f"/SUBSCRIPTIONS/{SUBSCRIPTION}/RESOURCEGROUPS/OTHER"},
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_is_another_record(server: ApiServer, name: str) -> None:
    """It is missing from what was delivered, and the delivered one is not listed."""
    first, *rest = (delivered(one) for one in LISTED_ENTRIES)
    outcome = reconciled(server, [{**first, **DIFFERENCES[name]}, *rest])
    assert (("missing", "unbacked"), {"missing": 1, "unbacked": 1}) == (
        outcome.statement.reasons,
        outcome.statement.totals,
    )


def test_records_of_other_logs_are_not_compared(server: ApiServer) -> None:
    """A category that is not exported, another subscription's record, and an Entra record."""
    health = {"value": "ServiceHealth"}
    server.activities.append(entry(7, category=health))
    other = "99990000-3333-4444-5555-666677778888"
    foreign = delivered(entry(8, resourceId=f"/subscriptions/{other}/resourceGroups/x"))
    entra = {
        "time": "2026-03-02T08:20:00.0000000Z",
        "category": "AuditLogs",
        "operationName": "Add application",
        "tenantId": TENANT,
        "correlationId": "x",
        "properties": {"id": "Directory_1", "activityDateTime": "2026-03-02T08:20:00Z"},
    }
    outcome = reconciled(server, [*map(delivered, LISTED_ENTRIES), foreign, entra])
    assert (Verdict.RECONCILED, 5) == (outcome.statement.verdict, outcome.statement.expected)


def test_a_rejected_record_is_not_missing(server: ApiServer) -> None:
    """It is stored raw, so it is not missing."""
    records = [delivered(one) for one in LISTED_ENTRIES]
    records[0]["operationName"] = "nothing-before-a-slash"
    server.activities[0] = entry(1, operationName={"value": "nothing-before-a-slash"})
    assert Verdict.RECONCILED is reconciled(server, records).statement.verdict


def test_a_record_delivered_with_its_id_is_matched_by_it(server: ApiServer) -> None:
    """Out of scope, it is represented only by half the hash of that id."""
    claims = {
        "appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "scp": "user_impersonation",
        "idtyp": "user",
        "http://schemas.microsoft.com/identity/claims/objectidentifier": "a-person",
    }
    reading = {"value": "Microsoft.Resources/deployments/write"}
    person = entry(6, claims=claims, operationName=reading)
    server.activities.append(person)
    own = delivered(person, eventDataId=person["eventDataId"])
    locked = evidence([*map(delivered, LISTED_ENTRIES), own], Kept.NHI)
    table, lines = objects.read_object(locked[0][1])
    assert any(unit.out_of_scope for unit, _ in objects.lines_of(table, lines)), "not left out"
    assert Verdict.RECONCILED is Outcome(scope(server), locked, HOUR).statement.verdict


def test_a_throttled_api_is_retried_as_late_as_it_says(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("nhi_evidence.adapters.listing.http_json.time.sleep", waits.append)
    busy = (429, {"error": {"code": "TooManyRequests"}}, {"Retry-After": "7"})
    server.answers[LISTED.format(SUBSCRIPTION)] = [busy, busy]
    outcome = reconciled(server, [delivered(one) for one in LISTED_ENTRIES])
    assert (Verdict.RECONCILED, [7.0, 7.0]) == (outcome.statement.verdict, waits)


def _elsewhere(server: ApiServer) -> None:
    page = {"value": [], "nextLink": "https://example.org/more"}
    server.answers[LISTED.format(SUBSCRIPTION)] = [(200, page, {})]


def _in_circles(server: ApiServer) -> None:
    path = LISTED.format(SUBSCRIPTION)
    pages = [{"value": [], "nextLink": f"{server.url}{path}?$skipToken={n % 2}"} for n in range(9)]
    server.answers[path] = [(200, page, {}) for page in pages]


def _without_end(server: ApiServer) -> None:
    path = LISTED.format(SUBSCRIPTION)
    pages = [{"value": [], "nextLink": f"{server.url}{path}?$skipToken={n}"} for n in range(99)]
    server.answers[path] = [(200, page, {}) for page in pages]


def _denied(server: ApiServer) -> None:
    error = {"error": {"code": "AuthorizationFailed", "message": "no role on the subscription"}}
    server.answers[LISTED.format(SUBSCRIPTION)] = [(403, error, {})]


def _always_busy(server: ApiServer) -> None:
    server.answers[LISTED.format(SUBSCRIPTION)] = [(503, {}, {"Retry-After": "0"})] * 9


@pytest.mark.parametrize("trouble", [_elsewhere, _in_circles, _without_end, _denied, _always_busy])
def test_trouble_proves_nothing(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[ApiServer], None]
) -> None:
    """An incomplete listing never counts, and no access token goes to another host."""
    monkeypatch.setattr(microsoft, "MAX_PAGES", 20)
    trouble(server)
    outcome = reconciled(server, [delivered(one) for one in LISTED_ENTRIES])
    assert (Verdict.UNPROVABLE, ("refused",), None) == (
        outcome.statement.verdict,
        outcome.statement.reasons,
        outcome.statement.expected,
    )
    assert "refused" == listing.read(outcome.put[0].body).question.refused
    assert () == listing.read(outcome.put[0].body).ids


def test_hours_older_than_the_api_keeps_are_not_requested(server: ApiServer) -> None:
    """An empty answer would make everything stored unbacked."""
    begins = keys.hour_start(HOUR) or 0
    records = [delivered(one) for one in LISTED_ENTRIES]
    young = reconciled(server, records, now=begins + activity.KEPT_MS)
    old = reconciled(server, records, now=begins + activity.KEPT_MS + 1)
    assert (Verdict.RECONCILED, ("not_asked",)) == (young.statement.verdict, old.statement.reasons)


def test_an_incomplete_record_matches_nothing() -> None:
    """No malformed record breaks the function."""
    pack = sources.listed_source("azure_activity")
    assert pack is not None
    complete = delivered(LISTED_ENTRIES[0])
    for name in ("time", "correlationId", "operationName", "resourceId"):
        assert pack.listed_id(json.dumps({**complete, name: None}).encode()) is None
    for nonsense in (b"", b"[]", b"{", b'{"time": "2026-13-02T08:00:00Z"}', b"[" * 99_999, b"\xff"):
        assert (pack.listed_id(nonsense), pack.native_id(nonsense)) == (None, None)
    long = {**complete, "resourceId": "/subscriptions/" + "x" * 5000}
    uid = pack.listed_id(json.dumps(long).encode())
    assert uid is not None
    assert len(uid) < listing.MAX_ID_BYTES
