"""Which objects a notification names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nhi_evidence.adapters.aws import s3_notification


def created(key: str, size: int | None) -> dict[str, Any]:
    stored: dict[str, Any] = {"key": key}
    if size is not None:
        stored["size"] = size
    return {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "logs"}, "object": stored}}


@pytest.mark.parametrize(
    ("key", "size", "keys"),
    [
        ("AWSLogs/", 0, []),
        ("AWSLogs/", 12, ["AWSLogs/"]),
        ("AWSLogs/", None, ["AWSLogs/"]),
        ("AWSLogs/a.json.gz", 0, ["AWSLogs/a.json.gz"]),
    ],
)
def test_only_an_empty_folder_marker_is_skipped(
    key: str, size: int | None, keys: list[str]
) -> None:
    """The console's folder markers are skipped; an empty log, or content under a folder key, is
    not.
    """
    beside = created("AWSLogs/b.json.gz", 7)
    message = json.dumps({"Records": [created(key, size), beside]})
    named = [ref.key for ref in s3_notification.objects(message)]
    assert [*keys, "AWSLogs/b.json.gz"] == named
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "logs"}, "object": created(key, size)["s3"]["object"]},
    }
    assert keys == [ref.key for ref in s3_notification.objects(json.dumps(event))]
