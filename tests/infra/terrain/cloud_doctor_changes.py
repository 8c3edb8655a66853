"""What may be otherwise than deployed in the other clouds, and what doctor says of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from nhi_evidence.checks import State
from nhi_evidence.config import read
from nhi_evidence.config.azure_resource_kinds import kinds_of
from nhi_evidence.config.built_code import BuiltCode
from tests.infra.terrain import cloud_answers
from tests.infra.terrain.synthesis import example

CONFIG = read(example())
FUNCTION = "nhi-evidence-gcp-export"
TOPICS = "projects/example-evidence/topics"


class Deployed(NamedTuple):
    """The answers of both clouds, and what was built for them."""

    answers: dict[str, Any]
    built: BuiltCode


def at(deployed: Deployed, ending: str) -> dict[str, Any]:
    """Return the only answer whose path ends so."""
    (path,) = [one for one in deployed.answers if one.partition("?")[0].endswith(ending)]
    answer: dict[str, Any] = deployed.answers[path]
    return answer


def google(deployed: Deployed) -> dict[str, Any]:
    return at(deployed, f"/functions/{FUNCTION}")


def subscription(deployed: Deployed, name: str) -> dict[str, Any]:
    return at(deployed, f"/subscriptions/{name}")


def site(deployed: Deployed) -> dict[str, Any]:
    return at(deployed, "/sites/nhi-evidence-1f2c78bc216d")


def settings(deployed: Deployed) -> dict[str, Any]:
    properties: dict[str, Any] = at(deployed, "/config/appsettings/list")["properties"]
    return properties


HOME = "22222222-3333-4444-5555-666666666666"
TENANT = "11111111-2222-3333-4444-555555555555"
GROUPS = "/providers/Microsoft.Management/managementGroups"
SETTING = "providers/Microsoft.Insights/diagnosticSettings/nhi-evidence-main-170b2e"


def activity(deployed: Deployed, of: str) -> dict[str, Any]:
    properties: dict[str, Any] = at(deployed, f"{of}/{SETTING}")["properties"]
    return properties


KIND = kinds_of(CONFIG.azure.resource_types if CONFIG.azure else ())[0]
ASSIGNMENT = KIND.assignment(CONFIG.id)


def assigned(deployed: Deployed) -> dict[str, Any]:
    properties: dict[str, Any] = at(deployed, f"/policyAssignments/{ASSIGNMENT}")["properties"]
    return properties


CHANGES: dict[str, tuple[Callable[[Deployed], Any], str, State, str]] = {
    "another bucket to export into": (
        lambda it: google(it)["serviceConfig"]["environmentVariables"].update(
            NHI_EVIDENCE_BUCKET="mine"
        ),
        f"function {FUNCTION}, environment",
        State.CHANGED,
        "changed: NHI_EVIDENCE_BUCKET",
    ),
    "a variable more": (
        lambda it: google(it)["serviceConfig"]["environmentVariables"].update(PYTHONPATH="/x"),
        f"function {FUNCTION}, environment",
        State.CHANGED,
        "added: PYTHONPATH",
    ),
    "anybody may call it": (
        lambda it: google(it)["serviceConfig"].update(ingressSettings="ALLOW_ALL"),
        f"function {FUNCTION}, configuration",
        State.CHANGED,
        "ingress ALLOW_ALL, not ALLOW_INTERNAL_ONLY",
    ),
    "less memory": (
        lambda it: google(it)["serviceConfig"].update(availableMemory="256Mi"),
        f"function {FUNCTION}, configuration",
        State.CHANGED,
        "memory 256 MiB, not 1024 MiB",
    ),
    "two events at once": (
        lambda it: google(it)["serviceConfig"].update(maxInstanceRequestConcurrency=2),
        f"function {FUNCTION}, configuration",
        State.CHANGED,
        "requests at once 2, not 1",
    ),
    "a function that fails to start": (
        lambda it: google(it).update(state="FAILED"),
        f"function {FUNCTION}",
        State.FAILED,
        "FAILED",
    ),
    "a revision of somebody's own": (
        lambda it: at(it, f"/services/{FUNCTION}").update(latestReadyRevision="x/revisions/mine"),
        f"function {FUNCTION}, revision",
        State.CHANGED,
        "mine",
    ),
    "other source": (
        lambda it: google(it)["buildConfig"]["source"]["storageSource"].update(object="mine.zip"),
        f"function {FUNCTION}, code",
        State.CHANGED,
        "gs://example-evidence-nhi-evidence-source/mine.zip",
    ),
    "source altered under its name": (
        lambda it: at(it, ".zip").update(md5Hash="bWluZQ=="),
        f"function {FUNCTION}, code",
        State.CHANGED,
        "MD5 bWluZQ==",
    ),
    "a sink that leaves one identity out": (
        lambda it: at(it, "/sinks/nhi-evidence-main-170b2e").update(
            exclusions=[{"name": "noise", "filter": 'protoPayload.x="a"'}]
        ),
        "organization sink",
        State.CHANGED,
        'leaves out noise (protoPayload.x="a"), not nothing',
    ),
    "a sink with a filter of somebody's own": (
        lambda it: at(it, "/sinks/nhi-evidence-main-170b2e").update(filter="severity>=ERROR"),
        "organization sink",
        State.CHANGED,
        "filter severity>=ERROR, not log_id(",
    ),
    "a sink of the organization's own log alone": (
        lambda it: at(it, "/sinks/nhi-evidence-main-170b2e").pop("includeChildren"),
        "organization sink",
        State.CHANGED,
        "children not included, not included",
    ),
    "a sink that is disabled": (
        lambda it: at(it, "/sinks/nhi-evidence-main-170b2e").update(disabled=True),
        "organization sink",
        State.CHANGED,
        "disabled yes, not no",
    ),
    "a sink that sends elsewhere": (
        lambda it: at(it, "/sinks/nhi-evidence-main-170b2e").update(
            destination="storage.googleapis.com/x"
        ),
        "organization sink",
        State.CHANGED,
        "sends to storage.googleapis.com/x, not pubsub.googleapis.com/projects/",
    ),
    "messages that a filter discards": (
        lambda it: subscription(it, "nhi-evidence-export").update(filter="attributes:x"),
        "subscription nhi-evidence-export",
        State.CHANGED,
        "filter attributes:x, not none",
    ),
    "messages pushed elsewhere": (
        lambda it: subscription(it, "nhi-evidence-export")["pushConfig"].update(
            pushEndpoint="https://example.com"
        ),
        "subscription nhi-evidence-export",
        State.CHANGED,
        f"pushes to https://example.com, not {cloud_answers.URI}/{TOPICS}/nhi-evidence-files",
    ),
    "no dead letters": (
        lambda it: subscription(it, "nhi-evidence-batches").pop("deadLetterPolicy"),
        "subscription nhi-evidence-batches",
        State.CHANGED,
        f"dead letters none, not {TOPICS}/nhi-evidence-dead-letters after 100",
    ),
    "dead letters after five attempts": (
        lambda it: subscription(it, "nhi-evidence-batches")["deadLetterPolicy"].update(
            maxDeliveryAttempts=5
        ),
        "subscription nhi-evidence-batches",
        State.CHANGED,
        "after 5, not projects/example-evidence/topics/nhi-evidence-dead-letters after 100",
    ),
    "dead letters forgotten after a day": (
        lambda it: subscription(it, "nhi-evidence-dead-letters").update(
            messageRetentionDuration="86400s"
        ),
        "subscription nhi-evidence-dead-letters",
        State.CHANGED,
        "keeps 86400s, not 2678400s",
    ),
    "a subscription that expires": (
        lambda it: subscription(it, "nhi-evidence-batches").pop("expirationPolicy"),
        "subscription nhi-evidence-batches",
        State.CHANGED,
        "expires in 31 days, not never",
    ),
    "a bucket that cannot be written": (
        lambda it: subscription(it, "nhi-evidence-batches")["cloudStorageConfig"].update(
            state="PERMISSION_DENIED"
        ),
        "subscription nhi-evidence-batches",
        State.FAILED,
        "PERMISSION_DENIED",
    ),
    "an app that is stopped": (
        lambda it: site(it)["properties"].update(state="Stopped"),
        "function app nhi-evidence-1f2c78bc216d",
        State.FAILED,
        "Stopped",
    ),
    "a second identity": (
        lambda it: site(it)["identity"]["userAssignedIdentities"].update({"/z": {}}),
        "function app nhi-evidence-1f2c78bc216d, configuration",
        State.CHANGED,
        "/userassignedidentities/nhi-evidence, /z, not ",
    ),
    "an older Python": (
        lambda it: site(it)["properties"]["functionAppConfig"]["runtime"].update(version="3.12"),
        "function app nhi-evidence-1f2c78bc216d, configuration",
        State.CHANGED,
        "runtime python 3.12, not python 3.13",
    ),
    "another role to write with": (
        lambda it: settings(it).update(NHI_EVIDENCE_WRITER_ROLE_ARN="mine"),
        "function app nhi-evidence-1f2c78bc216d, settings",
        State.CHANGED,
        "changed: NHI_EVIDENCE_WRITER_ROLE_ARN",
    ),
    "a connection string": (
        lambda it: settings(it).update(AzureWebJobsStorage="AccountKey=x"),
        "function app nhi-evidence-1f2c78bc216d, settings",
        State.CHANGED,
        "added: AzureWebJobsStorage",
    ),
    "another consumer group": (
        lambda it: settings(it).update(EventHubConsumerGroup="$Default"),
        "function app nhi-evidence-1f2c78bc216d, settings",
        State.CHANGED,
        "consumer group $Default",
    ),
    "a hub that keeps a day": (
        lambda it: at(it, "/eventhubs/audit-logs")["properties"]["retentionDescription"].update(
            retentionTimeInHours=24
        ),
        "hub audit-logs",
        State.CHANGED,
        "keeps 24 h, not 168 h",
    ),
    "a subscription's setting without a category": (
        lambda it: activity(it, f"/subscriptions/{HOME}")["logs"][0].update(enabled=False),
        f"setting of the Activity Log, subscription {HOME}",
        State.CHANGED,
        "categories Policy, Security, not Administrative, Policy, Security",
    ),
    "a subscription's setting that sends elsewhere": (
        lambda it: activity(it, f"/subscriptions/{HOME}").update(eventHubName="mine"),
        f"setting of the Activity Log, subscription {HOME}",
        State.CHANGED,
        "sends to mine, not audit-logs",
    ),
    "a group's setting that sends by another rule": (
        lambda it: activity(it, f"/managementGroups/{TENANT}").update(
            eventHubAuthorizationRuleId="/mine"
        ),
        f"setting of the Activity Log, management group {TENANT}",
        State.CHANGED,
        "sends by /mine, not /subscriptions/",
    ),
    "a group's setting that is gone": (
        lambda it: it.answers.pop(f"{GROUPS}/{TENANT}/{SETTING}"),
        f"setting of the Activity Log, management group {TENANT}",
        State.NOT_DEPLOYED,
        "",
    ),
    "a subscription that nobody listed": (
        lambda it: at(it, f"/managementGroups/{TENANT}/descendants")["value"].append(
            {"type": "/subscriptions", "name": "99999999-3333-4444-5555-666666666666"}
        ),
        f"subscriptions below management group {TENANT}",
        State.FAILED,
        "of 2, not listed: 99999999-3333-4444-5555-666666666666",
    ),
    "a policy that asks for less": (
        lambda it: at(it, f"/policyDefinitions/nhi-evidence-main-170b2e-{KIND.slug}")["properties"][
            "policyRule"
        ]["then"].update(effect="AuditIfNotExists"),
        f"policy nhi-evidence-main-170b2e-{KIND.slug}",
        State.CHANGED,
        "a different rule",
    ),
    "a policy that is not enforced": (
        lambda it: assigned(it).update(enforcementMode="DoNotEnforce"),
        f"policy assignment {ASSIGNMENT}",
        State.CHANGED,
        "enforced DoNotEnforce, not Default",
    ),
    "a subscription left out": (
        lambda it: assigned(it).update(notScopes=["/subscriptions/x"]),
        f"policy assignment {ASSIGNMENT}",
        State.CHANGED,
        "left out /subscriptions/x, not none",
    ),
    "resources without the setting": (
        lambda it: it.answers.update(
            {
                path: cloud_answers.summary(compliant=3, lacking=2)
                for path in it.answers
                if path.endswith(f"%27{ASSIGNMENT}%27")
            }
        ),
        f"{KIND.type} without the setting",
        State.FAILED,
        "2 of 5 evaluated",
    ),
}
