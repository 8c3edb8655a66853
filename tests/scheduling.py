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
LONGEST = (
    "cdktn",
    "aws-cdk",
    "tests/contract/test_case_custody.py",
    "tests/cases/test_cases.py",
    "tests/contract/test_athena_views.py",
    "tests/cli/test_athena.py",
    "tests/runtimes/test_reconcile.py",
    "tests/tamper/test_matrix.py",
    "tests/contract/test_web_identity.py",
    "tests/runtimes/test_gcp_export.py",
    "tests/cli/test_sealing.py",
    "tests/contract/test_evidence_store.py",
    "tests/runtimes/test_aws_export.py",
    "tests/runtimes/test_azure_export.py",
    "tests/runtimes/test_seal.py",
    "tests/cli/test_local_files.py",
    "tests/coverage/test_page.py",
)
"""What takes longest, by what it shares: a worker that began with it last would end alone."""


class ByShare(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out the tests that share what they start together, in the order they were collected."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        # How many tests there are does not tell how long they take.
        config.option.loadscopereorder = False

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """Take the names a worker has collected."""
        super().add_node_collection(node, collection)
        if node in self.registered_collections:
            self.registered_collections[node] = _Numbered(collection)

    def _split_scope(self, nodeid: str) -> str:
        return share(nodeid)


class _Numbered(list[str]):
    """A list that knows the place of each name: it is asked for the place of every test."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        self._places = {name: place for place, name in enumerate(names)}

    def index(self, name: str, *_: Any) -> int:
        """Return the place of a name; raises `KeyError` where there is no such name."""
        return self._places[name]


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return tests with the longest groups first, else in their order."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    return sorted(items, key=lambda item: ranks.get(share(item.nodeid), len(ranks)))


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
