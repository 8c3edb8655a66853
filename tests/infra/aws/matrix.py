"""Who may do what: every principal of the deployment against every act on the evidence.

Evaluated from the synthesized templates; printed into docs/threat-model.md by
`python -m tests.infra.aws`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tests.infra.aws.estate import (
    ARCHIVE,
    BUCKET,
    EVIDENCE,
    ORGANIZATION,
    Estate,
    arn,
    documents,
)
from tests.infra.aws.iam import Request, allows

_EVERYTHING = [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]
_PUT = {"s3:if-none-match": "*"}
_CONNECTION = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
_SIGN = {"kms:SigningAlgorithm": "ED25519_SHA_512", "kms:MessageType": "RAW"}


class Act(msgspec.Struct, frozen=True):
    """One column: a call on the evidence."""

    text: str
    action: str
    resource: str
    context: Mapping[str, str] = {}


class Principal(msgspec.Struct, frozen=True):
    """One row: somebody."""

    text: str
    role: str
    """Name of the role, made by the stacks or, for those with every right, not."""
    account: str = EVIDENCE
    made: bool = True
    organization: str = ORGANIZATION
    guarded: bool = False
    """Whether the guardrails are attached."""


ACTS = (
    Act("put ev aws", "s3:PutObject", f"{BUCKET}/ev/v1/aws_cloudtrail/h=x/u", _PUT),
    Act("put ev gcp", "s3:PutObject", f"{BUCKET}/ev/v1/gcp_audit/h=x/u", _PUT),
    Act("put ev azure", "s3:PutObject", f"{BUCKET}/ev/v1/azure_monitor/h=x/u", _PUT),
    Act("put op recon", "s3:PutObject", f"{BUCKET}/op/v1/recon/h=x/u", _PUT),
    Act("put log", "s3:PutObject", f"{BUCKET}/log/v1/2026/plan/x", _PUT),
    Act("overwrite", "s3:PutObject", f"{BUCKET}/ev/v1/aws_cloudtrail/h=x/u"),
    Act("read", "s3:GetObjectVersion", f"{BUCKET}/ev/v1/aws_cloudtrail/h=x/u"),
    Act("list", "s3:ListBucketVersions", BUCKET),
    Act("delete", "s3:DeleteObject", f"{BUCKET}/ev/v1/aws_cloudtrail/h=x/u"),
    Act("delete version", "s3:DeleteObjectVersion", f"{BUCKET}/ev/v1/aws_cloudtrail/h=x/u"),
    Act("set retention", "s3:PutObjectRetention", f"{BUCKET}/ev/v1/aws_cloudtrail/h=x/u"),
    Act("change policy", "s3:PutBucketPolicy", BUCKET),
    Act("change lifecycle", "s3:PutLifecycleConfiguration", BUCKET),
    Act("sign", "kms:Sign", "key", _SIGN),
    Act("change key", "kms:PutKeyPolicy", "key"),
)
_MAIN = "nhi-evidence-main"
PRINCIPALS = (
    Principal("writer of aws_cloudtrail", f"{_MAIN}-writer-aws_cloudtrail"),
    Principal("writer of gcp_audit", f"{_MAIN}-writer-gcp_audit"),
    Principal("writer of azure_monitor", f"{_MAIN}-writer-azure_monitor"),
    Principal("sealer", f"{_MAIN}-sealer"),
    Principal("auditor", f"{_MAIN}-auditor-external"),
    Principal("replication", f"{_MAIN}-replication"),
    Principal("exporter's own role", f"{_MAIN}-aws_cloudtrail-organization", ARCHIVE),
    Principal("administrator, log archive", "administrator", ARCHIVE, made=False),
    Principal("administrator, evidence", "administrator", made=False),
    Principal("the same, with guardrails", "administrator", made=False, guarded=True),
    Principal("pipeline, with guardrails", "pipeline", made=False, guarded=True),
    Principal(
        "administrator elsewhere",
        "administrator",
        "666677778888",
        made=False,
        organization="o-elsewhere1",
    ),
)


def may(estate: Estate, who: Principal, act: Act) -> bool:
    """Decide one cell."""
    principal = arn(who.account, who.role)
    of_key = act.action.startswith("kms:")
    resource = estate.key_policy if of_key else estate.bucket_policy
    key = estate.only("AWS::KMS::Key")
    request = Request(
        principal,
        act.action,
        f"arn:{key.id}" if of_key else act.resource,
        {**_CONNECTION, "aws:PrincipalOrgID": who.organization, **act.context},
    )
    guardrails = [
        one.properties["Content"]
        for one in estate.of("AWS::Organizations::Policy")
        if who.guarded and who.account == EVIDENCE
    ]
    # The guardrails speak of keys by account; the template's own key has no id yet.
    if of_key and guardrails:
        named = Request(
            principal, act.action, f"arn:aws:kms:eu-central-1:{EVIDENCE}:key/k", request.context
        )
        if not allows(named, identity=_EVERYTHING, owner=EVIDENCE, boundaries=guardrails):
            return False
    return allows(
        request,
        identity=documents(estate.role(who.role)) if who.made else _EVERYTHING,
        resource=[resource],
        owner=EVIDENCE,
        boundaries=[] if of_key else guardrails,
        resource_must_allow=of_key,
    )


def table(estate: Estate) -> str:
    """Return the matrix as Markdown."""
    lines = [
        "| | " + " | ".join(act.text for act in ACTS) + " |",
        "|---|" + "---|" * len(ACTS),
    ]
    for who in PRINCIPALS:
        cells = ("yes" if may(estate, who, act) else "-" for act in ACTS)
        lines.append(f"| {who.text} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def with_matrix(text: str, estate: Estate) -> str:
    """Return a page with its matrix made anew."""
    before, opening, rest = text.partition("<!-- permission matrix -->\n")
    _, closing, after = rest.partition("\n<!-- end -->")
    return f"{before}{opening}{table(estate)}{closing}{after}"
