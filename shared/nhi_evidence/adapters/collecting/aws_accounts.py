"""AWS settings, account by account, each read through a role in that account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import boto3
import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.adapters.aws.session import role_session
from nhi_evidence.adapters.aws.settings_reader import Reader, ask_account, ask_identities
from nhi_evidence.coverage.answers import Answer, Deployment, Reading
from nhi_evidence.coverage.gathering import gathered

_AT_ONCE = 8
_MOST_TEXT = 300
TAKING = "sts:AssumeRole"
SESSION = "coverage"
"""Name of the sessions, as each account's CloudTrail shows it."""


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts whose settings are read, and the bucket in which they are kept."""

    roles: tuple[tuple[str, str], ...]
    """Account and ARN of the role that reads in it; the first one shows the organization."""
    region: str
    """The region of calls that are not regional."""
    evidence_bucket: str
    evidence_account: str
    identities: tuple[str, ...] = ()
    """ARNs of users and roles whose state is read, each in its own account."""


def read(
    accounts: Accounts, *, at: int, deployment: Deployment, is_late: Callable[[], bool]
) -> Reading:
    """Read the settings of every account as one reading; `at` in milliseconds since the epoch.

    A role that cannot be assumed is an answer, too. Once `is_late` returns true, no further account
    is started, and each of the rest is a failed answer.
    """
    own = Reader(boto3.session.Session(), accounts.region, accounts.evidence_account)
    answers: list[Answer] = own.answers

    def walk() -> None:
        own.ask("s3", "GetObjectLockConfiguration", Bucket=accounts.evidence_bucket)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            parts = pool.map(
                lambda place: _of_account(*place, accounts=accounts, is_late=is_late),
                accounts.roles,
            )
            for part in parts:
                answers.extend(part)

    return gathered("aws", walk, answers, at=at, deployment=deployment)


def _of_account(
    account: str, role: str, *, accounts: Accounts, is_late: Callable[[], bool]
) -> Sequence[Answer]:
    if is_late():
        return [_taking(account, role, "failed", "no time was left")]
    try:
        session = role_session(role, session_name=SESSION)
        credentials = session.get_credentials()
        if credentials is not None:
            credentials.get_frozen_credentials()  # assumes the role
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "")) or "unknown"
        return [_taking(account, role, "denied", code)]
    except BotoCoreError as error:
        return [_taking(account, role, "failed", str(error)[:_MOST_TEXT])]
    reader = Reader(session, accounts.region, account)

    def walk() -> None:
        ask_account(reader, accounts.region)
        ask_identities(reader, accounts.identities)

    # An answer of an unexpected shape ends this account, but no other.
    reading = gathered("aws", walk, reader.answers, at=0, deployment=Deployment())
    return reading.answers[1:]


def _taking(account: str, role: str, status: str, error: str) -> Answer:
    return Answer(
        call=TAKING,
        scope=account,
        request={"RoleArn": role},
        status="denied" if status == "denied" else "failed",
        error=error,
    )
