"""Checks of the exporter's subscription: hub, function app, and what sends logs to the hub.

https://learn.microsoft.com/rest/api/appservice/web-apps/list-application-settings
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nhi_evidence.adapters import cloud_settings, environ
from nhi_evidence.adapters.azure import activity_checks, policy_checks, resource_ids
from nhi_evidence.adapters.azure.policy_checks import MANAGEMENT
from nhi_evidence.adapters.cloud_checks import CloudChecks, same, variables
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.checks import Check, State, differing
from nhi_evidence.config import Config, azure_app, azure_names
from nhi_evidence.config.declaration import EventHub, declaration
from nhi_evidence.config.tables import Azure

HOSTS = (MANAGEMENT,)
_WEB, _HUBS, _IDENTITY = (
    "api-version=2024-04-01",
    "api-version=2024-01-01",
    "api-version=2023-01-31",
)


def checks(config: Config, azure: Azure, reader: RestReader) -> Iterator[Check]:
    """Yield every check of the subscription.

    Raises `DeclarationError` if the functions' declarations are not installed.
    """
    checks_of = CloudChecks(f"Azure, {azure.tenant}", reader, "deploy again: make deploy-azure")
    group = f"https://{MANAGEMENT}{resource_ids.group(azure.home)}/providers"
    namespace = f"{group}/Microsoft.EventHub/namespaces/{azure_names.namespace_name(azure.home)}"
    failed, hub = checks_of.ask(
        f"hub {azure_names.HUB}", f"{namespace}/eventhubs/{azure_names.HUB}?{_HUBS}"
    )
    if failed is not None:
        yield failed
    else:
        yield checks_of.judged(f"hub {azure_names.HUB}", _hub(hub))
    yield from _site(checks_of, azure)
    identity = f"{group}/Microsoft.ManagedIdentity/userAssignedIdentities/{azure_names.NAME}"
    what = f"function app {azure_names.site_name(azure.home)}, settings"
    failed, known = checks_of.ask("identity of the exporter", f"{identity}?{_IDENTITY}")
    if failed is not None:
        yield failed
    if known is None or hub is None:
        yield checks_of.unseen(what, "they name identity and hub, which could not be read")
    else:
        client = str(known.get("properties", {}).get("clientId"))
        created = str(hub.get("properties", {}).get("createdAt"))
        yield from _settings(checks_of, config, azure, what, client_id=client, created=created)
    yield checks_of.unseen(
        f"function app {azure_names.site_name(azure.home)}, code",
        "Azure states no digest of what was published",
    )
    yield from activity_checks.settings(checks_of, azure, config.id)
    yield from activity_checks.unlisted(checks_of, azure)
    yield from policy_checks.policies(checks_of, azure, config.id)


def _hub(hub: dict[str, Any]) -> tuple[State, str]:
    properties = hub.get("properties", {})
    retention = properties.get("retentionDescription") or {}
    hours = retention.get("retentionTimeInHours")
    wanted = {
        "partitions": str(azure_app.PARTITIONS),
        "keeps": f"{azure_app.RETENTION_HOURS} h",
        "status": "Active",
    }
    actual = {
        "partitions": str(properties.get("partitionCount")),
        "keeps": f"{hours} h",
        "status": str(properties.get("status")),
    }
    return same(differing(wanted, actual))


def _site(checks_of: CloudChecks, azure: Azure) -> Iterator[Check]:
    name, declared = azure_names.site_name(azure.home), declaration("azure_export").function
    what, site = f"function app {name}", resource_ids.site(azure.home)
    failed, answer = checks_of.ask(what, f"https://{MANAGEMENT}{site}?{_WEB}")
    if failed is not None:
        yield failed
        return
    properties = answer.get("properties", {})
    state = str(properties.get("state"))
    yield checks_of.judged(what, (State.OK if state == "Running" else State.FAILED, state))
    app = properties.get("functionAppConfig") or {}
    runtime, scale = app.get("runtime") or {}, app.get("scaleAndConcurrency") or {}
    identity = f"{resource_ids.group(azure.home)}/providers/Microsoft.ManagedIdentity"
    identities = (answer.get("identity") or {}).get("userAssignedIdentities") or {}
    wanted = {
        "runtime": f"python {declared.python}",
        "memory": f"{declared.memory_mb} MB",
        "most instances": str(azure_app.INSTANCES),
        "HTTPS only": "yes",
        "identities": f"{identity}/userAssignedIdentities/{azure_names.NAME}".lower(),
    }
    actual = {
        "runtime": f"{runtime.get('name')} {runtime.get('version')}",
        "memory": f"{scale.get('instanceMemoryMB')} MB",
        "most instances": str(scale.get("maximumInstanceCount")),
        "HTTPS only": "yes" if properties.get("httpsOnly") else "no",
        "identities": ", ".join(sorted(one.lower() for one in identities)),
    }
    yield checks_of.judged(f"{what}, configuration", same(differing(wanted, actual)))


def _settings(
    checks_of: CloudChecks, config: Config, azure: Azure, what: str, *, client_id: str, created: str
) -> Iterator[Check]:
    namespace = azure_names.namespace_name(azure.home)
    trigger = declaration("azure_export").trigger
    settings = cloud_settings.azure(
        config, azure, namespace=namespace, creation_id=created, client_id=client_id
    )
    wanted = {
        **azure_app.connections(
            client_id=client_id,
            storage=azure_names.storage_name(azure.home),
            namespace=f"{namespace}.servicebus.windows.net",
        ),
        **environ.variables(settings),
    }

    def judge(answer: dict[str, Any]) -> tuple[State, str]:
        actual = dict(answer.get("properties") or {})
        group = str(actual.pop(azure_app.CONSUMER_GROUP, "none"))
        is_same, observed = variables(wanted, actual, ours=lambda _: True)
        # The rest of its name is random, new for each generation of the hub.
        if isinstance(trigger, EventHub) and not group.startswith(f"{trigger.consumer_group}-"):
            fault = f"consumer group {group}"
            return State.CHANGED, fault if is_same else f"{observed}; {fault}"
        return same((is_same, observed))

    site = resource_ids.site(azure.home)
    yield from checks_of.look(
        what, f"https://{MANAGEMENT}{site}/config/appsettings/list?{_WEB}", judge, body={}
    )
