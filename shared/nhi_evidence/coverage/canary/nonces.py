"""Find nonces in record lines: one pass over a line, however many nonces there are."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NONCE = re.compile(rb"nhic[0-9a-f]{20}")
_REQUEST_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}")
"""The two forms of nonce that `plan.nonce` makes."""


class Nonces:
    """The nonces to look for; called with a line, it says whether the line contains any."""

    def __init__(self, nonces: Iterable[str], *, any_made: bool = False) -> None:
        """Look for these, in any form; with `any_made`, also for anything like `nhic...`."""
        self._any_made = any_made
        self._wanted = {nonce.encode(): nonce for nonce in nonces}
        self._forms = [
            form
            for form in (_NONCE, _REQUEST_ID)
            if any(form.fullmatch(nonce) for nonce in self._wanted)
        ]
        self._others = [
            nonce
            for nonce in self._wanted
            if not any(form.fullmatch(nonce) for form in (_NONCE, _REQUEST_ID))
        ]

    def __call__(self, line: bytes) -> bool:
        """Whether a line contains one of them."""
        return bool(self.within(line))

    def within(self, line: bytes) -> set[str]:
        """Return those that a line contains."""
        seen = {text for form in self._forms for text in form.findall(line)}
        # A nonce in neither of our forms was made by someone else, and is searched for verbatim.
        seen |= {nonce for nonce in self._others if nonce in line}
        within = {self._wanted[text] for text in seen if text in self._wanted}
        if self._any_made:
            within |= {text.decode() for text in _NONCE.findall(line)}
        return within
