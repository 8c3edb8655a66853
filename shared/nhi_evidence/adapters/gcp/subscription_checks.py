"""Checks of the exporter's subscriptions: retention, retries, dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from nhi_evidence.adapters.cloud_checks import CloudChecks
from nhi_evidence.checks import Check, State, differing
from nhi_evidence.config import gcp_delivery, gcp_names
from nhi_evidence.config.declaration import Declaration
from nhi_evidence.config.tables import Gcp

PUBSUB = "pubsub.googleapis.com"


class SubscriptionPlan(msgspec.Struct, frozen=True):
    """One subscription, as the stack writes it."""

    name: str
    wanted: Mapping[str, str]


def plans(gcp: Gcp, declared: Declaration, uri: str) -> tuple[SubscriptionPlan, ...]:
    """Return what the stack writes; `uri` is the function's, or empty if unknown."""
    backoff = f"{gcp_delivery.MINIMUM_BACKOFF} to {gcp_delivery.MAXIMUM_BACKOFF}"
    common = {"filter": "none", "expires": "never", "detached": "no"}
    by_files = gcp.delivery == "files"
    topic = gcp_names.topic_path(
        gcp.project, gcp_names.FILES_TOPIC if by_files else gcp_names.TOPIC
    )
    kept = gcp_delivery.KEPT_DAYS * 86_400 if by_files else gcp_delivery.LONGEST_SECONDS
    ack = declared.function.timeout_seconds + gcp_delivery.ACK_MARGIN_SECONDS
    push = {
        **common,
        "topic": topic,
        "acknowledged within": f"{ack} s",
        "keeps": f"{kept}s",
        "tries again after": backoff,
        "dead letters": "none",
        "pushes as": gcp_names.account_email(f"{gcp_names.NAME}-trigger", gcp.project),
    }
    if uri:
        push |= {"pushes to": f"{uri}/{topic}", "for": uri}
    exporting = SubscriptionPlan(gcp_names.PUSH_SUBSCRIPTION, push)
    if not by_files:
        return (exporting,)
    dead_letters = gcp_names.topic_path(gcp.project, gcp_names.DEAD_LETTERS)
    batches = {
        **common,
        "topic": gcp_names.topic_path(gcp.project, gcp_names.TOPIC),
        "acknowledged within": f"{gcp_delivery.BATCH_ACK_SECONDS} s",
        "keeps": f"{gcp_delivery.REPLAY_SECONDS}s",
        "tries again after": backoff,
        "dead letters": f"{dead_letters} after {gcp_delivery.ATTEMPTS}",
        "writes to": f"gs://{gcp_names.staging_bucket(gcp.project)}/{gcp_names.PREFIX}",
        "writes as": gcp_names.account_email(f"{gcp_names.NAME}-batches", gcp.project),
        "files of": f"{gcp_delivery.MAX_BYTES} bytes, {gcp_delivery.MAX_SECONDS}s",
    }
    waiting = {
        **common,
        "topic": dead_letters,
        "keeps": f"{gcp_delivery.LONGEST_SECONDS}s",
        "pushes to": "none",
    }
    return (
        exporting,
        SubscriptionPlan(gcp_names.ENTRIES_SUBSCRIPTION, batches),
        SubscriptionPlan(gcp_names.DEAD_LETTERS, waiting),
    )


def subscription(checks_of: CloudChecks, gcp: Gcp, plan: SubscriptionPlan) -> Iterator[Check]:
    """Yield the check of one subscription."""
    yield from checks_of.look(
        f"subscription {plan.name}",
        f"https://{PUBSUB}/v1/projects/{gcp.project}/subscriptions/{plan.name}",
        lambda answer: _judged(plan, answer),
    )


def _judged(plan: SubscriptionPlan, answer: Mapping[str, Any]) -> tuple[State, str]:
    is_same, observed = differing(plan.wanted, _settings(answer))
    if not is_same:
        return State.CHANGED, observed
    # Pub/Sub's own words if it cannot write to a destination.
    states = answer.get("state"), answer.get("cloudStorageConfig", {}).get("state")
    failing = [str(one) for one in states if one not in {None, "ACTIVE"}]
    return (State.FAILED, ", ".join(failing)) if failing else (State.OK, observed)


def _settings(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return what Pub/Sub states about a subscription, in the words of the plans above."""
    push, storage = answer.get("pushConfig") or {}, answer.get("cloudStorageConfig") or {}
    retry, dead = answer.get("retryPolicy") or {}, answer.get("deadLetterPolicy") or {}
    token = push.get("oidcToken") or {}
    ttl = (answer.get("expirationPolicy") or {}).get("ttl")
    return {
        "topic": str(answer.get("topic")),
        "acknowledged within": f"{answer.get('ackDeadlineSeconds')} s",
        "keeps": str(answer.get("messageRetentionDuration")),
        # Without a policy Pub/Sub lets a subscription expire after 31 days.
        "expires": str(ttl) if ttl else "never" if "expirationPolicy" in answer else "in 31 days",
        "filter": str(answer.get("filter") or "none"),
        "detached": "yes" if answer.get("detached") else "no",
        "tries again after": f"{retry.get('minimumBackoff')} to {retry.get('maximumBackoff')}"
        if retry
        else "none",
        "dead letters": f"{dead['deadLetterTopic']} after {dead.get('maxDeliveryAttempts')}"
        if dead
        else "none",
        "pushes to": str(push.get("pushEndpoint") or "none"),
        "pushes as": str(token.get("serviceAccountEmail", "none")),
        "for": str(token.get("audience", "none")),
        "writes to": f"gs://{storage.get('bucket')}/{storage.get('filenamePrefix', '')}",
        "writes as": str(storage.get("serviceAccountEmail", "none")),
        "files of": f"{storage.get('maxBytes')} bytes, {storage.get('maxDuration')}",
    }
