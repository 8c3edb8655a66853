"""The roles with which auditors query an evidence bucket in Athena."""

from __future__ import annotations

from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws import trusts
from nhi_evidence.config.aws.roles import RolePlan
from nhi_evidence.config.documents import Condition, Statement, allow

ATHENA_READS = ("ev/", "op/v1/recon/")
"""Prefixes that Athena reads in an evidence bucket: evidence, and statements on completeness."""

CATALOG_READS = (
    "glue:GetDatabase",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
)
ASKS = (
    "athena:BatchGetNamedQuery",
    "athena:BatchGetQueryExecution",
    "athena:GetNamedQuery",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetWorkGroup",
    "athena:ListNamedQueries",
    "athena:ListQueryExecutions",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
)
UPLOADS = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
"""Needed to write results of more than a few megabytes."""


def athena_askers(config: Config, store: EvidenceBucket) -> tuple[tuple[str, RolePlan], ...]:
    """Return each auditor with the role for querying one evidence bucket in Athena.

    It reads the newest version of evidence and statements, and their catalog; it writes only
    results, under a prefix of its own in the bucket for them, and reads no other's. The names of
    all results can be listed: how Athena looks at the bucket is not documented, so that is not
    restricted to a prefix.
    """
    if store.athena is None:
        return ()
    region = store.region
    bucket = naming.bucket_arn(region, store.bucket)
    results = naming.bucket_arn(region, store.athena.results)
    database = naming.database(store.id)
    listed: Condition = {"StringLike": {"s3:prefix": [f"{one}*" for one in ATHENA_READS]}}
    policy = [
        allow("Evidence", ["s3:GetObject"], [f"{bucket}/{one}*" for one in ATHENA_READS]),
        allow("List", ["s3:ListBucket"], bucket, listed),
        allow("Place", ["s3:GetBucketLocation"], [bucket, results]),
        allow("Catalog", CATALOG_READS, catalog_arns(config, store, database)),
        allow("AnswersList", ["s3:ListBucket", "s3:ListBucketMultipartUploads"], results),
    ]

    def own(auditor: str) -> list[Statement]:
        answers = f"{results}/{answers_prefix(auditor)}*"
        return [
            allow("Ask", ASKS, workgroup_arn(config, store, auditor)),
            allow("Answers", ["s3:GetObject", "s3:PutObject", *UPLOADS], answers),
        ]

    return tuple(
        (
            auditor.name,
            RolePlan(
                name=naming.athena_role(store.id, auditor.name),
                trust=[trusts.auditor_trust(auditor)],
                policy_name="ask",
                policy=[*policy, *own(auditor.name)],
            ),
        )
        for auditor in config.auditors
    )


def answers_prefix(auditor: str) -> str:
    """Return the prefix under which Athena writes an auditor's results."""
    return f"answers/{auditor}/"


def workgroup_arn(config: Config, store: EvidenceBucket, auditor: str) -> str:
    """Return the ARN of an auditor's workgroup."""
    where = f"{store.region}:{config.evidence.account}"
    name = naming.workgroup(store.id, auditor)
    return f"arn:{naming.partition(store.region)}:athena:{where}:workgroup/{name}"


def catalog_arns(config: Config, store: EvidenceBucket, database: str) -> list[str]:
    """Return the ARNs of a Glue database, its tables, and the catalog they are in."""
    where = f"arn:{naming.partition(store.region)}:glue:{store.region}:{config.evidence.account}"
    return [f"{where}:catalog", f"{where}:database/{database}", f"{where}:table/{database}/*"]
