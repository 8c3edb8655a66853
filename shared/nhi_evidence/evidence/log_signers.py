"""What signs the checkpoints of one log: its keys, and a signer for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nhi_evidence.evidence import note
from nhi_evidence.evidence.checkpoint import Checkpoint
from nhi_evidence.ports import Signer
from nhi_evidence.stored import Unreadable


class LogSigners:
    """Signs as one log, with every one of its keys."""

    def __init__(self, name: str, signers: Sequence[Signer]) -> None:
        """Sign as the log `name`. Raises `note.NoteError` on a key no note is signed with."""
        self._signers = tuple(signers)
        self.keys = tuple(note.from_spki(name, signer.public_key()) for signer in signers)
        """The public halves, under the name of the log."""

    def sign(self, checkpoint: Checkpoint) -> bytes:
        """Return the checkpoint as a note under the log's own name, signed with every key.

        Raises `StoreUnavailableError` when a key cannot be used.
        """
        signatures = [
            (key.named(checkpoint.origin), signer.sign(checkpoint.text.encode()))
            for key, signer in zip(self.keys, self._signers, strict=True)
        ]
        return note.write(checkpoint.text, signatures)

    def configuration(self) -> Iterator[tuple[str, str | Unreadable]]:
        """Yield the settings of every key, each named `key/<key id>/<setting>`."""
        for key, signer in zip(self.keys, self._signers, strict=True):
            for name, value in signer.configuration().items():
                yield f"key/{key.id.hex()}/{name}", value
