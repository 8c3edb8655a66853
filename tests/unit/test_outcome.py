"""An outcome that cannot be read is never a success, whatever the source."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import msgspec
import pytest

from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.mapping import Normalized
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import FOLDER, read

UNREADABLE = ({"code": 0}, [0], True, 1.5, "later", "٢٠٠", "200 OK!", -1)

STATED: dict[str, tuple[str, dict[str, Any]]] = {
    "aws_cloudtrail": ("target-command", {"errorCode": None}),
    "gcp_audit": ("object-in-bucket", {"protoPayload.status": {"code": None}}),
    "azure_activity": ("status-on-the-way", {"resultType": None, "resultSignature": ""}),
    "azure_entra": ("signed-in-to", {"resultType": None, "properties.status": {"errorCode": None}}),
    "azure_resource": ("storage-object", {"statusCode": None, "statusText": ""}),
}
"""Per source a golden case and the path of its outcome; null marks what is made unreadable."""


@cache
def mapper_of(source: str) -> Mapper:
    return Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=False)


def put(record: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        record = record.setdefault(parent, {})
    record[name] = value


def unreadable(template: Any, value: Any) -> Any:
    if isinstance(template, dict):
        return {name: unreadable(item, value) for name, item in template.items()}
    return value if template is None else template


@pytest.mark.parametrize("source", STATED)
@pytest.mark.parametrize("value", UNREADABLE, ids=repr)
def test_an_unreadable_outcome_is_not_a_success(source: str, value: Any) -> None:
    """It may have another shape, an unknown word, or a number that is not a code."""
    case, stated = STATED[source]
    record = copy.deepcopy(read(FOLDER / source / f"{case}.json").record)
    for path, template in stated.items():
        put(record, path, unreadable(template, value))
    mapped = mapper_of(source).map(json.dumps(record, ensure_ascii=False).encode())
    assert isinstance(mapped, Normalized), mapped
    normalized = json.loads(msgspec.json.encode(mapped.record))
    assert normalized["nhi_outcome"] != "success", normalized
    assert normalized["status_id"] != 1


ODD: tuple[Any, ...] = ({}, [], [[7]], True, 1.5)


def kept(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record that CloudTrail's pack makes of one, which it has to keep."""
    mapped = mapper_of("aws_cloudtrail").map(json.dumps(record).encode())
    assert isinstance(mapped, Normalized)
    read_again: dict[str, Any] = json.loads(msgspec.json.encode(mapped.record))
    return read_again


@pytest.mark.parametrize("odd", ODD)
def test_a_second_factor_of_another_type_is_none(odd: Any) -> None:
    record = copy.deepcopy(
        read(FOLDER / "aws_cloudtrail" / "sign-in-with-second-factor.json").record
    )
    assert kept(record)["actor"]["session"]["is_mfa"]
    put(record, "additionalEventData.MFAUsed", odd)
    assert "is_mfa" not in kept(record)["actor"].get("session", {})


@pytest.mark.parametrize("odd", ODD)
def test_a_code_of_json_rpc_of_another_type_is_a_failure_without_code(odd: Any) -> None:
    record = copy.deepcopy(read(FOLDER / "aws_cloudtrail" / "agent-tool-unknown.json").record)
    record["responseElements"] = {"statusCode": 200, "error": {"code": odd}}
    mapped = kept(record)
    assert mapped["status_id"] == 2
    assert "status_code" not in mapped
