"""What every AWS stack needs: a bootstrapped account, and free names for what it creates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.access import Access
from infra.deploy.asking import Asking, Judgment, NotAskedError
from infra.deploy.assembly import Stack
from infra.deploy.clients import CloudFormation, described
from infra.deploy.requirement import Requirement, Standing
from nhi_evidence.adapters.aws.aws_checks import error_code, is_absent
from nhi_evidence.config import naming

VERSION_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_FORBIDDEN = ("403", "AccessDenied", "Forbidden")


def requirements(access: Access, stacks: Sequence[Stack]) -> Iterator[Requirement]:
    """Yield the requirements of stacks to be deployed."""
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
            Standing.UNSEEN, "whether it is bootstrapped: its lookup role cannot be assumed"
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
    cloudformation: CloudFormation | None = access.client("cloudformation", stack)
    if not stack.retained or cloudformation is None:
        return
    names = "whether " + " and ".join(name for _, name in stack.retained)
    try:
        if _is_there(cloudformation, stack.name):
            return
    except NotAskedError:
        yield asking.stated(Standing.UNSEEN, f"{names} can be created")
        return
    except (ClientError, BotoCoreError) as error:
        reason = error_code(error) if isinstance(error, ClientError) else error
        yield asking.stated(Standing.UNSEEN, f"whether {stack.name} exists ({reason})")
        return
    for kind, name in stack.retained:
        yield from _free(access, asking, stack, kind, name)


def _free(
    access: Access, asking: Asking, stack: Stack, kind: str, name: str
) -> Iterator[Requirement]:
    """Yield what is wrong with a name; nothing if it is free."""
    left = _LEFT.get(
        kind, "{name} is left over from a deleted stack: cdk import {stack}, or choose another name"
    ).format(name=name, stack=stack.name)
    try:
        if _FINDERS[kind](access, stack, name):
            yield asking.stated(Standing.MISSING, left)
    except ClientError as error:
        code = error_code(error)
        if kind == "AWS::S3::Bucket" and code in _FORBIDDEN:
            taken = f"the bucket name {name} is taken by somebody else: choose another"
            yield asking.stated(Standing.MISSING, taken)
        elif not is_absent(error):
            yield asking.stated(Standing.UNSEEN, f"whether {name} is free ({code})")
    except BotoCoreError as error:
        yield asking.stated(Standing.UNSEEN, f"whether {name} is free ({error})")


def _is_there(cloudformation: CloudFormation, name: str) -> bool:
    """Return whether a stack is deployed; one whose first creation was rolled back is not."""
    existing = described(cloudformation, name)
    return bool(existing) and existing["StackStatus"] not in {
        "ROLLBACK_COMPLETE",
        "REVIEW_IN_PROGRESS",
    }


def _bucket(access: Access, stack: Stack, name: str) -> bool:
    access.client("s3", stack).head_bucket(Bucket=name, ExpectedBucketOwner=stack.account)
    return True


def _log_group(access: Access, stack: Stack, name: str) -> bool:
    existing = access.client("logs", stack).describe_log_groups(logGroupNamePrefix=name)[
        "logGroups"
    ]
    return name in {one["logGroupName"] for one in existing}


def _trail(access: Access, stack: Stack, name: str) -> bool:
    access.client("cloudtrail", stack).get_trail(Name=name)
    return True


def _queue(access: Access, stack: Stack, name: str) -> bool:
    access.client("sqs", stack).get_queue_url(QueueName=name)
    return True


def _provider(access: Access, stack: Stack, name: str) -> bool:
    account = f"arn:{naming.partition(stack.region)}:iam::{stack.account}"
    access.client("iam", stack).get_open_id_connect_provider(
        OpenIDConnectProviderArn=f"{account}:oidc-provider/{name.removeprefix('https://')}"
    )
    return True


_FINDERS = {
    "AWS::S3::Bucket": _bucket,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::CloudTrail::Trail": _trail,
    "AWS::SQS::Queue": _queue,
    "AWS::IAM::OIDCProvider": _provider,
}

_LEFT = {
    "AWS::IAM::OIDCProvider": (
        "the account has the OIDC provider {name} already, and it can have only one: write "
        'aws_provider = "existing" in [azure], and see that it lists the audience'
    )
}
"""What to do about a thing that exists, where it is neither imported nor renamed."""
