"""What every AWS stack needs: its account bootstrapped, and the names it gives still free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from infra.deploy.access import Access
from infra.deploy.asking import Asking, Judgment
from infra.deploy.assembly import Stack
from infra.deploy.requirement import Requirement, Standing
from nhi_evidence.adapters.aws.aws_checks import error_code, is_absent

VERSION_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_FORBIDDEN = ("403", "AccessDenied", "Forbidden")


def requirements(access: Access, stacks: Sequence[Stack]) -> Iterator[Requirement]:
    """Yield the requirements of stacks that are to be deployed."""
    seen: set[tuple[str, str]] = set()
    for stack in stacks:
        where = (stack.account, stack.region)
        asking = Asking(" ".join(where))
        if where not in seen:
            seen.add(where)
            yield from _bootstrapped(access, asking, stack, stacks)
        yield from _names_free(access, asking, stack)


def _bootstrapped(
    access: Access, asking: Asking, stack: Stack, stacks: Sequence[Stack]
) -> Iterator[Requirement]:
    mend = f"make bootstrap, or cdk bootstrap aws://{stack.account}/{stack.region}"
    ssm = access.client("ssm", stack)
    if ssm is None:
        yield asking.stated(
            Standing.UNSEEN, "whether it is bootstrapped: its lookup role is closed"
        )
        return
    where = (stack.account, stack.region)
    needed = max(one.bootstrap_version for one in stacks if (one.account, one.region) == where)

    def judge(answer: Any) -> Judgment:
        version = int(answer["Parameter"]["Value"])
        if version < needed:
            return Standing.MISSING, f"bootstrapped with version {version}, not {needed}: {mend}"
        return Standing.OK, f"bootstrapped, version {version}"

    yield from asking.ask(
        "whether it is bootstrapped",
        lambda: ssm.get_parameter(Name=VERSION_PARAMETER),
        judge,
        (Standing.MISSING, f"not bootstrapped: {mend}"),
    )


def _names_free(access: Access, asking: Asking, stack: Stack) -> Iterator[Requirement]:
    cloudformation = access.client("cloudformation", stack)
    if not stack.retained or cloudformation is None:
        return
    try:
        if _is_there(cloudformation, stack.name):
            return
    except ClientError as error:
        yield asking.stated(Standing.UNSEEN, f"whether {stack.name} is there ({error_code(error)})")
        return
    taken = (
        Standing.MISSING,
        f"{{}} is left from a stack that is gone: cdk import {stack.name}, or another name",
    )
    for kind, name in stack.retained:
        existing = _taken(access, stack, kind, name)
        if existing == "elsewhere":
            yield asking.stated(
                Standing.MISSING,
                f"the bucket name {name} is taken by somebody else: choose another",
            )
        elif existing == "here":
            yield asking.stated(taken[0], taken[1].format(name))


def _is_there(cloudformation: Any, name: str) -> bool:
    """Whether a stack is deployed; one whose first creation was rolled back is not."""
    try:
        (existing,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error_code(error) == "ValidationError":
            return False
        raise
    return existing["StackStatus"] not in {"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"}


def _taken(access: Access, stack: Stack, kind: str, name: str) -> str:
    """Return whether a name is taken: `here`, `elsewhere`, or empty where it is free or unseen."""
    try:
        return _FINDERS[kind](access, stack, name)
    except ClientError as error:
        if kind == "AWS::S3::Bucket" and error_code(error) in _FORBIDDEN:
            return "elsewhere"
        if is_absent(error):
            return ""
        return ""


def _bucket(access: Access, stack: Stack, name: str) -> str:
    access.client("s3", stack).head_bucket(Bucket=name, ExpectedBucketOwner=stack.account)
    return "here"


def _log_group(access: Access, stack: Stack, name: str) -> str:
    existing = access.client("logs", stack).describe_log_groups(logGroupNamePrefix=name)[
        "logGroups"
    ]
    return "here" if name in {one["logGroupName"] for one in existing} else ""


def _trail(access: Access, stack: Stack, name: str) -> str:
    access.client("cloudtrail", stack).get_trail(Name=name)
    return "here"


_FINDERS = {
    "AWS::S3::Bucket": _bucket,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::CloudTrail::Trail": _trail,
}
