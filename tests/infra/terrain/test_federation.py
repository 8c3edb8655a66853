"""Trust in the evidence account's functions in other clouds: one subject, few permissions, no
secret.

Only synthesized: whether Google and Entra accept a token takes a live account.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.coverage.canary.probes import probes
from tests.infra.terrain.synthesis import (
    FEDERATED,
    ROOT,
    Stack,
    Stacks,
    at,
    only,
    switched_on,
    synthesize,
)

# As the providers document them, not copied from the stacks.
ACTIVITY = "Microsoft.Insights/eventtypes/values/read"
GRAPH = "00000003-0000-0000-c000-000000000000"
PERMISSIONS = {
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
}
SECURITY_READER = "5d6b6bb7-de71-4623-b4af-96380a352509"
LISTS = "roles/logging.privateLogViewer"
READS = ("roles/iam.securityReviewer", "roles/logging.viewer", "roles/browser")
ISSUER = "https://11111111-2222-3333-4444-555555555555.tokens.sts.global.api.aws"
RECONCILE = "arn:aws:iam::222233334444:role/nhi-evidence-main-170b2e-reconcile"
COVERAGE = "arn:aws:iam::222233334444:role/nhi-evidence-main-170b2e-coverage"
SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"
DEPLOYS = {
    "azuread_app_role_assignment": ("azure", "Privileged Role Administrator"),
    "azuread_application": ("azure", "Application Administrator"),
    "azuread_application_federated_identity_credential": ("azure", "Application Administrator"),
    "azuread_directory_role_assignment": ("azure", "Privileged Role Administrator"),
    "azuread_service_principal": ("azure", "Application Administrator"),
    "azurerm_resource_group": ("azure", "Owner"),
    "azurerm_role_assignment": ("azure", "User Access Administrator"),
    "azurerm_role_definition": ("azure", "User Access Administrator"),
    "azurerm_user_assigned_identity": ("azure", "Owner"),
    "google_iam_workload_identity_pool": ("gcp", "roles/iam.workloadIdentityPoolAdmin"),
    "google_iam_workload_identity_pool_provider": ("gcp", "roles/iam.workloadIdentityPoolAdmin"),
    "google_organization_iam_member": ("gcp", "roles/resourcemanager.organizationAdmin"),
    "google_project_iam_custom_role": ("gcp", "roles/iam.roleAdmin"),
    "google_project_iam_member": ("gcp", "roles/resourcemanager.projectIamAdmin"),
    "google_project_service": ("gcp", "roles/serviceusage.serviceUsageAdmin"),
    "google_service_account": ("gcp", "roles/iam.serviceAccountAdmin"),
    "google_service_account_iam_member": ("gcp", "roles/iam.serviceAccountAdmin"),
}
"""Type of resource to the cloud and the role that making it takes, as the providers document."""
SECRETS = (
    "google_service_account_key",
    "azuread_application_password",
    "azuread_service_principal_password",
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """Stacks in which Google's logs are listed and settings read."""
    return synthesize(tmp_path_factory.mktemp("both"), text=switched_on(*FEDERATED))


def every(stack: Stack, type_name: str) -> list[dict[str, Any]]:
    return list(stack["resource"].get(type_name, {}).values())


def test_without_an_issuer_nothing_is_trusted(stacks: Stacks) -> None:
    for name in ("gcp-identity", "azure-identity"):
        kinds = set(stacks[name]["resource"])
        assert not {one for one in kinds if "pool" in one or "federated" in one}


def test_google_accepts_only_those_roles(both: Stacks) -> None:
    """One pool, one provider of one issuer; the condition names each subject in full."""
    stack = both["gcp-identity"]
    pool, _ = at(stack, "federation/pool")
    provider_name, provider = at(stack, "federation/provider")
    assert ISSUER == provider["oidc"]["issuer_uri"]
    assert "allowed_audiences" not in provider["oidc"], "the provider's own name is the audience"
    assert {"google.subject": "assertion.sub"} == provider["attribute_mapping"]
    assert {f"assertion.sub == '{COVERAGE}'", f"assertion.sub == '{RECONCILE}'"} == set(
        provider["attribute_condition"].split(" || ")
    )
    assert (
        f"//iam.googleapis.com/${{{provider_name}.name}}"
        == stack["output"]["federation_provider"]["value"]
    )
    member = f"principal://iam.googleapis.com/${{{pool}.name}}/subject/"
    assert {("example-payments", LISTS, f"{member}{RECONCILE}")} == {
        (one["project"], one["role"], one["member"])
        for one in every(stack, "google_project_iam_member")
    }
    assert {("123456789012", role, f"{member}{COVERAGE}") for role in READS} == {
        (one["org_id"], one["role"], one["member"])
        for one in every(stack, "google_organization_iam_member")
    }


def test_the_pool_comes_after_the_services_it_needs(both: Stacks) -> None:
    """The services of federation are enabled in the pool's project, and the pool waits for them.

    https://docs.cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds
    """
    stack = both["gcp-identity"]
    _, pool = at(stack, "federation/pool")
    switched = stack["resource"]["google_project_service"]
    enabled = {
        switched[one.rpartition(".")[2]]["service"].partition(".")[0]
        for one in pool.get("depends_on", ())
        if switched[one.rpartition(".")[2]]["project"] == pool["project"]
    }
    assert {"iam", "cloudresourcemanager", "iamcredentials", "sts"} <= enabled


def test_entra_has_an_application_for_each_function(both: Stacks) -> None:
    """Each has one federated credential for one subject, and its own permissions."""
    stack = both["azure-identity"]
    credentials = {
        one["subject"]: (one["issuer"], one["audiences"], one["application_id"])
        for one in every(stack, "azuread_application_federated_identity_credential")
    }
    assert {
        subject: (
            ISSUER,
            ["api://AzureADTokenExchange"],
            f"${{{at(stack, f'federation/{name}/application')[0]}.id}}",
        )
        for name, subject in (("reconcile", RECONCILE), ("coverage", COVERAGE))
    } == credentials
    granted = {
        (one["principal_object_id"], one["app_role_id"], one["resource_object_id"])
        for one in every(stack, "azuread_app_role_assignment")
    }
    (graph_of,) = {GRAPH} & {
        one["client_id"] for one in stack["data"]["azuread_service_principal"].values()
    }
    assert GRAPH == graph_of
    wanted = {"reconcile": "AuditLog.Read.All", "coverage": "Organization.Read.All"}
    for name, permission in wanted.items():
        service, _ = at(stack, f"federation/{name}/service")
        (grant,) = [each for each in granted if each[0] == f"${{{service}.object_id}}"]
        assert PERMISSIONS[permission] == grant[1]
        application, _ = at(stack, f"federation/{name}/application")
        output = stack["output"][f"{name}_client"]["value"]
        assert f"${{{application}.client_id}}" == output


def test_the_activity_log_is_listed_by_one_action(both: Stacks) -> None:
    """A role with only that action, only on the subscriptions, for one principal."""
    stack = both["azure-identity"]
    role, body = at(stack, "federation/activity")
    assert [{"actions": [ACTIVITY], "not_actions": []}] == body["permissions"]
    assert [f"/subscriptions/{SUBSCRIPTION}"] == body["assignable_scopes"]
    lists, reads = (
        f"${{{at(stack, f'federation/{name}/service')[0]}.object_id}}"
        for name in ("reconcile", "coverage")
    )
    own = _role(role)
    tenant = "11111111-2222-3333-4444-555555555555"
    assert {
        (lists, f"/subscriptions/{SUBSCRIPTION}{own}", f"/subscriptions/{SUBSCRIPTION}"),
        (reads, "Reader", f"/providers/Microsoft.Management/managementGroups/{tenant}"),
    } == {
        (
            one["principal_id"],
            one.get("role_definition_name") or one["role_definition_id"],
            one["scope"],
        )
        for one in every(stack, "azurerm_role_assignment")
    }
    directory = only(stack, "azuread_directory_role_assignment")
    assert (SECURITY_READER, reads) == (directory["role_id"], directory["principal_object_id"])


def test_the_pages_name_the_roles_that_trust_takes(both: Stacks, probed: Stacks) -> None:
    """Whoever deploys reads there what the first apply would otherwise refuse."""
    used = {
        type_name
        for stacks in (both, probed)
        for name in ("gcp-identity", "azure-identity")
        for type_name in stacks[name]["resource"]
    }
    assert used == {*DEPLOYS}
    for cloud, role in DEPLOYS.values():
        page = (ROOT / "docs" / f"deploy-{cloud}.md").read_text()
        needs = page.partition("## What the deployer needs\n")[2].partition("\n## ")[0]
        assert role in needs, (cloud, role)


def _role(address: str) -> str:
    """Return what the id of a role ends with, in whichever subscription it is assigned."""
    return f"/providers/Microsoft.Authorization/roleDefinitions/${{{address}.role_definition_id}}"


def test_each_subscription_s_assignment_names_the_role_as_azure_returns_it(tmp_path: Path) -> None:
    """By the id it has in that subscription: by another's, each apply would replace the assignment.

    https://github.com/Azure/azure-rest-api-specs/issues/10939
    """
    other = "00000000-3333-4444-5555-666666666666"
    text = switched_on(*FEDERATED, "subscription = ").replace(
        f'subscriptions = ["{SUBSCRIPTION}"]', f'subscriptions = ["{other}", "{SUBSCRIPTION}"]'
    )
    stack = synthesize(tmp_path, text=text)["azure-identity"]
    role, body = at(stack, "federation/activity")
    scopes = [f"/subscriptions/{each}" for each in (other, SUBSCRIPTION)]
    assert scopes == body["assignable_scopes"]
    assert {scope: f"{scope}{_role(role)}" for scope in scopes} == {
        one["scope"]: one["role_definition_id"]
        for one in every(stack, "azurerm_role_assignment")
        if "role_definition_id" in one
    }


def test_no_secret_is_made(both: Stacks) -> None:
    for name in ("gcp-identity", "azure-identity"):
        assert not set(SECRETS) & set(both[name]["resource"])


CANARY = "arn:aws:iam::222233334444:role/nhi-evidence-main-170b2e-canary"
CANARIES = """
[[canaries]]
evidence = "main"
google = { project = "example-canary" }
entra = {}
"""


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """A canary in a project and in the tenant, and no other trust."""
    text = switched_on("token_issuer") + CANARIES
    return synthesize(tmp_path_factory.mktemp("probed"), text=text)


def test_a_project_s_canary_may_only_list_service_accounts(probed: Stacks) -> None:
    """One account with one permission and no key, impersonated only by the canary function."""
    stack = probed["gcp-identity"]
    _, provider = at(stack, "federation/provider")
    assert f"assertion.sub == '{CANARY}'" == provider["attribute_condition"]
    account, body = at(stack, "federation/canary-example-canary/account")
    assert ("example-canary", "nhi-evidence-canary-170b2e") == (body["project"], body["account_id"])
    role, permitted = at(stack, "federation/canary-example-canary/role")
    assert ["iam.serviceAccounts.list"] == permitted["permissions"]
    granted = only(stack, "google_project_iam_member")
    assert (f"${{{role}.name}}", f"serviceAccount:${{{account}.email}}") == (
        granted["role"],
        granted["member"],
    )
    taken = only(stack, "google_service_account_iam_member")
    pool, _ = at(stack, "federation/pool")
    assert "roles/iam.workloadIdentityUser" == taken["role"]
    assert f"principal://iam.googleapis.com/${{{pool}.name}}/subject/{CANARY}" == taken["member"]
    assert f"${{{account}.name}}" == taken["service_account_id"]
    assert "google_organization_iam_member" not in stack["resource"]


def test_services_the_probes_call_are_enabled(probed: Stacks) -> None:
    """Nothing is recorded of a disabled service, denied or not."""
    hosts = {one.call.partition("//")[2].partition("/")[0] for one in probes("gcp")}
    switched = {
        one["service"]
        for one in every(probed["gcp-identity"], "google_project_service")
        if one["project"] == "example-canary"
    }
    # These two are asked without a token of the project.
    assert hosts - {"sts.googleapis.com", "oauth2.googleapis.com"} == switched


def test_the_canary_of_the_tenant_has_no_permission(probed: Stacks) -> None:
    """An application with one federated credential, without role or secret."""
    stack = probed["azure-identity"]
    application, body = at(stack, "federation/canary/application")
    assert not body.get("required_resource_access")
    credentials = {
        one["subject"]: one["application_id"]
        for one in every(stack, "azuread_application_federated_identity_credential")
    }
    assert f"${{{application}.id}}" == credentials[CANARY]
    service, _ = at(stack, "federation/canary/service")
    grants = json.dumps([every(stack, kind) for kind in GRANTS])
    assert service not in grants
    outputs = {name: stack["output"][name]["value"] for name in ("canary_client", "canary_object")}
    assert {
        "canary_client": f"${{{application}.client_id}}",
        "canary_object": f"${{{service}.object_id}}",
    } == outputs
    for name in ("gcp-identity", "azure-identity"):
        assert not set(SECRETS) & set(probed[name]["resource"])


GRANTS = (
    "azuread_app_role_assignment",
    "azuread_directory_role_assignment",
    "azurerm_role_assignment",
)
"""Ways in which an application gets a permission."""


def test_functions_not_deployed_are_not_trusted(tmp_path: Path) -> None:
    """Without projects to list and without readings, Google trusts nobody, and Entra one role."""
    stacks = synthesize(tmp_path, text=switched_on("token_issuer"))
    assert "google_iam_workload_identity_pool" not in stacks["gcp-identity"]["resource"]
    credential = only(stacks["azure-identity"], "azuread_application_federated_identity_credential")
    assert RECONCILE == credential["subject"]
