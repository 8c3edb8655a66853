"""The subscription that writes audit logs into files, and the identity it writes as."""

from __future__ import annotations

from collections.abc import Sequence

from cdktn import ITerraformDependable
from cdktn_provider_google.pubsub_subscription import (
    PubsubSubscription,
    PubsubSubscriptionCloudStorageConfig,
    PubsubSubscriptionCloudStorageConfigTextConfig,
    PubsubSubscriptionDeadLetterPolicy,
    PubsubSubscriptionExpirationPolicy,
    PubsubSubscriptionRetryPolicy,
)
from cdktn_provider_google.pubsub_subscription_iam_binding import PubsubSubscriptionIamBinding
from cdktn_provider_google.pubsub_topic import PubsubTopic
from constructs import Construct

from infra.gcp.dead_letters import DeadLetters
from infra.gcp.minted_account import MintedAccount
from infra.gcp.names import NAME, PREFIX
from infra.gcp.staging import StagingBucket
from nhi_evidence.config.gcp_delivery import (
    ATTEMPTS,
    BATCH_ACK_SECONDS,
    MAX_BYTES,
    MAX_SECONDS,
    MAXIMUM_BACKOFF,
    MINIMUM_BACKOFF,
    REPLAY_SECONDS,
)
from nhi_evidence.config.gcp_names import ENTRIES_SUBSCRIPTION


class BatchWriter(MintedAccount):
    """The identity that files are written as.

    It is not the Pub/Sub service agent, since then everybody who may create a subscription in the
    project could point one at the staging bucket; an account of its own requires `actAs` as well.
    """

    ACCOUNT_ID = f"{NAME}-batches"
    DISPLAY_NAME = "nhi-evidence batch writer"
    DESCRIPTION = "Pub/Sub writes batched audit logs as this account"


class BatchSubscription(Construct):
    """Newline-delimited files of whole messages, limited in size and age."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        project: str,
        topic: PubsubTopic,
        writer: BatchWriter,
        staging: StagingBucket,
        dead_letters: DeadLetters,
        pubsub_agent: str,
        after: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, name)
        self.subscription = PubsubSubscription(
            self,
            "subscription",
            project=project,
            name=ENTRIES_SUBSCRIPTION,
            topic=topic.id,
            ack_deadline_seconds=BATCH_ACK_SECONDS,
            message_retention_duration=f"{REPLAY_SECONDS}s",
            # Empty: the subscription does not expire in a month without entries.
            expiration_policy=PubsubSubscriptionExpirationPolicy(ttl=""),
            cloud_storage_config=PubsubSubscriptionCloudStorageConfig(
                bucket=staging.bucket.name,
                filename_prefix=PREFIX,
                filename_suffix=".ndjson",
                filename_datetime_format="YYYY/MM/DD/hh_mm_ssZ",
                max_bytes=MAX_BYTES,
                max_duration=f"{MAX_SECONDS}s",
                service_account_email=writer.account.email,
                text_config=PubsubSubscriptionCloudStorageConfigTextConfig(),
            ),
            dead_letter_policy=PubsubSubscriptionDeadLetterPolicy(
                dead_letter_topic=dead_letters.topic.id, max_delivery_attempts=ATTEMPTS
            ),
            retry_policy=PubsubSubscriptionRetryPolicy(
                minimum_backoff=MINIMUM_BACKOFF, maximum_backoff=MAXIMUM_BACKOFF
            ),
            # Creating the subscription tests the write, so the grants come first. So does
            # everything that announces a file: no file is written unannounced.
            depends_on=[staging.policy, dead_letters.grant, writer.grant, *after],
        )
        # To dead-letter a message, the service agent acknowledges it here.
        PubsubSubscriptionIamBinding(
            self,
            "agent",
            project=project,
            subscription=self.subscription.name,
            role="roles/pubsub.subscriber",
            members=[pubsub_agent],
        )
