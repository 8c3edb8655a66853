"""Text from records made inert: what a screen acts on is shown instead."""

from __future__ import annotations

import re

_ACTING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Control characters, line and paragraph separators, and all that set the direction of text."""


def neutralize(text: str, *, keep: str = "") -> str:
    r"""Show control, format and bidirectional characters as `\u` escapes, except those to keep."""

    def escaped(match: re.Match[str]) -> str:
        return match[0] if match[0] in keep else f"\\u{ord(match[0]):04x}"

    return _ACTING.sub(escaped, text)
