"""The input and output of a collecting run: tokens, hostile answers, bounds, verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence import config
from nhi_evidence.adapters.azure import settings_reader as azure
from nhi_evidence.adapters.collecting import clouds
from nhi_evidence.adapters.gcp import settings_reader as gcp
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.coverage import answers, gathering, reading_file, verdict_file
from nhi_evidence.coverage.answers import Answer, Deployment, Reading, ReadingError
from nhi_evidence.coverage.deployed import deployment
from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo import estate
from nhi_evidence.errors import TokenUnavailableError
from tests.coverage.test_rest_readers import DEPLOYMENT, Provider, provider, reader

__all__ = ["provider"]

EXAMPLE = Path(__file__).parents[2] / "nhi-evidence.example.toml"
POOL = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p"


def identity(audience: str) -> str:
    return f"identity for {audience}"


def test_google_is_called_with_a_token_for_the_function_s_own_identity(provider: Provider) -> None:
    provider.paths["/token"] = {"access_token": "given"}
    provider.paths["/v1/projects"] = {"projects": []}
    place = clouds.GooglePlace(
        POOL, sts=f"{provider.url}/token", bases=dict.fromkeys(gcp.HOSTS, provider.url)
    )
    reading = clouds.read_google(place, identity, at=1, deployment=DEPLOYMENT)
    assert [("POST", "/token"), ("GET", "/v1/projects")] == provider.asked
    assert "Bearer given" == provider.headers[1]
    assert ["ok", "ok"] == [one.status for one in reading.answers]


def test_microsoft_without_graph_reads_the_rest(provider: Provider) -> None:
    """With a token for one of two hosts, the other's answers say why there was none."""
    provider.paths["/tenant/oauth2/v2.0/token"] = {"access_token": "given"}
    provider.paths["/subscriptions"] = {"value": []}
    audiences: list[str] = []

    def once(audience: str) -> str:
        audiences.append(audience)
        if len(audiences) > 1:
            raise TokenUnavailableError("no more")
        return "identity"

    place = clouds.MicrosoftPlace(
        "tenant", "client", login=provider.url, bases=dict.fromkeys(azure.HOSTS, provider.url)
    )
    reading = clouds.read_microsoft(place, once, at=1, deployment=DEPLOYMENT)
    statuses = {one.call: (one.status, one.error) for one in reading.answers}
    assert ("ok", "") == statuses["Microsoft.Resources/subscriptions"]
    assert ("failed", "no more") == statuses["graph:subscribedSkus"]


@pytest.mark.parametrize("platform", ["gcp", "azure"])
def test_without_a_token_a_reading_says_why(platform: str) -> None:
    def none(audience: str) -> str:
        raise TokenUnavailableError(f"no identity token for {audience}: AccessDenied")

    reading = (
        clouds.read_google(clouds.GooglePlace(POOL), none, at=1, deployment=DEPLOYMENT)
        if platform == "gcp"
        else clouds.read_microsoft(
            clouds.MicrosoftPlace("tenant", "client"), none, at=1, deployment=DEPLOYMENT
        )
    )
    assert gathering.is_empty(reading)
    (refusal,) = gathering.unread(reading)
    assert refusal.error.startswith("no identity token for ")
    judged = {one.verdict for one in matrix([reading]).cells if one.platform == platform}
    assert judged <= {Verdict.UNKNOWN, Verdict.IMPOSSIBLE}


HOSTILE: list[Any] = [
    [],
    "text",
    17,
    {"projects": {"projectId": "x"}, "value": {"name": "x"}},
    {"projects": [17], "value": [17]},
    {"projects": [{"projectId": {"a": 1}}], "value": [{"subscriptionId": []}]},
    {"projects": [None], "value": [None]},
]


@pytest.mark.parametrize("body", HOSTILE, ids=str)
def test_a_malformed_answer_ends_a_collector_and_is_kept(provider: Provider, body: Any) -> None:
    """Whatever a provider answers, there is a reading that can be judged and read back."""
    provider.paths["/v1/projects"] = body
    provider.paths["/subscriptions"] = body
    for module in (gcp, azure):
        reading = module.read_settings(reader(provider, module.HOSTS), at=1, deployment=DEPLOYMENT)
        operation = reading_file.write(reading)
        assert reading == reading_file.read(operation.body, operation.key)
        assert Verdict.CONFIGURED not in {one.verdict for one in matrix([reading]).cells}


def test_answers_before_the_failure_are_kept() -> None:
    received = [Answer(call="a", scope="x", answer={})]

    def walk() -> None:
        received.append(Answer(call="b", scope="x", answer=[]))
        raise KeyError("member")

    reading = gathering.gathered("gcp", walk, received, at=1, deployment=Deployment())
    assert ["a", "b", answers.COLLECTOR] == [one.call for one in reading.answers[1:]]
    assert "KeyError('member')" in reading.answers[-1].error


def test_of_too_many_answers_the_largest_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written can be read, and the rest is complete."""
    monkeypatch.setattr(answers, "MAX_READING_BYTES", 5_000)
    received = [
        Answer(call=f"call-{size}", scope="x", answer="x" * size) for size in (10, 9_000, 20)
    ]
    reading = gathering.gathered("gcp", lambda: None, received, at=1, deployment=Deployment())
    assert ["ok", "failed", "ok"] == [one.status for one in reading.answers[1:]]
    assert "too much to be kept" in reading.answers[2].error
    assert len(answers.write(reading)) <= 5_000


def test_pages_that_are_not_lists_are_a_failed_answer(provider: Provider) -> None:
    provider.paths["/v1/projects"] = {"projects": {"a": 1}}
    asking: RestReader = reader(provider, gcp.HOSTS)
    assert asking.ask("x", "y", f"https://{gcp.RESOURCES}/v1/projects", items="projects") is None
    assert "the answer has no list of projects" == asking.answers[0].error


def test_an_answer_is_preferred_to_a_refusal() -> None:
    """An organization trail is refused in a member account, and answered in the management one."""
    refused = Answer(call="c", scope="1", request={"Name": "t"}, status="denied", error="no")
    answer = Answer(call="c", scope="2", request={"Name": "t"}, answer={"IsLogging": True})
    reading = Reading(v=1, platform="aws", at=1, answers=(refused, answer))
    assert answer == reading.single("c", Name="t")
    assert refused == reading.single("c", "1", Name="t")


def stated(reading: Reading, before: verdict_file.Before | None = None) -> verdict_file.Stated:
    return verdict_file.state(
        matrix([reading]), {reading.platform: "op/v1/config/x"}, release="1", before=before
    )


def without_logging(reading: Reading) -> Reading:
    old = reading.single("cloudtrail:GetTrailStatus")
    assert old is not None
    new = Answer(call=old.call, scope=old.scope, request=old.request, answer={"IsLogging": False})
    return reading.replaced(old, new)


def test_verdicts_round_trip_and_lost_cells_are_named() -> None:
    reading = estate.reading("aws", 1_772_438_400_000)
    first = stated(reading)
    operation = verdict_file.write(first)
    assert first == verdict_file.read(operation.body, operation.key)
    assert operation.key.startswith("op/v1/coverage/h=2026030208/")
    before = verdict_file.Before(operation.key, first)
    assert () == stated(reading, before).lost
    lost = stated(without_logging(reading), before)
    assert operation.key == lost.before
    cells = {one.cell: (one.was, one.verdict) for one in lost.lost}
    assert cells["aws.credential_validation.valid_key"] == (Verdict.CONFIGURED, Verdict.GAP)
    recorded = {one.cell for one in first.cells if one.verdict.is_recorded_here}
    assert set(cells) <= recorded
    again = verdict_file.Before("x", lost)
    assert () == stated(without_logging(reading), again).lost, "given once"


def damaged() -> Iterator[tuple[bytes, str]]:
    operation = verdict_file.write(stated(estate.reading("aws", 1_772_438_400_000)))
    yield operation.body[:-1], operation.key
    yield operation.body + b"x", operation.key
    yield b"", operation.key
    yield operation.body, operation.key.replace("2026030208", "2026030209")


@pytest.mark.parametrize(
    ("body", "key"), list(damaged()), ids=["cut", "longer", "empty", "other hour"]
)
def test_damaged_verdicts_are_refused(body: bytes, key: str) -> None:
    with pytest.raises(ReadingError, match=key):
        verdict_file.read(body, key)


def test_destinations_of_a_deployment_are_those_it_creates() -> None:
    """They are named as in the stacks, not as somebody types them."""
    known = deployment(config.read(EXAMPLE.read_text()))
    aws, google, microsoft = map(known.source, ("aws_cloudtrail", "gcp_audit", "azure_monitor"))
    assert aws is not None
    assert google is not None
    assert microsoft is not None
    assert ("organization-trail-111122223333",) == aws.buckets
    queue = (
        "arn:aws:sqs:eu-central-1:111122223333:nhi-evidence-main-170b2e-aws_cloudtrail-organization"
    )
    assert (queue,) == aws.queues
    topic = "projects/example-evidence/topics/nhi-evidence-audit-logs"
    assert (f"pubsub.googleapis.com/{topic}",) == google.destinations
    (namespace,) = microsoft.event_hubs
    assert namespace.startswith(
        "/subscriptions/22222222-3333-4444-5555-666666666666/resourceGroups/nhi-evidence/"
    )
