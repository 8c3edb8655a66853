"""The subscription that pushes messages to the function, for as long as it takes."""

from __future__ import annotations

from collections.abc import Sequence

from cdktn import ITerraformDependable
from cdktn_provider_google.pubsub_subscription import (
    PubsubSubscription,
    PubsubSubscriptionExpirationPolicy,
    PubsubSubscriptionPushConfig,
    PubsubSubscriptionPushConfigOidcToken,
    PubsubSubscriptionRetryPolicy,
)
from cdktn_provider_google.pubsub_topic import PubsubTopic
from constructs import Construct

from infra.gcp.function import Caller, ExportFunction
from infra.gcp.names import topic_path
from nhi_evidence.config.gcp_delivery import (
    ACK_MARGIN_SECONDS,
    LONGEST_ACK_SECONDS,
    MAXIMUM_BACKOFF,
    MINIMUM_BACKOFF,
)
from nhi_evidence.config.gcp_names import PUSH_SUBSCRIPTION


class PushSubscription(Construct):
    """Calls the function with each message until it answers 2xx, or the message is too old.

    It is our own subscription rather than an Eventarc trigger, whose hidden subscription gives up a
    message after a day. It has no dead-letter topic: an outage of 17 hours uses up a hundred
    attempts, Pub/Sub's maximum, and a dead-lettered message comes back under another id, under
    which it would be counted again (docs/decisions/0053-push-subscriptions.md).
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        project: str,
        topic: PubsubTopic,
        topic_name: str,
        function: ExportFunction,
        caller: Caller,
        kept_seconds: int,
        timeout_seconds: int,
        after: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, name)
        ack = timeout_seconds + ACK_MARGIN_SECONDS
        if ack > LONGEST_ACK_SECONDS:
            raise ValueError(
                f"a timeout of {timeout_seconds} s: Pub/Sub waits at most {LONGEST_ACK_SECONDS} s"
            )
        self.subscription = PubsubSubscription(
            self,
            "subscription",
            project=project,
            name=PUSH_SUBSCRIPTION,
            topic=topic.id,
            ack_deadline_seconds=ack,
            message_retention_duration=f"{kept_seconds}s",
            # Empty: the subscription does not expire in a month without messages.
            expiration_policy=PubsubSubscriptionExpirationPolicy(ttl=""),
            retry_policy=PubsubSubscriptionRetryPolicy(
                minimum_backoff=MINIMUM_BACKOFF, maximum_backoff=MAXIMUM_BACKOFF
            ),
            push_config=PubsubSubscriptionPushConfig(
                # The Functions Framework reads the topic's name from the path.
                push_endpoint=f"{function.uri}/{topic_path(project, topic_name)}",
                oidc_token=PubsubSubscriptionPushConfigOidcToken(
                    service_account_email=caller.account.email, audience=function.uri
                ),
            ),
            depends_on=[function.invoker, caller.grant, *after],
        )
