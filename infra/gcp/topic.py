"""The topic the organization's audit logs are published to."""

from __future__ import annotations

from cdktn_provider_google.pubsub_topic import PubsubTopic, PubsubTopicMessageStoragePolicy
from constructs import Construct

from infra.accepted import accept
from infra.gcp.keys import GOOGLE_KEY
from infra.gcp.names import TOPIC
from nhi_evidence.config.gcp_delivery import REPLAY_SECONDS


class AuditTopic(Construct):
    """A topic that keeps a week of messages, all of them in one region."""

    def __init__(self, scope: Construct, name: str, *, project: str, region: str) -> None:
        super().__init__(scope, name)
        self.topic = PubsubTopic(
            self,
            "topic",
            project=project,
            name=TOPIC,
            message_retention_duration=f"{REPLAY_SECONDS}s",
            message_storage_policy=PubsubTopicMessageStoragePolicy(
                allowed_persistence_regions=[region]
            ),
        )
        accept(self.topic, GOOGLE_KEY)
