"""Where undeliverable messages go: they are kept for a month, and raise an alarm."""

from __future__ import annotations

from cdktn_provider_google.pubsub_subscription import (
    PubsubSubscription,
    PubsubSubscriptionExpirationPolicy,
)
from constructs import Construct

from infra.gcp import topic
from nhi_evidence.config.gcp_delivery import LONGEST_SECONDS
from nhi_evidence.config.gcp_names import DEAD_LETTERS


class DeadLetters(Construct):
    """A topic with one subscription nobody reads by default."""

    def __init__(
        self, scope: Construct, name: str, *, project: str, region: str, pubsub_agent: str
    ) -> None:
        super().__init__(scope, name)
        self.topic = topic.regional(self, project=project, region=region, name=DEAD_LETTERS)
        self.subscription = PubsubSubscription(
            self,
            "subscription",
            project=project,
            name=DEAD_LETTERS,
            topic=self.topic.id,
            message_retention_duration=f"{LONGEST_SECONDS}s",
            # Empty: the subscription does not expire for lack of a reader.
            expiration_policy=PubsubSubscriptionExpirationPolicy(ttl=""),
        )
        self.grant = topic.publisher(self, project=project, topic=self.topic, member=pubsub_agent)
