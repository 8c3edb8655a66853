"""Checkpoints of a deployed function app, accessed through the Azure command line.

The host keeps a blob for each partition, which says how far it has read; without it, it starts at
the first message in the hub. The package is published with `az`, so an operator has it, signed in.
https://learn.microsoft.com/azure/event-hubs/event-processor-balance-partition-load#checkpoint
"""

from __future__ import annotations

import subprocess

import msgspec

from nhi_evidence.config import azure_names
from nhi_evidence.errors import SettingsError, SourceUnavailableError

PROGRAM = "az"
CONTAINER = "azure-webjobs-eventhub"
"""Where the Functions host keeps checkpoints."""

_FOLDER = "/checkpoint/"
_READ = "sequencenumber"
_TIMEOUT_SECONDS = 300
_EXCERPT = 500


class Checkpoint(msgspec.Struct, frozen=True):
    """How far one partition has been read."""

    name: str
    """Name of its blob."""
    read: int | None
    """Number of the last message that was read; None if the blob does not say."""

    @property
    def partition(self) -> str:
        """Id of the partition."""
        return self.name.rpartition("/")[2]


class _Blob(msgspec.Struct, frozen=True):
    name: str
    metadata: dict[str, str] | None = None


class Checkpoints:
    """Checkpoints of one deployed exporter, in its subscription."""

    def __init__(self, subscription: str) -> None:
        """Address the exporter deployed in a subscription."""
        self._subscription = subscription
        self.site = azure_names.site_name(subscription)
        """Name of the function app."""
        self._account = azure_names.storage_name(subscription)
        namespace = azure_names.namespace_name(subscription)
        self.hub = f"{namespace}/{azure_names.HUB}"
        """The hub, as named in units."""
        self._prefix = f"{namespace}.servicebus.windows.net/{azure_names.HUB}/"

    def all(self) -> list[Checkpoint]:
        """Return every checkpoint. Raises `SettingsError`, `SourceUnavailableError`."""
        wanted = ("--include", "m", "--query", "[].{name:name, metadata:metadata}")
        answer = self._blob("list", "--prefix", self._prefix, *wanted)
        try:
            blobs = msgspec.json.decode(answer, type=list[_Blob])
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise SourceUnavailableError(f"{self._account}: az answers {error}") from error
        own = sorted((one for one in blobs if _FOLDER in one.name), key=lambda blob: blob.name)
        return [Checkpoint(one.name, _number(one.metadata or {})) for one in own]

    def remove(self, name: str) -> None:
        """Remove a checkpoint; the host must be stopped first, or it writes it again."""
        self._blob("delete", "--name", name)

    def stop(self) -> None:
        """Stop the function app, so that no partition is read."""
        self._app("stop")

    def start(self) -> None:
        """Start the function app."""
        self._app("start")

    def _app(self, verb: str) -> None:
        self._az(
            *("functionapp", verb, "--subscription", self._subscription),
            *("--resource-group", azure_names.NAME, "--name", self.site),
        )

    def _blob(self, verb: str, *arguments: str) -> bytes:
        return self._az(
            *("storage", "blob", verb, "--subscription", self._subscription),
            *("--auth-mode", "login", "--account-name", self._account),
            *("--container-name", CONTAINER, *arguments, "--output", "json"),
        )

    def _az(self, *arguments: str) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 az alone, with names of ours
                [PROGRAM, *arguments], capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
            )
        except FileNotFoundError as error:
            raise SettingsError("replay azure needs the Azure command line, az") from error
        except subprocess.TimeoutExpired as error:
            raise SourceUnavailableError(f"az {arguments[0]} {arguments[1]}: no answer") from error
        if done.returncode != 0:
            text = done.stderr[-_EXCERPT:].decode(errors="replace").strip()
            raise SourceUnavailableError(f"az {' '.join(arguments[:3])}: {text}")
        return done.stdout


def _number(metadata: dict[str, str]) -> int | None:
    """Return the number of the last message read, from a checkpoint's metadata, or None."""
    text = next((value for key, value in metadata.items() if key.lower() == _READ), "")
    return int(text) if text.isascii() and text.isdecimal() else None
