"""The two ways an event reaches the function: a batched file, or a single message."""

from __future__ import annotations

from cdktn_provider_google.cloudfunctions2_function import (
    Cloudfunctions2FunctionEventTrigger,
    Cloudfunctions2FunctionEventTriggerEventFilters,
)
from cdktn_provider_google.data_google_storage_project_service_account import (
    DataGoogleStorageProjectServiceAccount,
)
from cdktn_provider_google.project_iam_member import ProjectIamMember
from cdktn_provider_google.pubsub_topic import PubsubTopic
from constructs import Construct

from infra.gcp.function import Caller
from infra.gcp.staging import StagingBucket

FILE_EVENT = "google.cloud.storage.object.v1.finalized"
MESSAGE_EVENT = "google.cloud.pubsub.topic.v1.messagePublished"

RETRY = "RETRY_POLICY_RETRY"
"""A failing call is made again, for a day: https://docs.cloud.google.com/eventarc/docs/retry-events"""


class FileTrigger(Construct):
    """Calls the function once for each finished file of the staging bucket."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        project: str,
        region: str,
        staging: StagingBucket,
        caller: Caller,
    ) -> None:
        super().__init__(scope, name)
        agent = DataGoogleStorageProjectServiceAccount(self, "agent", project=project)
        # Cloud Storage announces finished objects through Pub/Sub.
        # https://docs.cloud.google.com/eventarc/docs/run/create-trigger-storage-gcloud
        self.announcer = ProjectIamMember(
            self, "announcer", project=project, role="roles/pubsub.publisher", member=agent.member
        )
        self.trigger = Cloudfunctions2FunctionEventTrigger(
            event_type=FILE_EVENT,
            event_filters=[
                Cloudfunctions2FunctionEventTriggerEventFilters(
                    attribute="bucket", value=staging.bucket.name
                )
            ],
            trigger_region=region,
            retry_policy=RETRY,
            service_account_email=caller.account.email,
        )


class MessageTrigger(Construct):
    """Calls the function once for each message: simple, and dear beyond small estates."""

    def __init__(
        self, scope: Construct, name: str, *, region: str, topic: PubsubTopic, caller: Caller
    ) -> None:
        super().__init__(scope, name)
        self.trigger = Cloudfunctions2FunctionEventTrigger(
            event_type=MESSAGE_EVENT,
            pubsub_topic=topic.id,
            trigger_region=region,
            retry_policy=RETRY,
            service_account_email=caller.account.email,
        )
