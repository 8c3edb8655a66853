"""`nhi-evidence explain` as a user runs it."""

from __future__ import annotations

import pytest

from nhi_evidence.catalog.atlas import Known, entries
from nhi_evidence.cli import exit_codes
from tests.cli.command import run


def test_a_guess_is_labeled_as_such() -> None:
    """The text has what a reader needs: the phase, the rule, how it is known."""
    guess = next(entry for entry in entries("aws") if entry.known is Known.LEXICON)
    result = run("explain", f"{guess.service}:{guess.operation}")
    assert (exit_codes.OK, "") == (result.code, result.err)
    assert result.out.startswith(f"{guess.service}:{guess.operation}\n")
    assert "a guess, by the words of its name" in result.out
    assert guess.rule in result.out


def test_json_has_every_service_of_a_name() -> None:
    """One name may belong to several services; each is explained."""
    result = run("explain", "ListTagsForResource", "--source", "aws_cloudtrail", "--json")
    services = [found["service"] for found in result.json["explanations"]]
    assert len(services) > 50
    assert len(set(services)) == len(services)


def test_an_unknown_name_has_its_own_exit_code() -> None:
    """A script can detect that no pinned source names it; control characters are neutralized."""
    result = run("explain", "Frobnicate\x1b[31mThing")
    assert exit_codes.INCOMPLETE == result.code
    assert "[in no pinned source]" in result.out
    assert "\x1b" not in result.out


@pytest.mark.slow
def test_coverage_prints_denominators_and_agreement() -> None:
    """It says what is counted out of what, how it is known, and how good the lexicon is."""
    result = run("explain", "--coverage")
    assert exit_codes.OK == result.code
    for line in ("operations of the service models of the AWS SDK", "lexicon on", "curated"):
        assert line in result.out
    report = run("explain", "--coverage", "--json").json
    clouds = {"aws", "gcp", "azure", "graph", "entra"}
    exports = {"github", "okta", "vault", "kubernetes", "api_gateway"}
    assert clouds | exports == {one["name"] for one in report["providers"]}


def test_wrong_usage() -> None:
    """Either an operation or the coverage is required, and an existing source."""
    assert exit_codes.USAGE == run("explain").code
    assert exit_codes.USAGE == run("explain", "GetObject", "--coverage").code
    unknown = run("explain", "GetObject", "--source", "nope")
    assert exit_codes.FAILED == unknown.code
    assert "unknown source 'nope'" in unknown.err


@pytest.mark.parametrize("operation", [(), ("",)])
def test_no_operation_is_wrong_usage(operation: tuple[str, ...]) -> None:
    """An empty one was explained, as unknown."""
    done = run("explain", *operation)
    assert (64, True) == (done.code, "give an OPERATION or --coverage" in done.err)
