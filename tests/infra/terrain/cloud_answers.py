"""What Google Cloud and Azure would answer of the synthesized stacks, were they deployed.

Names, ids and the platforms' own values are put in where Terraform would read them; everything
else comes from the stacks, in the form the REST APIs give it back.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import md5
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nhi_evidence.adapters.azure import resource_ids
from nhi_evidence.config import azure_names
from tests.infra.terrain.synthesis import Stack, only

PROJECT, NUMBER = "example-evidence", "123456789012"
URI = "https://nhi-evidence-gcp-export-abcdefghij-ew.a.run.app"
CLIENT, CREATED = "99999999-2222-3333-4444-555555555555", "2026-03-02T08:00:00Z"
_REFERENCE = re.compile(r"\$\{(data\.)?([a-z0-9_]+)\.([A-Za-z0-9_-]+)\.([^}]+)\}")


def google(stack: Stack, folder: Path) -> dict[str, Any]:
    """Return answers of Google's APIs by path, of a stack synthesized into `folder`."""
    function = _camel(_known(only(stack, "google_cloudfunctions2_function"), stack))
    service = function["serviceConfig"]
    service |= {"uri": URI, "revision": "nhi-evidence-gcp-export-00007-abc"}
    # What Google gives back of 1024Mi, and sets itself.
    service["availableMemory"] = "1Gi"
    service["environmentVariables"]["LOG_EXECUTION_ID"] = "true"
    place = f"projects/{PROJECT}/locations/europe-west1"
    answers: dict[str, Any] = {
        f"/v2/{place}/functions/{function['name']}": {**function, "state": "ACTIVE"},
        f"/v2/{place}/services/{function['name']}": {
            "latestReadyRevision": f"{place}/services/x/revisions/{service['revision']}"
        },
        f"/v1/projects/{PROJECT}": {"projectNumber": NUMBER},
    }
    sink = _camel(_known(only(stack, "google_logging_organization_sink"), stack))
    answers[f"/v2/organizations/{sink.pop('orgId')}/sinks/{sink['name']}"] = sink
    stored = only(stack, "google_storage_bucket_object")
    source = folder / "out" / "stacks" / "gcp-export" / stored["source"]
    digest = md5(source.read_bytes(), usedforsecurity=False).digest()
    bucket = function["buildConfig"]["source"]["storageSource"]["bucket"]
    answers[f"/storage/v1/b/{bucket}/o/{stored['name']}"] = {"md5Hash": b64encode(digest).decode()}
    for pulled in stack["resource"]["google_pubsub_subscription"].values():
        subscription = _camel(_known(pulled, stack))
        subscription["state"] = "ACTIVE"
        # A subscription that never expires is listed with an empty policy.
        subscription["expirationPolicy"] = {}
        if "cloudStorageConfig" in subscription:
            subscription["cloudStorageConfig"]["state"] = "ACTIVE"
        path = f"/v1/projects/{PROJECT}/subscriptions/{subscription['name']}"
        answers[path] = subscription
    return answers


def azure(stack: Stack, home: str) -> dict[str, Any]:
    """Return answers of Azure's Resource Manager by path."""
    group = f"{resource_ids.group(home)}/providers"
    namespace = azure_names.namespace_name(home)
    hub = only(stack, "azurerm_eventhub")
    identity = f"{group}/Microsoft.ManagedIdentity/userAssignedIdentities/nhi-evidence"
    parameters = {
        "site": azure_names.site_name(home),
        "identity": identity,
        "clientId": CLIENT,
        "storage": azure_names.storage_name(home),
        "namespace": namespace,
        "consumerGroup": "nhi-evidence-0a1b2c3d",
    }
    deployment = only(stack, "azurerm_resource_group_template_deployment")
    site = _evaluated(json.loads(deployment["template_content"])["resources"][0], parameters)
    settings = site["properties"].pop("siteConfig")["appSettings"]
    site["properties"]["state"] = "Running"
    answers: dict[str, Any] = {
        f"{group}/Microsoft.EventHub/namespaces/{namespace}/eventhubs/{hub['name']}": {
            "properties": {
                "partitionCount": hub["partition_count"],
                "retentionDescription": _camel(hub["retention_description"]),
                "status": "Active",
                "createdAt": CREATED,
            }
        },
        resource_ids.site(home): site,
        f"{resource_ids.site(home)}/config/appsettings/list": {
            "properties": {one["name"]: one["value"] for one in settings}
        },
        identity: {"properties": {"clientId": CLIENT}},
    }
    answers |= _activity(stack, f"{group}/Microsoft.EventHub/namespaces/{namespace}")
    for policy in stack["resource"]["azurerm_policy_definition"].values():
        path = (
            f"{policy['management_group_id']}/providers/Microsoft.Authorization/policyDefinitions"
        )
        rule = json.loads(policy["policy_rule"])
        answers[f"{path}/{policy['name']}"] = {"properties": {"policyRule": rule}}
    for assignment in stack["resource"]["azurerm_management_group_policy_assignment"].values():
        answers |= _assignment(
            stack, assignment, f"{group}/Microsoft.EventHub/namespaces/{namespace}"
        )
    return answers


def _assignment(stack: Stack, assignment: dict[str, Any], namespace: str) -> dict[str, Any]:
    """Return the answers of one policy's assignment, with everything compliant."""
    policies = f"{assignment['management_group_id']}/providers/Microsoft.Authorization"
    match = _REFERENCE.fullmatch(assignment["policy_definition_id"])
    assert match
    definition = stack["resource"][match[2]][match[3]]["name"]
    parameters = json.loads(_text(assignment["parameters"], stack))
    parameters["rule"]["value"] = f"{namespace}/authorizationRules/azure-monitor"
    insights = f"{assignment['management_group_id']}/providers/Microsoft.PolicyInsights"
    chosen = quote(f"policyAssignmentName eq '{assignment['name']}'")
    summarized = f"latest/summarize?api-version=2019-10-01&%24filter={chosen}"
    return {
        f"{policies}/policyAssignments/{assignment['name']}": {
            "properties": {
                "policyDefinitionId": f"{policies}/policyDefinitions/{definition}".upper(),
                "enforcementMode": "Default",
                "notScopes": [],
                "parameters": parameters,
            }
        },
        f"{insights}/policyStates/{summarized}": summary(compliant=3),
    }


def _activity(stack: Stack, namespace: str) -> dict[str, Any]:
    """Return the settings of the Activity Log: of each subscription, and of the group."""
    rule = f"{namespace}/authorizationRules/azure-monitor".replace(
        "resourceGroups", "resourcegroups"
    )
    own = "providers/Microsoft.Insights/diagnosticSettings"
    answers: dict[str, Any] = {}
    for setting in stack["resource"]["azurerm_monitor_diagnostic_setting"].values():
        if setting["target_resource_id"].count("/") == len(("subscriptions", "id")):
            logs = [{**one, "enabled": True} for one in setting["enabled_log"]]
            answers[f"{setting['target_resource_id']}/{own}/{setting['name']}"] = {
                "properties": {
                    "eventHubAuthorizationRuleId": rule,
                    "eventHubName": _text(setting["eventhub_name"], stack),
                    "logs": [*logs, {"category": "Alert", "enabled": False}],
                }
            }
    deployment = only(stack, "azurerm_management_group_template_deployment")
    (resource,) = json.loads(deployment["template_content"])["resources"]
    sent = {"eventHubAuthorizationRuleId": rule, "eventHubName": azure_names.HUB}
    answers[f"{deployment['management_group_id']}/{own}/{resource['name']}"] = {
        "properties": resource["properties"] | sent
    }
    below = [_descendant(path.split("/")[2]) for path in answers if path.startswith("/subscr")]
    answers[f"{deployment['management_group_id']}/descendants"] = {
        "value": [{"type": "Microsoft.Management/managementGroups", "name": "below"}, *below]
    }
    return answers


def _descendant(subscription: str) -> dict[str, str]:
    """Return a subscription as an entry below a management group."""
    return {
        "type": "Microsoft.Management/managementGroups/subscriptions",
        "name": subscription.upper(),
    }


def summary(*, compliant: int = 0, lacking: int = 0) -> dict[str, Any]:
    """Return a summary of one assignment's states."""
    details = [
        {"complianceState": "compliant", "count": compliant},
        {"complianceState": "noncompliant", "count": lacking},
    ]
    results = {"nonCompliantResources": lacking, "resourceDetails": details}
    return {"value": [{"results": results, "policyAssignments": []}]}


def _known(value: Any, stack: Stack) -> Any:
    """Put in what Terraform would read."""
    if isinstance(value, dict):
        return {key: _known(one, stack) for key, one in value.items() if key != "//"}
    if isinstance(value, list):
        return [_known(one, stack) for one in value]
    return _text(value, stack) if isinstance(value, str) else value


def _text(text: str, stack: Stack) -> str:
    def read(match: re.Match[str]) -> str:
        is_data, kind, name, attribute = match.groups()
        if is_data:
            return NUMBER
        resource = stack["resource"][kind][name]
        if attribute.endswith("uri"):
            return URI
        if attribute == "email":
            return f"{resource['account_id']}@{PROJECT}.iam.gserviceaccount.com"
        if kind == "google_pubsub_topic" and attribute == "id":
            return f"projects/{PROJECT}/topics/{resource['name']}"
        return str(resource.get("name", attribute))

    return _REFERENCE.sub(read, text)


def _camel(value: Any, *, is_map: bool = False) -> Any:
    """Spell keys as the REST APIs do; those of a map are somebody's own."""
    if isinstance(value, list):
        return [_camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key if is_map else re.sub(r"_([a-z])", lambda match: match[1].upper(), key): _camel(
            one, is_map=key == "environment_variables"
        )
        for key, one in value.items()
    }


_PARAMETER = re.compile(r"parameters\('([A-Za-z]+)'\)")


def _evaluated(value: Any, parameters: dict[str, str]) -> Any:
    """Evaluate the expressions of a template that the function app uses."""
    if isinstance(value, dict):
        return {
            _evaluated(key, parameters): _evaluated(one, parameters) for key, one in value.items()
        }
    if isinstance(value, list):
        return [_evaluated(one, parameters) for one in value]
    if not isinstance(value, str) or not value.startswith("["):
        return value
    if "createdAt" in value:
        return CREATED
    parts = re.findall(r"parameters\('([A-Za-z]+)'\)|'([^']*)'", value)
    return "".join(parameters.get(name, name) if name else text for name, text in parts)
