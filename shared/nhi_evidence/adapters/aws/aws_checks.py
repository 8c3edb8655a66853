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


class Looker:
    """Looks at one account."""

    def __init__(self, place: str) -> None:
        """Name the account as the report does."""
        self._place = place

    def look(
        self, what: str, ask: Callable[[], Any], judge: Callable[[Any], Judged], mend: str
    ) -> Iterator[Check]:
        """Yield the check of one answer: wrong as well where the thing is not there."""
        try:
            answer = ask()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if any(part in code for part in _ABSENT) or code in {"404", "NoSuchBucket"}:
                yield Check(self._place, what, State.WRONG, f"not there ({code})", mend)
            else:
                yield Check(self._place, what, State.NOT_SEEN, f"{code or error}")
            return
        except BotoCoreError as error:
            yield Check(self._place, what, State.NOT_SEEN, str(error))
            return
        well, found = judge(answer)
        state = State.WELL if well else State.WRONG
        yield Check(self._place, what, state, found, "" if well else mend)
