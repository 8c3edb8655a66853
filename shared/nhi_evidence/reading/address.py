"""Whether a text is an address: only if every parser reads it as the same address.

`198.51.100.07` is octal to one parser and decimal to another; `fe80::1%eth0` only means something
on one host. Neither is written where an address is promised.
https://www.rfc-editor.org/rfc/rfc6943#section-3.1.1
"""

from __future__ import annotations

import re
from ipaddress import ip_address

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}", re.ASCII)
_ABSENT = frozenset({"", "-", "none", "null", "<null>", "undefined", "n/a"})


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address, without a zone and without leading zeros."""
    if _IPV4.fullmatch(text):
        return True
    if ":" not in text or "%" in text:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_absent(text: str | None) -> bool:
    """Whether a text is one of the words that exporters write for a missing value."""
    return text is None or text.strip().lower() in _ABSENT
