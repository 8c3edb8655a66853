"""botocore's service models, which each session looks for and reads anew, read once a process."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any, ClassVar

from botocore.loaders import JSONFileLoader, Loader


class ReadOnce(JSONFileLoader):
    """Gives what it read of a file before: a session only reads it, and all its clients do."""

    def load_file(self, file_path: str) -> Any:
        """Return the contents of `file_path` with its ending, None where there is no such file."""
        return _contents(file_path)


class CopyOnce(JSONFileLoader):
    """Gives a copy of that.

    For the emulator's loader, which merges extras into what it is given: the operations that it
    adds to S3's model would be in everybody's.
    """

    def load_file(self, file_path: str) -> Any:
        """Return the contents of `file_path` with its ending, None where there is no such file."""
        return copy.deepcopy(_contents(file_path))


class ListOnce(Loader):
    """Lists the services of a search path once, not for each session: thousands of look-ups."""

    FILE_LOADER_CLASS: type[JSONFileLoader] = ReadOnce
    _listed: ClassVar[dict[tuple[str, ...], list[str]]] = {}

    def __init_subclass__(cls) -> None:
        """Give a copy to whoever loads in a way of its own."""
        cls.FILE_LOADER_CLASS = CopyOnce

    def list_available_services(self, type_name: str) -> list[str]:
        """Return the names of the services there is a file of this kind for."""
        key = (*self.search_paths, type_name)
        if key not in self._listed:
            self._listed[key] = super().list_available_services(type_name)
        return list(self._listed[key])


@cache
def _contents(file_path: str) -> Any:
    return JSONFileLoader().load_file(file_path)
