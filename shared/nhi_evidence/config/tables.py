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
    """`[organization]`: the organization whose principals may reach the evidence at all."""

    id: kinds.OrganizationId
    management_account: kinds.Account | None = None
    """Needed for guardrails and for new trails."""


class LogArchive(msgspec.Struct, frozen=True, kw_only=True):
    """`[log_archive]`: the account to which trails deliver, and where AWS exporters run."""

    account: kinds.Account


class Replica(msgspec.Struct, frozen=True, kw_only=True):
    """`[evidence.buckets.replica]`: a second locked copy, in another account and region."""

    account: kinds.Account
    region: kinds.Region
    bucket: kinds.Bucket


class Athena(msgspec.Struct, frozen=True, kw_only=True):
    """`[evidence.buckets.athena]`: auditors query the bucket in SQL with Athena. Opt-in."""

    results: kinds.Bucket
    """Bucket for query results, made by the deployment; they expire after 30 days."""
    since: kinds.Day
    """First day whose evidence Athena sees; it does not see anything earlier."""
    gigabytes_a_query: kinds.Count
    """A query that scans more is stopped. Queries are charged by what they scan."""


class BucketTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[evidence.buckets]]` as written; `EvidenceBucket` is the same with its profile applied."""

    name: kinds.Handle
    """The name by which sources refer to it."""
    bucket: kinds.Bucket
    region: kinds.Region
    log: kinds.LogName
    """Name of its signed log; a log belongs to one bucket forever."""
    retention_days: kinds.Days | None = None
    """R. No default: in COMPLIANCE mode nobody can shorten it."""
    confirm_compliance_days: kinds.Days | None = None
    """R again, required if it is longer than 30 days."""
    grace_days: kinds.Days | None = None
    """Days from the end of the lock to expiry."""
    archive_after_days: kinds.DaysOrNever | None = None
    """Days until objects move to Glacier Instant Retrieval; 0: never. Absent: 30 if R exceeds that
    by the class's minimum of 90 days, else never."""
    replica: Replica | None = None
    athena: Athena | None = None


class EvidenceTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[evidence]` as written."""

    account: kinds.Account
    signer: Literal["ed25519", "p256"] = "ed25519"
    cosigner: Literal["ml-dsa-44", "none"] = "ml-dsa-44"
    """Signs in addition to the signer, in case elliptic curves are broken; `none` if KMS has no
    such key in the region."""
    token_issuer: kinds.Issuer | None = None
    """Issuer that vouches for the account's functions to other clouds, as printed by
    `aws iam enable-outbound-web-identity-federation`; absent: the stacks of other clouds make
    nothing that trusts it."""
    legal_role: kinds.RoleArn | None = None
    """The one role that may set and release legal holds; absent: nobody may."""
    buckets: tuple[BucketTable, ...]


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """`[[trails]]`: an organization trail, either existing or made by the deployment."""

    name: kinds.Handle
    kind: Literal["existing", "new"]
    bucket: kinds.SourceBucketName
    """Bucket in the log-archive account."""
    region: kinds.Region
    """Region of the bucket, where the exporter also runs."""
    prefix: kinds.Prefix = ""
    """The part of keys before `AWSLogs/`."""
    accounts: tuple[kinds.Account, ...] = ()
    """Accept only the folders of these accounts; empty: all accounts of the organization."""
    kms_key: kinds.KmsKeyArn | None = None
    """Key with which the trail encrypts its files, if any."""
    topic: kinds.TopicArn | None = None
    """Topic that the bucket already notifies; absent: the bucket notifies the queue itself."""
    data_events: tuple[kinds.ResourceType, ...] | None = None
    """For a new trail: what it records besides management events. They are charged per event."""
    keep_days: kinds.Days | None = None
    """How long the bucket keeps a file; absent: forever, or unknown. A new trail's bucket is
    configured so, and an alarm is raised when half of this time has passed."""


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """`files = {...}` of a source: a bucket to which another provider delivers files."""

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
    """If given, the bucket of `files` is created, with a Firehose stream into it for each."""
    keep_out_of_scope_raw: bool
    """Whether the raw text of out-of-scope records, which include people's, is kept as well. No
    default, as it is a question of privacy. Without it, a delivered file cannot be rebuilt byte
    for byte."""
    scope: Literal["nhi", "all"] = "nhi"
    batch_window_seconds: kinds.BatchWindow | None = None
    """For files in S3: how long at most notifications are collected before the exporter starts. A
    longer window means fewer and larger objects, but later evidence. Absent: 120, as in
    `deploy.toml`."""
    silence_hours: kinds.SilenceHours | None = None
    """How long nothing may arrive before an alarm is raised; 0: no alarm. Absent: 3 for CloudTrail,
    24 for Google Cloud and Azure; any other has to say, as nothing is known about it."""


class Gcp(msgspec.Struct, frozen=True, kw_only=True):
    """`[gcp]`: where Google Cloud's audit logs come from and who writes them."""

    organization: kinds.GcpNumber
    project: kinds.GcpProject
    region: kinds.Location
    audience: kinds.Audience
    service_account_id: kinds.ServiceAccountId | None = None
    """Exact subject of the exporter's tokens. Known once its service account is made; until then
    no AWS role is made for it."""
    data_access: tuple[kinds.GcpService, ...] = ()
    """Services whose Data Access logs are enabled. They are charged by volume."""
    delivery: Literal["files", "direct"] = "files"
    """Batched files, or one event per record, for estates of a few thousand records a day."""
    reconcile_provider: kinds.WorkloadProvider | None = None
    """Provider through which the function that reconciles reads Cloud Logging; absent: it does
    not."""
    reconcile_projects: tuple[kinds.GcpProject, ...] = ()
    """Projects that it lists, hour by hour: the API does not list those below another resource."""
    state_bucket: kinds.SourceBucketName | None = None
    """Cloud Storage bucket of the Terraform state; absent: a file beside the configuration."""


class Azure(msgspec.Struct, frozen=True, kw_only=True):
    """`[azure]`: where Azure's and Entra's logs come from and who writes them."""

    tenant: kinds.Uuid
    subscriptions: tuple[kinds.Uuid, ...]
    """Subscriptions whose Activity Log is exported, in any order."""
    location: kinds.Location
    audience: kinds.Audience
    managed_identity_object_id: kinds.Uuid | None = None
    """Exact subject of the exporter's tokens. Known once the identity is made; until then no AWS
    role is made for it."""
    entra: bool = True
    """Whether the tenant's own logs are exported (needs a Security Administrator)."""
    resource_types: tuple[kinds.AzureType, ...] = ()
    """Resource types whose logs a policy enables. They are charged by volume."""
    management_group: kinds.ManagementGroup | None = None
    """Group to which the policy is assigned, and whose own Activity Log is also exported; absent:
    the tenant's root group."""
    reconcile_client_id: kinds.Uuid | None = None
    """Application with a federated credential, as which the function that reconciles queries Graph
    for Entra's logs and Resource Manager for the Activity Log; absent: it queries neither."""
    state_storage: kinds.AzureContainer | None = None
    """Storage account and container of the Terraform state; absent: a file beside the
    configuration."""
    subscription: kinds.Uuid | None = None
    """The subscription in which everything is deployed; absent: the only one."""
    aws_provider: Literal["new", "existing"] = "new"
    """Whether to create the evidence account's OIDC provider for the tenant, or it exists, as for
    another deployment: an account has only one, and it must list `audience`."""

    @property
    def home(self) -> str:
        """The subscription in which everything is deployed."""
        return self.subscription or self.subscriptions[0]


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """`[alarms]`: who is notified, and the thresholds."""

    email: kinds.Address | None = None
    """Needed if a region of the deployment has none of `topics`, and for Google Cloud and Azure,
    whose alarms do not use topics."""
    topics: tuple[kinds.TopicArn, ...] = ()
    """Existing topics, one per region: CloudWatch only reaches those in its own region."""
    monthly_budget_usd: kinds.Dollars
    objects_per_hour: kinds.Count
    """More evidence objects than this in an hour raise an alarm."""


class Vault(msgspec.Struct, frozen=True, kw_only=True):
    """`vault = {...}` of `[coverage]`: a server that accepts AWS identity tokens."""

    address: kinds.HttpsAddress
    """Address reachable from the internet; also the audience of the identity token."""
    role: kinds.Handle
    """Role of its JWT method; its policy has read and sudo on `sys/audit`."""
    mount: kinds.Handle = "jwt"
    """Where that method is mounted."""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """`[coverage]`: what a function of the evidence account reads settings of, hourly. Opt-in."""

    accounts: tuple[kinds.Account, ...]
    """AWS accounts, each of which gets a role that can only read settings. The management account,
    or a delegated administrator of CloudTrail, shows the whole organization's trails and
    accounts."""
    gcp_provider: kinds.WorkloadProvider | None = None
    """Provider by which Google Cloud knows the function; absent: Google Cloud is not read."""
    azure_client_id: kinds.Uuid | None = None
    """Application with a federated credential, as which the function reads Azure and Entra; absent:
    they are not read."""
    vault: Vault | None = None
    """Server whose audit devices are read; absent: none."""
    identities: tuple[kinds.Identity, ...] = ()
    """Identities whose credentials are read with the settings, so that their end is on record: ARNs
    of users and roles in `accounts`, addresses of service accounts, object ids of service
    principals."""

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
    """Project in which it is made, and in whose audit logs its calls must appear."""
    provider: kinds.WorkloadProvider | None = None
    """Provider by which Google Cloud knows the function. Known once the identity stack has made it;
    until then nothing is probed there."""


class EntraCanary(msgspec.Struct, frozen=True, kw_only=True):
    """`entra = {...}` of `[[canaries]]`: an application without permissions.

    Both ids are known once the identity stack has made it; until then nothing is probed there.
    """

    client_id: kinds.Uuid | None = None
    object_id: kinds.Uuid | None = None
    """Object id of its service principal, which records name."""


class Canaries(msgspec.Struct, frozen=True, kw_only=True):
    """`[[canaries]]`: harmless identities whose calls show what a bucket receives. Opt-in."""

    evidence: kinds.Handle
    """Name of the evidence bucket that must receive their records; its log seals the plans."""
    accounts: tuple[kinds.Account, ...] = ()
    """AWS accounts, each of which gets a role that may only list the names of its buckets."""
    google: GoogleCanary | None = None
    """A canary in a Google Cloud project; absent: none."""
    entra: EntraCanary | None = None
    """A canary in the tenant; absent: none."""


class Guardrails(msgspec.Struct, frozen=True, kw_only=True):
    """`[guardrails]`: organization policies around the evidence account. Opt-in."""

    targets: tuple[kinds.TargetId, ...]
    """What the policies are attached to; the evidence account and those of replicas must be under
    it."""
    pipeline_roles: tuple[kinds.RoleArn, ...]
    """Roles with which CloudFormation deploys, one for each account and region. They may still
    change everything."""
    pipeline_principals: tuple[kinds.Principal, ...]
    """Who may start a deployment: assume the CDK's roles, and change stacks."""


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
