"""The lexicon: its guesses, and how often curated rows agree."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.catalog.atlas.coverage import agreement
from nhi_evidence.catalog.lexicon import BY_VERB, BY_WORDS, TABLE, Lexicon
from nhi_evidence.errors import CatalogError
from nhi_evidence.phases import Phase
from nhi_evidence.pipeline.export import Mapper

LEXICON = Lexicon()
PAGE = (Path(__file__).parents[2] / "docs" / "catalog-lexicon.md").read_text()


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        ("CheckNoPublicAccess", "probe"),
        ("Microsoft.Resources/deployments/whatIf/action", "dry-run"),
        ("CheckMfa", "validate-credential"),
        ("google.identity.sts.v1.SecurityTokenService.IntrospectToken", "validate-credential"),
        ("DecryptData", "decrypt"),
        ("AssumeImpersonationRole", "assume"),
        ("GetClusterSessionCredentials", "mint"),
        ("GetOpenIdTokenForDeveloperIdentity", "mint"),
        ("CreateWebLoginToken", "mint-new"),
        ("Microsoft.KeyVault/vaults/keys/backup/action", "secret"),
        ("Read BitLocker key", "secret"),
        ("CreateKeysAndCertificate", "credential"),
        ("Reset user password", "credential"),
        ("POST /users/{id}/revokeSignInSessions", "credential"),
        ("Microsoft.KeyVault/vaults/keys/purge/action", "key"),
        ("StopActivityStream", "silence"),
        ("DeleteQueryLoggingConfig", "silence"),
        ("Microsoft.Insights/metricAlerts/delete", "silence"),
        ("CreateAuditSuppression", "suppress"),
        ("v1.compute.firewalls.insert", "perimeter"),
        ("PATCH /users/{id}/authentication/requirements", "unguard"),
        ("Disable Desktop Sso", "unguard-sign-in"),
        ("secret_scanning.disable", "silence"),
        ("create networkpolicies", "perimeter"),
        ("Microsoft.Authorization/roleManagementPolicies/write", "privilege"),
        ("securitycenter.organizations.muteConfigs.create", "suppress"),
        ("DownloadDefaultKeyPair", "secret"),
        ("GetAccessKey2", "secret"),
        ("DisableCrl", "credential"),
        ("Add member to role completed (PIM activation)", "privilege"),
        ("POST /groups/{id}/members/$ref", "privilege"),
        ("InsertProjectOwnershipInvite", "privilege"),
        ("ShareDirectory", "give"),
        ("POST /users", "identity"),
        ("AdminCreateUser", "identity"),
        ("InvokeModelWithBidirectionalStream", "agent"),
        ("StartPipelineExecution", "execution"),
        ("google.cloud.functions.v1.CloudFunctionsService.CreateFunction", "workload"),
        ("StartMailboxExportJob", "export"),
        ("TransactGetItems", "data"),
    ],
)
def test_each_rule(operation: str, rule: str) -> None:
    """Each rule decides an operation of the kind it is for."""
    classification = LEXICON.by_words(operation)
    assert classification is not None
    assert (f"{BY_WORDS}{rule}",) == classification.rules


@pytest.mark.parametrize(
    "operation",
    [
        "GetKeyPolicy",  # a policy, not a key
        "ListSecrets",  # names, no content
        "GET /applications/{id}/federatedIdentityCredentials",  # a resource as its API shows it
        "UpdateCatalog",  # no log
        "application.configuration.update_logo",
        "PUT /applications/{id}/logo",
        "DescribeLogGroups",
        "GetLoginUrlSettings",
        "CreateLifecyclePolicy",
        "DeleteBucket",
        "Frobnicate",
        "",
    ],
)
def test_the_lexicon_is_silent_where_its_words_mean_nothing(operation: str) -> None:
    """A noun not at the end, a plain read, or a look-alike decides nothing."""
    assert LEXICON.by_words(operation) is None


@pytest.mark.parametrize(
    ("operation", "rule", "phase"),
    [
        ("GetThing", "read", Phase.ENUMERATION),
        ("GET /things/{id}", "list", Phase.ENUMERATION),
        ("Microsoft.Example/things/checkNameAvailability/action", "list", Phase.ENUMERATION),
        ("POST /directoryObjects/getByIds", "read", Phase.ENUMERATION),
        ("a.b.v1.Things.DestroyThing", "delete", Phase.IMPACT),
        ("Microsoft.Compute/virtualMachines/restart/action", "write", Phase.ROUTINE),
    ],
)
def test_the_verb_decides_last(operation: str, rule: str, phase: Phase) -> None:
    """A verb alone says little, and the rule names the verb as its basis."""
    assert LEXICON.by_words(operation) is None
    classification = LEXICON.by_verb(operation)
    assert classification is not None
    assert (phase, (f"{BY_VERB}{rule}",)) == (classification.phase, classification.rules)


def test_a_verb_at_the_end_of_a_path_is_the_action() -> None:
    """`POST` says little if the path ends in a verb."""
    archived = LEXICON.by_verb("POST /teams/{id}/archive")
    assert archived is not None
    assert 3 == archived.activity_id


def test_a_guess_has_the_class_that_claims_nothing() -> None:
    """A guess is API Activity, and never claims that a credential or grant was made."""
    classification = LEXICON.by_words("CreateBucketAccessKey")
    assert classification is not None
    assert (6003, 1) == (classification.class_uid, classification.activity_id)


def test_every_rule_has_a_reason_and_no_verb_is_in_two_groups() -> None:
    """The table explains itself and is unambiguous."""
    rules = (*LEXICON.by_words_rules, *LEXICON.by_verb_rules)
    assert [] == [rule.id for rule in rules if not rule.why]
    groups = json.loads(TABLE)["verbs"].values()
    words = [word for group in groups for word in group["words"]]
    assert sorted(set(words)) == sorted(words)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phase": "nonsense"}, "lexicon.json: probe: unknown phase 'nonsense'"),
        ({"verbs": ["frob"]}, "lexicon.json: probe: unknown verbs 'frob'"),
        ({"extra": 1}, "lexicon.json: Object contains unknown field `extra`"),
    ],
)
def test_a_table_that_is_inconsistent_is_refused(change: dict[str, Any], message: str) -> None:
    """A wrong table is refused on loading, with the rule and what is wrong with it."""
    table = json.loads(TABLE)
    rule = next(rule for rule in table["rules"] if rule["id"] == "probe")
    rule.update(change)
    with pytest.raises(CatalogError, match=f"^{re.escape(message)}"):
        Lexicon(json.dumps(table).encode())


def test_the_lexicon_is_part_of_the_mapper_digest() -> None:
    """It decides output, so another lexicon is another mapper."""
    for pack in Mapper("aws_cloudtrail", keep_out_of_scope_raw=True).packs.values():
        assert TABLE in pack.tables


def test_the_lexicon_agrees_with_the_curated_rows() -> None:
    """For seven of eight rows it covers; docs/catalog-lexicon.md argues the others.

    A row may be added before its difference is argued; ten are too many.
    """
    measured = agreement()
    disagreed = {f"{one.service}:{one.operation}" for one in measured.differences}
    argued = set(re.findall(r"`([^`:]+:[^`]+)`", PAGE.partition("## Where a row differs")[2]))
    assert set() == argued - disagreed
    assert len(disagreed - argued) < 10
    assert measured.agree / (measured.agree + len(disagreed)) > 7 / 8
