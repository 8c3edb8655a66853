"""Which tests go to the same worker, and in which order they run.

Tests of one file share a worker, and so what the file starts once: a server, a worker process.
Folders share what takes long to load: the constructs of one cloud development kit, bundles. A file
whose tests share nothing and are long each is spread.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

BY_FOLDER = {
    "tests/infra/aws": "aws-cdk",
    "tests/infra/deploy": "cdktn",
    "tests/infra/terrain": "cdktn",
    "tests/packaging": "bundles",
}
"""Folder to the name of what its tests share."""
BY_TEST = ("tests/cli/test_demo.py",)


class ByShare(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out the tests that share what they start together."""

    def _split_scope(self, nodeid: str) -> str:
        return share(nodeid)


def share(nodeid: str) -> str:
    """Return the name of what a test shares: the same for tests that belong on one worker."""
    file = nodeid.partition("::")[0]
    if file in BY_TEST:
        return nodeid
    return next((name for at, name in BY_FOLDER.items() if file.startswith(f"{at}/")), file)


def shuffled(items: Sequence[pytest.Item], seed: str) -> list[pytest.Item]:
    """Return tests in another order, the same for the same seed: files as a block, and inside."""
    chance = random.Random(seed)  # noqa: S311 an order, repeatable by its seed
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    blocks: list[Any] = list(files.values())
    chance.shuffle(blocks)
    for block in blocks:
        chance.shuffle(block)
    return [item for block in blocks for item in block]
