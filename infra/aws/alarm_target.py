"""Who is told when an alarm is raised."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from constructs import Construct

from nhi_evidence.config import documents
from nhi_evidence.config.documents import deny

SENDERS = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com")


class AlarmTarget(Construct):
    """The topic alarms of one account and region are sent to.

    An existing `topic` is used where CloudWatch can reach it, which is in its own region alone;
    otherwise a topic is made, to which `email` is subscribed.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        topic: str | None,
        email: str | None,
        topic_name: str,
        account: str,
        region: str,
    ) -> None:
        super().__init__(scope, name)
        if topic is not None and topic.split(":")[3] == region:
            self.arn = topic
            return
        made = sns.CfnTopic(self, "Topic", topic_name=topic_name)
        self.arn = made.ref
        sns.CfnTopicPolicy(
            self,
            "Policy",
            topics=[made.ref],
            policy_document=documents.document(
                [
                    {
                        "Sid": "Alarms",
                        "Effect": "Allow",
                        "Principal": {"Service": list(SENDERS)},
                        "Action": ["sns:Publish"],
                        "Resource": made.ref,
                        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
                    },
                    deny(
                        "PlainHttp",
                        ["sns:Publish"],
                        made.ref,
                        {"Bool": {"aws:SecureTransport": "false"}},
                    ),
                ]
            ),
        )
        if email is not None:
            sns.CfnSubscription(self, "Email", topic_arn=made.ref, protocol="email", endpoint=email)
