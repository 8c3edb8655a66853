"""Names of operations as words, in the six styles of providers."""

from __future__ import annotations

import pytest

from nhi_evidence.catalog.words import Splitter, plural, singular

SPLITTER = Splitter(["access key", "generate", "get", "list", "secret", "policy", "catalog", "log"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CreateBucketAccessKey", "create bucket access key"),
        ("DeleteDBInstances", "delete db instance"),
        ("DisableSecurityHubV2", "disable security hub v 2"),
        ("KeyRelease", "key release"),
        ("google.iam.admin.v1.CreateServiceAccountKey", "create service account key"),
        ("google.iam.admin.v1.CreateRole", "create role"),
        ("v1.compute.firewalls.insert", "insert firewall"),
        ("io.k8s.batch.v1.jobs.create", "create job"),
        ("storage.buckets.get", "view bucket"),
        ("Decrypt", "decrypt"),
        ("Microsoft.Insights/metricAlerts/delete", "delete of metric alert"),
        ("Microsoft.Storage/storageAccounts/read", "view of storage account"),
        (
            "Microsoft.Compute/sshPublicKeys/generateKeyPair/action",
            "generate key pair of ssh public key",
        ),
        ("Microsoft.Subscription/cancel/action", "cancel"),
        ("Microsoft.Example/action", "action"),
        ("Create", "create"),
        ("v1.Create", "create"),
        ("v1.CreateKey", "create key"),
        ("cloudsql.users.v1.list", "list user"),
        ("GET //users//{id}", "view user"),
        ("GET /groups/{id}/members/{id}/manager", "view manager"),
        ("GET /users/{id}/messages", "view message"),
        ("POST /groups/{id}/members/$ref", "post member"),
        ("POST /$batch", "post"),
        ("create pods/exec", "create pod exec"),
        (
            "Add member to role completed (PIM activation)",
            "add member to role completed pim activation",
        ),
    ],
)
def test_each_form(name: str, words: str) -> None:
    """The verb comes first, and words are in lower case and singular."""
    assert tuple(words.split()) == SPLITTER.words(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTKEYS/ACTION", "list key of storageaccount"),
        ("microsoft.keyvault/vaults/secrets/getsecret/action", "get secret of secret"),
        ("PATCH /networkaccess/filteringpolicies/{id}", "patch filtering policy"),
        ("delete validatingaccesspolicies", "delete validating access policy"),
        ("DELETE /identitygovernance/accesspackagecatalogs/{id}", "delete access package catalog"),
    ],
)
def test_a_name_in_one_case_is_split_at_known_words(name: str, words: str) -> None:
    """The longest known word wins: no `log` in `catalog`, no `gets` in `getsecret`."""
    assert tuple(words.split()) == SPLITTER.words(name)


def test_a_word_of_two_letters_is_not_looked_for() -> None:
    """No `is` is found in `publish`, but `key` is in `listkeys`."""
    splitter = Splitter(["is", "key", "list"])
    assert ("publish",) == splitter.words("publish")
    assert ("list", "key") == splitter.words("LISTKEYS")
    assert ("key", "vault", "list") == splitter.words("KEYVAULTLIST")


@pytest.mark.parametrize(
    "word", ["gateway", "day", "display", "policy", "key", "access", "box", "branch"]
)
def test_singular_undoes_plural(word: str) -> None:
    """Singular and plural give the same word."""
    assert word == singular(plural(word))
    assert word == singular(word)


@pytest.mark.parametrize(
    ("word", "several"),
    [("policy", "policies"), ("gateway", "gateways"), ("access", "accesses"), ("log", "logs")],
)
def test_a_plural_is_spelled_as_in_names(word: str, several: str) -> None:
    """A `y` after a vowel is kept."""
    assert several == plural(word)
