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


def _reading(made: dict[str, Any]) -> None:
    made["readings"][0]["body"] = flipped(made["readings"][0]["body"])


def _another_reading(made: dict[str, Any]) -> None:
    """A reading of the collector's own spelling, that nobody sealed."""
    operation = reading_file.write(estate.reading("aws", DAY + 3 * HOUR))
    made["readings"][0]["body"] = b64encode(operation.body).decode()


def _no_change(made: dict[str, Any]) -> None:
    made["changes"] = made["changes"][1:]


def _span(made: dict[str, Any]) -> None:
    made["conclusion"]["recorded"][0]["end"] += HOUR


def _canary(made: dict[str, Any]) -> None:
    files = made["canaries"][0]["files"]
    name = proof.RECORD
    files[name] = b64encode(b64decode(files[name]).replace(b"nhic", b"nhid")).decode()


def _no_canary(made: dict[str, Any]) -> None:
    made["canaries"] = []


def _statement(made: dict[str, Any]) -> None:
    """The unprovable hour as a proven one."""
    for statement in made["statements"]:
        operation = statements(8, Completeness.UNPROVABLE)
        if b64decode(statement["body"]) == operation.body:
            statement["body"] = b64encode(statements(8).body).decode()


def _complete(made: dict[str, Any]) -> None:
    made["conclusion"]["complete"] = [
        {"start": DAY, "end": DAY + 24 * HOUR, "what": made["conclusion"]["complete"][0]["what"]}
    ]


def _range(made: dict[str, Any]) -> None:
    made["search"]["ranges"][0]["end"] -= 1


def _text(made: dict[str, Any]) -> None:
    made["conclusion"]["text"] = made["conclusion"]["text"].replace("would not have been", "would")


def _head(made: dict[str, Any]) -> None:
    shard, signed_ = next(iter(made["checkpoints"].items()))
    made["checkpoints"][shard] = b64encode(
        b64decode(signed_).replace(b"example", b"exomple")
    ).decode()


def _identity(made: dict[str, Any]) -> None:
    made["asked"]["identity"] = f"arn:aws:iam::{ACCOUNT}:user/another"


FALSIFIED: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (_reading, "other bytes than its key says"),
    (_another_reading, "other bytes than its key says"),
    (_span, "recorded does not follow"),
    (_no_change, "does not follow"),
    (_canary, "a record: "),
    (_no_canary, "does not follow"),
    (_statement, "other bytes than its key says"),
    (_complete, "complete does not follow"),
    (_range, "not all that the checkpoints sign"),
    (_text, "text does not follow"),
    (_head, "checkpoint of 2026"),
    (_identity, "text does not follow"),
]
