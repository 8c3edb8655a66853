"""Outside AWS: what the doctor checks with a token, and which command shows the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nhi_evidence.adapters.azure import canary_checks as azure_canary
from nhi_evidence.adapters.azure import estate_checks as azure_estate
from nhi_evidence.adapters.azure import policy_checks
from nhi_evidence.adapters.gcp import canary_checks as gcp_canary
from nhi_evidence.adapters.gcp import estate_checks as gcp_estate
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.checks import Check, State
from nhi_evidence.config import Config, azure_names, gcp_names, naming
from nhi_evidence.config.built_code import BuiltCode
from nhi_evidence.config.tables import Azure, Gcp


def checks(
    config: Config,
    *,
    gcp_token: str | None = None,
    azure_token: str | None = None,
    graph_token: str | None = None,
    built: BuiltCode | None = None,
    bases: Mapping[str, str] | None = None,
) -> Iterator[Check]:
    """Yield a check of everything outside AWS.

    With a cloud's token its exporter, subscriptions, policies and canaries are compared with the
    stacks, and with one for Graph the canary of the tenant; what is not checked is named, with
    what would show it. `bases` are other addresses, of tests. Raises `DeclarationError` where the
    library is installed without the functions' declarations.
    """
    if config.gcp is not None:
        if gcp_token is not None:
            reader = RestReader(dict.fromkeys(gcp_estate.HOSTS, gcp_token), bases)
            yield from gcp_estate.checks(config, config.gcp, reader, built)
            reader = RestReader(dict.fromkeys(gcp_canary.HOSTS, gcp_token), bases)
            yield from gcp_canary.checks(config, reader)
        rest = _google(config.gcp, seen=gcp_token is not None)
        if gcp_token is None:
            rest |= {
                f"canary of {each.google.project}": "gcloud iam service-accounts get-iam-policy "
                f"{naming.google_canary(config.id, each.google.project)} "
                f"--project {each.google.project}"
                for each in config.canaries
                if each.google is not None
            }
        yield from _listed(f"Google Cloud, {config.gcp.project}", rest)
    if config.azure is not None:
        if azure_token is not None:
            reader = RestReader(dict.fromkeys(azure_estate.HOSTS, azure_token), bases)
            yield from azure_estate.checks(config, config.azure, reader)
        yield from azure_canary.checks(
            config,
            config.azure,
            graph=_reader(azure_canary.GRAPH, graph_token, bases),
            management=_reader(policy_checks.MANAGEMENT, azure_token, bases),
        )
        rest = _azure(config.azure, seen=azure_token is not None)
        yield from _listed(f"Azure, {config.azure.tenant}", rest)


def _reader(host: str, token: str | None, bases: Mapping[str, str] | None) -> RestReader | None:
    return None if token is None else RestReader({host: token}, bases)


def _listed(scope: str, things: dict[str, str]) -> Iterator[Check]:
    for what, shown_by in things.items():
        yield Check(scope, what, State.UNKNOWN, f"not checked; shown by: {shown_by}")


def _google(gcp: Gcp, *, seen: bool) -> dict[str, str]:
    name, project = gcp_names.NAME, gcp.project
    things = {
        "Data Access logs": f"gcloud organizations get-iam-policy {gcp.organization} "
        "--format='yaml(auditConfigs)'",
        "everything the stack defines": "terraform plan, in gcp-export",
    }
    if not seen:
        things |= {
            "organization sink": f"gcloud logging sinks describe {name} "
            f"--organization {gcp.organization}",
            "topic and subscriptions": f"gcloud pubsub subscriptions list --project {project}",
            "function": f"gcloud functions list --v2 --project {project}",
        }
    if gcp.delivery == "files":
        bucket = gcp_names.staging_bucket(project)
        things["staging bucket"] = f"gcloud storage buckets describe gs://{bucket}"
    return things


def _azure(azure: Azure, *, seen: bool) -> dict[str, str]:
    names = azure_names
    site = names.site_name(azure.home)
    things = {"everything the stack defines": "terraform plan, in azure-export"}
    if not seen:
        things |= {
            "diagnostic settings of the Activity Log": "az monitor diagnostic-settings "
            f"subscription list --subscription {azure.home}",
            "hub": f"az eventhubs eventhub show --name {names.HUB} "
            f"--namespace-name {names.namespace_name(azure.home)} --resource-group {names.NAME}",
            "function app": f"az functionapp show --name {site} --resource-group {names.NAME}",
        }
    if azure.resource_types and not seen:
        things["resources that lack the policies' settings"] = "terraform output -raw compliance"
    if azure.entra:
        things["diagnostic setting of the directory"] = "Entra admin center, Diagnostic settings"
    return things
