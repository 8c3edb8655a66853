"""Asking AWS about one thing at a time; what cannot be asked is said, never taken for well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.checks import Check, State

_ABSENT = (
    "NoSuch",
    "NotFound",
    "NonExistent",
    "QueueDoesNotExist",
    "ResourceNotFound",
    "ServerSideEncryptionConfigurationNotFoundError",
)
"""Codes, or parts of them, by which AWS says that a thing is not there."""

Judged = tuple[bool, str]
"""Whether it is well, and what was found."""


class AwsChecks:
    """Looks at one account."""

    def __init__(self, scope: str) -> None:
        """Name the account as the report does."""
        self._scope = scope

    def look(
        self, what: str, ask: Callable[[], Any], judge: Callable[[Any], Judged], remediation: str
    ) -> Iterator[Check]:
        """Yield the check of one answer: wrong as well where the thing is not there."""
        try:
            answer = ask()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if any(part in code for part in _ABSENT) or code in {"404", "NoSuchBucket"}:
                yield Check(self._scope, what, State.FAILED, f"not deployed ({code})", remediation)
            else:
                yield Check(self._scope, what, State.UNKNOWN, f"{code or error}")
            return
        except BotoCoreError as error:
            yield Check(self._scope, what, State.UNKNOWN, str(error))
            return
        is_ok, observed = judge(answer)
        state = State.OK if is_ok else State.FAILED
        yield Check(self._scope, what, state, observed, "" if is_ok else remediation)
