"""How the constructs are loaded while tests run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

LAZY_PROVIDERS = Path(__file__).with_name("lazy_providers.cjs")


@pytest.fixture(scope="session", autouse=True)
def _providers_when_asked() -> Iterator[None]:
    """Load of a provider's thousands of resource types those that a stack has.

    `test_the_program_synthesizes_without_terraform` loads all of them, as everybody does.
    """
    with pytest.MonkeyPatch.context() as patch:
        options = os.environ.get("NODE_OPTIONS", "")
        patch.setenv("NODE_OPTIONS", f'{options} --require "{LAZY_PROVIDERS}"'.strip())
        yield
