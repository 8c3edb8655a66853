"""Names that one account must know of another: roles, functions, queues.

They are defined here, not passed between stacks, because no reference crosses an account. Whoever
deploys gives them; whoever checks or replays finds by them.
"""

from __future__ import annotations

from hashlib import sha256

from nhi_evidence import partitions

LONGEST_NAME = 64
"""Of an IAM role or a Lambda function."""

OPERATORS = {
    "recon": "reconcile",
    "heartbeat": "heartbeat",
    "config": "coverage",
    "coverage": "coverage",
    "custody": "custody",
}
"""Kind of `op/` object to the function whose role may take the kind's writer role."""

CANARY = "canary"
"""The function that probes."""

PLANS = "coverage"
"""Kind of the plans it puts, whose writer role it shares with what reads settings."""


def partition(region: str) -> str:
    """Return the partition of a region, such as `aws` or `aws-cn`.

    Raises `ValueError` for a region of none that is known; a configuration with one is refused.
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
"""Partition to the region AWS Organizations is run from:
https://docs.aws.amazon.com/general/latest/gr/ao.html"""


def organizations_region(region: str) -> str:
    """Return where policies of the organization are made; the region itself if unknown."""
    return ORGANIZATIONS_REGIONS.get(partition(region), region)


def role_arn(region: str, account: str, name: str) -> str:
    """Return the ARN of a role; `region` tells the partition alone."""
    return f"arn:{partition(region)}:iam::{account}:role/{name}"


def root_arn(region: str, account: str) -> str:
    """Return what stands for an account in policies; `region` tells the partition alone."""
    return f"arn:{partition(region)}:iam::{account}:root"


def bucket_arn(region: str, bucket: str) -> str:
    """Return the ARN of a bucket; `region` tells the partition alone."""
    return f"arn:{partition(region)}:s3:::{bucket}"


def writer(store: str, source: str) -> str:
    """Name of the role that may put evidence of one source into one evidence bucket."""
    return _short(f"nhi-evidence-{store}-writer-{source}")


def operator(store: str, kind: str) -> str:
    """Name of the role that may put `op/` objects of one kind."""
    return _short(f"nhi-evidence-{store}-op-{kind}")


def settings_reader(store: str) -> str:
    """Name of the role, in an account that is covered, that reads settings for one store."""
    return _short(f"nhi-evidence-{store}-settings-reader")


def canary(store: str) -> str:
    """Name of the harmless role, in an account that is probed, whose calls are the probes."""
    return _short(f"nhi-evidence-{store}-canary-identity")


GOOGLE_CANARY = "nhi-evidence-canary"
"""Id of the service account that is the canary of a project of Google Cloud."""


def google_canary(project: str) -> str:
    """Address of the canary of a project of Google Cloud."""
    return f"{GOOGLE_CANARY}@{project}.iam.gserviceaccount.com"


def function(store: str, name: str) -> str:
    """Name of a function of the evidence account, and of its role."""
    return _short(f"nhi-evidence-{store}-{name}")


def function_arn(region: str, account: str, function: str) -> str:
    """Return the ARN of a function."""
    return f"arn:{partition(region)}:lambda:{region}:{account}:function:{function}"


def log_group(function: str) -> str:
    """Name of the log group of a function."""
    return f"/aws/lambda/{function}"


def log_group_arn(region: str, account: str, function: str) -> str:
    """Return the ARN of a function's log group, with the streams in it, as policies name it."""
    where = f"arn:{partition(region)}:logs:{region}:{account}"
    return f"{where}:log-group:{log_group(function)}:*"


def signing_key(store: str) -> str:
    """Alias of the key that signs the log of an evidence bucket, without `alias/`."""
    return f"nhi-evidence-{store}"


def alias_arn(region: str, account: str, alias: str) -> str:
    """Return the ARN of a key's alias, `alias` without `alias/`: it says where the key is, too."""
    return f"arn:{partition(region)}:kms:{region}:{account}:alias/{alias}"


def cosigning_key(store: str) -> str:
    """Alias of the key that cosigns the log of an evidence bucket, without `alias/`."""
    return f"nhi-evidence-{store}-cosigner"


def clock(function: str) -> str:
    """Name of the rule that starts a function by the clock."""
    return _short(f"{function}-clock")


def auditor(store: str, name: str) -> str:
    """Name of the role one auditor reads an evidence bucket with."""
    return _short(f"nhi-evidence-{store}-auditor-{name}")


def forwarder(store: str) -> str:
    """Name of the function that forwards an evidence bucket, of its role and of its queue."""
    return function(store, "forward")


def subscriber(store: str) -> str:
    """Name of the role and of the queue of whoever new evidence of a bucket is forwarded to."""
    return _short(f"nhi-evidence-{store}-subscriber")


def sentinel(store: str) -> str:
    """Name of the role Microsoft Sentinel takes; it takes none whose name begins otherwise."""
    return _short(f"OIDC_nhi-evidence-{store}-sentinel")


def queue_arn(region: str, account: str, name: str) -> str:
    """Return the ARN of a queue."""
    return f"arn:{partition(region)}:sqs:{region}:{account}:{name}"


def athena_role(store: str, auditor: str) -> str:
    """Name of the role one auditor asks Athena with about an evidence bucket."""
    return _short(f"nhi-evidence-{store}-athena-{auditor}")


def workgroup(store: str) -> str:
    """Name of the workgroup of Athena in which an evidence bucket is asked."""
    return f"nhi-evidence-{store}"


def database(store: str) -> str:
    """Name of the Glue database of an evidence bucket; a hyphen would need quotes everywhere."""
    return f"nhi_evidence_{store.replace('-', '_')}"


def replication(store: str) -> str:
    """Name of the role that copies an evidence bucket to its replica."""
    return _short(f"nhi-evidence-{store}-replication")


def exporter(store: str, source: str, feed: str) -> str:
    """Name of the exporter of one source from one feed, of its role and of its queue."""
    return _short(f"nhi-evidence-{store}-{source}-{feed}")


def stream(store: str, source: str, name: str) -> str:
    """Name of a Firehose stream, of the role it delivers with, and of its destination."""
    return _short(f"nhi-evidence-{store}-{source}-stream-{name}")


def stream_arn(region: str, account: str, name: str) -> str:
    """Return the ARN of a Firehose stream."""
    return f"arn:{partition(region)}:firehose:{region}:{account}:deliverystream/{name}"


def sender(store: str, source: str, name: str) -> str:
    """Name of the role by which records are put into a stream."""
    return _short(f"nhi-evidence-{store}-{source}-sender-{name}")


def trail(name: str) -> str:
    """Name of a trail the deployment makes."""
    return f"nhi-evidence-{name}"


def trail_arn(region: str, account: str, name: str) -> str:
    """Return the ARN of a trail the deployment makes, in the management `account`."""
    return f"arn:{partition(region)}:cloudtrail:{region}:{account}:trail/{trail(name)}"


def _short(name: str) -> str:
    """Keep names within bounds, and different ones different."""
    if len(name) <= LONGEST_NAME:
        return name
    mark = sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 9]}-{mark}"
