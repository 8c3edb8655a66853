"""An account that answers as a test says, for what is asked before a deployment."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from infra.deploy.access import Access
from infra.deploy.assembly import Stack
from tests.infra.aws.estate import EVIDENCE


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Get")


class Answers:
    """A client of every service: what each operation answers, or raises."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        def answer(**request: Any) -> Any:
            self.asked.append((operation, request))
            result = self._answers.get(operation, refused("AccessDenied"))
            if isinstance(result, Exception):
                raise result
            return result

        return answer

    def get_paginator(self, operation: str) -> Any:
        """Return a paginator of one page."""

        class Paged:
            def paginate(_, **request: Any) -> list[Any]:  # noqa: N805
                return [getattr(self, operation)(**request)]

        return Paged()


class Reached(Access):
    """Access to every account, which answers alike."""

    def __init__(self, answers: Answers | None) -> None:
        self._all = answers

    def client(self, service: str, stack: Stack, region: str | None = None) -> Any:  # noqa: ARG002
        """Return the one client."""
        return self._all


def stack(name: str = "nhi-evidence-main-170b2e", account: str = EVIDENCE, **request: Any) -> Stack:
    return Stack(
        name=name,
        account=account,
        region=request.pop("region", "eu-central-1"),
        meaning="",
        bootstrap_version=6,
        retained=request.pop("retained", ()),
    )
