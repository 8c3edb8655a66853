"""An Event Hub in memory, the host that reads it, and `az` over the host's checkpoints.

The host's own AMQP edge is not shown anywhere here: what stands for it is `Reader`, the messages of
a partition after a number. Checkpoints are kept as the host keeps them: a blob a partition, named
by hub and consumer group, with the last number in its metadata.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from nhi_evidence.azure.event_hub import Message
from nhi_evidence.config import azure_names

STAND_IN = """#!{python}
import json, pathlib, sys
folder, arguments = pathlib.Path({folder!r}), sys.argv[1:]
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
if arguments[2] == (folder / "fails").read_text():
    sys.exit("ERROR: (AuthorizationFailed) no")
blobs = json.loads((folder / "blobs").read_text())
if arguments[2] == "list":
    print(json.dumps([dict(name=name, metadata=found) for name, found in blobs.items()]))
elif arguments[2] == "delete":
    del blobs[arguments[arguments.index("--name") + 1]]
    (folder / "blobs").write_text(json.dumps(blobs))
"""


class Reader(Protocol):
    """What a host reads a hub by."""

    def __call__(self, partition: str, after: int | None) -> Sequence[Message]:
        """Return the messages of a partition whose numbers are greater; None: all it keeps."""
        ...


class Checkpoints:
    """The host's blobs in a folder, and an `az` that knows them and records what it is asked."""

    def __init__(self, folder: Path, subscription: str) -> None:
        namespace = azure_names.namespace_name(subscription)
        self.group = f"{namespace}.servicebus.windows.net/{azure_names.HUB}/nhi-evidence-0a1b2c3d"
        self.folder = folder
        self.program = folder / "bin" / "az"
        self.program.parent.mkdir()
        self.program.write_text(STAND_IN.format(python=sys.executable, folder=str(folder)))
        self.program.chmod(0o755)
        (folder / "fails").write_text("")
        (folder / "calls").write_text("")
        self.blobs = {f"{self.group}/ownership/0": {"ownerid": "an instance"}}

    @property
    def blobs(self) -> dict[str, dict[str, str]]:
        """Every blob with its metadata."""
        checkpoints: dict[str, dict[str, str]] = json.loads((self.folder / "blobs").read_text())
        return checkpoints

    @blobs.setter
    def blobs(self, by_name: dict[str, dict[str, str]]) -> None:
        (self.folder / "blobs").write_text(json.dumps(by_name))

    def name(self, partition: str) -> str:
        """Return the name of a partition's checkpoint."""
        return f"{self.group}/checkpoint/{partition}"

    def read(self, partition: str) -> int | None:
        """Return the last number the host has passed."""
        checkpoint = self.blobs.get(self.name(partition))
        return None if checkpoint is None else int(checkpoint["sequencenumber"])

    def move(self, partition: str, number: int) -> None:
        """Put the checkpoint of a partition behind a message."""
        stated = {"sequencenumber": str(number), "offset": str(number * 64)}
        self.blobs = {**self.blobs, self.name(partition): stated}

    def calls(self) -> list[list[str]]:
        """Return what `az` was asked."""
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


class Host:
    """Reads partitions from their checkpoints, and moves those past what the function took."""

    def __init__(
        self,
        read: Reader,
        checkpoints: Checkpoints,
        invoke: Callable[[str, Sequence[Message]], dict[str, Any]],
    ) -> None:
        self._read, self._checkpoints, self._invoke = read, checkpoints, invoke

    def run(self, partition: str, *, batch: int, until: int | None = None) -> None:
        """Hand over all that waits in a partition, or up to a number, in batches."""
        messages = [
            one
            for one in self._read(partition, self._checkpoints.read(partition))
            if until is None or (one.sequence or 0) <= until
        ]
        for first in range(0, len(messages), batch):
            handed = messages[first : first + batch]
            answer = self._invoke(partition, handed)
            assert {"status": 1, "exception": None} == answer
            self._checkpoints.move(partition, handed[-1].sequence or 0)
