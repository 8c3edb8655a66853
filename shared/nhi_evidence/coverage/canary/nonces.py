"""Finding nonces in the lines of records: one pass over a line, however many nonces there are."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NONCE = re.compile(rb"nhic[0-9a-f]{20}")
_REQUEST_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}")
"""The two forms `plan.nonce` makes."""


class Nonces:
    """Nonces to be looked for; as a function it says whether a line holds any."""

    def __init__(self, nonces: Iterable[str]) -> None:
        """Look for these, in whatever form they are."""
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
        """Whether a line holds one of them."""
        return bool(self.within(line))

    def within(self, line: bytes) -> set[str]:
        """Return those a line holds."""
        seen = {text for form in self._forms for text in form.findall(line)}
        # One that somebody else made up has a form of its own, and is looked for as it is.
        seen |= {nonce for nonce in self._others if nonce in line}
        return {self._wanted[text] for text in seen if text in self._wanted}
