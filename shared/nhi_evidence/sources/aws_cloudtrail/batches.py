"""Calls for several things at once, whose response lists those that failed.

CloudTrail writes no `errorCode` for such a call, even if all of it failed.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html (`failures`),
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteFlowLogs.html (`unsuccessful`),
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html (`FailedEntries`),
https://docs.aws.amazon.com/guardduty/latest/APIReference/API_DeleteMembers.html
(`unprocessedAccounts`)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from nhi_evidence.sources.aws_cloudtrail.record import TrailRecord, present


class _Batch(NamedTuple):
    """Where a response lists failures, and what says how many things did not fail."""

    failed: str
    done: str = ""
    """The member of the response that lists what was done, if it has one."""
    wanted: str = ""
    """Otherwise the parameter that lists what was requested."""


class Failures(NamedTuple):
    """What failed of a batch."""

    codes: tuple[str | None, ...]
    """The service's code of each failure, or None where it gives none."""
    message: str | None
    """The service's message on the first."""
    is_all: bool | None
    """Whether nothing else was done; None if the record does not tell."""


_MEMBERS = (
    *("DeleteMembers", "DisassociateMembers", "InviteMembers"),
    *("StartMonitoringMembers", "StopMonitoringMembers", "UpdateMemberDetectors"),
)
_OF = {
    ("ecs", "RunTask"): _Batch("failures", done="tasks"),
    ("ecs", "StartTask"): _Batch("failures", done="tasks"),
    ("ec2", "CreateFlowLogs"): _Batch("unsuccessful", done="flowLogIdSet"),
    ("ec2", "DeleteFlowLogs"): _Batch("unsuccessful", wanted="FlowLogId"),
    ("ec2", "DeleteVpcEndpoints"): _Batch("unsuccessful", wanted="VpcEndpointId"),
    ("events", "PutTargets"): _Batch("failedEntries", wanted="targets"),
    ("events", "RemoveTargets"): _Batch("failedEntries", wanted="ids"),
    ("guardduty", "CreateMembers"): _Batch("unprocessedAccounts", wanted="accountDetails"),
    **{
        ("guardduty", name): _Batch("unprocessedAccounts", wanted="accountIds") for name in _MEMBERS
    },
    ("securityhub", "CreateMembers"): _Batch("unprocessedAccounts", wanted="accountDetails"),
    **{
        ("securityhub", name): _Batch("unprocessedAccounts", wanted="accountIds")
        for name in _MEMBERS[:3]
    },
}
_CODES = ("code", "errorcode", "reason")
_MESSAGES = ("message", "errormessage", "detail", "result", "processingresult")


def failures(record: TrailRecord, service: str, operation: str) -> Failures | None:
    """Return what failed of a batch; None if nothing did, or if the call is not known as one."""
    batch = _OF.get((service, operation))
    response = present(record.responseElements) if batch else None
    if batch is None or response is None:
        return None
    answer = _entered(msgspec.json.decode(response))
    failed = [_lower(each) for each in _items(answer.get(batch.failed.lower()))]
    if not failed:
        return None
    errors = [_lower(each["error"]) if "error" in each else each for each in failed]
    return Failures(
        tuple(_text(error, _CODES) for error in errors),
        _text(errors[0], _MESSAGES),
        _is_all(record, batch, answer, len(failed)),
    )


def _is_all(record: TrailRecord, batch: _Batch, answer: dict[str, Any], count: int) -> bool | None:
    if batch.done:
        done = answer.get(batch.done.lower())
        return None if done is None else not _items(done)
    parameters = present(record.requestParameters)
    wanted = _entered(msgspec.json.decode(parameters)) if parameters is not None else {}
    listed = _items(wanted.get(batch.wanted.lower()))
    return count >= len(listed) if listed else None


def _entered(value: Any) -> dict[str, Any]:
    """Return the members by lower case: services differ in it, and EC2 wraps them in the call's."""
    members = _lower(value)
    inner = [each for name, each in members.items() if name.endswith(("request", "response"))]
    return _lower(inner[0]) if len(inner) == len(members) == 1 else members


def _lower(value: Any) -> dict[str, Any]:
    return {name.lower(): each for name, each in value.items()} if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:
    """Return what a list has; EC2's lists are `{"item": ...}`, one element, or an empty text."""
    if isinstance(value, dict) and set(value) == {"item"}:
        value = value["item"]
    if isinstance(value, list):
        return value
    return [] if value in (None, "", {}) else [value]


def _text(error: dict[str, Any], names: tuple[str, ...]) -> str | None:
    texts = (error[name] for name in names if isinstance(error.get(name), str))
    return next((text for text in texts if text), None)
