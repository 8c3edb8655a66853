"""Where messages go that cannot be delivered: kept for a month, and an alarm."""

from __future__ import annotations

from cdktn_provider_google.pubsub_subscription import (
    PubsubSubscription,
    PubsubSubscriptionExpirationPolicy,
)
from cdktn_provider_google.pubsub_topic import PubsubTopic, PubsubTopicMessageStoragePolicy
from cdktn_provider_google.pubsub_topic_iam_binding import PubsubTopicIamBinding
from constructs import Construct

from infra.accepted import accept
from infra.gcp.keys import GOOGLE_KEY
from nhi_evidence.config.gcp_delivery import LONGEST_SECONDS
from nhi_evidence.config.gcp_names import DEAD_LETTERS


class DeadLetters(Construct):
    """A topic with one subscription nobody reads by default."""

    def __init__(
        self, scope: Construct, name: str, *, project: str, region: str, pubsub_agent: str
    ) -> None:
        super().__init__(scope, name)
        self.topic = PubsubTopic(
            self,
            "topic",
            project=project,
            name=DEAD_LETTERS,
            message_storage_policy=PubsubTopicMessageStoragePolicy(
                allowed_persistence_regions=[region]
            ),
        )
        accept(self.topic, GOOGLE_KEY)
        self.subscription = PubsubSubscription(
            self,
            "subscription",
            project=project,
            name=DEAD_LETTERS,
            topic=self.topic.id,
            message_retention_duration=f"{LONGEST_SECONDS}s",
            # Empty: the subscription does not expire for want of a reader.
            expiration_policy=PubsubSubscriptionExpirationPolicy(ttl=""),
        )
        self.grant = PubsubTopicIamBinding(
            self,
            "publisher",
            project=project,
            topic=self.topic.name,
            role="roles/pubsub.publisher",
            members=[pubsub_agent],
        )
