"""The doctor over the synthesized stacks of Google Cloud and Azure: every change is found."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from nhi_evidence.adapters.azure import estate_checks as azure_estate
from nhi_evidence.adapters.gcp import estate_checks as gcp_estate
from nhi_evidence.checks import Check, State
from nhi_evidence.cli import elsewhere
from nhi_evidence.config import Config, read
from nhi_evidence.config.built_code import BuiltCode, package
from tests.coverage.test_rest_readers import Provider
from tests.infra.terrain import cloud_answers
from tests.infra.terrain.cloud_doctor_changes import (
    ASSIGNMENT,
    CHANGES,
    CONFIG,
    KIND,
    Deployed,
)
from tests.infra.terrain.synthesis import example, only, synthesize


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    folder = tmp_path_factory.mktemp("clouds")
    stacks = synthesize(folder)
    assert CONFIG.azure is not None
    stored = only(stacks["gcp-export"], "google_storage_bucket_object")["source"]
    archive = (folder / "out" / "stacks" / "gcp-export" / stored).read_bytes()
    return Deployed(
        cloud_answers.google(stacks["gcp-export"], folder)
        | cloud_answers.azure(stacks["azure-export"], CONFIG.azure.home),
        BuiltCode(functions={"gcp_export": package(archive)}),
    )


@pytest.fixture
def deployed(pristine: Deployed) -> Deployed:
    """As deployed, for one test to change."""
    return deepcopy(pristine)


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    answering = Provider()
    thread = threading.Thread(target=answering.server.serve_forever)
    thread.start()
    yield answering
    answering.server.shutdown()
    thread.join()
    answering.server.server_close()


def looked(
    deployed: Deployed,
    server: Provider,
    config: Config = CONFIG,
    *,
    google: str | None = "a",
    azure: str | None = "b",
) -> list[Check]:
    """Check over HTTP, as the command does."""
    server.paths = deployed.answers
    bases = dict.fromkeys((*gcp_estate.HOSTS, *azure_estate.HOSTS), server.url)
    built = deployed.built
    return list(
        elsewhere.checks(config, bases=bases, gcp_token=google, azure_token=azure, built=built)
    )


def wrong(checks: list[Check]) -> dict[str, tuple[State, str]]:
    """Return every check that is neither ok nor unseen, by name."""
    return {
        one.what: (one.state, one.observed)
        for one in checks
        if one.state not in {State.OK, State.UNKNOWN}
    }


def test_a_fresh_deployment_passes_the_doctor(deployed: Deployed, server: Provider) -> None:
    """What is not checked is still named."""
    checks = looked(deployed, server)
    assert {} == wrong(checks)
    assert 18 <= len([one for one in checks if one.state is State.OK])
    unseen = {one.what for one in checks if one.state is State.UNKNOWN}
    assert {"Data Access logs", "diagnostic setting of the directory"} <= unseen
    assert "function" not in unseen
    digest = next(
        one for one in checks if one.what.startswith("function app") and "code" in one.what
    )
    assert (State.UNKNOWN, "Azure states no digest of what was published") == (
        digest.state,
        digest.observed,
    )


def test_not_deployed_is_distinguished_from_changed(deployed: Deployed, server: Provider) -> None:
    """Where nothing exists, nothing was changed."""
    deployed.answers.clear()
    states = {one.state for one in looked(deployed, server)}
    assert {State.NOT_DEPLOYED, State.UNKNOWN} == states


def test_a_refused_check_is_neither_ok_nor_wrong(deployed: Deployed, server: Provider) -> None:
    """A reader without permissions sees nothing, which is reported."""
    server.codes = dict.fromkeys((path.partition("?")[0] for path in deployed.answers), 403)
    try:
        checks = looked(deployed, server)
    finally:
        server.codes = {}
    assert {State.UNKNOWN} == {one.state for one in checks}
    assert any("403" in one.observed for one in checks)


def test_without_tokens_everything_is_reported_as_not_seen(
    deployed: Deployed, server: Provider
) -> None:
    """This is the same as without support for tokens."""
    checks = looked(deployed, server, google=None, azure=None)
    assert {State.UNKNOWN} == {one.state for one in checks}
    assert {"function", "topic and subscriptions", "function app"} <= {one.what for one in checks}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed_and_nothing_else(
    deployed: Deployed, server: Provider, change: str
) -> None:
    """With one changed setting, exactly one check reports it, with the new value."""
    act, what, state, observed = CHANGES[change]
    act(deployed)
    ((seen, (its_state, its_text)),) = wrong(looked(deployed, server)).items()
    assert (what, state) == (seen, its_state)
    assert observed in its_text


def test_a_type_nobody_evaluated_is_not_called_compliant(
    deployed: Deployed, server: Provider
) -> None:
    """No resources, and no evaluation yet, look alike, so neither is ok."""
    for path in list(deployed.answers):
        if path.endswith(f"%27{ASSIGNMENT}%27"):
            deployed.answers[path] = cloud_answers.summary()
    (check,) = [
        one for one in looked(deployed, server) if one.what == f"{KIND.type} without the setting"
    ]
    assert State.UNKNOWN is check.state


def test_the_direct_mode_has_one_subscription(tmp_path: Path, server: Provider) -> None:
    """It is for entries, keeps them a month, and has no dead-letter topic."""
    direct = example("[gcp]", '[gcp]\ndelivery = "direct"')
    stacks = synthesize(tmp_path, text=direct)
    answers = cloud_answers.google(stacks["gcp-export"], tmp_path)
    config = read(direct)
    checks = looked(Deployed(answers, BuiltCode(functions={})), server, config, azure=None)
    assert {} == wrong(checks)
    assert {"subscription nhi-evidence-export"} == {
        one.what for one in checks if one.what.startswith("subscription ")
    }
