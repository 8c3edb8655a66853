"""The tables of the configuration file: every key, its kind and what it means.

`nhi-evidence.example.toml` shows them in use.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from nhi_evidence.config import kinds
from nhi_evidence.config.readers import Auditor, Subscriber
from nhi_evidence.config.stream_table import Stream

GCP_SOURCE = "gcp_audit"
AZURE_SOURCE = "azure_monitor"


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """`[organization]`: whose principals may reach the evidence at all."""

    id: kinds.OrganizationId
    management_account: kinds.Account | None = None
    """Needed for guardrails and for new trails."""


class LogArchive(msgspec.Struct, frozen=True, kw_only=True):
    """`[log_archive]`: the account the trail delivers to, where the AWS exporter runs."""

    account: kinds.Account


class Replica(msgspec.Struct, frozen=True, kw_only=True):
    """`[evidence.buckets.replica]`: a second locked copy, in another account and region."""

    account: kinds.Account
    region: kinds.Region
    bucket: kinds.Bucket


class Athena(msgspec.Struct, frozen=True, kw_only=True):
    """`[evidence.buckets.athena]`: the bucket asked in SQL by Athena, by auditors. Opt-in."""

    results: kinds.Bucket
    """Bucket the answers are written to, made by the deployment; they expire after 30 days."""
    since: kinds.Day
    """First day whose evidence is looked at. What is earlier Athena does not see."""
    gigabytes_a_query: kinds.Count
    """A query that reads more is stopped. Each is paid for by what it reads."""


class BucketTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[evidence.buckets]]` as written; `EvidenceBucket` is it with the profile applied."""

    name: kinds.Handle
    """What sources call it."""
    bucket: kinds.Bucket
    region: kinds.Region
    log: kinds.LogName
    """Name of its signed log; one log is one bucket, for ever."""
    retention_days: kinds.Days | None = None
    """R. No default: in COMPLIANCE mode nobody can shorten it."""
    confirm_compliance_days: kinds.Days | None = None
    """R once more, where it is longer than 30 days."""
    grace_days: kinds.Days | None = None
    """From the end of the lock to expiry."""
    archive_after_days: kinds.DaysOrNever | None = None
    """Move to Glacier Instant Retrieval after; 0: never. Absent: 30, where R exceeds it by the
    class's minimum of 90 days, else never."""
    replica: Replica | None = None
    athena: Athena | None = None


class EvidenceTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[evidence]` as written."""

    account: kinds.Account
    signer: Literal["ed25519", "p256"] = "ed25519"
    cosigner: Literal["ml-dsa-44", "none"] = "ml-dsa-44"
    """Signs beside the signer, for when curves are broken; `none` where KMS of the region has no
    such key."""
    token_issuer: kinds.Issuer | None = None
    """Who vouches for the account's functions to other clouds, as
    `aws iam enable-outbound-web-identity-federation` prints it; absent: the stacks of other clouds
    make nothing that trusts it."""
    legal_role: kinds.RoleArn | None = None
    """The one role that may set and release legal holds; absent: nobody may."""
    buckets: tuple[BucketTable, ...]


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """`[[trails]]`: an organization trail, there already or made by the deployment."""

    name: kinds.Handle
    kind: Literal["existing", "new"]
    bucket: kinds.SourceBucketName
    """In the log-archive account."""
    region: kinds.Region
    """Of the bucket; the exporter runs there."""
    prefix: kinds.Prefix = ""
    """What stands before `AWSLogs/` in keys."""
    accounts: tuple[kinds.Account, ...] = ()
    """Accept the folders of these accounts alone; empty: every account of the organization."""
    kms_key: kinds.KmsKeyArn | None = None
    """Key the trail encrypts its files with, if any."""
    topic: kinds.TopicArn | None = None
    """Topic the bucket already notifies; absent: the bucket notifies the queue itself."""
    data_events: tuple[kinds.ResourceType, ...] | None = None
    """Of a new trail: what it records beside management events. They cost by event."""
    keep_days: kinds.Days | None = None
    """How long the bucket keeps a file; absent: for ever, or unknown. A new trail's bucket is made
    so, and an alarm is raised when half of it is gone."""


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """`files = {...}` of a source: a bucket that some other provider delivers files to."""

    account: kinds.Account
    bucket: kinds.SourceBucketName
    region: kinds.Region
    prefix: kinds.Prefix = ""
    kms_key: kinds.KmsKeyArn | None = None
    topic: kinds.TopicArn | None = None


class SourceEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`[[sources]]`: what is kept, in which evidence bucket, and how."""

    source: kinds.Pack
    evidence: kinds.Handle
    """Name of the evidence bucket; it decides jurisdiction and R."""
    trail: kinds.Handle | None = None
    files: Files | None = None
    streams: tuple[Stream, ...] = ()
    """Where given, the bucket of `files` is made, with a Firehose stream into it for each."""
    keep_out_of_scope_raw: bool
    """Whether the raw text of records out of scope, people's among them, is kept as well. No
    default: privacy decides. Without it a delivered file cannot be rebuilt byte for byte."""
    scope: Literal["nhi", "all"] = "nhi"
    batch_window_seconds: kinds.BatchWindow | None = None
    """Of files in S3: how long notifications are collected, at most, before the exporter starts.
    Longer: fewer, larger objects; later evidence. Absent: 120, as `deploy.toml` says."""
    silence_hours: kinds.SilenceHours | None = None
    """How long nothing may come before an alarm; 0: it may be silent. Absent: 3 for CloudTrail, 24
    for Google Cloud and Azure, no alarm for any other."""


class Gcp(msgspec.Struct, frozen=True, kw_only=True):
    """`[gcp]`: where Google Cloud's audit logs come from and who writes them."""

    organization: kinds.GcpNumber
    project: kinds.GcpProject
    region: kinds.Location
    audience: kinds.Audience
    service_account_id: kinds.ServiceAccountId | None = None
    """Exact subject of the exporter's tokens. Known once its service account is made; until
    then AWS makes no role for it."""
    data_access: tuple[kinds.GcpService, ...] = ()
    """Services to switch Data Access logs on for. They cost by volume."""
    delivery: Literal["files", "direct"] = "files"
    """Batched files; or one event a record, for estates of some thousand records a day."""
    reconcile_provider: kinds.WorkloadProvider | None = None
    """By which the function that reconciles reads Cloud Logging; absent: it is not asked."""
    reconcile_projects: tuple[kinds.GcpProject, ...] = ()
    """Projects it lists, hour by hour: the API lists none that lie below another resource."""
    state_bucket: kinds.SourceBucketName | None = None
    """Cloud Storage bucket of the Terraform state; absent: a file beside the configuration."""


class Azure(msgspec.Struct, frozen=True, kw_only=True):
    """`[azure]`: where Azure's and Entra's logs come from and who writes them."""

    tenant: kinds.Uuid
    subscriptions: tuple[kinds.Uuid, ...]
    """Whose Activity Log is exported, in any order."""
    location: kinds.Location
    audience: kinds.Audience
    managed_identity_object_id: kinds.Uuid | None = None
    """Exact subject of the exporter's tokens. Known once the identity is made; until then AWS
    makes no role for it."""
    entra: bool = True
    """Whether the tenant's own logs are exported (needs a Security Administrator)."""
    resource_types: tuple[kinds.AzureType, ...] = ()
    """Resource types whose logs a policy switches on. They cost by volume."""
    management_group: kinds.ManagementGroup | None = None
    """Group the policy is assigned to, its own Activity Log exported too; absent: the tenant's
    root group."""
    reconcile_client_id: kinds.Uuid | None = None
    """Application with a federated credential, as which the function that reconciles asks Graph
    for Entra's logs and Resource Manager for the Activity Log; absent: it asks neither."""
    state_storage: kinds.AzureContainer | None = None
    """Storage account and container of the Terraform state; absent: a file beside the
    configuration."""
    subscription: kinds.Uuid | None = None
    """Which of the subscriptions holds what is deployed; absent: the only one."""

    @property
    def home(self) -> str:
        """The subscription that holds what is deployed."""
        return self.subscription or self.subscriptions[0]


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """`[alarms]`: who is told, and from when on."""

    email: kinds.Address | None = None
    """Needed where a region of the deployment has none of `topics`, and for Google Cloud and
    Azure, whose alarms know no topic."""
    topics: tuple[kinds.TopicArn, ...] = ()
    """Topics that are there already, one for each region: CloudWatch reaches those of its own."""
    monthly_budget_usd: kinds.Dollars
    objects_per_hour: kinds.Count
    """More evidence objects than this in an hour raise an alarm."""


class Vault(msgspec.Struct, frozen=True, kw_only=True):
    """`vault = {...}` of `[coverage]`: a server that takes AWS's identity tokens."""

    address: kinds.HttpsAddress
    """Reachable from the internet; the audience of the identity token, too."""
    role: kinds.Handle
    """Of its JWT method; its policy has read and sudo on `sys/audit`."""
    mount: kinds.Handle = "jwt"
    """Where that method is mounted."""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """`[coverage]`: whose settings a function of the evidence account reads by the hour. Opt-in."""

    accounts: tuple[kinds.Account, ...]
    """Of AWS: each gets a role that reads settings alone. The management account, or a delegated
    administrator of CloudTrail, shows trails and accounts of the whole organization."""
    gcp_provider: kinds.WorkloadProvider | None = None
    """By which Google Cloud knows the function; absent: it is not asked."""
    azure_client_id: kinds.Uuid | None = None
    """Application with a federated credential, as which the function asks Azure and Entra; absent:
    they are not asked."""
    vault: Vault | None = None
    """Whose audit devices are read; absent: they are not."""
    identities: tuple[kinds.Identity, ...] = ()
    """Whose credentials are read with the settings, so that their end is on record: ARNs of users
    and roles in `accounts`, addresses of service accounts, object ids of service principals."""

    @property
    def arns(self) -> tuple[str, ...]:
        """Those of AWS."""
        return tuple(one for one in self.identities if one.startswith("arn:"))

    @property
    def service_accounts(self) -> tuple[str, ...]:
        """Those of Google Cloud."""
        return tuple(one for one in self.identities if "@" in one and one not in self.arns)

    @property
    def service_principals(self) -> tuple[str, ...]:
        """Those of Entra."""
        others = {*self.arns, *self.service_accounts}
        return tuple(one for one in self.identities if one not in others)


class GoogleCanary(msgspec.Struct, frozen=True, kw_only=True):
    """`google = {...}` of `[[canaries]]`: a project with a harmless service account."""

    project: kinds.GcpProject
    """Where it is made, and whose audit logs its calls are to appear in."""
    provider: kinds.WorkloadProvider | None = None
    """By which Google Cloud knows the function. Known once the identity stack has made it; until
    then nothing is probed there."""


class EntraCanary(msgspec.Struct, frozen=True, kw_only=True):
    """`entra = {...}` of `[[canaries]]`: an application without any permission.

    Both ids are known once the identity stack has made it; until then nothing is probed there.
    """

    client_id: kinds.Uuid | None = None
    object_id: kinds.Uuid | None = None
    """Of its service principal: who the records name."""


class Canaries(msgspec.Struct, frozen=True, kw_only=True):
    """`[[canaries]]`: harmless identities whose calls show what a bucket gets. Opt-in."""

    evidence: kinds.Handle
    """Name of the evidence bucket their records are to arrive in, whose log seals the plans."""
    accounts: tuple[kinds.Account, ...] = ()
    """Of AWS: each gets a role that may list the names of its buckets and nothing else."""
    google: GoogleCanary | None = None
    """A canary in a project of Google Cloud; absent: none."""
    entra: EntraCanary | None = None
    """A canary in the tenant; absent: none."""


class Guardrails(msgspec.Struct, frozen=True, kw_only=True):
    """`[guardrails]`: organization policies around the evidence account. Opt-in."""

    targets: tuple[kinds.TargetId, ...]
    """What the policies are attached to; the evidence account and those of replicas must lie
    under it."""
    pipeline_roles: tuple[kinds.RoleArn, ...]
    """Roles CloudFormation deploys with, one for each account and region. They may still change
    everything."""
    pipeline_principals: tuple[kinds.Principal, ...]
    """Who may start a deployment: take the roles of the CDK, and change stacks."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file as written."""

    profile: Literal["trial"] | None = None
    organization: Organization
    log_archive: LogArchive
    evidence: EvidenceTable
    trails: tuple[Trail, ...] = ()
    sources: tuple[SourceEntry, ...]
    auditors: tuple[Auditor, ...] = ()
    subscribers: tuple[Subscriber, ...] = ()
    alarms: Alarms
    gcp: Gcp | None = None
    azure: Azure | None = None
    coverage: Coverage | None = None
    canaries: tuple[Canaries, ...] = ()
    guardrails: Guardrails | None = None
