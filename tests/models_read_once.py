"""botocore's service models, which each session reads anew, read once for all of a process."""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader


class ReadOnce(JSONFileLoader):
    """Gives a copy of what it read of a file before.

    A copy, because a loader merges its extras into what it is given: the emulator's loader adds
    operations of its own to S3's model, and they would be in everybody's.
    """

    def load_file(self, file_path: str) -> Any:
        """Return the contents of `file_path` with its ending, None where there is no such file."""
        return pickle.loads(_contents(file_path))  # noqa: S301 - of our own making


@cache
def _contents(file_path: str) -> bytes:
    return pickle.dumps(JSONFileLoader().load_file(file_path), pickle.HIGHEST_PROTOCOL)
