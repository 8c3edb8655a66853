"""The bucket of a new organization trail, in the log-archive account."""

from __future__ import annotations

from constructs import Construct

from infra.aws.notified_queue import notifications
from infra.aws.private_bucket import PrivateBucket
from nhi_evidence.config import Config
from nhi_evidence.config.aws.buckets import trail_bucket
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.tables import Trail


class TrailBucket(Construct):
    """A bucket that receives the files of one trail and notifies that trail's exporter of each.

    Files expire after the trail's `keep_days`, or never. Raises `ValueError` for a configuration
    without a management account, to which the trail belongs.
    """

    def __init__(
        self, scope: Construct, name: str, *, config: Config, trail: Trail, feed: Feed
    ) -> None:
        super().__init__(scope, name)
        private = PrivateBucket(
            self,
            "Private",
            plan=trail_bucket(config, trail, feed),
            notification_configuration=notifications(feed.queue_arn, feed.prefix),
        )
        self.resource = private.resource
