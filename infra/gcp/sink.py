"""The organization's log sink: every audit log of every project, into one topic."""

from __future__ import annotations

from collections.abc import Sequence

from cdktn import ITerraformDependable
from cdktn_provider_google.logging_organization_sink import LoggingOrganizationSink
from cdktn_provider_google.pubsub_topic import PubsubTopic
from cdktn_provider_google.pubsub_topic_iam_binding import PubsubTopicIamBinding
from constructs import Construct

from infra.gcp import names
from nhi_evidence.config.gcp_delivery import FILTER


class OrganizationSink(Construct):
    """Routes the audit logs of the organization and of everything in it.

    An entry is written where its resource is, so only a sink with `include_children` at the root
    sees an identity of one project at work in another. It has no exclusion, and does not intercept:
    children can still route their logs elsewhere.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        organization: str,
        topic: PubsubTopic,
        after: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, name)
        sink = LoggingOrganizationSink(
            self,
            "sink",
            name=names.sink(deployment),
            org_id=organization,
            description="Cloud Audit Logs to nhi-evidence",
            destination=f"pubsub.googleapis.com/{topic.id}",
            filter=FILTER,
            include_children=True,
            # A message published before there is a subscription is lost.
            depends_on=after,
        )
        # A binding, not a member: nobody but this sink is granted to publish on the topic.
        PubsubTopicIamBinding(
            self,
            "publisher",
            project=topic.project,
            topic=topic.name,
            role="roles/pubsub.publisher",
            members=[sink.writer_identity],
        )
