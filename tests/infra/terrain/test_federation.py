"""What trusts the evidence account's functions in other clouds: one subject, few rights, no secret.

Synthesized alone: whether Google and Entra take a token is for a live account to show.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.infra.terrain.synthesis import (
    FEDERATED,
    Stack,
    Stacks,
    at,
    only,
    switched_on,
    synthesize,
)

# As their providers list them, and not as the stacks have them.
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
RECONCILE = "arn:aws:iam::222233334444:role/nhi-evidence-main-reconcile"
COVERAGE = "arn:aws:iam::222233334444:role/nhi-evidence-main-coverage"
SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"
SECRETS = (
    "google_service_account_key",
    "azuread_application_password",
    "azuread_service_principal_password",
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """Google's logs listed, and settings read."""
    return synthesize(tmp_path_factory.mktemp("both"), text=switched_on(*FEDERATED))


def every(stack: Stack, type_name: str) -> list[dict[str, Any]]:
    return list(stack["resource"].get(type_name, {}).values())


def test_without_an_issuer_nothing_is_trusted(stacks: Stacks) -> None:
    for name in ("gcp-identity", "azure-identity"):
        made = set(stacks[name]["resource"])
        assert not {one for one in made if "pool" in one or "federated" in one}


def test_google_takes_those_roles_alone(both: Stacks) -> None:
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


def test_entra_has_an_application_for_each_function(both: Stacks) -> None:
    """Each with one federated credential on one subject, and permissions of its own."""
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
    """A role with that action alone, on the subscriptions alone, given to one principal."""
    stack = both["azure-identity"]
    role, body = at(stack, "federation/activity")
    assert [{"actions": [ACTIVITY], "not_actions": []}] == body["permissions"]
    assert [f"/subscriptions/{SUBSCRIPTION}"] == body["assignable_scopes"]
    lists, reads = (
        f"${{{at(stack, f'federation/{name}/service')[0]}.object_id}}"
        for name in ("reconcile", "coverage")
    )
    tenant = "11111111-2222-3333-4444-555555555555"
    assert {
        (lists, f"${{{role}.role_definition_resource_id}}", f"/subscriptions/{SUBSCRIPTION}"),
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


def test_no_secret_is_made(both: Stacks) -> None:
    for name in ("gcp-identity", "azure-identity"):
        assert not set(SECRETS) & set(both[name]["resource"])


def test_who_is_not_deployed_is_not_trusted(tmp_path: Path) -> None:
    """Without projects to list and without readings Google trusts nobody, and Entra one role."""
    stacks = synthesize(tmp_path, text=switched_on("token_issuer"))
    assert "google_iam_workload_identity_pool" not in stacks["gcp-identity"]["resource"]
    credential = only(stacks["azure-identity"], "azuread_application_federated_identity_credential")
    assert RECONCILE == credential["subject"]
