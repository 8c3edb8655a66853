"""Whether a text that nobody can read may hold what its source declares.

Most sources say that it always may. One whose log is of many services, few of which have what may
not be locked, names words that stand wherever it stands; a text without them is kept as it came.
"""

from __future__ import annotations

import re
import zlib
from base64 import b64decode
from collections.abc import Sequence

_GZIP = b"\x1f\x8b"
_LOOKED_INTO = 64 << 20
"""Bytes that are inflated at most."""
_SPELLED = rb"\\u00[2-7]"
"""How a word may be spelled otherwise in JSON."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
"""A text of base64, or a piece of one that is damaged."""
_QUARTET = 4
"""Characters of base64 that stand for whole bytes together."""
_STANDARD = bytes.maketrans(b"-_", b"+/")


class Words:
    """Looks for the words of a source."""

    def __init__(self, words: Sequence[str]) -> None:
        """Take them; without any, every text may hold what is declared."""
        spellings = [*(re.escape(word.encode()) for word in words), _SPELLED]
        self._search = re.compile(b"|".join(spellings), re.IGNORECASE).search if words else None

    def may_stand_in(self, raw: bytes) -> bool:
        """Whether one stands in a text, in ASCII or UTF-16, packed or not, or nobody can tell.

        Nor in what its base64 stands for: a message that is damaged has its entry in that form.
        """
        if self._search is None or self._search(raw.replace(b"\0", b"")):
            return True
        if raw.startswith(_GZIP):
            return self._may_be_packed_in(raw)
        return any(self._may_be_encoded_in(piece[0]) for piece in _BASE64.finditer(raw))

    def _may_be_encoded_in(self, piece: bytes) -> bool:
        if self._search is None:
            return True
        text = piece.translate(_STANDARD)
        # Of a damaged text nobody knows where four characters begin.
        for start in range(_QUARTET):
            end = len(text) - (len(text) - start) % _QUARTET
            if self._search(b64decode(text[start:end])):
                return True
        return False

    def _may_be_packed_in(self, raw: bytes) -> bool:
        inflating = zlib.decompressobj(wbits=31)
        try:
            inside = inflating.decompress(raw, _LOOKED_INTO)
        except zlib.error:
            return True
        is_whole = not inflating.unconsumed_tail and not inflating.unused_data.startswith(_GZIP)
        # Packed twice it may be packed for ever: there are texts that inflate to themselves.
        return not is_whole or inside.startswith(_GZIP) or self.may_stand_in(inside)
