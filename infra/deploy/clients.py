"""What is asked of AWS services whose clients publish no types here: the part of each in use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from botocore.exceptions import ClientError

from nhi_evidence.adapters.aws.aws_checks import error_code


class CloudFormation(Protocol):
    """Stacks: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference."""

    def describe_stacks(self, **request: str) -> Mapping[str, Any]:
        """Return the stacks of a name; a `ClientError` where there is none."""
        ...

    def update_termination_protection(self, **request: str | bool) -> object:
        """Switch a stack's protection against being removed."""
        ...


class Paginator(Protocol):
    """What asks for one page after the other."""

    def paginate(self) -> Iterable[Mapping[str, Any]]:
        """Yield every page."""
        ...


class Organizations(Protocol):
    """An organization: https://docs.aws.amazon.com/organizations/latest/APIReference."""

    def get_paginator(self, operation_name: str, /) -> Paginator:
        """Return what asks for every page of an operation."""
        ...

    def list_roots(self) -> Mapping[str, Any]:
        """Return the roots of the organization: there is one."""
        ...


def described(client: CloudFormation, name: str) -> Mapping[str, Any]:
    """Return what a stack is described as; empty where there is none."""
    try:
        (description,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error_code(error) == "ValidationError":
            return {}
        raise
    return dict(description)
