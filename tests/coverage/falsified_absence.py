"""Statements of absence with one ingredient falsified, and what a check says of each."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

from nhi_evidence.completeness import statement_file
from nhi_evidence.completeness.reasons import Verdict as Completeness
from nhi_evidence.completeness.statement import Log, Scope, Statement, Statements
from nhi_evidence.coverage import reading_file
from nhi_evidence.coverage.cells import cells, setting_of
from nhi_evidence.demo import estate
from nhi_evidence.evidence import proof
from tests.coverage.sealed_estate import (
    ACCOUNT,
    DAY,
    HOUR,
    NAME,
    record,
)

DELAYS = {cell.id: setting_of(cell).delay_minutes for cell in cells()}


CANARY = f"arn:aws:iam::{ACCOUNT}:user/nhi-evidence-canary"


def canary(hour: int, nonce: str, number: int, **members: Any) -> dict[str, Any]:
    """The record of a canary's probe."""
    identity = {
        "type": "IAMUser",
        "principalId": "AIDACKCEVSQ6C2CANARY",
        "arn": CANARY,
        "accountId": ACCOUNT,
        "accessKeyId": "AKIAI44QH8DHBEXAMPLE",
        "userName": "nhi-evidence-canary",
    }
    agent = f"Boto3/1.44 nhi-canary/{nonce}"
    return record(
        "GetParameter",
        hour * 60 + 5,
        number,
        **{
            "userIdentity": identity,
            "userAgent": agent,
            "eventSource": "ssm.amazonaws.com",
            "errorCode": "AccessDenied",
            **members,
        },
    )


def statements(hour: int, verdict: Completeness = Completeness.PROVEN) -> statement_file.Operation:
    """A statement on an hour of the account's files, as reconcile writes it."""
    scope = Scope(account=ACCOUNT, region="eu-central-1")
    statement = Statement(
        scope=scope,
        verdict=verdict,
        reasons=() if verdict is Completeness.PROVEN else ("key_unknown",),
        expected=1,
        found=1,
    )
    of_hour = Statements(
        source="aws_cloudtrail",
        hour=f"20260302{hour:02}",
        log=Log(f"{NAME}/2026", 1, "0" * 64, DAY),
        statements=(statement,),
    )
    return next(statement_file.write(of_hour))


def flipped(data: str) -> str:
    body = bytearray(b64decode(data))
    body[len(body) // 2] ^= 1
    return b64encode(bytes(body)).decode()


def _reading(fields: dict[str, Any]) -> None:
    fields["readings"][0]["body"] = flipped(fields["readings"][0]["body"])


def _another_reading(fields: dict[str, Any]) -> None:
    """A reading of the collector's own spelling, that nobody sealed."""
    operation = reading_file.write(estate.reading("aws", DAY + 3 * HOUR))
    fields["readings"][0]["body"] = b64encode(operation.body).decode()


def _no_change(fields: dict[str, Any]) -> None:
    fields["changes"] = fields["changes"][1:]


def _span(fields: dict[str, Any]) -> None:
    fields["conclusion"]["recorded"][0]["end"] += HOUR


def _canary(fields: dict[str, Any]) -> None:
    files = fields["canaries"][0]["files"]
    name = proof.RECORD
    files[name] = b64encode(b64decode(files[name]).replace(b"nhic", b"nhid")).decode()


def _no_canary(fields: dict[str, Any]) -> None:
    fields["canaries"] = []


def _statement(fields: dict[str, Any]) -> None:
    """The unprovable hour as a proven one."""
    for statement in fields["statements"]:
        operation = statements(8, Completeness.UNPROVABLE)
        if b64decode(statement["body"]) == operation.body:
            statement["body"] = b64encode(statements(8).body).decode()


def _complete(fields: dict[str, Any]) -> None:
    fields["conclusion"]["complete"] = [
        {"start": DAY, "end": DAY + 24 * HOUR, "what": fields["conclusion"]["complete"][0]["what"]}
    ]


def _range(fields: dict[str, Any]) -> None:
    fields["search"]["ranges"][0]["end"] -= 1


def _text(fields: dict[str, Any]) -> None:
    fields["conclusion"]["text"] = fields["conclusion"]["text"].replace(
        "would not have been", "would"
    )


def _head(fields: dict[str, Any]) -> None:
    shard, signed_ = next(iter(fields["checkpoints"].items()))
    fields["checkpoints"][shard] = b64encode(
        b64decode(signed_).replace(b"example", b"exomple")
    ).decode()


def _identity(fields: dict[str, Any]) -> None:
    fields["asked"]["identity"] = f"arn:aws:iam::{ACCOUNT}:user/another"


FALSIFIED: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (_reading, "body hash does not match its key"),
    (_another_reading, "body hash does not match its key"),
    (_span, "recorded does not follow"),
    (_no_change, "does not follow"),
    (_canary, "a record: "),
    (_no_canary, "does not follow"),
    (_statement, "body hash does not match its key"),
    (_complete, "complete does not follow"),
    (_range, "not all that the checkpoints sign"),
    (_text, "text does not follow"),
    (_head, "checkpoint of 2026"),
    (_identity, "text does not follow"),
]
