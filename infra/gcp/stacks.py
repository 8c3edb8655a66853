"""The two Google Cloud stacks: first the identity AWS is to trust, then all that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cdktn import TerraformStack
from cdktn_provider_google.data_google_project import DataGoogleProject
from cdktn_provider_google.provider import GoogleProvider
from constructs import Construct

from infra.declaration import Declaration
from infra.gcp.alarms import Alarms
from infra.gcp.apis import Apis
from infra.gcp.audit_logging import DataAccessLogs
from infra.gcp.batches import BatchSubscription, BatchWriter
from infra.gcp.dead_letters import DeadLetters
from infra.gcp.function import Caller, ExportFunction
from infra.gcp.identity import ExporterIdentity
from infra.gcp.names import PROJECT, exporter_email
from infra.gcp.sink import OrganizationSink
from infra.gcp.source import Builder, SourceArchive
from infra.gcp.staging import StagingBucket
from infra.gcp.topic import AuditTopic
from infra.gcp.triggers import FileTrigger, MessageTrigger
from infra.state import keep_state
from nhi_evidence.config.tables import Gcp


class GcpIdentityStack(TerraformStack):
    """The service account alone: its number goes into the AWS trust before anything exports."""

    def __init__(self, scope: Construct, name: str, *, gcp: Gcp) -> None:
        super().__init__(scope, name)
        keep_state(self, gcs_bucket=gcp.state_bucket)
        GoogleProvider(self, "google", project=gcp.project, region=gcp.region)
        Apis(self, "apis", project=gcp.project)
        ExporterIdentity(self, "exporter", project=gcp.project)


class GcpExportStack(TerraformStack):
    """Sink, topic, files, function: from an organization's audit logs to the exporter."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        gcp: Gcp,
        declared: Declaration,
        package: Path,
        environment: Mapping[str, str],
        alarm_email: str | None,
    ) -> None:
        super().__init__(scope, name)
        project, region = gcp.project, gcp.region
        keep_state(self, gcs_bucket=gcp.state_bucket)
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
        OrganizationSink(self, "organization", organization=gcp.organization, topic=topic)
        caller = Caller(self, "caller", project=project)
        if gcp.delivery == "files":
            writer = BatchWriter(self, "batch-writer", project=project, pubsub_agent=agent)
            staging = StagingBucket(
                self,
                "staging",
                project=project,
                region=region,
                writer=writer.account.member,
                reader=f"serviceAccount:{exporter_email(project)}",
            )
            BatchSubscription(
                self,
                "batches",
                project=project,
                topic=topic,
                writer=writer,
                staging=staging,
                dead_letters=DeadLetters(
                    self, "dead-letters", project=project, region=region, pubsub_agent=agent
                ),
                pubsub_agent=agent,
            )
            files = FileTrigger(
                self, "files", project=project, region=region, staging=staging, caller=caller
            )
            trigger, after = files.trigger, [files.announcer]
        else:
            trigger = MessageTrigger(
                self, "messages", region=region, topic=topic, caller=caller
            ).trigger
            after = []
        ExportFunction(
            self,
            "export",
            project=project,
            region=region,
            declared=declared,
            trigger=trigger,
            caller=caller,
            run_as=exporter_email(project),
            source=SourceArchive(self, "source", project=project, region=region, package=package),
            builder=Builder(self, "builder", project=project, region=region),
            environment=environment,
            after=after,
        )
        if alarm_email:
            Alarms(self, "alarms", project=project, email=alarm_email)
