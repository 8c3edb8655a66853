"""The parts in use of AWS clients that have no published types here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from botocore.exceptions import ClientError

from nhi_evidence.adapters.aws.aws_checks import error_code


class CloudFormation(Protocol):
    """Stacks: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference."""

    def describe_stacks(self, **request: str) -> Mapping[str, Any]:
        """Return the stacks of a name. Raises `ClientError` if there are none."""
        ...

    def update_termination_protection(self, **request: str | bool) -> object:
        """Set a stack's termination protection."""
        ...


class Paginator(Protocol):
    """Requests one page after the other."""

    def paginate(self) -> Iterable[Mapping[str, Any]]:
        """Yield every page."""
        ...


class Organizations(Protocol):
    """An organization: https://docs.aws.amazon.com/organizations/latest/APIReference."""

    def get_paginator(self, operation_name: str, /) -> Paginator:
        """Return the paginator of an operation."""
        ...


def described(client: CloudFormation, name: str) -> Mapping[str, Any]:
    """Return the description of a stack, or an empty one if there is no such stack."""
    try:
        (description,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error_code(error) == "ValidationError":
            return {}
        raise
    return dict(description)
