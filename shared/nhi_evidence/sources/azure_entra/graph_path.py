"""The operation of a Microsoft Graph call: its method, and its path with ids replaced.

`GET https://graph.microsoft.com/v1.0/users/ann@example.com/messages?$top=5` is
`GET /users/{id}/messages`. Whether a segment is an id is decided by its form alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from nhi_evidence.reading.bounded_cache import bounded_cache

_HOST = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_VERSION = re.compile(r"v\d+(?:\.\d+)?|beta", re.IGNORECASE | re.ASCII)
_ARGUMENTS = re.compile(r"\(.*\)$", re.DOTALL)
_NAMESPACE = re.compile(r"^(?:microsoft\.)?graph\.(?:[A-Za-z]+\.)*")
_ID = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"  # an object id
    r"|\d+"
    r"|.*[@.=!,:%].*"  # a user or domain name, an encoded or compound id
    r"|(?=[^0-9]*[0-9])[\w$-]{16,}"  # a long word with digits
    r"|.{41,}",
    re.ASCII | re.DOTALL,
)
_NAME = re.compile(r"(?:[a-z]++|[A-Z][a-z]++|[0-9]{1,3}+)++")
"""Words, which may begin with a capital, and short numbers: `oauth2PermissionGrants`."""
_WORD = re.compile(r"[a-z]{6}")
_LONGEST_NAME = 80
_MOST_NUMBERS = 2
_LONGEST = 2048


class Path(NamedTuple):
    """The path of a call."""

    segment: str
    """The path as the record has it: without host and query, with its ids."""
    operation: str
    """The path as the catalog has it."""


@bounded_cache(results=4096, longest=_LONGEST)
def path_of(uri: str) -> Path:
    """Return the path of a request URI."""
    path = _HOST.sub("", uri).partition("?")[0].partition("#")[0]
    segments = [one for one in path.split("/") if one]
    if segments and _VERSION.fullmatch(segments[0]):
        segments = segments[1:]
    return Path(path, "/" + "/".join(_plain(one) for one in segments))


def _plain(segment: str) -> str:
    """Replace what varies in a segment: the id in `users('x')`, the arguments of a function."""
    arguments = _ARGUMENTS.search(segment)
    name = _NAMESPACE.sub("", segment[: arguments.start()] if arguments else segment)
    if arguments is None:
        return "{id}" if _is_id(name) else name
    inside = arguments[0][1:-1]
    by_key = bool(inside) and "=" not in inside
    return f"{name}/{{id}}" if by_key else f"{name}()"


def _is_id(segment: str) -> bool:
    """Whether a segment has the form of an id, and not that of a name with a number in it.

    To pass for a name, an id would need a capital only at the start of words, and at most two
    numbers.
    """
    if _ID.fullmatch(segment) is None:
        return False
    numbers = sum(1 for _ in re.finditer(r"[0-9]+", segment))
    return (
        len(segment) > _LONGEST_NAME
        or numbers > _MOST_NUMBERS
        or _NAME.fullmatch(segment) is None
        or _WORD.search(segment) is None
    )
