"""Mutated guardrails: removing any part of one permits something that must be denied."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tests.infra.aws.estate import BUCKET, EVIDENCE, ORGANIZATION, REPLICA, Estate, arn
from tests.infra.aws.guarded import (
    ADMINISTRATOR,
    CHANGES,
    DEPLOY,
    FOR_NOBODY,
    POINT,
    REGION,
    REPLICA_BUCKET,
    ROLE,
    SIGNATURES,
)
from tests.infra.aws.iam import Document, Request, allows
from tests.infra.aws.test_guardrails import policies

LOGS = (f"{BUCKET}/log/v1/2026/plan/x", f"{REPLICA_BUCKET}/log/v1/2026/plan/x")

_GLUE = f"arn:aws:glue:{REGION}:{EVIDENCE}"
HERE: tuple[tuple[str, str], ...] = (
    *CHANGES,
    *FOR_NOBODY,
    *(("s3:PutObject", one) for one in LOGS),
    *(("s3:PutObjectRetention", one) for one in (*LOGS, f"{POINT}/object/log/v1/x")),
    ("logs:PutLogEvents", SIGNATURES),
    ("glue:UpdateTable", f"{_GLUE}:table/nhi_evidence_main_170b2e/evidence"),
    ("glue:DeleteDatabase", f"{_GLUE}:database/nhi_evidence_main_170b2e"),
    (
        "athena:UpdateWorkGroup",
        f"arn:aws:athena:{REGION}:{EVIDENCE}:workgroup/nhi-evidence-main-170b2e-external",
    ),
    *(
        (action, arn(EVIDENCE, "OIDC_nhi-evidence-main-170b2e-sentinel"))
        for action in ("iam:UpdateAssumeRolePolicy", "iam:PassRole")
    ),
    ("kms:UpdateAlias", f"arn:aws:kms:{REGION}:{EVIDENCE}:alias/nhi-evidence-main-170b2e"),
    (
        "cloudformation:UpdateStack",
        f"arn:aws:cloudformation:{REGION}:{EVIDENCE}:stack/CDKToolkit/i",
    ),
)
"""Calls an administrator is denied in the evidence account, written by hand: those in
guarded.py, and those that only roles of the deployment may make."""


def _of(account: str, resource: str) -> str:
    """Return the resource of the same name in another account; a bucket's ARN has no account."""
    service, _, rest = resource.partition(f":{EVIDENCE}:")
    return (
        f"{service}:{account}:{rest}"
        if rest
        else resource.replace(f"assets-{EVIDENCE}", f"assets-{account}")
    )


ACCOUNTS = (EVIDENCE, REPLICA)
ACTS = tuple(
    dict.fromkeys(
        (action, _of(account, resource)) for account in ACCOUNTS for action, resource in HERE
    )
)


def _service_policies(estate: Estate) -> list[Document]:
    return [one["Content"] for one in policies(estate, "SERVICE_CONTROL_POLICY")]


def _let_through(documents: list[Document]) -> set[tuple[str, str, str]]:
    """Return the calls, with account, that administrators may make under these policies."""
    through = set()
    for account in ACCOUNTS:
        for action, resource in ACTS:
            context = {"aws:PrincipalAccount": account, "cloudwatch:namespace": "nhi-evidence"}
            request = Request(arn(account, "administrator"), action, resource, context)
            if allows(request, identity=ADMINISTRATOR, owner=account, boundaries=documents):
                through.add((account, action, resource))
    return through


def _mutants(documents: list[Document]) -> Iterator[tuple[str, list[Document]]]:
    """Yield each policy without one of its statements, and without one resource of a statement."""
    for at, document in enumerate(documents):
        for index, statement in enumerate(document["Statement"]):
            name = str(statement["Sid"])
            yield name, _with(documents, at, index, None)
            if isinstance(statement["Resource"], list):
                for resource in statement["Resource"]:
                    rest = [one for one in statement["Resource"] if one != resource]
                    if rest:
                        yield f"{name} without {resource}", _with(documents, at, index, rest)


def _with(
    documents: list[Document], at: int, index: int, resources: list[str] | None
) -> list[Document]:
    mutated = copy.deepcopy(documents)
    statements: list[Any] = mutated[at]["Statement"]
    if resources is None:
        del statements[index]
    else:
        statements[index]["Resource"] = resources
    return mutated


SAID_TWICE = {f"Assets without arn:aws:s3:::cdk-*-assets-{account}-*/*" for account in ACCOUNTS}
"""Resources whose removal changes nothing: the bucket's pattern matches its objects, too."""


def test_removing_any_part_is_noticed(estate: Estate) -> None:
    """Without any statement, or any resource of one, a call is allowed."""
    documents = _service_policies(estate)
    assert not _let_through(documents)
    mutants = list(_mutants(documents))
    assert len(mutants) > 60, "there are that many statements and resources"
    assert SAID_TWICE == {name for name, mutated in mutants if not _let_through(mutated)}


OUTSIDE = {"aws:PrincipalOrgID": "o-elsewhere1", "aws:PrincipalIsAWSService": "false"}
INSIDE = {"aws:PrincipalOrgID": ORGANIZATION, "aws:PrincipalIsAWSService": "false"}
STRANGER, COLLEAGUE = arn("666677778888", "administrator"), arn("123456789012", "administrator")
REACHED = {
    "Evidence": (STRANGER, "s3:GetObject", f"{BUCKET}/ev/v1/x", OUTSIDE),
    "Roles": (STRANGER, "sts:AssumeRole", ROLE, OUTSIDE),
    "Deployment": (COLLEAGUE, "sts:AssumeRole", DEPLOY, INSIDE),
    "WebIdentities": ("federated:x", "sts:AssumeRoleWithWebIdentity", ROLE, {}),
}
"""Statement of the resource control policy to a call that only it denies."""


def test_each_resource_statement_alone_refuses_something(estate: Estate) -> None:
    """The policy applies to resources, whoever calls: without a statement its call is allowed."""
    ((document,),) = ([one["Content"] for one in policies(estate, "RESOURCE_CONTROL_POLICY")],)
    anybody = [{"Statement": [{**ADMINISTRATOR[0]["Statement"][0], "Principal": "*"}]}]
    assert {*REACHED} == {one["Sid"] for one in document["Statement"]}
    for index, statement in enumerate(document["Statement"]):
        principal, action, resource, context = REACHED[statement["Sid"]]
        request = Request(principal, action, resource, context)
        answers = [
            allows(
                request,
                identity=ADMINISTRATOR,
                resource=anybody,
                owner=EVIDENCE,
                boundaries=boundaries,
            )
            for boundaries in ([document], _with([document], 0, index, None))
        ]
        assert [False, True] == answers, statement["Sid"]
