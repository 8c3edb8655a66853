"""What an audited operation changed: `modifiedProperties`, whose values are JSON inside texts.

https://learn.microsoft.com/graph/api/resources/modifiedproperty
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from nhi_evidence.reading.lenient_decoder import nested
from nhi_evidence.sources.azure_entra.record import EMPTY, TargetResource

_KEY = re.compile(r"KeyIdentifier=([^,\]]+)")
_KEY_TYPE = re.compile(r"KeyType=([^,\]]+)")
_SCOPE = re.compile(r"Scope: *([^,\]]+)")

KEYS = "KeyDescription"
FEDERATED = "FederatedIdentityCredentials"


class Change(msgspec.Struct, frozen=True):
    """One property, before and after, as lists of the values inside its texts."""

    old: list[Any]
    new: list[Any]
    added: list[Any]
    """Values that are in `new` but not in `old`."""
    removed: list[Any]
    """Values that are in `old` but not in `new`."""


class Credential(msgspec.Struct, frozen=True):
    """A credential that a change added or removed."""

    uid: str | None
    name: str | None
    type: str | None
    added: bool
    issuer: str | None = None
    subject: str | None = None


def changes(targets: Iterable[TargetResource]) -> dict[str, Change]:
    """Return the changed properties of a record by name; the first of several with one name.

    Raises as `msgspec.json.decode` does when a value cannot be decoded.
    """
    changed: dict[str, Change] = {}
    for target in targets:
        for change in target.modifiedProperties or ():
            name = (change.displayName or "").strip()
            if name and name not in changed:
                old, new = _values(change.oldValue), _values(change.newValue)
                changed[name] = Change(
                    old=old,
                    new=new,
                    added=[value for value in new if value not in old],
                    removed=[value for value in old if value not in new],
                )
    return changed


def _values(piece: msgspec.Raw) -> list[Any]:
    """Return the values of a property, which is JSON: usually inside a text, usually a list."""
    if bytes(piece) in {bytes(EMPTY), b"null"}:
        return []
    value = _json_inside(msgspec.json.decode(nested(piece)))
    values = value if isinstance(value, list) else [value]
    return [_json_inside(one) for one in values if one not in (None, "")]


def _json_inside(value: Any) -> Any:
    """Decode JSON inside a text; return any other value unchanged."""
    if not isinstance(value, str) or value[:1] not in {'"', "[", "{"}:
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value


def credentials(changed: dict[str, Change]) -> tuple[Credential, ...]:
    """Return the credentials that a change added, then those it removed."""
    known = []
    keys, federated = changed.get(KEYS), changed.get(FEDERATED)
    for added in (True, False):
        if keys is not None:
            known += [_key(text, added) for text in _texts(keys, added) if _KEY.search(text)]
        if federated is not None:
            values = federated.added if added else federated.removed
            known += [_federated(one, added) for one in values if isinstance(one, dict)]
    return tuple(known)


def _key(text: str, added: bool) -> Credential:
    uid, kind = _KEY.search(text), _KEY_TYPE.search(text)
    return Credential(uid[1] if uid else None, None, kind[1] if kind else None, added)


def _federated(credential: dict[str, Any], added: bool) -> Credential:
    folded = {name.lower(): value for name, value in credential.items() if isinstance(value, str)}
    return Credential(
        folded.get("id"),
        folded.get("name"),
        None,
        added,
        folded.get("issuer"),
        folded.get("subject"),
    )


def _texts(change: Change, added: bool) -> list[str]:
    return [one for one in (change.added if added else change.removed) if isinstance(one, str)]


def first_text(changed: dict[str, Change], names: Sequence[str]) -> str | None:
    """Return the first text in a property with one of these names, new values before old."""
    for name in names:
        change = changed.get(name)
        for value in (*change.new, *change.old) if change else ():
            if isinstance(value, str) and value:
                return value
    return None


def granted(changed: dict[str, Change], names: Sequence[str]) -> tuple[str, ...]:
    """Return the privileges that the first property of these names added, else removed."""
    for name in names:
        change = changed.get(name)
        if change is None:
            continue
        old, new = _words(change.old), _words(change.new)
        differing = [one for one in new if one not in old] or [one for one in old if one not in new]
        if differing or new:
            return tuple(differing or new)
    return ()


def _words(values: Iterable[Any]) -> list[str]:
    """Split texts into permissions: scopes separated by spaces, or after `Scope:` in a consent."""
    words: list[str] = []
    for value in values:
        if not isinstance(value, str):
            continue
        scopes = _SCOPE.findall(value)
        words += (
            [word for scope in scopes for word in scope.split()]
            if scopes
            else ([value.strip()] if "." not in value else value.split())
        )
    return [one for one in words if one]
