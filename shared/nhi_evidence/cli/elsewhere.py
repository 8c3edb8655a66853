"""What the doctor does not look at, by name, and the command that shows each."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.checks import Check, State
from nhi_evidence.config import Config, azure_names, gcp_names
from nhi_evidence.config.tables import Azure, Gcp


def checks(config: Config) -> Iterator[Check]:
    """Yield a check of everything outside AWS: not looked at, with what would show it."""
    if config.gcp is not None:
        yield from _listed(f"Google Cloud, {config.gcp.project}", _google(config.gcp))
    if config.azure is not None:
        yield from _listed(f"Azure, {config.azure.tenant}", _azure(config.azure))


def _listed(scope: str, things: dict[str, str]) -> Iterator[Check]:
    for what, shown_by in things.items():
        yield Check(scope, what, State.UNKNOWN, f"not checked; shown by: {shown_by}")


def _google(gcp: Gcp) -> dict[str, str]:
    name, project = gcp_names.NAME, gcp.project
    things = {
        "organization sink": f"gcloud logging sinks describe {name} "
        f"--organization {gcp.organization}",
        "topic and subscriptions": f"gcloud pubsub subscriptions list --project {project}",
        "function": f"gcloud functions list --v2 --project {project}",
        "Data Access logs": f"gcloud organizations get-iam-policy {gcp.organization} "
        "--format='yaml(auditConfigs)'",
        "everything against what the stack writes": "terraform plan, in gcp-export",
    }
    if gcp.delivery == "files":
        bucket = gcp_names.staging_bucket(project)
        things["staging bucket"] = f"gcloud storage buckets describe gs://{bucket}"
    return things


def _azure(azure: Azure) -> dict[str, str]:
    names = azure_names
    site = names.site_name(azure.home)
    things = {
        "diagnostic settings of the Activity Log": "az monitor diagnostic-settings subscription "
        f"list --subscription {azure.home}",
        "hub": f"az eventhubs eventhub show --name {names.HUB} "
        f"--namespace-name {names.namespace_name(azure.home)} --resource-group {names.NAME}",
        "function app": f"az functionapp show --name {site} --resource-group {names.NAME}",
        "everything against what the stack writes": "terraform plan, in azure-export",
    }
    if azure.resource_types:
        things["resources without the policies' settings"] = "terraform output -raw compliance"
    if azure.entra:
        things["diagnostic setting of the directory"] = "Entra admin center, Diagnostic settings"
    return things
