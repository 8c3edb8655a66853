"""Checks of one account's alarms in a region: that they are on, and reach someone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nhi_evidence.adapters.aws.aws_checks import DEPLOY, AwsChecks, Clients, Judged
from nhi_evidence.adapters.aws.policy_differences import judged
from nhi_evidence.checks import Check
from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws import queues


def alarms(
    checks_of: AwsChecks, clients: Clients, config: Config, *, account: str, region: str
) -> Iterator[Check]:
    """Yield the checks of the alarms of one account and region, and of the topic they go to."""
    cloudwatch = clients.client("cloudwatch", region)
    yield from checks_of.look(
        f"alarms of {region}",
        lambda: [
            alarm
            for store in config.evidence.buckets
            for page in cloudwatch.get_paginator("describe_alarms").paginate(
                AlarmNamePrefix=naming.alarms(store.id),
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            )
            for alarm in (*page.get("MetricAlarms", []), *page.get("CompositeAlarms", []))
        ],
        _on,
        f"a disabled alarm notifies nobody: enable its actions, or {DEPLOY}",
    )
    named = next((one for one in config.alarms.topics if one.split(":")[3] == region), None)
    sns = clients.client("sns", region)
    if named is not None:
        yield from checks_of.look(
            f"topic {named}",
            lambda: sns.get_topic_attributes(TopicArn=named),
            lambda _: (True, "exists"),
            "alarms in this region notify nobody: name an existing topic in [alarms]",
        )
        return
    name = naming.alarm_topic(config.id)
    topic = f"arn:{naming.partition(region)}:sns:{region}:{account}:{name}"
    yield from checks_of.compare(
        f"topic {name} of {region}",
        lambda: sns.get_topic_attributes(TopicArn=topic)["Attributes"],
        lambda answer: judged(json.loads(answer["Policy"]), queues.alarm_topic(topic, account)),
        DEPLOY,
    )
    yield from checks_of.look(
        f"subscriptions of {name} of {region}",
        lambda: [
            one
            for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
            for one in page["Subscriptions"]
        ],
        _confirmed,
        "confirm the subscription: AWS sent a mail to the address in [alarms]",
    )


def _on(deployed: list[dict[str, Any]]) -> Judged:
    off = sorted(str(one["AlarmName"]) for one in deployed if not one.get("ActionsEnabled", True))
    if off:
        return False, f"off: {', '.join(off)}"
    return bool(deployed), f"{len(deployed)} alarms, all on" if deployed else "there are none"


def _confirmed(subscriptions: list[dict[str, Any]]) -> Judged:
    confirmed = [one for one in subscriptions if one["SubscriptionArn"].startswith("arn:")]
    waiting = len(subscriptions) - len(confirmed)
    more = f", {waiting} not confirmed" if waiting else ""
    return bool(confirmed) and not waiting, f"{len(confirmed)} confirmed{more}"
