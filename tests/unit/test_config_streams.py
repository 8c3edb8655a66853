"""Streams of a source: each impossible one is named, with the fix."""

from __future__ import annotations

import pytest

from nhi_evidence import config
from nhi_evidence.config.aws.feeds import feeds
from nhi_evidence.config.aws.streams import plans
from tests.unit.test_config import changed, problems

SOURCE = """[[sources]]
source = "k8s_audit"
evidence = "main"
keep_out_of_scope_raw = true
silence_hours = 24
{files}
streams = [{streams}]

[gcp]"""
FILES = 'files = {{ account = "{}", bucket = "{}", region = "eu-central-1", prefix = "{}" }}'
HERE = FILES.format("111122223333", "eks-audit", "eks/")
PROD = '{ name = "prod", accounts = ["333344445555"] }'
BUS = '{ name = "acme", bus = "aws.partner/okta.com/acme/evidence" }'


def written(streams: str, files: str = HERE) -> tuple[str, str]:
    return "[gcp]", SOURCE.format(files=files, streams=streams)


@pytest.mark.parametrize(
    ("streams", "files", "key", "message"),
    [
        (PROD, "", "sources.streams", "fill a bucket: add files"),
        (PROD, FILES.format("777788889999", "b-1", "eks/"), "sources.files.account", "is not the"),
        (PROD, FILES.format("111122223333", "b-1", ""), "sources.files.prefix", "is not a folder"),
        (f"{PROD}, {PROD}", HERE, "sources.streams.name", "is already used by another stream"),
        ('{ name = "prod" }', HERE, "sources.streams", "does not say what fills it"),
        (
            BUS.replace("}", ', accounts = ["333344445555"] }'),
            HERE,
            "sources.streams.accounts",
            "are for CloudWatch Logs",
        ),
        (
            PROD,
            HERE.replace(" }", ', topic = "arn:aws:sns:eu-central-1:111122223333:t" }'),
            "sources.files.topic",
            "is for a bucket that already exists",
        ),
    ],
)
def test_an_impossible_stream_is_refused(streams: str, files: str, key: str, message: str) -> None:
    """Because of where it is created, where its errors go, or what feeds it."""
    reported = problems(changed(written(streams, files)))
    assert any(key == each.key and message in each.text for each in reported), reported


def test_a_bus_must_be_a_partner_s() -> None:
    """Any other name is not a partner event source."""
    (reported,) = problems(changed(written('{ name = "acme", bus = "default" }')))
    assert "partner event source" in reported.text


def test_each_stream_has_a_folder_and_a_name_of_its_own() -> None:
    """Its files are under the prefix that is read, and failures outside it."""
    read = config.read(changed(written(f"{PROD}, {BUS}")), "nhi-evidence.toml")
    ((feed, entry),) = [each for each in feeds(read) if each[0].source == "k8s_audit"]
    streams = plans(feed, entry)
    assert "new-bucket" == feed.notifies
    assert ["eks/prod/", "eks/acme/"] == [each.prefix for each in streams]
    assert 2 == len({each.name for each in streams}) == len({each.sender for each in streams})
    assert not any(each.undelivered.startswith(feed.prefix) for each in streams)


def test_a_source_whose_silence_nobody_would_notice_is_refused() -> None:
    """A source without usual hours has to say how long it may be silent, or that any time is."""
    before, after = written(PROD)
    (problem,) = problems(changed((before, after.replace("silence_hours = 24\n", ""))))
    assert "sources" == problem.key
    assert "silence_hours is missing and has no default for k8s_audit" in problem.text
    decided = config.read(changed((before, after.replace("hours = 24", "hours = 0"))))
    assert [0] == [one.silence_hours for one in decided.sources if one.source == "k8s_audit"]
