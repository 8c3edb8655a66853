"""The signers of one log's checkpoints, one for each of its keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import cosignature, note
from nhi_evidence.evidence.checkpoint import Checkpoint
from nhi_evidence.ports import Signer
from nhi_evidence.stored import Unreadable


class LogSigners:
    """Signs as one log, with all of its keys."""

    def __init__(self, name: str, signers: Sequence[Signer]) -> None:
        """Sign as the log `name`.

        Raises `SettingsError` on a key that cannot sign checkpoints, and where no key is of type
        0x01 or 0x02: a cosignature adds to such a signature, and cannot replace it.
        """
        self._signers = tuple(signers)
        try:
            self.keys = tuple(note.from_spki(name, signer.public_key()) for signer in signers)
            """The public halves, under the name of the log."""
        except note.NoteError as error:
            raise SettingsError(f"signing key: {error}") from error
        if not any(key.is_primary for key in self.keys):
            raise SettingsError(
                f"signing keys of {name}: one must be Ed25519 or ECDSA on P-256; "
                "ML-DSA-44 only cosigns"
            )

    def sign(self, checkpoint: Checkpoint, at: int) -> bytes:
        """Return the checkpoint as a note under the log's own name, signed with every key.

        `at` is the time of its plan, milliseconds since the epoch; a cosignature states it. Raises
        `StoreUnavailableError` when a key cannot be used.
        """
        signatures = [
            (key, _signature(key, signer, checkpoint, at))
            for key, signer in zip(self._named(checkpoint.origin), self._signers, strict=True)
        ]
        return note.write(checkpoint.text, signatures)

    def _named(self, origin: str) -> list[note.Key]:
        return [key.named(origin) for key in self.keys]

    def configuration(self) -> Iterator[tuple[str, str | Unreadable]]:
        """Yield the settings of every key, each named `key/<key id>/<setting>`."""
        for key, signer in zip(self.keys, self._signers, strict=True):
            for name, value in signer.configuration().items():
                yield f"key/{key.id.hex()}/{name}", value


def _signature(key: note.Key, signer: Signer, checkpoint: Checkpoint, at: int) -> bytes:
    if key.algorithm is not note.Algorithm.ML_DSA_44:
        return signer.sign(checkpoint.text.encode())
    time = at // 1000
    message = cosignature.checkpoint_message(key.name, checkpoint.text, time)
    return time.to_bytes(cosignature.TIME_BYTES, "big") + signer.sign(message)
