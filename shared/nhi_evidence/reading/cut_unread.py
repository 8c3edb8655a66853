"""Whether an unreadable text may contain what its source declares.

For most sources it always may. If a source's log covers many services, few of which have anything
that may not be locked, it names words that occur wherever that does; a text without them is kept
unchanged.
"""

from __future__ import annotations

import re
import zlib
from base64 import b64decode
from collections.abc import Sequence

_GZIP = b"\x1f\x8b"
_LOOKED_INTO = 64 << 20
"""How many bytes are decompressed at most."""
_SPELLED = rb"\\u00[2-7]"
"""The beginning of an escape by which JSON can spell a word differently."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
"""Base64 text, or a piece of a damaged one."""
_QUARTET = 4
"""How many base64 characters encode whole bytes together."""
_STANDARD = bytes.maketrans(b"-_", b"+/")


class Words:
    """Searches for the words of a source."""

    def __init__(self, words: Sequence[str]) -> None:
        """Take the words; without any, every text may contain what is declared."""
        spellings = [*(re.escape(word.encode()) for word in words), _SPELLED]
        self._search = re.compile(b"|".join(spellings), re.IGNORECASE).search if words else None

    def may_stand_in(self, raw: bytes) -> bool:
        """Whether a word may occur in a text: in ASCII or UTF-16, compressed or not.

        Its base64 is decoded too: a damaged message has its entry in that form. True if in doubt.
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
        # In a damaged text, a group of four characters may begin anywhere.
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
        # Data compressed twice may be so forever: some texts decompress to themselves.
        return not is_whole or inside.startswith(_GZIP) or self.may_stand_in(inside)
