"""Which accounts of a deployment can be reached, and with which credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.asking import NotAskedError
from infra.deploy.assembly import Stack
from nhi_evidence.adapters.aws.aws_checks import error_code
from nhi_evidence.config import naming
from nhi_evidence.errors import SettingsError, StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

_QUICKLY = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})
_QUALIFIER = "hnb659fds"
"""The CDK's bootstrap qualifier, where no other is chosen."""


_NOT_AN_ANSWER = ("Throttl", "RequestLimit", "Internal", "Unavailable")
"""Parts of codes that do not say whether a role can be assumed."""


class NoAccessError(SettingsError):
    """There are no credentials, or AWS does not accept them."""


class Access:
    """The account of the current credentials, and others through the CDK's roles.

    `cdk bootstrap --trust` lets one account deploy into another. What exists there is then checked
    with the CDK's lookup role; without that role, nothing is checked there. What may only be so for
    the moment raises `StoreUnavailableError`: no account is left out because of it.
    """

    def __init__(self, region: str) -> None:
        """Look up the account of the credentials. Raises `NoAccessError` if there are none."""
        self._sessions: dict[tuple[str, str, str], boto3.session.Session | None] = {}
        try:
            # An AWS_PROFILE that does not exist is refused here, before any request.
            self._session = boto3.session.Session()
            identity = self._sts(region).get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise NoAccessError(
                f"no access to AWS: {error}; name a profile with AWS_PROFILE=..."
            ) from error
        self.account = str(identity["Account"])

    def deploys(self, stack: Stack) -> bool:
        """Whether these credentials can deploy into a stack's account and region."""
        return self._session_of("deploy", stack) is not None

    def client(self, service: str, stack: Stack, region: str | None = None) -> Any:
        """Return a client in a stack's account; None if nothing can be asked there."""
        session = self._session_of("lookup", stack)
        if session is None:
            return None
        return session.client(  # type: ignore[call-overload]
            service, region_name=region or stack.region, config=_QUICKLY
        )

    def deployer(self, service: str, stack: Stack) -> Any:
        """Return a client that may change a stack; None if these credentials cannot deploy."""
        session = self._session_of("deploy", stack)
        if session is None:
            return None
        return session.client(  # type: ignore[call-overload]
            service, region_name=stack.region, config=_QUICKLY
        )

    def _session_of(self, kind: str, stack: Stack) -> boto3.session.Session | None:
        if stack.account == self.account:
            return self._session
        where = (kind, stack.account, stack.region)
        if where not in self._sessions:
            self._sessions[where] = self._take(kind, stack)
        return self._sessions[where]

    def _take(self, kind: str, stack: Stack) -> boto3.session.Session | None:
        name = f"cdk-{_QUALIFIER}-{kind}-role-{stack.account}-{stack.region}"
        arn = naming.role_arn(stack.region, stack.account, name)
        try:
            credentials = self._sts(stack.region).assume_role(
                RoleArn=arn, RoleSessionName="nhi-evidence-deploy"
            )["Credentials"]
        except ClientError as error:
            if any(part in error_code(error) for part in _NOT_AN_ANSWER):
                raise StoreUnavailableError(f"{arn}: {error}; run it again") from error
            return None
        except BotoCoreError as error:
            raise StoreUnavailableError(f"{arn}: {error}; run it again") from error
        return boto3.session.Session(
            credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]
        )

    def _sts(self, region: str) -> STSClient:
        return self._session.client("sts", region_name=region, config=_QUICKLY)


class Unreached(Access):
    """Accounts without any access: every question is listed, and none is answered."""

    def __init__(self) -> None:
        """Do not look for credentials."""

    def client(self, service: str, stack: Stack, region: str | None = None) -> Any:  # noqa: ARG002
        """Return a client whose every operation raises `NotAskedError`."""
        return _Silent()


class _Silent:
    def __getattr__(self, operation: str) -> Any:
        def not_asked(*_: Any, **__: Any) -> Any:
            raise NotAskedError

        return not_asked
