"""How the function is notified of a finished file."""

from __future__ import annotations

from cdktn_provider_google.data_google_storage_project_service_account import (
    DataGoogleStorageProjectServiceAccount,
)
from cdktn_provider_google.storage_notification import StorageNotification
from constructs import Construct

from infra.gcp import topic
from infra.gcp.names import FILES_TOPIC, PREFIX
from infra.gcp.push import PushSubscription
from infra.gcp.staging import StagingBucket


class FileTopic(Construct):
    """The topic on which Cloud Storage announces finished objects, with a grant to nobody else."""

    def __init__(self, scope: Construct, name: str, *, project: str, region: str) -> None:
        super().__init__(scope, name)
        self.topic = topic.regional(self, project=project, region=region, name=FILES_TOPIC)
        agent = DataGoogleStorageProjectServiceAccount(self, "agent", project=project)
        self.grant = topic.publisher(self, project=project, topic=self.topic, member=agent.member)


class FileNotification(Construct):
    """Announces each finished file of the staging bucket, once there is a subscription.

    https://docs.cloud.google.com/storage/docs/pubsub-notifications
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        staging: StagingBucket,
        files: FileTopic,
        push: PushSubscription,
    ) -> None:
        super().__init__(scope, name)
        self.notification = StorageNotification(
            self,
            "notification",
            bucket=staging.bucket.name,
            topic=files.topic.id,
            event_types=["OBJECT_FINALIZE"],
            object_name_prefix=PREFIX,
            payload_format="JSON_API_V1",
            depends_on=[files.grant, push.subscription],
        )
