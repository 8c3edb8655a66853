"""The atlas: complete, up to date with the tables, and what it says about an operation."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from nhi_evidence.catalog.atlas import Entry, Known, Log, entries, known_by, providers
from nhi_evidence.catalog.atlas.coverage import coverage
from nhi_evidence.catalog.atlas.explanation import Explanation, explain
from nhi_evidence.catalog.atlas.lookup import pack_table
from nhi_evidence.catalog.lexicon import lexicon
from nhi_evidence.errors import SettingsError
from tests.atlas import amazon

ROOT = Path(__file__).parents[2]
PROVIDERS = {provider.name: provider for provider in providers()}


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    """Each provider in turn."""
    return str(request.param)


def test_the_atlas_matches_the_tables(provider: str) -> None:
    """No rule has changed since `make atlas`; only rows may have been added."""
    table = pack_table(PROVIDERS[provider].pack)
    stale = {}
    for entry in entries(provider):
        name = entry.recorded_as or entry.operation
        meaning = table.classify(entry.service, name, entry.permissions)
        now = (meaning.phase.name.lower(), meaning.rules[0])
        if now != (entry.phase, entry.rule) and known_by(now[1]) is not Known.CURATED:
            stale[f"{entry.service}:{entry.operation}"] = now
    assert {} == stale, "run `make atlas` and read the diff"


def test_operations_are_sorted_and_unique(provider: str) -> None:
    """A diff then shows what was added, removed and changed."""
    keys = [(entry.service, entry.operation) for entry in entries(provider)]
    in_any_case = [(service, name.lower()) for service, name in keys]
    assert sorted(set(in_any_case)) == in_any_case


def test_the_atlas_is_made_from_locked_versions() -> None:
    """It names the versions in uv.lock: another SDK needs another atlas."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    locked = {package["name"]: package.get("version") for package in lock}
    named = [source for one in PROVIDERS.values() for source in one.sources if ".csv" not in source]
    assert named
    for source in named:
        package, version = source.replace("_", "-").split()
        assert locked[package] == version


@pytest.mark.slow
def test_the_atlas_has_every_operation_of_the_sdk() -> None:
    """The AWS part has exactly what the locked service models have."""
    assert {(entry.service, entry.operation) for entry in entries("aws")} == set(
        amazon.operations()
    )


def test_a_name_means_the_same_in_capitals() -> None:
    """Azure writes names in any case; words that run together are still found."""
    words = lexicon()
    different = {}
    for entry in entries("azure"):
        usual, capitals = (
            (guess.rules if (guess := words.by_words(name)) else None)
            for name in (entry.operation, entry.operation.upper())
        )
        if usual != capitals:
            different[entry.operation] = (usual, capitals)
    assert {} == different


def only(name: str, source: str | None = None) -> Explanation:
    """Return the only explanation of a name."""
    (explanation,) = explain(name, source)
    return explanation


def test_a_curated_operation_is_explained_by_its_row() -> None:
    """It has the row's reason, the log, and what in a record would change the meaning."""
    explanation = only("iam:createaccesskey")
    assert (Known.CURATED, "iam:CreateAccessKey") == (explanation.known, explanation.rule)
    assert ("credential_lifecycle", "create", 3004) == (
        explanation.phase,
        explanation.sub_phase,
        explanation.class_uid,
    )
    assert ("management", "documented") == (explanation.log, explanation.log_known)
    assert ["O16"] == [condition.id for condition in explanation.overrides]
    assert explanation.why


def test_an_override_by_the_beginning_of_a_name_is_named() -> None:
    """What an option of a new audit device would change."""
    table = pack_table("vault_audit")
    named = [override.id for override in table.overrides("system", "update audit/second")]
    assert ["VA-O1", "VA-O2", "VA-O3"] == named
    assert () == table.overrides("system", "update audit-hash/second")


def test_a_guess_is_labeled_and_shows_similar_operations() -> None:
    """It has the rule, its reason and other operations it decides; an unknown log is left out."""
    entry = next(
        entry
        for entry in entries("aws")
        if entry.rule == "fallback:lexicon:credential" and entry.target and not entry.log_known
    )
    name = f"{entry.service}:{entry.operation}"
    explanation = only(name)
    assert (Known.LEXICON, entry.rule, True) == (
        explanation.known,
        explanation.rule,
        explanation.in_atlas,
    )
    assert (Log.UNKNOWN.value, entry.target) == (explanation.log, explanation.target)
    assert explanation.why
    assert explanation.examples
    assert name not in explanation.examples


def test_a_method_is_joined_with_its_name_in_the_log() -> None:
    """Google's API and log spell a method differently; either finds the row."""
    by_api = only("iam.projects.serviceAccounts.keys.create")
    by_log = only("google.iam.admin.v1.CreateServiceAccountKey")
    assert by_api == by_log
    assert (Known.CURATED, "iam.serviceAccountKeys.create") == (by_api.known, by_api.permissions)


def test_a_row_without_an_sdk_operation_is_explained_too() -> None:
    """Console and service events have rows and no SDK operation."""
    explanation = only("signin:ConsoleLogin")
    assert (False, Known.CURATED) == (explanation.in_atlas, explanation.known)


@pytest.mark.parametrize(
    ("name", "pack", "known"),
    [
        ("frob:FrobnicateThing", "aws_cloudtrail", Known.UNKNOWN),
        ("frob:GetFrobToken", "aws_cloudtrail", Known.LEXICON),
        ("google.frob.v1.Frobs.ListFrobs", "gcp_audit", Known.VERB),
        ("Microsoft.Frob/frobs/listKeys/action", "azure_activity", Known.PATTERN),
        ("DELETE /frobs/{id}/owners/{id}", "azure_entra", Known.LEXICON),
        ("Add frob", "azure_entra", Known.VERB),
        ("create frobs/exec", "azure_resource", Known.VERB),
    ],
)
def test_an_unknown_name_is_labeled_as_unknown(name: str, pack: str, known: Known) -> None:
    """Its form assigns it to a pack, and what an exporter would do with it is shown."""
    explanation = only(name)
    assert (False, pack, known) == (explanation.in_atlas, explanation.pack, explanation.known)


def test_a_source_narrows_the_search() -> None:
    """A name that two providers use needs a source; an unknown source is an error."""
    assert {"aws_cloudtrail"} == {found.pack for found in explain("CreateRole", "aws_cloudtrail")}
    routed = {found.pack for found in explain("Add member to role", "azure_monitor")}
    assert {"azure_entra"} == routed
    with pytest.raises(SettingsError, match="unknown source 'nope'"):
        explain("CreateRole", "nope")


def test_coverage_adds_up() -> None:
    """Every operation is known in one way, and recorded in one class of log or in no known one."""
    report = coverage()
    assert list(PROVIDERS) == [provider.name for provider in report.providers]
    for provider in report.providers:
        assert provider.operations == sum(provider.by_known.values())
        assert provider.operations == sum(provider.by_log.values())
        assert provider.operations == len(entries(provider.name))
    judged = report.lexicon.agree + len(report.lexicon.differences)
    assert report.lexicon.rows == report.lexicon.silent + judged
    assert lexicon().by_words("CreateBucketAccessKey") is not None


@pytest.mark.parametrize(
    ("rule", "known"),
    [
        ("iam:CreateUser", Known.CURATED),
        ("fallback:permission:actAs", Known.PERMISSION),
        ("fallback:lexicon:mint", Known.LEXICON),
        ("fallback:access:Read", Known.ACCESS_LEVEL),
        ("fallback:type:ADMIN_READ", Known.ACCESS_LEVEL),
        ("fallback:secret", Known.PATTERN),
        ("fallback:verb:list", Known.VERB),
        ("fallback:none", Known.UNKNOWN),
    ],
)
def test_how_an_operation_is_known_follows_from_the_rule(rule: str, known: Known) -> None:
    """A guess is never taken for a row."""
    assert known is known_by(rule)
    assert known is Entry(service="", operation="", phase="", rule=rule).known
