"""What is known about an event but has no attribute in its OCSF class: observables and `unmapped`.

That a class lacks `src_endpoint`, `http_request` or `resources` does not make what a record says
about them unknown. Single values become observables, named like the attribute they would have been;
objects go into `unmapped` under the attribute's name. Nothing is written twice.
https://schema.ocsf.io/1.8.0/objects/observable
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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

NOTHING_SPECIFIC = Specifics()
"""The specific attributes of most classes: none."""
_NO_ENDPOINT = Endpoint()
_IP, _USER_AGENT = 2, 16
"""OCSF `observable.type_id`: IP Address, HTTP User-Agent."""


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
    if chosen.has_resources and is_placed and _is_targets_alone(about):
        return dict(call.details) if call.details else None
    values: dict[str, Any] = {}
    if chosen is BASE_EVENT and call.source is not None:
        rest = msgspec.structs.replace(call.source, ip=None)
        if rest != _NO_ENDPOINT:
            values["src_endpoint"] = rest
    if call.endpoint and not chosen.has_dst_endpoint:
        values["dst_endpoint"] = {"svc_name": call.endpoint}
    named = _placed(specific) if specific is not NOTHING_SPECIFIC else set()
    if not chosen.has_resources and about.targets:
        resources = tuple(target for target in about.targets if not _is_named(target, named))
        if resources:
            values["resources"] = resources
    if not _is_targets_alone(about):
        _add_names(named, about.targets)
        _add_unnamed(values, about, named)
    if about.issued_session is not None and specific.session is None:
        values["session"] = about.issued_session
    values.update(call.details)
    return values or None


def _add_unnamed(values: dict[str, Any], about: About, named: set[str]) -> None:
    """Add what is known besides the targets, and has no id or name that is written already."""
    things = (
        ("user", about.user),
        ("entity", about.entity),
        ("group", about.group),
        ("databucket", about.databucket),
        ("table", about.table),
        ("file", about.file),
    )
    values |= {name: thing for name, thing in things if thing and not _is_named(thing, named)}
    for name, texts in (("privileges", about.privileges), ("policies", about.policies)):
        unnamed = tuple(text for text in texts if text not in named) if texts else ()
        if unnamed:
            values[name] = unnamed


def _is_targets_alone(about: About) -> bool:
    """Whether nothing but targets is known, as for most API calls."""
    return not (
        about.user
        or about.entity
        or about.group
        or about.privileges
        or about.policies
        or about.databucket
        or about.table
        or about.file
        or about.issued_session
    )


def _placed(specific: Specifics) -> set[str]:
    """Return the ids and names that are already in the class's own attributes."""
    texts = set(specific.privileges)
    for thing in (
        specific.user,
        specific.entity,
        specific.group,
        specific.databucket,
        specific.table,
        specific.service,
    ):
        if thing is not None:
            _add_names(texts, (thing,))
    _add_names(texts, specific.policies)
    if specific.log_name:
        texts.add(specific.log_name)
    if specific.databucket is not None and specific.databucket.file is not None:
        texts.add(specific.databucket.file.path)
        if specific.databucket.file.uid:
            texts.add(specific.databucket.file.uid)
    return texts


def _add_names(
    texts: set[str],
    things: Iterable[Target | User | Service | Entity | Policy | Databucket | Named],
) -> None:
    """Add ids and names, as far as they are known."""
    for thing in things:
        if thing.uid:
            texts.add(thing.uid)
        if thing.name:
            texts.add(thing.name)


def _is_named(thing: Target | User, named: set[str]) -> bool:
    return (thing.uid or thing.name) in named
