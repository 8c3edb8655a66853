"""Who is told when an alarm is raised."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_sns as sns
from constructs import Construct

from nhi_evidence.config import documents
from nhi_evidence.config.aws.queues import alarm_topic


class AlarmTarget(Construct):
    """The topic alarms of one account and region are sent to.

    CloudWatch reaches topics of its own region alone. So the first of `topics` in this region is
    used, in whatever account; where there is none a topic is made, to which `email` is subscribed.
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
