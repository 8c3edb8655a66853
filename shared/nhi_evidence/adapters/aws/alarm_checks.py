"""Checks of one account's alarms in a region: that they are on, and reach someone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from nhi_evidence.adapters.aws.aws_checks import DEPLOY, AwsChecks, Clients, Judged
from nhi_evidence.adapters.aws.policy_differences import judged
from nhi_evidence.checks import Check
from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws import queues
from nhi_evidence.config.aws.alarms import AlarmName

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


def alarms(
    checks_of: AwsChecks,
    clients: Clients,
    config: Config,
    expected: Iterable[AlarmName],
    *,
    account: str,
    region: str,
) -> Iterator[Check]:
    """Yield the checks of the alarms of one account and region, and of the topic they go to.

    Every alarm of `expected` has to be there, to be on, and to notify that topic. What an alarm
    watches and its threshold are not compared.
    """
    cloudwatch = clients.client("cloudwatch", region)
    named = next((one for one in config.alarms.topics if one.split(":")[3] == region), None)
    name = naming.alarm_topic(config.id)
    topic = named or f"arn:{naming.partition(region)}:sns:{region}:{account}:{name}"
    wanted = list(expected)
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
        lambda deployed: _on(deployed, wanted, topic),
        f"each of them has to be there and to notify: enable its actions, or {DEPLOY}",
    )
    yield from _mutes(checks_of, cloudwatch, {one.name for one in wanted}, region)
    sns = clients.client("sns", region)
    if named is not None:
        yield from checks_of.look(
            f"topic {named}",
            lambda: sns.get_topic_attributes(TopicArn=named),
            lambda _: (True, "exists"),
            "alarms in this region notify nobody: name an existing topic in [alarms]",
        )
        return
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


def _mutes(
    checks_of: AwsChecks, cloudwatch: CloudWatchClient, names: set[str], region: str
) -> Iterator[Check]:
    """Yield the check that no rule mutes an alarm of `names`, now or on a schedule."""

    def ask() -> dict[str, list[str]]:
        pages = cloudwatch.get_paginator("list_alarm_mute_rules").paginate(
            Statuses=["ACTIVE", "SCHEDULED"]
        )
        # A summary has no name: it is the last part of the ARN.
        rules = [
            one["AlarmMuteRuleArn"].rsplit(":", 1)[-1]
            for page in pages
            for one in page.get("AlarmMuteRuleSummaries", [])
        ]
        muted = {}
        for rule in rules:
            answer = cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName=rule)
            targets = answer.get("MuteTargets", {}).get("AlarmNames", [])
            muted[rule] = sorted(names.intersection(targets))
        return {rule: ours for rule, ours in muted.items() if ours}

    yield from checks_of.look(
        f"mute rules of {region}",
        ask,
        lambda muted: (
            not muted,
            "; ".join(f"{rule} mutes {', '.join(ours)}" for rule, ours in muted.items()) or "none",
        ),
        "a muted alarm notifies nobody: delete the rule; CloudTrail says who made it "
        "(PutAlarmMuteRule)",
    )


def _on(deployed: list[dict[str, Any]], expected: list[AlarmName], topic: str) -> Judged:
    if not deployed:
        return False, "there are none"
    by_name = {str(one["AlarmName"]): one for one in deployed}
    there = [(one, by_name[one.name]) for one in expected if one.name in by_name]
    wrong = {
        "missing": [one.name for one in expected if one.name not in by_name],
        "off": [one.name for one, alarm in there if not alarm.get("ActionsEnabled", True)],
        # Another alarm can keep a composite one from notifying.
        "suppressed": [one.name for one, alarm in there if alarm.get("ActionsSuppressor")],
        "notifying another": [
            one.name
            for one, alarm in there
            if one.notifies and topic not in alarm.get("AlarmActions", [])
        ],
    }
    deviating = [f"{kind}: {', '.join(sorted(names))}" for kind, names in wrong.items() if names]
    return not deviating, "; ".join(deviating) or f"{len(there)} alarms, all on"


def _confirmed(subscriptions: list[dict[str, Any]]) -> Judged:
    confirmed = [one for one in subscriptions if one["SubscriptionArn"].startswith("arn:")]
    waiting = len(subscriptions) - len(confirmed)
    more = f", {waiting} not confirmed" if waiting else ""
    return bool(confirmed) and not waiting, f"{len(confirmed)} confirmed{more}"
