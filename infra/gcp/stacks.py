"""The two Google Cloud stacks: first the identity AWS has to trust, then what uses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from cdktn import TerraformStack
from cdktn_provider_google.data_google_project import DataGoogleProject
from cdktn_provider_google.provider import GoogleProvider
from cdktn_provider_google.pubsub_subscription import PubsubSubscription
from cdktn_provider_google.pubsub_topic import PubsubTopic
from constructs import Construct

from infra.declaration import Declaration
from infra.gcp.alarms import Alarms
from infra.gcp.apis import Apis
from infra.gcp.audit_logging import DataAccessLogs
from infra.gcp.batches import BatchSubscription, BatchWriter
from infra.gcp.dead_letters import DeadLetters
from infra.gcp.federation import Federation
from infra.gcp.function import Caller, ExportFunction
from infra.gcp.identity import ExporterIdentity
from infra.gcp.names import FILES_TOPIC, PROJECT, TOPIC, exporter_email
from infra.gcp.notifications import FileNotification, FileTopic
from infra.gcp.push import PushSubscription
from infra.gcp.sink import OrganizationSink
from infra.gcp.source import Builder, SourceArchive
from infra.gcp.staging import StagingBucket
from infra.gcp.topic import AuditTopic
from infra.state import keep_state
from infra.teardown import Teardown
from infra.unread import keep_unread
from nhi_evidence.config.gcp_delivery import KEPT_DAYS, LONGEST_SECONDS
from nhi_evidence.config.tables import Gcp


class GcpIdentityStack(TerraformStack):
    """The service account: its number goes into the AWS trust policy before any export.

    If the evidence account has an issuer, its functions are trusted here, too.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        gcp: Gcp,
        issuer: str | None = None,
        subjects: Mapping[str, Sequence[str]] = {},
        canaries: Mapping[str, str] = {},
    ) -> None:
        super().__init__(scope, name)
        keep_state(self, deployment=deployment, gcs_bucket=gcp.state_bucket)
        GoogleProvider(self, "google", project=gcp.project, region=gcp.region)
        apis = Apis(self, "apis", project=gcp.project)
        ExporterIdentity(self, "exporter", project=gcp.project, after=apis.services)
        if issuer is not None and (subjects or canaries):
            Federation(
                self,
                "federation",
                deployment=deployment,
                project=gcp.project,
                organization=gcp.organization,
                projects=gcp.reconcile_projects,
                issuer=issuer,
                subjects=subjects,
                canaries=canaries,
                after=apis.services,
            )


class GcpExportStack(TerraformStack):
    """Sink, topic, files, function: from an organization's audit logs to the exporter."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        gcp: Gcp,
        declared: Declaration,
        package: Path,
        environment: Mapping[str, str],
        alarm_email: str | None,
        teardown: Teardown,
        silence_hours: int | None = None,
    ) -> None:
        super().__init__(scope, name)
        project, region = gcp.project, gcp.region
        keep_state(self, deployment=deployment, gcs_bucket=gcp.state_bucket)
        GoogleProvider(self, "google", project=project, region=region)
        number = DataGoogleProject(self, PROJECT, project_id=project).number
        agent = f"serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"

        DataAccessLogs(
            self,
            "data-access",
            organization=gcp.organization,
            services=gcp.data_access,
        )
        topic = AuditTopic(self, "audit", project=project, region=region).topic
        caller = Caller(self, "caller", project=project, pubsub_agent=agent)
        source = SourceArchive(self, "source", project=project, region=region, package=package)
        function = ExportFunction(
            self,
            "export",
            project=project,
            region=region,
            declared=declared,
            caller=caller,
            run_as=exporter_email(project),
            source=source,
            builder=Builder(
                self, "builder", project=project, number=number, region=region, source=source
            ),
            environment=environment,
        )
        push = partial(
            PushSubscription,
            project=project,
            function=function,
            caller=caller,
            timeout_seconds=declared.function.timeout_seconds,
        )
        # From the function up to the sink: nothing is published before there is a reader.
        if gcp.delivery == "files":
            taken = self._files(
                project=project,
                region=region,
                topic=topic,
                agent=agent,
                push=push,
                teardown=teardown,
            )
        else:
            taken = self._messages(topic, push)
        keep_unread(teardown, topic, taken)
        if teardown.has_sources:
            OrganizationSink(
                self,
                "organization",
                deployment=deployment,
                organization=gcp.organization,
                topic=topic,
                after=[taken],
            )
        if alarm_email:
            Alarms(
                self,
                "alarms",
                project=project,
                email=alarm_email,
                data_access=gcp.data_access,
                silence_hours=silence_hours,
            )

    def _messages(
        self, topic: PubsubTopic, push: Callable[..., PushSubscription]
    ) -> PubsubSubscription:
        """Add the path of single messages; return its subscription."""
        return push(
            self,
            "messages",
            topic=topic,
            topic_name=TOPIC,
            kept_seconds=LONGEST_SECONDS,
            after=(),
        ).subscription

    def _files(
        self,
        *,
        project: str,
        region: str,
        topic: PubsubTopic,
        agent: str,
        push: Callable[..., PushSubscription],
        teardown: Teardown,
    ) -> PubsubSubscription:
        """Add the path through batched files; return the subscription at its start."""
        writer = BatchWriter(self, "batch-writer", project=project, pubsub_agent=agent)
        staging = StagingBucket(
            self,
            "staging",
            project=project,
            region=region,
            writer=writer.account.member,
            reader=f"serviceAccount:{exporter_email(project)}",
        )
        files = FileTopic(self, "files", project=project, region=region)
        stored = push(
            self,
            "stored",
            topic=files.topic,
            topic_name=FILES_TOPIC,
            kept_seconds=KEPT_DAYS * 86_400,
            after=[staging.policy],
        )
        announced = FileNotification(self, "announced", staging=staging, files=files, push=stored)
        dead_letters = DeadLetters(
            self, "dead-letters", project=project, region=region, pubsub_agent=agent
        )
        batches = BatchSubscription(
            self,
            "batches",
            project=project,
            topic=topic,
            writer=writer,
            staging=staging,
            dead_letters=dead_letters,
            pubsub_agent=agent,
            after=[announced.notification],
        )
        keep_unread(
            teardown,
            staging.bucket,
            files.topic,
            stored.subscription,
            dead_letters.topic,
            dead_letters.subscription,
        )
        return batches.subscription
