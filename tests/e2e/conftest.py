"""One emulator for all of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.emulator import Emulator


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A running emulator, with nothing in it."""
    with Emulator(tmp_path_factory.mktemp("aws")) as running:
        yield running
