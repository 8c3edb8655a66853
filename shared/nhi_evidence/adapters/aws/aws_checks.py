"""Asking AWS about one thing at a time; a failure to ask is reported, never taken as OK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.checks import Check, State

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

DEPLOY = "deploy again: make deploy"

_ABSENT = (
    "NoSuch",
    "NotFound",
    "NonExistent",
    "QueueDoesNotExist",
    "ResourceNotFound",
    "OrganizationsNotInUse",
    "ServerSideEncryptionConfigurationNotFoundError",
)
"""Codes, or parts of codes, by which AWS says that something does not exist."""


class NotThereError(Exception):
    """AWS answered, but what was asked for is not in the answer; the text names it."""


Judged = tuple[bool, str]
"""Whether it is OK, and what was observed."""


class Clients(Protocol):
    """Makes clients of one account."""

    @overload
    def client(self, service: Literal["cloudwatch"], region: str) -> CloudWatchClient: ...
    @overload
    def client(self, service: Literal["events"], region: str) -> EventBridgeClient: ...
    @overload
    def client(self, service: Literal["iam"], region: str) -> IAMClient: ...
    @overload
    def client(self, service: Literal["kms"], region: str) -> KMSClient: ...
    @overload
    def client(self, service: Literal["lambda"], region: str) -> LambdaClient: ...
    @overload
    def client(self, service: Literal["s3"], region: str) -> S3Client: ...
    @overload
    def client(self, service: Literal["sqs"], region: str) -> SQSClient: ...
    @overload
    def client(self, service: str, region: str) -> Any: ...

    def client(self, service: str, region: str) -> Any:
        """Return a client of a service in a region."""
        ...


class AwsChecks:
    """Checks one account."""

    def __init__(self, scope: str) -> None:
        """Name the account as the report does."""
        self._scope = scope

    def look(
        self,
        what: str,
        ask: Callable[[], Any],
        judge: Callable[[Any], Judged],
        remediation: str,
        *,
        wrong: State = State.FAILED,
    ) -> Iterator[Check]:
        """Yield the check of one answer; an answer that is not OK has the state `wrong`."""
        try:
            answer = ask()
        except ClientError as error:
            code = error_code(error)
            if is_absent(error):
                yield Check(self._scope, what, State.NOT_DEPLOYED, code, remediation)
            else:
                yield Check(self._scope, what, State.UNKNOWN, f"{code or error}")
            return
        except NotThereError as error:
            yield Check(self._scope, what, State.NOT_DEPLOYED, str(error), remediation)
            return
        except BotoCoreError as error:
            yield Check(self._scope, what, State.UNKNOWN, str(error))
            return
        is_ok, observed = judge(answer)
        state = State.OK if is_ok else wrong
        yield Check(self._scope, what, state, observed, "" if is_ok else remediation)

    def compare(
        self, what: str, ask: Callable[[], Any], judge: Callable[[Any], Judged], remediation: str
    ) -> Iterator[Check]:
        """Yield the check of something the stacks write: it is as written, or was changed."""
        yield from self.look(what, ask, judge, remediation, wrong=State.CHANGED)

    def unseen(self, what: str, why: str) -> Check:
        """Return the check of something that could not be checked."""
        return Check(self._scope, what, State.UNKNOWN, why)


def error_code(error: ClientError) -> str:
    """Return the error code of AWS."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_absent(error: ClientError) -> bool:
    """Whether AWS says that something does not exist."""
    code = error_code(error)
    return code == "404" or any(part in code for part in _ABSENT)


def or_none(ask: Callable[[], Any], code: str) -> Any:
    """Return the answer, or None if AWS answers with this code, which says there is none."""
    try:
        return ask()
    except ClientError as error:
        if error_code(error) == code:
            return None
        raise
