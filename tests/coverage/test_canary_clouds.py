"""The canaries of Google Cloud and Entra: how they are impersonated, what they call, and results.

Calls go to a stub on loopback; their records, as the providers would write them, are exported,
sealed and weighed by the plan sealed before the hour.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.adapters.aws import canary
from nhi_evidence.adapters.probing import clouds
from nhi_evidence.adapters.probing.clouds import EntraCanary, GoogleCanary
from nhi_evidence.adapters.probing.http_calls import Runner
from nhi_evidence.adapters.probing.outcome import Done
from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Message, Run
from nhi_evidence.coverage import signed
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary import sealed as sealed_plans
from nhi_evidence.coverage.canary.probes import MAX_CALLS_AN_HOUR, probes
from nhi_evidence.coverage.canary.weigh import Result, Seen, Sightings
from nhi_evidence.coverage.cells import cells, setting_of
from nhi_evidence.coverage.counted import Reader
from nhi_evidence.errors import EvidenceError, SettingsError
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import keys
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests import canary_clouds_stub as stub
from tests.canary_clouds_stub import CloudStub
from tests.coverage.sealed_estate import DAY, HOUR, NAME, Sealed
from tests.memory_store import MemoryStore

DELAYS = {cell.id: setting_of(cell).delay_minutes for cell in cells()}
DAILY = "2026030300"
HOURLY = "2026030207"
PLATFORMS = {"gcp": (stub.PROJECT, stub.ACCOUNT), "entra": (stub.TENANT, stub.OBJECT)}
"""Platform to what identifies its canary, and to the name in records."""
HOSTS = {urlhost for one in probes() for urlhost in [one.call.partition("//")[2].partition("/")[0]]}


@pytest.fixture
def cloud() -> Iterator[CloudStub]:
    with CloudStub() as running:
        yield running


def identity(audience: str) -> str:
    return f"identity for {audience}"


def stranger(_audience: str) -> str:
    return "of somebody else"


def google(cloud: CloudStub) -> GoogleCanary:
    return GoogleCanary(
        stub.PROJECT,
        stub.ACCOUNT,
        stub.PROVIDER,
        stub.FEDERATED,
        sts=f"{cloud.url}/v1/token",
        bases=dict.fromkeys(HOSTS, cloud.url),
    )


def entra(cloud: CloudStub) -> EntraCanary:
    return EntraCanary(
        stub.TENANT,
        stub.CLIENT,
        stub.OBJECT,
        login=cloud.url,
        bases=dict.fromkeys(HOSTS, cloud.url),
    )


def probed(cloud: CloudStub, platform: str, hour: str) -> Done:
    """Make every probe of an hour."""
    done = Done(hour=hour)
    if platform == "gcp":
        runner = clouds.google_runner(google(cloud), identity, done)
    else:
        runner = clouds.entra_runner(entra(cloud), identity, done)
    for probe in canary.due_in(hour, platform):
        runner.run(probe, plans.nonce(NAME, hour, probe, PLATFORMS[platform][0]))
    return done


def planned(platform: str, hour: str) -> plans.Plan:
    place, principal = PLATFORMS[platform]
    return plans.plan(
        NAME, platform, hour, principal, DELAYS, account=place, federated=stub.FEDERATED
    )


@pytest.mark.parametrize("hour", [DAILY, HOURLY])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_probe_is_called_once_with_its_own_nonce(
    cloud: CloudStub, platform: str, hour: str
) -> None:
    """As the plan announces, and answered as the table expects; fewer than sixty in total."""
    done = probed(cloud, platform, hour)
    plan = planned(platform, hour)
    assert ([], [], len(plan.probes)) == (done.unexpected, done.unanswered, done.calls)
    assert Counter(one.nonce for one in plan.probes) == Counter(one.nonce for one in cloud.probes)
    assert len(cloud.calls) - len(cloud.probes) <= clouds.TAKING
    assert len(cloud.calls) < MAX_CALLS_AN_HOUR
    assert not any("{" in call.path for call in cloud.calls)
    written = plans.write(plan)
    assert plans.read(written.body, written.key) == plan


def test_no_token_goes_where_it_is_not_for(cloud: CloudStub) -> None:
    """Calls that exchange or inspect a token, or try a secret, carry no token in a header."""
    for platform in PLATFORMS:
        probed(cloud, platform, DAILY)
    for call in cloud.probes:
        bare = call.path.endswith(("/token", "/tokeninfo"))
        assert bare == ("authorization" not in call.headers), call.path


def test_nothing_it_does_not_own_is_changed(cloud: CloudStub) -> None:
    """Whatever could change something is refused, and names a nonexistent target."""
    probed(cloud, "gcp", DAILY)
    changing = [call for call in cloud.probes if call.status == 403 and call.method != "GET"]
    assert {"POST", "PATCH"} == {call.method for call in changing}
    for call in changing:
        assert "nhi-evidence-none" in call.path or "AAAAAAAAAAA=" in call.body, call


def test_a_refused_identity_is_told_why(cloud: CloudStub) -> None:
    """With somebody else's identity token, no probe is made."""
    done = Done(hour=HOURLY)
    takes: tuple[Callable[[], object], ...] = (
        lambda: clouds.google_runner(google(cloud), stranger, done),
        lambda: clouds.entra_runner(entra(cloud), stranger, done),
    )
    for take in takes:
        with pytest.raises(EvidenceError, match=r"40[01]"):
            take()
    assert (0, []) == (done.calls, cloud.probes)


def test_a_rejected_token_is_not_a_refusal(cloud: CloudStub) -> None:
    """A denied permission and a rejected token look alike to a canary that expects a refusal."""
    cloud.statuses = {":access": 401}
    done = probed(cloud, "gcp", HOURLY)
    (unexpected,) = done.unexpected
    assert unexpected.startswith("gcp.secret_access.secret_manager: GET https://secretmanager")
    assert unexpected.endswith("was unauthenticated")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_provider_has_not_answered(cloud: CloudStub, status: int) -> None:
    """It is not retried in this hour: a second call would be a second record."""
    cloud.statuses = {":access": status}
    done = probed(cloud, "gcp", HOURLY)
    assert [str(status)] == [one.rpartition(": ")[2] for one in done.unanswered]
    assert 1 == sum(call.path.endswith(":access") for call in cloud.probes)
    assert stub.OF_ACCOUNT not in str(done)


def test_a_redirect_is_not_followed(cloud: CloudStub) -> None:
    cloud.statuses = {":access": 302}
    probed(cloud, "gcp", HOURLY)
    assert not any(call.path == "/elsewhere" for call in cloud.calls)


def test_unexpected_rights_raise_an_alarm(cloud: CloudStub) -> None:
    cloud.statuses = {"/applications": 200}
    done = probed(cloud, "entra", HOURLY)
    named = "entra.enumeration.graph: GET https://graph.microsoft.com/v1.0/applications"
    assert [f"{named} was allowed"] == done.unexpected


def test_calls_use_https_only(cloud: CloudStub) -> None:
    """Whatever the table says, except to loopback in tests."""
    done = Done(hour=HOURLY)
    bases = {"secretmanager.googleapis.com": "http://example.org"}
    probe = next(one for one in probes("gcp") if one.call.endswith(":access"))
    runner = Runner({}, {"{project}": "p"}, done, bases)
    with pytest.raises(SettingsError, match="not an https address"):
        runner.run(probe, "nonce")
    assert [] == cloud.calls


def delivered(platform: str, records: list[dict[str, Any]]) -> tuple[str, Delivery]:
    """Return what the provider delivers, and the source that reads it."""
    if platform == "gcp":
        body = b"".join(json.dumps(one).encode() + b"\n" for one in records)
        return "gcp_audit", Delivery(f"bucket/file@1!h={HOURLY}", body)
    messages = tuple(
        Message(json.dumps({"records": [one]}).encode(), n, str(n), "2026-03-02T07:50:00Z")
        for n, one in enumerate(records)
    )
    messages_run = Run("ns/hub#2026-03-01T00:00:00Z/0", messages)
    return "azure_monitor", Delivery(messages_run.unit, event_hub.frame(messages_run))


def results(evidence: Sealed, source: str) -> dict[str, Result]:
    """Return the result of every planned probe by the sealed evidence, by cell."""
    log = signed.read(evidence.stored)
    problems: dict[str, str] = {}
    read = list(sealed_plans.read(evidence.store, log, problems))
    assert {} == problems
    seen = [
        Seen(each.head, each.raw, each.at.locked_at, each.at.key)
        for each in Reader(evidence.store, ()).records_of(
            log.of("ev", source), Sightings(plan for _, plan in read).nonces
        )
    ]
    return {one.cell: one.result for one in sealed_plans.weighed(read, seen, log.at or 0)}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_sealed_evidence_decides(cloud: CloudStub, tmp_path: Path, platform: str) -> None:
    """Probes recorded in time, by the right principal, in the right phase, are proven; a withheld
    one is missing, by name.
    """
    hour = "2026030200"
    evidence = Sealed(tmp_path)
    operation = plans.write(planned(platform, hour))
    evidence.put(operation.key, operation.body, DAY - 2 * HOUR)
    evidence.seal(DAY - HOUR)
    probed(cloud, platform, hour)
    records = cloud.entries(0) if platform == "gcp" else cloud.records()
    withheld = {"gcp": "gcp.secret_access.secret_manager", "entra": "entra.failed_attempt.graph"}
    marks = {one.cell: one.nonce for one in planned(platform, hour).probes}
    lacking = marks[withheld[platform]]
    kept = [one for one in records if lacking not in json.dumps(one)]
    assert len(records) - 1 == len(kept)
    source, delivery = delivered(platform, kept)
    aside = MemoryStore()
    mapper = Mapper(source, scope=Scope.NHI, keep_out_of_scope_raw=True)
    lock_batch(mapper, [delivery], aside).ensure_locked()
    for key, body in aside.objects.items():
        evidence.put(key, body, DAY + HOUR, aside.first(key).metadata)
    evidence.seal(DAY + 80 * HOUR)
    by_cell = results(evidence, source)
    assert Result.MISSING is by_cell.pop(withheld[platform])
    if platform == "gcp":
        assert Result.ABSENT is by_cell.pop("gcp.credential_validation.token_info")
    assert {Result.PROVEN} == set(by_cell.values()), by_cell


def test_a_plan_names_the_identity_of_the_token_exchange() -> None:
    """The record of a token exchange names the foreign identity, not the canary."""
    plan = planned("gcp", DAILY)
    named = {one.cell: one.principal for one in plan.probes if one.principal}
    assert {"gcp.credential_validation.federation": stub.FEDERATED} == named
    assert all(keys.hour_start(plan.hour) for _ in named)
