"""What the design assumes of a deployed estate: facts that no emulator has.

Each is asked of what `make deploy` made in live accounts: by an AWS session, or by the command
line of the other cloud. Nothing is changed, but for one signature that is to be refused, and a
notification configuration that is written back as it was read.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import ClientError

from nhi_evidence.config import Config, azure_app, azure_names, gcp_names, naming
from tests.conform.facts import answer_to

NOT_ASKED = "not asked: "
"""How an answer begins that says nothing of the fact."""

PATIENCE = timedelta(minutes=30)
_PAUSE = timedelta(seconds=30)


class Live(Protocol):
    """What an estate is asked through."""

    def client(self, service: str) -> Any:
        """Return an AWS client, of the account the fact is about."""
        ...

    def run(self, *command: str) -> str:
        """Return what a command prints, or how it failed."""
        ...

    def wait(self) -> bool:
        """Wait a while; return whether there is patience for more."""
        ...


class EstateFact(NamedTuple):
    """One fact of an estate, and whose credentials ask it."""

    name: str
    expected: str
    why: str
    by: str
    ask: Callable[[Live, Config], str]


def rule_writes(live: Live, config: Config) -> str:
    """Whether EventBridge could make a stream in the log of signatures."""
    group = f"/aws/events/nhi-evidence-{config.evidence.buckets[0].name}-signatures"
    logs = live.client("logs")
    while True:
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        if streams:
            return "a stream"
        if not live.wait():
            return "no stream"


def denied_signature(live: Live, config: Config) -> str:
    """Sign without the right to; return what the record of it names."""
    store = config.evidence.buckets[0]
    alias = f"alias/{naming.signing_key(store.name)}"
    kms, logs = live.client("kms"), live.client("logs")
    arn = kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
    algorithm = "ED25519_SHA_512" if config.evidence.signer == "ed25519" else "ECDSA_SHA_256"
    refusal = answer_to(
        lambda: kms.sign(
            KeyId=arn, Message=b"conform", MessageType="RAW", SigningAlgorithm=algorithm
        )
    )
    if not refusal.endswith("AccessDeniedException"):
        return f"not refused: {refusal}"
    group, begin = f"/aws/events/nhi-evidence-{store.name}-signatures", _now_ms()
    while True:
        events = logs.filter_log_events(
            logGroupName=group,
            startTime=begin - 60_000,
            filterPattern='{ $.detail.errorCode = "AccessDenied*" }',
        )["events"]
        if any(arn in one["message"] for one in events):
            return "the key's ARN"
        if not live.wait():
            return "another key" if events else "no record"


def _now_ms() -> int:
    return int(time.time() * 1000)


def notifies_again(live: Live, config: Config) -> str:
    """Write a Control Tower bucket's notifications as they are."""
    trail = next((one for one in config.trails if one.bucket.startswith("aws-controltower-")), None)
    if trail is None:
        return f"{NOT_ASKED}no trail of this configuration is Control Tower's"
    s3 = live.client("s3")
    try:
        now = s3.get_bucket_notification_configuration(Bucket=trail.bucket)
    except ClientError as error:
        return f"{NOT_ASKED}{error.response['Error']['Code']}"
    now.pop("ResponseMetadata", None)
    return answer_to(
        lambda: s3.put_bucket_notification_configuration(
            Bucket=trail.bucket, NotificationConfiguration=now
        )
    )


def lines_arrive(live: Live, config: Config) -> str:
    """Whether an object of lines is in a subscriber's bucket: both notifications were accepted."""
    if not config.subscribers:
        return f"{NOT_ASKED}no subscriber in this configuration"
    bucket = config.subscribers[0].bucket
    while True:
        if live.client("s3").list_objects_v2(Bucket=bucket, MaxKeys=1).get("Contents"):
            return "an object of lines"
        if not live.wait():
            return "none"


def batches(live: Live, config: Config) -> str:
    """State of the subscription that writes into the staging bucket, which has a retention."""
    if config.gcp is None:
        return f"{NOT_ASKED}no Google Cloud in this configuration"
    bucket = gcp_names.staging_bucket(config.gcp.project)
    retention = live.run(
        "gcloud", "storage", "buckets", "describe", f"gs://{bucket}",
        "--format=value(retention_policy.retentionPeriod)",
    )  # fmt: skip
    if not retention:
        return "the bucket has no retention"
    return live.run(
        "gcloud", "pubsub", "subscriptions", "describe", f"{gcp_names.NAME}-batches",
        f"--project={config.gcp.project}", "--format=value(cloudStorageConfig.state)",
    )  # fmt: skip


def function_logs(live: Live, config: Config) -> str:
    """Whether the function's own log lines reach the workspace."""
    if config.azure is None:
        return f"{NOT_ASKED}no Azure in this configuration"
    workspace = _workspace(live)
    if workspace.startswith(NOT_ASKED):
        return workspace
    rows = _searched(live, workspace, "FunctionAppLogs | count", "Count")
    return "rows" if rows.isdigit() and int(rows) > 0 else f"{rows or 'no'} rows"


def _workspace(live: Live) -> str:
    return live.run(
        "az", "monitor", "log-analytics", "workspace", "show", "--resource-group", "nhi-evidence",
        "--workspace-name", "nhi-evidence", "--query", "customerId", "--output", "tsv",
    )  # fmt: skip


def _searched(live: Live, workspace: str, search: str, column: str) -> str:
    return live.run(
        "az", "monitor", "log-analytics", "query", "--workspace", workspace,
        "--analytics-query", search, "--query", f"[0].{column}", "--output", "tsv",
    )  # fmt: skip


def rewound(live: Live, config: Config) -> str:
    """Whether the host, over AMQP, began at the hub's first message where it had no checkpoint.

    To be asked within a day after `nhi-evidence replay azure`, in an estate that logs all the
    time: the oldest message read since is then as old as the hub, or as what it keeps.
    """
    if config.azure is None:
        return f"{NOT_ASKED}no Azure in this configuration"
    created = live.run(
        "az", "eventhubs", "eventhub", "show", "--resource-group", azure_names.NAME,
        "--namespace-name", azure_names.namespace_name(config.azure.home),
        "--name", azure_names.HUB, "--query", "createdAt", "--output", "tsv",
    )  # fmt: skip
    try:
        since = datetime.fromisoformat(created)
    except ValueError:
        return created if created.startswith(NOT_ASKED) else f"{NOT_ASKED}{created}"
    workspace = _workspace(live)
    oldest = _searched(live, workspace, _OLDEST_READ, "Oldest")
    if not oldest.isdigit():
        return f"{NOT_ASKED}no partition was read in the last day ({oldest})"
    kept = min(datetime.now(UTC) - since, timedelta(hours=azure_app.RETENTION_HOURS))
    if int(oldest) >= (kept - _MARGIN).total_seconds():
        return "at the first message"
    return f"at a message {oldest} s old, of {int(kept.total_seconds())} s"


_MARGIN = timedelta(hours=6)
"""For the hours a hub was empty at its beginning, and what it forgets meanwhile."""

_OLDEST_READ = (
    "FunctionAppLogs | where TimeGenerated > ago(1d) | parse Message with"
    " 'read partition ' Partition ', ' Messages ' messages, oldest ' Age:long ' s'"
    " | where isnotnull(Age) | summarize Oldest = max(Age)"
)


def planned_without_keys(live: Live, config: Config) -> str:
    """Whether Terraform reads the storage that takes no shared keys, and finds it as it made it."""
    if config.azure is None:
        return f"{NOT_ASKED}no Azure in this configuration"
    return live.run(
        "sh", "-c",
        "terraform -chdir=cdktf.out/stacks/azure-export plan -input=false -detailed-exitcode "
        ">/dev/null && echo no changes",
    )  # fmt: skip


ESTATE = (
    EstateFact(
        "EventBridge writes to a log group under aws:SourceArn",
        "a stream",
        "the log of signatures: CreateLogStream and PutLogEvents with the rule's ARN",
        "the evidence account, half an hour after deploying",
        rule_writes,
    ),
    EstateFact(
        "the record of a refused signature names the key",
        "the key's ARN",
        "foreign-signature counts attempts: the rule matches resources.ARN",
        "an administrator of the evidence account",
        denied_signature,
    ),
    EstateFact(
        "notifications of a bucket created by Control Tower can be written",
        "done",
        "its controls name policy, encryption, logging and lifecycle",
        "the log-archive account",
        notifies_again,
    ),
    EstateFact(
        "new evidence is handed on to a subscriber",
        "an object of lines",
        "the evidence bucket tells a queue that was made before it",
        "the evidence account, with evidence newer than [[subscribers]]",
        lines_arrive,
    ),
    EstateFact(
        "Pub/Sub writes into a bucket with retention",
        "ACTIVE",
        "batched files are kept as long as they can be announced again",
        "gcloud",
        batches,
    ),
    EstateFact(
        "FunctionAppLogs come from Flex Consumption",
        "rows",
        "the alarms on the function's errors and silence read them",
        "az",
        function_logs,
    ),
    EstateFact(
        "the host begins at the hub's first message where a checkpoint is gone",
        "at the first message",
        "replay azure removes checkpoints; the host's own AMQP reader is shown nowhere here",
        "az, within a day after `nhi-evidence replay azure`",
        rewound,
    ),
    EstateFact(
        "Terraform reads a storage account without shared keys",
        "no changes",
        "azurerm with storage_use_azuread, and keys switched off",
        "terraform, after az login",
        planned_without_keys,
    ),
)


class Session:
    """A live estate: AWS by a session, other clouds by their command lines."""

    def __init__(self, session: Any, region: str) -> None:
        """Ask AWS in one region; be patient for half an hour, once."""
        self._session, self._region = session, region
        self._until = time.monotonic() + PATIENCE.total_seconds()

    def client(self, service: str) -> Any:
        """See `Live`."""
        return self._session.client(service, region_name=self._region)

    def run(self, *command: str) -> str:
        """See `Live`."""
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return f"{NOT_ASKED}{command[0]} is not on the path"
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            return f"failed: {lines[-1] if lines else done.returncode}"
        return done.stdout.strip()

    def wait(self) -> bool:
        """See `Live`."""
        if time.monotonic() > self._until:
            return False
        time.sleep(_PAUSE.total_seconds())
        return True
