"""botocore's service models, which each session reads anew, read once for all of a process."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader


class ReadOnce(JSONFileLoader):
    """Gives what it read of a file before: as clients of one session share their models."""

    def load_file(self, file_path: str) -> Any:
        """Return the contents of `file_path` with its ending, None where there is no such file."""
        return _contents(file_path)


@cache
def _contents(file_path: str) -> Any:
    return JSONFileLoader().load_file(file_path)
