"""The doctor over the stacks' canaries of Google Cloud and Entra: every change is found."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from nhi_evidence.adapters.azure import canary_checks as entra
from nhi_evidence.adapters.azure.policy_checks import MANAGEMENT
from nhi_evidence.adapters.gcp import canary_checks as google
from nhi_evidence.checks import Check, State
from nhi_evidence.cli import elsewhere
from nhi_evidence.config import Config, read
from tests.coverage.test_rest_readers import Provider
from tests.infra.terrain.synthesis import Stacks, at, only, switched_on, synthesize

CLIENT, OBJECT = "66666666-7777-8888-9999-000000000000", "77777777-8888-9999-0000-111111111111"
POOL = "projects/123456789012/locations/global/workloadIdentityPools/nhi-evidence"
KNOWN = f'''
[[canaries]]
evidence = "main"
google = {{ project = "example-canary", provider = "//iam.googleapis.com/{POOL}/providers/aws" }}
entra = {{ client_id = "{CLIENT}", object_id = "{OBJECT}" }}
'''
TEXT = switched_on("token_issuer") + KNOWN
CONFIG = read(TEXT)
EMAIL = "nhi-evidence-canary-170b2e@example-canary.iam.gserviceaccount.com"
ACCOUNT = f"/v1/projects/example-canary/serviceAccounts/{EMAIL}"
ROLE = "projects/example-canary/roles/nhiEvidenceCanary_170b2e"
PROJECT = "/v3/projects/example-canary:getIamPolicy"
TAKEN = f"{ACCOUNT}:getIamPolicy"
PROVIDER = f"/v1/{POOL}/providers/aws"
SERVICE = f"/v1.0/servicePrincipals/{OBJECT}"
APPLICATION = f"/v1.0/applications(appId='{CLIENT}')"
TRUSTS = f"{APPLICATION}/federatedIdentityCredentials"
SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"
ASSIGNED = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments"

Answers = dict[str, Any]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What both clouds would answer about the synthesized stacks if deployed."""
    stacks = synthesize(tmp_path_factory.mktemp("probed"), text=TEXT)
    return of_google(stacks) | of_entra(stacks)


def of_google(stacks: Stacks) -> Answers:
    stack = stacks["gcp-identity"]
    _, provider = at(stack, "federation/provider")
    _, role = at(stack, "federation/canary-example-canary/role")
    taken = only(stack, "google_service_account_iam_member")
    _, separator, subject = taken["member"].partition("/subject/")
    return {
        ACCOUNT: {"email": EMAIL},
        f"{ACCOUNT}/keys": {},
        f"/v1/{ROLE}": {"includedPermissions": role["permissions"]},
        PROJECT: {
            "bindings": [
                {"role": ROLE, "members": [f"serviceAccount:{EMAIL}"]},
                {"role": "roles/owner", "members": ["user:somebody@example.org"]},
            ]
        },
        TAKEN: {
            "bindings": [
                {
                    "role": taken["role"],
                    "members": [f"principal://iam.googleapis.com/{POOL}{separator}{subject}"],
                }
            ]
        },
        PROVIDER: {
            "state": "ACTIVE",
            "oidc": {"issuerUri": provider["oidc"]["issuer_uri"]},
            "attributeMapping": provider["attribute_mapping"],
            "attributeCondition": provider["attribute_condition"],
        },
    }


def of_entra(stacks: Stacks) -> Answers:
    stack = stacks["azure-identity"]
    _, application = at(stack, "federation/canary/application")
    _, credential = at(stack, "federation/canary/aws-0")
    return {
        SERVICE: {"appId": CLIENT, "accountEnabled": True, "keyCredentials": []},
        APPLICATION: {
            "signInAudience": application["sign_in_audience"],
            "requiredResourceAccess": [],
            "passwordCredentials": [],
        },
        TRUSTS: {
            "value": [{name: credential[name] for name in ("subject", "issuer", "audiences")}]
        },
        f"{SERVICE}/appRoleAssignments": {"value": []},
        f"{SERVICE}/oauth2PermissionGrants": {"value": []},
        f"{SERVICE}/transitiveMemberOf": {"value": []},
        ASSIGNED: {"value": []},
    }


@pytest.fixture
def answers(pristine: Answers) -> Answers:
    """As deployed, for one test to change."""
    return deepcopy(pristine)


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.server.serve_forever)
    thread.start()
    yield provider
    provider.server.shutdown()
    thread.join()
    provider.server.server_close()


def looked(
    answers: Answers, server: Provider, config: Config = CONFIG, *, has_tokens: bool = True
) -> list[Check]:
    """Check over HTTP as the command does; return only the checks of canaries."""
    server.paths = answers
    token = "a" if has_tokens else None
    hosts = (*google.HOSTS, entra.GRAPH, MANAGEMENT)
    checks = elsewhere.checks(
        config,
        bases=dict.fromkeys((*hosts, *_OTHERS), server.url),
        gcp_token=token,
        azure_token=token,
        graph_token=token,
    )
    return [each for each in checks if "canary" in each.scope or "canary" in each.what]


_OTHERS = (
    "cloudfunctions.googleapis.com",
    "run.googleapis.com",
    "storage.googleapis.com",
    "pubsub.googleapis.com",
)


def wrong(checks: list[Check]) -> dict[str, tuple[State, str]]:
    return {
        each.what: (each.state, each.observed)
        for each in checks
        if each.state not in {State.OK, State.UNKNOWN}
    }


def test_fresh_canaries_pass_the_doctor(answers: Answers, server: Provider) -> None:
    """Grants above the project are reported as not seen."""
    checks = looked(answers, server)
    assert {} == wrong(checks)
    assert 13 == len([each for each in checks if each.state is State.OK])
    assert ["rights elsewhere"] == [each.what for each in checks if each.state is State.UNKNOWN]
    assert ("POST", TAKEN) in server.asked
    assert ("GET", TRUSTS) in server.asked


CHANGES: dict[str, tuple[Callable[[Answers], Any], str, str]] = {
    "an account that is disabled": (
        lambda it: it[ACCOUNT].update(disabled=True),
        "service account",
        "disabled",
    ),
    "a key": (
        lambda it: it.update({f"{ACCOUNT}/keys": {"keys": [{"name": "x/keys/0a1b"}]}}),
        "keys",
        "keys: 0a1b",
    ),
    "a role that allows more": (
        lambda it: it[f"/v1/{ROLE}"]["includedPermissions"].append("storage.objects.get"),
        "role",
        "storage.objects.get",
    ),
    "a role that is deleted": (
        lambda it: it[f"/v1/{ROLE}"].update(deleted=True),
        "role",
        "deleted",
    ),
    "a role of the project": (
        lambda it: it[PROJECT]["bindings"][1]["members"].append(f"serviceAccount:{EMAIL}"),
        "rights in its project",
        "roles/owner",
    ),
    "no role at all": (
        lambda it: it[PROJECT]["bindings"].pop(0),
        "rights in its project",
        "roles none",
    ),
    "somebody else who acts as it": (
        lambda it: it[TAKEN]["bindings"][0]["members"].append("user:somebody@example.org"),
        "who acts as it",
        "user:somebody@example.org",
    ),
    "a provider that is off": (
        lambda it: it[PROVIDER].update(disabled=True),
        "provider",
        "state disabled, not ACTIVE",
    ),
    "a provider of another issuer": (
        lambda it: it[PROVIDER]["oidc"].update(issuerUri="https://issuer.example.com"),
        "provider",
        "issuer https://issuer.example.com",
    ),
    "a provider that takes anybody": (
        lambda it: it[PROVIDER].pop("attributeCondition"),
        "provider",
        "takes None",
    ),
    "an application of somebody else": (
        lambda it: it[SERVICE].update(appId="0"),
        "service principal",
        "application 0",
    ),
    "a service principal that is off": (
        lambda it: it[SERVICE].update(accountEnabled=False),
        "service principal",
        "enabled no",
    ),
    "a secret": (
        lambda it: it[APPLICATION]["passwordCredentials"].append({"keyId": "0c0d"}),
        "application",
        "secrets 0c0d",
    ),
    "an application for every tenant": (
        lambda it: it[APPLICATION].update(signInAudience="AzureADMultipleOrgs"),
        "application",
        "of AzureADMultipleOrgs",
    ),
    "no federated credential": (
        lambda it: it[TRUSTS]["value"].clear(),
        "who acts as it",
        "trusts nobody",
    ),
    "a second federated credential": (
        lambda it: it[TRUSTS]["value"].append({"subject": "repo:x", "issuer": "https://y"}),
        "who acts as it",
        "repo:x https://y",
    ),
    "a permission of Graph": (
        lambda it: it[f"{SERVICE}/appRoleAssignments"]["value"].append(
            {"resourceDisplayName": "Microsoft Graph"}
        ),
        "permissions",
        "Microsoft Graph",
    ),
    "a delegated permission": (
        lambda it: it[f"{SERVICE}/oauth2PermissionGrants"]["value"].append({"scope": "User.Read"}),
        "delegated permissions",
        "User.Read",
    ),
    "a directory role": (
        lambda it: it[f"{SERVICE}/transitiveMemberOf"]["value"].append({"displayName": "Reader"}),
        "groups and directory roles",
        "Reader",
    ),
    "a role in a subscription": (
        lambda it: it[ASSIGNED]["value"].append({"properties": {"scope": "/subscriptions/x"}}),
        f"roles in subscription {SUBSCRIPTION}",
        "/subscriptions/x",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed_and_nothing_else(
    answers: Answers, server: Provider, change: str
) -> None:
    act, what, observed = CHANGES[change]
    act(answers)
    ((seen, (state, text)),) = wrong(looked(answers, server)).items()
    assert (what, State.CHANGED) == (seen, state)
    assert observed in text


def test_missing_is_distinguished_from_changed(server: Provider) -> None:
    states = {each.state for each in looked({}, server)}
    assert {State.NOT_DEPLOYED, State.UNKNOWN} == states


def test_a_refusal_is_neither_ok_nor_wrong(answers: Answers, server: Provider) -> None:
    server.codes = dict.fromkeys(answers, 403)
    try:
        checks = looked(answers, server)
    finally:
        server.codes = {}
    assert {State.UNKNOWN} == {each.state for each in checks}


def test_without_tokens_canaries_are_reported_as_not_seen(
    answers: Answers, server: Provider
) -> None:
    checks = looked(answers, server, has_tokens=False)
    assert {State.UNKNOWN} == {each.state for each in checks}
    assert {"canary of example-canary", "in the directory", "rights in Azure"} == {
        each.what for each in checks
    }


def test_unknown_ids_are_not_looked_up(answers: Answers, server: Provider) -> None:
    """Before the identity stacks are applied there is nothing to look up."""
    bare = switched_on("token_issuer") + (
        '\n[[canaries]]\nevidence = "main"\ngoogle = { project = "example-canary" }\nentra = {}\n'
    )
    checks = looked(answers, server, read(bare))
    assert {} == wrong(checks)
    unseen = {each.what: each.observed for each in checks if each.state is State.UNKNOWN}
    assert "provider of canaries.google is not known" == unseen["who acts as it"]
    assert "ids of canaries.entra are not known" == unseen["everything"]
