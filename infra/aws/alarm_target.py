"""The topic that is notified when an alarm fires."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_sns as sns
from constructs import Construct

from nhi_evidence.config import documents
from nhi_evidence.config.aws.queues import alarm_topic


class AlarmTarget(Construct):
    """The topic that alarms of one account and region are sent to.

    CloudWatch can publish only to topics of its own region. So the first of `topics` in this region
    is used, whatever its account; if there is none, a topic is created and `email` is subscribed to
    it.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        topics: Sequence[str],
        email: str | None,
        topic_name: str,
        account: str,
        region: str,
    ) -> None:
        super().__init__(scope, name)
        here = next((one for one in topics if one.split(":")[3] == region), None)
        if here is not None:
            self.arn = here
            return
        topic = sns.CfnTopic(self, "Topic", topic_name=topic_name)
        self.arn = topic.ref
        sns.CfnTopicPolicy(
            self,
            "Policy",
            topics=[topic.ref],
            policy_document=documents.document(alarm_topic(topic.ref, account)),
        )
        if email is not None:
            sns.CfnSubscription(
                self, "Email", topic_arn=topic.ref, protocol="email", endpoint=email
            )
