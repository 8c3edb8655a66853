"""Topics whose messages stay in one region, such as the one audit logs are published to."""

from __future__ import annotations

from cdktn_provider_google.pubsub_topic import PubsubTopic, PubsubTopicMessageStoragePolicy
from cdktn_provider_google.pubsub_topic_iam_binding import PubsubTopicIamBinding
from constructs import Construct

from infra.accepted import accept
from infra.gcp.keys import GOOGLE_KEY
from infra.gcp.names import TOPIC
from nhi_evidence.config.gcp_delivery import REPLAY_SECONDS


def regional(
    scope: Construct, *, project: str, region: str, name: str, kept: str | None = None
) -> PubsubTopic:
    """Return a topic of `scope` that stores messages in one region, for as long as `kept`."""
    topic = PubsubTopic(
        scope,
        "topic",
        project=project,
        name=name,
        message_retention_duration=kept,
        message_storage_policy=PubsubTopicMessageStoragePolicy(
            allowed_persistence_regions=[region]
        ),
    )
    accept(topic, GOOGLE_KEY)
    return topic


def publisher(
    scope: Construct, *, project: str, topic: PubsubTopic, member: str
) -> PubsubTopicIamBinding:
    """Return the binding that lets `member`, and nobody else, publish on a topic of `scope`."""
    return PubsubTopicIamBinding(
        scope,
        "publisher",
        project=project,
        topic=topic.name,
        role="roles/pubsub.publisher",
        members=[member],
    )


class AuditTopic(Construct):
    """A topic that keeps a week of messages, all of them in one region."""

    def __init__(self, scope: Construct, name: str, *, project: str, region: str) -> None:
        super().__init__(scope, name)
        self.topic = regional(
            self, project=project, region=region, name=TOPIC, kept=f"{REPLAY_SECONDS}s"
        )
