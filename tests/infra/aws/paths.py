"""What a principal can become: the steps from one identity to another, evaluated from templates.

A step is a technique: calls that, all allowed, end in the rights of a role. The first step may be
followed by others, so that a path of two or three is found as an attacker would find it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from tests.infra.aws.estate import ARCHIVE, EVIDENCE, ORGANIZATION, Estate, arn, documents
from tests.infra.aws.iam import Document, Request, allows, refuses, trusts

LONGEST_PATH = 3

EVERYTHING: tuple[Document, ...] = (
    {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
)
REGION = "eu-central-1"
KEY = f"arn:aws:kms:{REGION}:{EVIDENCE}:key/k"
TOOLING = "123456789012"
"""The account deployments are started from."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with rights: a principal of the matrix, or a role somebody became."""

    text: str
    principal: str
    """ARN; of a web identity `federated:<provider>`."""
    rights: tuple[Document, ...]
    trust: Document | None = None
    """Of a role: who may take it."""
    organization: str = ORGANIZATION
    claims: Mapping[str, str] = {}
    """Of a web identity: what its token says."""

    @property
    def account(self) -> str:
        """Account of the principal; empty for a web identity."""
        return self.principal.split(":")[4] if self.principal.startswith("arn:") else ""

    @property
    def name(self) -> str:
        """Name of the role."""
        return self.principal.rpartition("/")[2]


NEW_ROLE = Actor(
    text="a role of its own making",
    principal=arn(EVIDENCE, "nhi-evidence-new"),
    rights=EVERYTHING,
)
"""Named as the deployment names its roles, which the guardrails let write."""


class World:
    """The estate, with its guardrails or without, and every role that can be become."""

    def __init__(self, estate: Estate, *, guarded: bool) -> None:
        self.estate = estate
        policies = estate.of("AWS::Organizations::Policy") if guarded else []
        content = [(one.properties["Type"], one.properties["Content"]) for one in policies]
        self._service = [one for kind, one in content if kind == "SERVICE_CONTROL_POLICY"]
        self._resource = [one for kind, one in content if kind == "RESOURCE_CONTROL_POLICY"]
        self.roles = [*_deployed(estate), *_bootstrapped(), NEW_ROLE]

    def boundaries(self, actor: Actor, owner: str) -> list[Document]:
        """Return the organization's policies that bind this caller on what `owner` owns."""
        return [
            *(self._service if actor.account == EVIDENCE else ()),
            *(self._resource if owner == EVIDENCE else ()),
        ]

    def may(
        self,
        actor: Actor,
        action: str,
        resource: str,
        *,
        owner: str,
        context: Mapping[str, str] | None = None,
        policies: Sequence[Document] = (),
        resource_must_allow: bool = False,
    ) -> bool:
        """Decide one call; `policies` are those of the resource."""
        return allows(
            self.request(actor, action, resource, context or {}),
            identity=actor.rights,
            resource=policies,
            owner=owner,
            boundaries=self.boundaries(actor, owner),
            resource_must_allow=resource_must_allow,
        )

    def request(
        self, actor: Actor, action: str, resource: str, context: Mapping[str, str]
    ) -> Request:
        """Return a call with what AWS says of its caller."""
        known = {
            "aws:PrincipalOrgID": actor.organization,
            "aws:PrincipalAccount": actor.account,
            "aws:PrincipalIsAWSService": "false",
        }
        of_caller = known if actor.account else {}
        return Request(actor.principal, action, resource, {**of_caller, **actor.claims, **context})

    def reachable(self, actor: Actor) -> Iterator[tuple[Actor, tuple[str, ...]]]:
        """Yield the actor and every role it can become, nearest first, with the way there."""
        seen = {actor.principal}
        frontier: list[tuple[Actor, tuple[str, ...]]] = [(actor, ())]
        yield frontier[0]
        for _ in range(LONGEST_PATH):
            further: list[tuple[Actor, tuple[str, ...]]] = []
            for here, way in frontier:
                for role in self.roles:
                    if role.principal not in seen and technique(self, here, role) is not None:
                        seen.add(role.principal)
                        further.append((role, (*way, role.text)))
            yield from further
            frontier = further


def technique(world: World, actor: Actor, role: Actor) -> str | None:
    """Return how the actor comes by the rights of a role; None if not at all."""
    return next((name for name, way in TECHNIQUES.items() if way(world, actor, role)), None)


def _assumes(world: World, actor: Actor, role: Actor) -> bool:
    action = "sts:AssumeRole" if actor.account else "sts:AssumeRoleWithWebIdentity"
    request = world.request(actor, action, role.principal, {})
    granted = not actor.account or allows(request, identity=actor.rights, owner=actor.account)
    trusted = role.trust is not None and trusts(role.trust, request)
    return granted and trusted and not refuses(world.boundaries(actor, role.account), request)


def _changes_trust(world: World, actor: Actor, role: Actor) -> bool:
    return _own(world, actor, role, "iam:UpdateAssumeRolePolicy", role.principal)


def _makes_anew(world: World, actor: Actor, role: Actor) -> bool:
    return all(
        _own(world, actor, role, action, role.principal)
        for action in ("iam:DeleteRole", "iam:CreateRole", "iam:PutRolePolicy")
    )


def _passes_to_a_function(world: World, actor: Actor, role: Actor) -> bool:
    function = f"arn:aws:lambda:{REGION}:{role.account}:function:any"
    return (
        _serves(role, "lambda.amazonaws.com")
        and _own(world, actor, role, "iam:PassRole", role.principal)
        and _own(world, actor, role, "lambda:CreateFunction", function)
    )


def _changes_its_function(world: World, actor: Actor, role: Actor) -> bool:
    function = f"arn:aws:lambda:{REGION}:{role.account}:function:{role.name}"
    is_function = _serves(role, "lambda.amazonaws.com")
    return is_function and _own(world, actor, role, "lambda:UpdateFunctionCode", function)


def _lays_its_package(world: World, actor: Actor, role: Actor) -> bool:
    """What lies in the CDK's bucket under a package's name is deployed with the next change."""
    package = f"arn:aws:s3:::cdk-hnb659fds-assets-{role.account}-{REGION}/package.zip"
    is_function = _serves(role, "lambda.amazonaws.com")
    return is_function and _own(world, actor, role, "s3:PutObject", package)


def _passes_to_a_stack(world: World, actor: Actor, role: Actor) -> bool:
    stack = f"arn:aws:cloudformation:{REGION}:{role.account}:stack/any/id"
    return (
        _serves(role, "cloudformation.amazonaws.com")
        and _own(world, actor, role, "iam:PassRole", role.principal)
        and _own(world, actor, role, "cloudformation:CreateStack", stack)
    )


def _changes_its_stack(world: World, actor: Actor, role: Actor) -> bool:
    """A stack keeps the role it was made with: whoever updates it need not pass it again."""
    stack = f"arn:aws:cloudformation:{REGION}:{role.account}:stack/nhi-evidence-main-170b2e/id"
    is_deployer = _serves(role, "cloudformation.amazonaws.com")
    return is_deployer and _own(world, actor, role, "cloudformation:UpdateStack", stack)


TECHNIQUES = {
    "assumes it": _assumes,
    "passes it to a function": _passes_to_a_function,
    "changes its function": _changes_its_function,
    "lays its package": _lays_its_package,
    "passes it to a stack": _passes_to_a_stack,
    "changes its stack": _changes_its_stack,
    "changes its trust": _changes_trust,
    "makes it anew": _makes_anew,
}


def _own(world: World, actor: Actor, role: Actor, action: str, resource: str) -> bool:
    """Whether the actor may by policies of its own account, without any of these resources."""
    return actor.account == role.account and world.may(actor, action, resource, owner=role.account)


def _serves(role: Actor, service: str) -> bool:
    """Whether a service of AWS may take the role."""
    statements = [] if role.trust is None else role.trust["Statement"]
    return any(one["Principal"] == {"Service": service} for one in statements)


def _deployed(estate: Estate) -> Iterator[Actor]:
    """Yield every role the stacks make in the evidence account and in the log archive."""
    for role in estate.of("AWS::IAM::Role"):
        name = role.properties.get("RoleName")
        if name is None:
            continue  # CDK's own handler of bucket notifications
        account = ARCHIVE if role.stack.startswith("nhi-evidence-main-170b2e-export-") else EVIDENCE
        if role.stack.startswith(
            ("nhi-evidence-main-170b2e-settings-", "nhi-evidence-main-170b2e-canary-")
        ):
            account = role.stack.rpartition("-")[2]
        yield Actor(
            text=str(name).removeprefix("nhi-evidence-main-170b2e-"),
            principal=arn(account, name),
            rights=tuple(_with_key(one, estate) for one in documents(role)),
            trust=role.properties["AssumeRolePolicyDocument"],
        )


def _with_key(document: Document, estate: Estate) -> Document:
    """Put the signing key's ARN, which the template does not know yet, in the reference's place."""
    reference = f'"arn:{estate.signing_keys[0].id}"'
    text = json.dumps(document).replace(reference, f'"{KEY}"')
    known: Document = json.loads(text)
    return known


def _bootstrapped() -> Iterator[Actor]:
    """Yield what `cdk bootstrap --trust <tooling account>` makes in the evidence account.

    https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
    """
    execution = arn(EVIDENCE, f"cdk-hnb659fds-cfn-exec-role-{EVIDENCE}-{REGION}")
    deploy = arn(EVIDENCE, f"cdk-hnb659fds-deploy-role-{EVIDENCE}-{REGION}")
    yield Actor(
        text="the stacks' execution role",
        principal=execution,
        rights=EVERYTHING,
        trust=_trust({"Service": "cloudformation.amazonaws.com"}),
    )
    trusted = [f"arn:aws:iam::{one}:root" for one in (EVIDENCE, TOOLING)]
    yield Actor(
        text="the CDK's deploy role",
        principal=deploy,
        rights=(
            {
                "Statement": [
                    {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"},
                    {"Effect": "Allow", "Action": "iam:PassRole", "Resource": execution},
                ]
            },
        ),
        trust=_trust({"AWS": trusted}),
    )


def _trust(principal: dict[str, Any]) -> Document:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}
