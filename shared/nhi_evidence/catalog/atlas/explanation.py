"""What an operation means and how that is known: its entry, its row or rule, and similar ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import msgspec

from nhi_evidence.catalog.atlas import Entry, Known, Log, Provider, entries, known_by, providers
from nhi_evidence.catalog.atlas.lookup import pack_table, packs

_MOST_EXAMPLES = 5
_ARN_LIKE = re.compile(r"([\w.-]+):(.+)", re.DOTALL)


class Condition(msgspec.Struct, frozen=True):
    """Something a record may say that changes the meaning."""

    id: str
    phase: str
    why: str


class Explanation(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One operation of one service."""

    service: str
    operation: str
    pack: str
    """The source pack that reads its records."""
    in_atlas: bool
    """Whether a pinned source names it. An operation that none names may not exist."""
    phase: str
    sub_phase: str | None = None
    class_uid: int
    activity_id: int
    known: Known
    rule: str
    why: str = ""
    ref: str = ""
    confidence: str = ""
    """For a row: how certain its name is."""
    log: str = Log.UNKNOWN.value
    log_known: str = ""
    access_level: str = ""
    permissions: str = ""
    resources: str = ""
    target: str = ""
    recorded_as: str = ""
    overrides: tuple[Condition, ...] = ()
    examples: tuple[str, ...] = ()
    """Other operations that the same rule decides."""


def explain(name: str, source: str | None = None) -> tuple[Explanation, ...]:
    """Return the explanations of `OPERATION` or `service:OPERATION`, ignoring case.

    There is one for each service that has it. An unknown name has one too, from the pack whose
    names look like it. `source` limits the search to the packs of a source. Raises
    `SettingsError` when there is no such source.
    """
    pack_names = packs(source)
    explanations = [
        _explained(provider.pack, entry, in_atlas=True)
        for provider, entry in _entries(pack_names)
        if _names(entry.service, entry.operation, entry.recorded_as, wanted=name)
    ]
    seen = {(one.pack, one.service.lower(), _spelled(one)) for one in explanations}
    for pack in pack_names:
        for row in pack_table(pack).table.rows:
            key = (pack, row.service.lower(), row.operation.lower())
            if _names(row.service, row.operation, wanted=name) and key not in seen:
                seen.add(key)
                explanations.append(
                    _explained(pack, _entry(row.service, row.operation), in_atlas=False)
                )
    return tuple(explanations) or (_unknown_name(name, pack_names),)


def _explained(pack: str, entry: Entry, *, in_atlas: bool) -> Explanation:
    """Explain by the current tables: a row may have been added since the atlas was made."""
    table = pack_table(pack)
    name = entry.recorded_as or entry.operation
    meaning = table.classify(entry.service, name, entry.permissions)
    rule = meaning.rules[0]
    row = table.row(rule)
    return Explanation(
        service=entry.service,
        operation=entry.operation,
        pack=pack,
        in_atlas=in_atlas,
        phase=meaning.phase.name.lower(),
        sub_phase=meaning.sub_phase,
        class_uid=meaning.class_uid,
        activity_id=meaning.activity_id,
        known=known_by(rule),
        rule=rule,
        why=table.why(rule),
        ref=row.ref if row else "",
        confidence=row.confidence if row else "",
        log=entry.log,
        log_known=entry.log_known,
        access_level=entry.access_level,
        permissions=entry.permissions,
        resources=entry.resources,
        target=entry.target,
        recorded_as=entry.recorded_as,
        overrides=tuple(
            Condition(override.id, override.phase, override.why)
            for override in table.overrides(entry.service, name)
        ),
        examples=() if row or known_by(rule) is Known.UNKNOWN else _examples(pack, rule, entry),
    )


def _unknown_name(name: str, pack_names: tuple[str, ...]) -> Explanation:
    """Explain a name that no source and no row knows, by its words."""
    pack = look if (look := _pack_by_look(name)) in pack_names else pack_names[0]
    service, operation = "", name
    if pack in ("aws_cloudtrail", "gcp_audit") and (split := _ARN_LIKE.fullmatch(name)):
        service, operation = split.groups()
    elif pack == "azure_activity":
        service = name.partition("/")[0].lower()
    return _explained(pack, _entry(service, operation), in_atlas=False)


def _pack_by_look(name: str) -> str:
    head, blank, rest = name.partition(" ")
    if blank:
        return "azure_entra" if rest.startswith("/") or head[:1].isupper() else "azure_resource"
    if "/" in name:
        return "azure_activity"
    return "gcp_audit" if "." in name else "aws_cloudtrail"


def _examples(pack: str, rule: str, entry: Entry) -> tuple[str, ...]:
    """Return others that the rule decided when the atlas was made, one for each service."""
    named: dict[str, str] = {}
    for _, other in _entries((pack,)):
        if other.rule == rule and other.operation != entry.operation:
            named.setdefault(other.service, f"{other.service}:{other.operation}")
        if len(named) == _MOST_EXAMPLES:
            break
    return tuple(named.values())


@cache
def _atlas() -> tuple[tuple[Provider, tuple[Entry, ...]], ...]:
    return tuple((provider, entries(provider.name)) for provider in providers())


def _entries(pack_names: tuple[str, ...]) -> Iterator[tuple[Provider, Entry]]:
    for provider, own in _atlas():
        if provider.pack in pack_names:
            for entry in own:
                yield provider, entry


def _entry(service: str, operation: str) -> Entry:
    return Entry(service=service, operation=operation, phase="", rule="")


def _names(service: str, *operations: str, wanted: str) -> bool:
    """Whether the wanted name is one of these, with or without the service before it."""
    folded = wanted.lower()
    short = service.removesuffix(".googleapis.com").lower()
    return any(
        folded in (name, f"{service.lower()}:{name}", f"{short}:{name}")
        for operation in operations
        if (name := operation.lower())
    )


def _spelled(explanation: Explanation) -> str:
    return (explanation.recorded_as or explanation.operation).lower()
