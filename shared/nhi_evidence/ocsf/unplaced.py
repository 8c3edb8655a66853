"""What is known about an event but has no attribute in its OCSF class: observables and `unmapped`.

That a class lacks `src_endpoint`, `http_request` or `resources` does not make what a record says
about them unknown. Single values become observables, named like the attribute they would have been;
objects go into `unmapped` under the attribute's name. Nothing is written twice; what only has the
same id or name as something of another kind is another thing, and is written. So is a thing whose
owner, region or address is not.
https://schema.ocsf.io/1.8.0/objects/observable
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from nhi_evidence.event import About, Endpoint, Event, Target, User
from nhi_evidence.ocsf.classes import BASE_EVENT, OcsfClass
from nhi_evidence.ocsf.objects import (
    Databucket,
    Entity,
    Named,
    Observable,
    Policy,
    Service,
    Specifics,
)
from nhi_evidence.reading.bounded_cache import bounded_cache

NOTHING_SPECIFIC = Specifics()
"""The specific attributes of most classes: none."""
_NO_ENDPOINT = Endpoint()
_IP, _USER_AGENT = 2, 16
"""OCSF `observable.type_id`: IP Address, HTTP User-Agent."""
_ALIKE = (
    ("user", "principal", "serviceaccount", "application"),
    ("file", "object", "blob"),
    ("log", "trail", "sink", "recorder"),
    ("credential", "accesskey"),
    ("service", "appinstance"),
)
"""Words in types and attributes by which packs name one kind of thing."""
_GRANTS = ("policy", "role")
"""Words in the types of what privileges are granted by."""
_BETWEEN = re.compile(r"[:/]")
"""Between the parts of a path or ARN."""


class _Written(NamedTuple):
    """A thing that the record has already."""

    kinds: tuple[str, ...]
    """Its attribute and type, in small letters; none where neither says what it is."""
    uid: str | None
    name: str | None
    thing: Target | User | None = None
    """All that is written of it, where that may be more."""


def observables(event: Event, chosen: OcsfClass) -> tuple[Observable, ...]:
    """Return the single values that the class has no attribute for."""
    call = event.call
    values = []
    if chosen is BASE_EVENT and call.source is not None and call.source.ip:
        values.append(Observable("src_endpoint.ip", "IP Address", _IP, call.source.ip))
    if call.user_agent and not chosen.has_http_request:
        values.append(
            Observable("http_request.user_agent", "HTTP User-Agent", _USER_AGENT, call.user_agent)
        )
    return tuple(values)


def unmapped(event: Event, chosen: OcsfClass, specific: Specifics) -> dict[str, Any] | None:
    """Return the objects that the class has no attribute for, by attribute; None without any."""
    call, about = event.call, event.about
    is_placed = chosen.has_dst_endpoint or not call.endpoint
    session = about.issued_session
    if chosen.has_resources and is_placed and session is None and _is_targets_alone(about):
        return dict(call.details) if call.details else None
    values: dict[str, Any] = {}
    if chosen is BASE_EVENT and call.source is not None:
        rest = msgspec.structs.replace(call.source, ip=None)
        if rest != _NO_ENDPOINT:
            values["src_endpoint"] = rest
    if call.endpoint and not chosen.has_dst_endpoint:
        values["dst_endpoint"] = {"svc_name": call.endpoint}
    # A stored object or a session passes once: kept, it would only displace the others.
    is_once = about.file is not None or session is not None
    unwritten = _unwritten if is_once else _unwritten_cached
    values.update(unwritten(about, specific, chosen.has_resources))
    if session is not None and specific.session is None:
        values["session"] = session
    values.update(call.details)
    return values or None


def _unwritten(
    about: About, specific: Specifics, has_resources: bool
) -> tuple[tuple[str, Any], ...]:
    """Return what is known of the things acted on and is not in the class's own attributes."""
    written = _placed(specific) if specific is not NOTHING_SPECIFIC else []
    values: dict[str, Any] = {}
    if not has_resources and about.targets:
        resources = tuple(each for each in about.targets if not _is_written(each, "", written))
        if resources:
            values["resources"] = resources
    if not _is_targets_alone(about):
        written += [_as_written("", each) for each in about.targets]
        _add_unwritten(values, about, specific, written)
    return tuple(values.items())


_unwritten_cached = bounded_cache(results=2048, longest=4096)(_unwritten)
"""For what is acted on again and again, as most things are."""


def _add_unwritten(
    values: dict[str, Any], about: About, specific: Specifics, written: list[_Written]
) -> None:
    """Add what is known besides the targets, and is not written already."""
    things = (
        ("user", about.user),
        ("entity", about.entity),
        ("group", about.group),
        ("databucket", about.databucket),
        ("table", about.table),
        ("file", about.file),
    )
    values |= {
        name: thing for name, thing in things if thing and not _is_written(thing, name, written)
    }
    privileges = tuple(
        text
        for text in about.privileges
        if text not in specific.privileges and not _is_granted(text, written)
    )
    if privileges:
        values["privileges"] = privileges
    policies = tuple(text for text in about.policies if not _is_granted(text, written))
    if policies:
        values["policies"] = policies


def _is_targets_alone(about: About) -> bool:
    """Whether no other thing than the targets is known, as for most API calls."""
    return not (
        about.user
        or about.entity
        or about.group
        or about.privileges
        or about.policies
        or about.databucket
        or about.table
        or about.file
    )


def _placed(specific: Specifics) -> list[_Written]:
    """Return what is already in the class's own attributes."""
    written = []
    for kind, thing in (
        ("user", specific.user),
        ("group", specific.group),
        ("table", specific.table),
        ("service", specific.service),
        ("entity", specific.entity),
        ("bucket", specific.databucket),
        *(("policy", policy) for policy in specific.policies),
    ):
        if thing is not None:
            written.append(_as_written(kind, thing))
    written += [_Written(_GRANTS, None, text) for text in specific.privileges]
    if specific.log_name:
        written.append(_Written(("log",), None, specific.log_name))
    if specific.databucket is not None and (file := specific.databucket.file) is not None:
        written.append(_Written(("file",), file.uid, file.path))
    return written


def _as_written(
    kind: str, thing: Target | User | Service | Entity | Policy | Databucket | Named
) -> _Written:
    known = thing if isinstance(thing, Target | User) else None
    return _Written(_kinds(kind, getattr(thing, "type", None)), thing.uid, thing.name, known)


def _stated(thing: Target | User) -> list[str]:
    """Return what is known of a thing besides its id, name and type."""
    if isinstance(thing, Target):
        owner = thing.owner.account.uid if thing.owner else None
        return [text for text in (owner, thing.region) if text]
    account = thing.account.uid if thing.account else None
    credentials = [each.uid for each in thing.programmatic_credentials]
    return [text for text in (account, thing.email_addr, *credentials) if text]


def _is_stated(thing: Target | User, other: _Written) -> bool:
    """Whether all that is known of a thing is written, be it in the path or ARN it is called by."""
    if isinstance(thing, Target) and thing.owner is None and thing.region is None:
        return True
    stated = _stated(other.thing) if other.thing else []
    parts = _BETWEEN.split((other.uid or "").lower())
    return all(
        text in stated or text in (other.uid, other.name) or text.lower() in parts
        for text in _stated(thing)
    )


def _is_written(thing: Target | User, kind: str, written: list[_Written]) -> bool:
    """Whether it is among what is written: all that is known of it, and of no other kind."""
    key = thing.uid or thing.name or ""
    for other in written:
        if key not in (other.uid, other.name):
            continue
        name = thing.name
        if name and name not in (other.uid, other.name) and not key.endswith("/" + name):
            continue
        # An id that is no mere number is of one thing alone.
        is_one = _is_path(key) or (key == thing.uid == other.uid and not key.isdecimal())
        is_one = is_one or _may_be_one(_kinds(kind, thing.type), other.kinds)
        if is_one and (other.thing == thing or _is_stated(thing, other)):
            return True
    return False


def _is_granted(text: str, written: list[_Written]) -> bool:
    """Whether what is written has a privilege or policy: one called alike may be a team or user."""
    return any(
        text in (each.uid, each.name) and (_is_path(text) or _has_any(_GRANTS, each.kinds))
        for each in written
    )


def _is_path(text: str) -> bool:
    """Whether it is a path or ARN, which is of one thing alone."""
    return "/" in text or ":" in text


def _may_be_one(kinds: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether two things may be of one kind, as far as attributes and types say."""
    if not kinds:
        return others != _GRANTS
    if not others:
        return True
    if any(kind in other or other in kind for kind in kinds for other in others):
        return True
    return any(_has_any(words, kinds) and _has_any(words, others) for words in _ALIKE)


def _has_any(words: tuple[str, ...], kinds: tuple[str, ...]) -> bool:
    return any(word in kind for word in words for kind in kinds)


@bounded_cache(results=2048, longest=128)
def _kinds(attribute: str, kind: str | None) -> tuple[str, ...]:
    """Return an attribute and the letters of a type, as far as they say what a thing is."""
    letters = "".join(filter(str.isalnum, kind or "")).lower()
    return tuple(filter(None, (attribute, letters)))
