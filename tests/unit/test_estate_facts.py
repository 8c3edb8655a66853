"""The questions to a live estate distinguish yes from no, with answers as clouds give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError

from nhi_evidence.config import read
from tests.conform.__main__ import ask_estate
from tests.conform.estate_facts import ESTATE, EstateFact
from tests.conform.exchange_facts import EXCHANGED
from tests.conform.reconciled_facts import RECONCILED

EXAMPLE = (Path(__file__).parents[2] / "nhi-evidence.example.toml").read_text()
SUBSCRIBER = """
[[subscribers]]
evidence = "main"
bucket = "lines-222233334444"
principals = ["arn:aws:iam::777788889999:role/siem"]
"""
CONFIG = read(
    EXAMPLE.replace(
        "organization-trail-111122223333", "aws-controltower-logs-111122223333-eu-central-1"
    )
    + SUBSCRIBER
)
KEY = "arn:aws:kms:eu-central-1:222233334444:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def refused(code: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return ClientError(answer, "Call")


class Estate:
    """An estate with given answers; in `GOOD` everything is as the design expects."""

    GOOD: ClassVar[dict[str, Any]] = {
        "describe_log_streams": {"logStreams": [{"logStreamName": "a"}]},
        "describe_key": {"KeyMetadata": {"Arn": KEY}},
        "sign": refused("AccessDeniedException"),
        "filter_log_events": {"events": [{"message": f"... {KEY} ..."}]},
        "get_bucket_notification_configuration": {},
        "put_bucket_notification_configuration": {},
        "list_objects_v2": {"Contents": [{"Key": "ev/v1/x"}]},
        "get_object": refused("AccessDenied"),
        "az rest": "{}",
        "az storage blob": "[]",
        "gcloud storage": "1209600",
        "gcloud pubsub": "ACTIVE",
        "az eventhubs eventhub": "2026-01-01T00:00:00+00:00",
        "az monitor log-analytics workspace": "55555555-6666-7777-8888-999999999999",
        "az monitor log-analytics query": "604000",
        "sh -c": "no changes",
    }

    def __init__(self, **answers: Any) -> None:
        self._answers = {**self.GOOD, **answers}
        self._patience = 2

    def client(self, _service: str) -> Any:
        return self

    def __getattr__(self, operation: str) -> Any:
        def call(**_request: Any) -> Any:
            answer = self._answers[operation]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def run(self, *command: str) -> str:
        line = " ".join(command)
        return next(str(it) for key, it in self._answers.items() if line.startswith(key))

    def wait(self) -> bool:
        self._patience -= 1
        return self._patience >= 0


def test_an_estate_as_the_design_expects_it() -> None:
    """Every fact is asked and holds, and says who has to ask it."""
    answers = {one.name: one.holds for one in ask_estate(Estate(), CONFIG)}
    others = {one.name for one in (*RECONCILED, *EXCHANGED)}
    assert {one.name: True for one in ESTATE} == {
        name: holds for name, holds in answers.items() if name not in others
    }
    assert not [name for name in others if answers[name] is False]
    assert None is answers[RECONCILED[0].name], "nothing lists the Activity Log here"
    assert all(one.by and one.why for one in ESTATE)


@pytest.mark.parametrize(
    ("fact", "answers", "start"),
    [
        (0, {"describe_log_streams": {"logStreams": []}}, "no stream"),
        (1, {"sign": {}}, "not refused: done"),
        (1, {"filter_log_events": {"events": []}}, "no record"),
        (1, {"filter_log_events": {"events": [{"message": "*"}]}}, "another key"),
        (2, {"put_bucket_notification_configuration": refused("AccessDenied")}, "400 AccessDenied"),
        (3, {"list_objects_v2": {}}, "none"),
        (4, {"gcloud storage": ""}, "the bucket has no retention"),
        (
            4,
            {"gcloud pubsub": "IN_TRANSIT_LOCATION_RESTRICTION"},
            "IN_TRANSIT_LOCATION_RESTRICTION",
        ),
        (5, {"az monitor log-analytics query": "0"}, "0 rows"),
        (6, {"az monitor log-analytics query": "60"}, "at a message 60 s old"),
        (7, {"sh -c": "failed: Key based authentication is not permitted"}, "failed: Key based"),
    ],
)
def test_every_deviation_is_reported(fact: int, answers: dict[str, Any], start: str) -> None:
    """Each answer that the design does not expect counts as no."""
    estate_fact: EstateFact = ESTATE[fact]
    answer = estate_fact.ask(Estate(**answers), CONFIG)
    assert answer.startswith(start)
    assert answer != estate_fact.expected
