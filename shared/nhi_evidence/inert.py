"""Text from records made inert: what a screen acts on, or does not show, is shown instead.

Everything printed and every page goes through here.
"""

from __future__ import annotations

import re

C0 = "\x00-\x1f"
BEYOND_C0 = (
    "\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Control characters, separators of lines and paragraphs, all that sets the direction of text, and
all that shows nothing: two names that differ in it alone look the same.

The last are Unicode's `Default_Ignorable_Code_Point`:
https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
"""

_ACTING = re.compile(f"[{C0}{BEYOND_C0}]")


def neutralize(text: str, *, keep: str = "") -> str:
    r"""Show what is not visible text as `\u` escapes, those of JSON, except characters to keep."""

    def escaped(match: re.Match[str]) -> str:
        return match[0] if match[0] in keep else escape(match[0])

    return _ACTING.sub(escaped, text)


def escape(character: str) -> str:
    r"""Return a character as JSON escapes it: `\u` and its UTF-16 code units."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
