"""Google Cloud and Entra: an hour is reconciled if their APIs list what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nhi_evidence.adapters.listing import hours as listed_hours
from nhi_evidence.adapters.listing import http_json
from nhi_evidence.adapters.listing.entra import EntraScope
from nhi_evidence.adapters.listing.google import GoogleScope
from nhi_evidence.adapters.listing.hours import ApiScope
from nhi_evidence.completeness import listing, records
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.statement import Statement
from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.demo.story import gcp_files
from nhi_evidence.errors import SettingsError, SourceUnavailableError
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import objects
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.lines import out_of_scope_hash
from nhi_evidence.evidence.verify.sorting import MemorySorter
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope as Kept
from tests.completeness.api_server import ApiServer
from tests.memory_store import MemoryStore

ENTRIES = [json.loads(line) for file in gcp_files() for line in file.body.splitlines() if line]
HOUR = max(
    {entry["timestamp"][:13] for entry in ENTRIES},
    key=lambda hour: sum(entry["timestamp"].startswith(hour) for entry in ENTRIES),
)
OF_HOUR = list(
    {
        (entry["insertId"], entry["timestamp"], entry["logName"]): entry
        for entry in ENTRIES
        if entry["timestamp"].startswith(HOUR)
    }.values()
)
NAMED_HOUR = HOUR.replace("-", "").replace("T", "")
PROJECT = OF_HOUR[0]["logName"].split("/")[1]
TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(http_json, "_FIRST_WAIT", 0.01)
    with ApiServer() as running:
        running.entries = [dict(entry) for entry in OF_HOUR]
        yield running


def google(server: ApiServer, resource: str = f"projects/{PROJECT}") -> GoogleScope:
    return GoogleScope(
        resource=resource,
        provider="//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/a",
        sts=f"{server.url}/v1/token",
        logging=f"{server.url}/v2/entries:list",
    )


def entra(server: ApiServer) -> EntraScope:
    return EntraScope(TENANT, "client", "audit", login=server.url, graph=server.url)


Sealed = list[tuple[ObjectLeaf, bytes]]
"""Objects as they are sealed, with their bytes."""


def sealed(store: MemoryStore) -> Sealed:
    """Return what a sealer notes of each object, with its bytes."""
    return [
        (ObjectLeaf(key, one.id, one.modified, len(one.body), md=one.metadata), one.body)
        for key, (one,) in store.versions_by_key.items()
        if key.startswith("ev/")
    ]


def evidence(lines: list[dict[str, Any]], scope: Kept = Kept.ALL) -> Sealed:
    """Return the objects of deliveries."""
    store = MemoryStore()
    mapper = Mapper("gcp_audit", scope=scope, keep_out_of_scope_raw=False)
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    lock_batch(mapper, [Delivery(f"bucket/file@1!h={NAMED_HOUR}", body)], store).ensure_locked()
    return sealed(store)


class Outcome:
    """One hour, listed and compared."""

    def __init__(
        self, scope: ApiScope, objects: Sealed, hour: str = NAMED_HOUR, *, now: int = 1
    ) -> None:
        self.put: list[Operation] = []
        (listed_hour,), self.problem = listed_hours.ask(
            scope, [hour], lambda _audience: "identity", MemorySorter, now
        )
        listed_hour.put_listing(self._put)
        for entry, body in objects:
            listed_hour.see(records.read(entry, body))
        self.statement: Statement = listed_hour.conclude(self._put)

    def _put(self, operation: Operation) -> str:
        self.put.append(operation)
        return operation.key


@pytest.mark.parametrize("scope", [Kept.ALL, Kept.NHI])
def test_entries_that_are_listed_and_delivered_are_reconciled(
    server: ApiServer, scope: Kept
) -> None:
    """Over all pages, kept or excluded; the listing is stored with its filter."""
    outcome = Outcome(google(server, "organizations/1"), evidence(OF_HOUR, scope))
    assert (Verdict.RECONCILED, ()) == (outcome.statement.verdict, outcome.statement.reasons)
    assert len(OF_HOUR) == outcome.statement.expected == outcome.statement.found
    (kept,) = outcome.put
    listed = listing.read(kept.body)
    assert len(listed.ids) == len(OF_HOUR) > 2
    assert HOUR in listed.question.request
    requests = [given for path, given in server.asked if path == "/v2/entries:list"]
    assert -(-len(OF_HOUR) // 2) == len(requests)


def test_missing_entries_are_named_and_filled(server: ApiServer) -> None:
    """To the nanosecond; the fill has the API's entry, marked as such."""
    lost = OF_HOUR[1]
    outcome = Outcome(
        google(server, "organizations/1"), evidence([e for e in OF_HOUR if e is not lost])
    )
    (named,) = outcome.statement.named
    uid = "|".join((lost["insertId"], lost["timestamp"], lost["logName"]))
    assert ("missing", uid) == (named.reason, named.name)
    _, fill = outcome.put
    assert f"filled in {fill.key}" == named.detail
    table, lines = objects.read_object(fill.body)
    ((unit, own),) = objects.lines_of(table, lines)
    assert ("api", 1, "gcp_audit") == (unit.raw_form, unit.records, table.header.source)
    assert unit.unit.startswith("api/organizations/1/")
    stands_for = (lost["insertId"], out_of_scope_hash(uid))
    assert any(text.encode() in line for line in own for text in stands_for)


def test_a_nanosecond_more_is_another_entry(server: ApiServer) -> None:
    """Two entries with one insert id are distinct: a listing by seconds would not notice."""
    server.entries[0] = {**OF_HOUR[0], "timestamp": OF_HOUR[0]["timestamp"][:-1] + "1Z"}
    outcome = Outcome(google(server, "organizations/1"), evidence(OF_HOUR))
    assert ("missing",) == outcome.statement.reasons


def test_entries_the_api_does_not_list_are_unbacked(server: ApiServer) -> None:
    """Among the project's own records of that hour."""
    own = [entry for entry in OF_HOUR if f"projects/{PROJECT}/" in entry["logName"]]
    server.entries = [dict(entry) for entry in own[1:]]
    outcome = Outcome(google(server), evidence(OF_HOUR))
    assert outcome.statement.totals.get("unbacked", 0) >= 1
    assert any(own[0]["insertId"] in named.name for named in outcome.statement.named)


def test_entra_is_queried_through_graph(server: ApiServer) -> None:
    """Ids are listed page by page; an entry that was not delivered is missing."""
    at = f"{HOUR}:10:00Z"
    server.audits = [{"id": f"audit-{number}", "activityDateTime": at} for number in range(5)]
    server.audits.append({"id": "of another hour", "activityDateTime": "2020-01-01T00:00:00Z"})
    outcome = Outcome(entra(server), [])
    assert ("", 5, 5) == (
        outcome.problem,
        outcome.statement.expected,
        outcome.statement.totals["missing"],
    )
    assert {f"audit-{number}" for number in range(5)} == {
        named.name for named in outcome.statement.named
    }
    assert "azure_entra" == listing.read(outcome.put[0].body).question.source


REFUSALS: dict[str, tuple[int, dict[str, Any], str]] = {
    "without a premium license": (
        403,
        {"error": {"code": "Authentication_RequestFromNonPremiumTenantOrB2CTenant"}},
        "license_unknown",
    ),
    "without the permission": (
        403,
        {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}},
        "refused",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_a_reason_and_not_a_finding(server: ApiServer, name: str) -> None:
    status, answer, reason = REFUSALS[name]
    server.answers["/v1.0/auditLogs/directoryAudits"] = [(status, answer, {})]
    outcome = Outcome(entra(server), [])
    assert (Verdict.UNPROVABLE, (reason,), None, False) == (
        outcome.statement.verdict,
        outcome.statement.reasons,
        outcome.statement.expected,
        outcome.statement.is_incomplete,
    )
    assert reason == listing.read(outcome.put[0].body).question.refused


def test_a_busy_api_is_retried(server: ApiServer) -> None:
    """Up to the allowed number of times, after the delay it states."""
    busy = (429, {"error": {"code": 429}}, {"Retry-After": "0"})
    server.answers["/v2/entries:list"] = [busy, (503, {}, {}), busy]
    outcome = Outcome(google(server, "organizations/1"), evidence(OF_HOUR))
    assert Verdict.RECONCILED is outcome.statement.verdict


BROKEN: dict[str, Callable[[ApiServer], None]] = {
    "always busy": lambda server: server.answers.update({"/v2/entries:list": [(503, {}, {})] * 99}),
    "a token that is none": lambda server: server.answers.update({"/v1/token": [(200, {}, {})]}),
    "an identity that is not taken": lambda server: server.answers.update(
        {"/v1/token": [(400, {"error": "invalid_grant", "error_description": "audience"}, {})]}
    ),
    "the same page for ever": lambda server: server.answers.update(
        {"/v2/entries:list": [(200, {"nextPageToken": "x"}, {})] * 9}
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_trouble_is_reported_and_proves_nothing(server: ApiServer, name: str) -> None:
    """An hour that cannot be listed is unprovable, with the reason in the run's own words."""
    BROKEN[name](server)
    outcome = Outcome(google(server, "organizations/1"), evidence(OF_HOUR))
    assert (("refused",), True) == (outcome.statement.reasons, bool(outcome.problem))
    assert "identity" not in outcome.problem, "a token is never repeated"


def test_only_https_is_used() -> None:
    with pytest.raises(SettingsError, match="not an https address"):
        http_json.ask("http://example.org/", form={})


def test_an_answer_that_is_not_json_is_trouble(server: ApiServer) -> None:
    with pytest.raises((SourceUnavailableError, http_json.RefusedError)):
        http_json.ask(f"{server.url}/nothing", token="access")
