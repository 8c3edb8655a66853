"""Names that one account must know about another: roles, functions, queues.

They are defined here rather than passed between stacks, because no reference crosses accounts.
Deploying assigns them; checking and replaying find resources by them.
"""

from __future__ import annotations

from hashlib import sha256

from nhi_evidence import partitions

LONGEST_NAME = 64
"""Maximum length of the name of an IAM role or a Lambda function."""

NAME = "nhi-evidence"
"""What every name of a deployment starts with."""

OPERATORS = {
    "recon": "reconcile",
    "heartbeat": "heartbeat",
    "config": "coverage",
    "coverage": "coverage",
    "custody": "custody",
}
"""By kind of `op/` object, the function whose role may assume that kind's writer role."""

CANARY = "canary"
"""The function that probes."""

PLANS = "coverage"
"""Kind of the plans that it puts; it shares that kind's writer role with the function that reads
settings."""


def deployment(store: str, log: str) -> str:
    """Return the id that names of everything deployed for one evidence bucket contain.

    `store` is what sources call the bucket and says which one it is; the mark of its log's name,
    which is never used twice, distinguishes it from a bucket of another configuration.
    """
    return f"{store}-{mark(log)}"


def mark(log: str) -> str:
    """Return six characters that stand for a log's name where it is too long, always the same."""
    return sha256(log.encode()).hexdigest()[:6]


def partition(region: str) -> str:
    """Return the partition of a region, such as `aws` or `aws-cn`.

    Raises `ValueError` for a region of no known partition; a configuration with one is refused.
    """
    known = partitions.of_region(region)
    if known is None:
        raise ValueError(f"{region} does not belong to any known AWS partition")
    return known.name


ORGANIZATIONS_REGIONS = {
    "aws": "us-east-1",
    "aws-cn": "cn-northwest-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
}
"""By partition, the region of AWS Organizations:
https://docs.aws.amazon.com/general/latest/gr/ao.html"""


def organizations_region(region: str) -> str:
    """Return the region where organization policies are made; the region itself if unknown."""
    return ORGANIZATIONS_REGIONS.get(partition(region), region)


def role_arn(region: str, account: str, name: str) -> str:
    """Return the ARN of a role; `region` only determines the partition."""
    return f"arn:{partition(region)}:iam::{account}:role/{name}"


def root_arn(region: str, account: str) -> str:
    """Return an account's ARN as in policies; `region` only determines the partition."""
    return f"arn:{partition(region)}:iam::{account}:root"


def bucket_arn(region: str, bucket: str) -> str:
    """Return the ARN of a bucket; `region` only determines the partition."""
    return f"arn:{partition(region)}:s3:::{bucket}"


def writer(store: str, source: str) -> str:
    """Return the name of the role that may put one source's evidence into one evidence bucket."""
    return shortened(f"nhi-evidence-{store}-writer-{source}")


def operator(store: str, kind: str) -> str:
    """Return the name of the role that may put `op/` objects of one kind."""
    return shortened(f"nhi-evidence-{store}-op-{kind}")


def settings_reader(store: str) -> str:
    """Return the name of the role, in each covered account, that reads settings for one store."""
    return shortened(f"nhi-evidence-{store}-settings-reader")


def canary(store: str) -> str:
    """Return the name of the harmless role, in each probed account, whose calls are the probes."""
    return shortened(f"nhi-evidence-{store}-canary-identity")


def google_canary_id(deployment: str) -> str:
    """Return the id of the service account that is the canary of a Google Cloud project.

    It has the deployment's mark alone: such an id has at most 30 characters.
    https://docs.cloud.google.com/iam/docs/service-accounts-create
    """
    return f"nhi-evidence-canary-{deployment.rpartition('-')[2]}"


def google_canary(deployment: str, project: str) -> str:
    """Return the e-mail address of a Google Cloud project's canary."""
    return f"{google_canary_id(deployment)}@{project}.iam.gserviceaccount.com"


def google_canary_role(deployment: str) -> str:
    """Return the id of the canary's role in its project, which may have no hyphen."""
    return f"nhiEvidenceCanary_{deployment.rpartition('-')[2]}"


def function(store: str, name: str) -> str:
    """Return the name of a function of the evidence account, and of its role."""
    return shortened(f"nhi-evidence-{store}-{name}")


def function_arn(region: str, account: str, function: str) -> str:
    """Return the ARN of a function."""
    return f"arn:{partition(region)}:lambda:{region}:{account}:function:{function}"


def log_group(function: str) -> str:
    """Return the name of a function's log group."""
    return f"/aws/lambda/{function}"


def log_group_arn(region: str, account: str, function: str) -> str:
    """Return the ARN of a function's log group, with the streams in it, as policies name it."""
    where = f"arn:{partition(region)}:logs:{region}:{account}"
    return f"{where}:log-group:{log_group(function)}:*"


def signing_key(store: str) -> str:
    """Return the alias of the key that signs an evidence bucket's log, without `alias/`."""
    return f"nhi-evidence-{store}"


def alias_arn(region: str, account: str, alias: str) -> str:
    """Return the ARN of a key's alias, which also says where the key is; `alias` has no prefix."""
    return f"arn:{partition(region)}:kms:{region}:{account}:alias/{alias}"


def cosigning_key(store: str) -> str:
    """Return the alias of the key that cosigns an evidence bucket's log, without `alias/`."""
    return f"nhi-evidence-{store}-cosigner"


def clock(function: str) -> str:
    """Return the name of the rule that starts a function on a schedule."""
    return shortened(f"{function}-clock")


def auditor(store: str, name: str) -> str:
    """Return the name of the role with which an auditor reads an evidence bucket."""
    return shortened(f"nhi-evidence-{store}-auditor-{name}")


def forwarder(store: str) -> str:
    """Return the name of the function that forwards an evidence bucket, its role and queue."""
    return function(store, "forward")


def subscriber(store: str) -> str:
    """Return the name of the role and queue of an evidence bucket's subscriber."""
    return shortened(f"nhi-evidence-{store}-subscriber")


def sentinel(store: str) -> str:
    """Return the name of the role for Microsoft Sentinel, with the prefix that it requires."""
    return shortened(f"OIDC_nhi-evidence-{store}-sentinel")


def queue_arn(region: str, account: str, name: str) -> str:
    """Return the ARN of a queue."""
    return f"arn:{partition(region)}:sqs:{region}:{account}:{name}"


def athena_role(store: str, auditor: str) -> str:
    """Return the name of the role with which an auditor queries an evidence bucket in Athena."""
    return shortened(f"nhi-evidence-{store}-athena-{auditor}")


def workgroup(store: str, auditor: str) -> str:
    """Return the name of an auditor's Athena workgroup for an evidence bucket."""
    return f"nhi-evidence-{store}-{auditor}"


def database(store: str) -> str:
    """Return the name of an evidence bucket's Glue database; a hyphen would always need quotes."""
    return f"nhi_evidence_{store.replace('-', '_')}"


def replication(store: str) -> str:
    """Return the name of the role that copies an evidence bucket to its replica."""
    return shortened(f"nhi-evidence-{store}-replication")


REPLICATION_RULE = "everything"
"""Id of the rule by which an evidence bucket is copied; its metrics carry it."""


def exporter(store: str, source: str, feed: str) -> str:
    """Return the name of the exporter of one source from one feed, its role and queue."""
    return shortened(f"nhi-evidence-{store}-{source}-{feed}")


def feed_of_bucket(bucket: str) -> str:
    """Return what names a feed of files by its bucket: functions and queues have no dots."""
    return bucket.replace(".", "-")


def stream(store: str, source: str, name: str) -> str:
    """Return the name of a Firehose stream, the role it delivers with, and its destination."""
    return shortened(f"nhi-evidence-{store}-{source}-stream-{name}")


def stream_arn(region: str, account: str, name: str) -> str:
    """Return the ARN of a Firehose stream."""
    return f"arn:{partition(region)}:firehose:{region}:{account}:deliverystream/{name}"


def sender(store: str, source: str, name: str) -> str:
    """Return the name of the role with which records are put into a stream."""
    return shortened(f"nhi-evidence-{store}-{source}-sender-{name}")


def trail(deployment: str, name: str) -> str:
    """Return the name of a trail that the deployment makes."""
    return f"nhi-evidence-{deployment}-{name}"


def trail_arn(region: str, account: str, trail: str) -> str:
    """Return the ARN of a trail that the deployment makes, in the management `account`."""
    return f"arn:{partition(region)}:cloudtrail:{region}:{account}:trail/{trail}"


def stack(deployment: str, *words: str) -> str:
    """Return the name of a CloudFormation stack."""
    return "-".join((NAME, deployment, *words))


def alarms(deployment: str) -> str:
    """Return what the names of all alarms for one evidence bucket start with."""
    return f"nhi-evidence-{deployment}-"


def alarm_topic(deployment: str) -> str:
    """Return the name of the topic to which alarms are sent if the configuration names none."""
    return f"nhi-evidence-{deployment}-alarms"


def guardrail(deployment: str, word: str) -> str:
    """Return the name of an organization policy."""
    return f"nhi-evidence-{deployment}-{word}"


def budget(deployment: str) -> str:
    """Return the name of the evidence account's budget."""
    return f"nhi-evidence-{deployment}"


def dashboard(deployment: str, region: str) -> str:
    """Return the name of the dashboard of a region."""
    return f"nhi-evidence-{deployment}-{region}"


def shortened(name: str) -> str:
    """Return a name within the maximum length, keeping different names different."""
    if len(name) <= LONGEST_NAME:
        return name
    mark = sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 9]}-{mark}"
