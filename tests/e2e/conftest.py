"""One emulator, and one deployment in it, for all of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.emulator import Emulator


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A running emulator, with nothing in it."""
    with Emulator(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture(scope="session")
def prepared(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The documented example, and accounts nobody has prepared."""
    deployment = Deployment(aws, tmp_path_factory.mktemp("deployment"))
    deployment.prepare()
    return deployment


@pytest.fixture(scope="session")
def deployed(prepared: Deployment) -> Deployment:
    """Everything deployed: with an existing trail bucket, and at the second attempt."""
    prepared.history = {"first": prepared.make("--check", "aws", expected=1)}
    prepared.bootstrap()
    prepared.make_trail()
    prepared.forbid()
    prepared.history["failed"] = prepared.deploy(expected=1)
    prepared.history["left"] = prepared.log_groups()
    prepared.allow()
    prepared.history["deployed"] = prepared.make("--yes", "aws")
    prepared.lock()
    return prepared
