"""Ask one account about one thing before anything is deployed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.requirement import Requirement, Standing
from nhi_evidence.adapters.aws.aws_checks import error_code, is_absent

Judgment = tuple[Standing, str]


class NotAskedError(Exception):
    """There is no access to ask with."""


class Asking:
    """Asks within one scope, such as an account and region."""

    def __init__(self, scope: str) -> None:
        """Name the scope as the report does."""
        self._scope = scope
        self._absent: set[Judgment] = set()

    def ask(
        self,
        what: str,
        question: Callable[[], Any],
        judge: Callable[[Any], Judgment],
        absent: Judgment,
    ) -> Iterator[Requirement]:
        """Yield the requirement an answer leads to; `absent` if AWS says there is no such thing.

        Two questions about the same missing thing are one requirement.
        """
        try:
            answer = question()
        except NotAskedError:
            yield Requirement(self._scope, Standing.UNSEEN, what)
            return
        except ClientError as error:
            if not is_absent(error):
                yield Requirement(self._scope, Standing.UNSEEN, f"{what} ({error_code(error)})")
            elif absent not in self._absent:
                self._absent.add(absent)
                yield Requirement(self._scope, *absent)
            return
        except BotoCoreError as error:
            yield Requirement(self._scope, Standing.UNSEEN, f"{what} ({error})")
            return
        yield Requirement(self._scope, *judge(answer))

    def stated(self, standing: Standing, text: str) -> Requirement:
        """Return a requirement that needs no question."""
        return Requirement(self._scope, standing, text)
