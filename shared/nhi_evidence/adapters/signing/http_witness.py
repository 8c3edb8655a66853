"""A witness over HTTP (https://c2sp.org/tlog-witness), run by someone else in another cloud.

It remembers the newest size and root that it cosigned, and refuses a checkpoint that does not
extend them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence

from nhi_evidence.adapters.signing import outside
from nhi_evidence.errors import SettingsError, WitnessError
from nhi_evidence.evidence import anchor, note
from nhi_evidence.evidence import checkpoint as checkpoints
from nhi_evidence.stored import AnchorForm

_OK, _CONFLICT = 200, 409
_REFUSALS = {
    403: "does not know the key of this log",
    404: "does not know this log",
    409: "answers a conflict, without a size that explains it",
    422: "found that this checkpoint does not extend the one it cosigned",
}
_TRIES = 4
"""How often a checkpoint is submitted: another run may be submitting newer ones meanwhile."""
_SIZE_DIGITS = 20
"""A size is below 2^64 (https://c2sp.org/tlog-checkpoint)."""


class HttpWitness:
    """A `Witness` that checks that each checkpoint extends the previous one."""

    form = AnchorForm.COSIGNATURE

    def __init__(self, url: str, key: str) -> None:
        """Submit under the prefix `url` to the witness of this verifier key.

        Raises `SettingsError` when either is malformed.
        """
        self._url = outside.checked_url(url).rstrip("/") + "/add-checkpoint"
        try:
            self._trust = anchor.witness(key)
        except anchor.AnchorError as error:
            raise SettingsError(str(error)) from error
        self.name = self._trust.name

    def attest(self, checkpoint: bytes, path: Callable[[int], Sequence[bytes]]) -> bytes:
        """See `Witness.attest`."""
        text, _ = note.split(checkpoint)
        submitted = checkpoints.parse(text)
        # An old size of zero makes it answer with the size it remembers.
        old = 0
        proof: Sequence[bytes] = ()
        for _ in range(_TRIES):
            status, answer = self._submit(old, proof, checkpoint)
            stated = _size(answer) if status == _CONFLICT else None
            if stated is None or stated > submitted.size or stated == old:
                break
            old, proof = stated, path(stated)
        if status != _OK:
            why = _conflict(old, stated, submitted.size) if status == _CONFLICT else ""
            why = why or _REFUSALS.get(status, f"answers {status}")
            raise WitnessError(f"{self.name} {why}")
        cosigned = f"{text}\n".encode() + answer
        try:
            anchor.check(self._trust, cosigned, submitted)
        except anchor.AnchorError as error:
            raise WitnessError(str(error)) from error
        return cosigned

    def _submit(self, old: int, path: Sequence[bytes], checkpoint: bytes) -> tuple[int, bytes]:
        lines = [f"old {old}", *(b64encode(one).decode() for one in path), ""]
        body = ("\n".join(lines) + "\n").encode() + checkpoint
        return outside.post(self.name, self._url, body, "text/plain")


def _size(answer: bytes) -> int | None:
    """Return the size a witness states with a conflict; None if it states none."""
    text = answer.strip()
    return int(text) if text.isdigit() and len(text) <= _SIZE_DIGITS else None


def _conflict(old: int, stated: int | None, size: int) -> str:
    """Return what a conflict at the end means, as far as the witness's sizes show it."""
    if stated is not None and stated > size:
        return f"has cosigned a larger size, {stated}: it was shown a newer checkpoint"
    if old == size:
        return f"has cosigned another root of the size {size}: a fork"
    return ""
