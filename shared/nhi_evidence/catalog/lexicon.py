"""The lexicon: what the words of an operation's name say if no row names it.

`lexicon.json` is the table: verbs in groups, and rules combining verb groups and nouns, each with
its reason. The first rule that holds decides. The result is a guess and labeled as one
(`fallback:lexicon:<rule>`); how often it agrees with the curated rows is measured
(docs/catalog-lexicon.md).
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache

import msgspec

from nhi_evidence.catalog.table import known_class, phase
from nhi_evidence.catalog.words import Splitter
from nhi_evidence.errors import CatalogError
from nhi_evidence.phases import Classification

FILE = "lexicon.json"
BY_WORDS = "fallback:lexicon:"
BY_VERB = "fallback:verb:"
"""Prefixes of rules by the lexicon: from verb and noun, and from the verb alone."""

_API_ACTIVITY = 6003
_NO_VERB = "none"
_MANNER = frozenset({"admin", "batch", "bulk", "user"})
"""Words before a verb that say how, or for whom: `AdminCreateUser`."""
_ENDS_OBJECT = frozenset(
    {"as", "at", "by", "for", "from", "in", "into", "of", "on", "to", "using", "via", "with"}
)
"""Words after which a name no longer says what is acted on: `GetCredentialsForIdentity`."""


class VerbGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Verbs that do the same kind of thing."""

    activity: int
    """OCSF API Activity (6003) activity: 1 create, 2 read, 3 update, 4 delete, 99 other."""
    words: tuple[str, ...]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a verb of a group and a noun mean together."""

    id: str
    verbs: tuple[str, ...]
    """Verb groups the rule applies to, `none` for a name without a known verb; empty for any."""
    nouns: tuple[str, ...] = ()
    """Phrases of which the name must have one, word for word; empty if any name will do."""
    at_end: bool = False
    """Whether a noun only counts at the end of what is acted on: `GetKey`, not `GetKeyPolicy`."""
    unless: tuple[str, ...] = ()
    """Phrases that keep the rule from applying."""
    phase: str
    sub_phase: str | None = None
    why: str


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    verbs: dict[str, VerbGroup]
    rules: list[Rule]
    last: list[Rule]
    """Rules by verb alone, which decide if not even an access level does."""
    lookalikes: tuple[str, ...]
    """Words that contain another of the table's: `log` in `catalog`, `test` in `attest`."""
    endings: tuple[str, ...]
    """Words that may follow the noun that ends a name: `GetSecretValue`."""


class _Compiled(msgspec.Struct, frozen=True):
    rule: Rule
    verbs: frozenset[str]
    nouns: tuple[str, ...]
    unless: tuple[str, ...]
    by_activity: dict[int, Classification]

    def holds(self, verb: str, name: str, acted_on: str) -> bool:
        """Whether it applies to a verb's group and nouns, each noun between two spaces."""
        if (self.verbs and verb not in self.verbs) or any(part in name for part in self.unless):
            return False
        if not self.nouns:
            return True
        if self.rule.at_end:
            return any(acted_on.endswith(noun) for noun in self.nouns)
        return any(noun in name for noun in self.nouns)


class Lexicon:
    """The lexicon's table, validated and indexed."""

    def __init__(self, table: bytes | None = None) -> None:
        """Load this release's lexicon, or another table.

        Raises `CatalogError` naming the rule when the table is inconsistent.
        """
        try:
            parsed = msgspec.json.decode(table or TABLE, type=_Table)
        except msgspec.MsgspecError as error:
            raise CatalogError(f"{FILE}: {error}") from error
        self._group_of = {
            word: (name, group.activity)
            for name, group in parsed.verbs.items()
            for word in group.words
        }
        self.by_words_rules = tuple(parsed.rules)
        self.by_verb_rules = tuple(parsed.last)
        self._by_words = tuple(_compile(rule, parsed.verbs, BY_WORDS) for rule in parsed.rules)
        self._by_verb = tuple(_compile(rule, parsed.verbs, BY_VERB) for rule in parsed.last)
        self._endings = frozenset(parsed.endings)
        self._splitter = Splitter(_vocabulary(parsed))

    def by_words(self, operation: str) -> Classification | None:
        """Return what an operation's verb and nouns say; None if no rule applies."""
        return self._first(self._by_words, operation)

    def by_verb(self, operation: str) -> Classification | None:
        """Return what an operation's verb alone says; None if the lexicon does not know it."""
        return self._first(self._by_verb, operation)

    def _first(self, rules: tuple[_Compiled, ...], operation: str) -> Classification | None:
        words = self._splitter.words(operation)
        verb, activity, position = self._verb(words)
        nouns = tuple(
            word
            for index, word in enumerate(words)
            if index != position and not (position and index < position and word in _MANNER)
        )
        name = f" {' '.join(nouns)} "
        acted_on = f" {' '.join(self._object(nouns))} "
        for compiled in rules:
            if compiled.holds(verb, name, acted_on):
                return compiled.by_activity[activity]
        return None

    def _verb(self, words: tuple[str, ...]) -> tuple[str, int, int | None]:
        """Return the group of a name's verb, its activity and its position.

        A path's method says little if an action is named: `POST .../addPassword` adds.
        """
        first: tuple[str, int, int | None] = (_NO_VERB, 99, None)
        for position, word in enumerate(words):
            group = self._group_of.get(word)
            if group is None:
                continue
            if word == "post" and position == 0:
                first = (*group, position)
                following = self._group_of.get(words[1]) if len(words) > 1 else None
                return (*following, 1) if following else first
            return (*group, position)
        return first

    def _object(self, nouns: tuple[str, ...]) -> list[str]:
        """Return the words for what is acted on, without any that may follow."""
        words: list[str] = []
        for word in nouns:
            if word not in _ENDS_OBJECT:
                words.append(word)
            elif words:
                break
        while len(words) > 1 and (words[-1] in self._endings or words[-1].isdigit()):
            words.pop()
        return words


@cache
def lexicon() -> Lexicon:
    """Return the lexicon of this release: the same for every table, so it is read once."""
    return Lexicon()


def _compile(rule: Rule, groups: dict[str, VerbGroup], prefix: str) -> _Compiled:
    where = f"{FILE}: {rule.id}"
    if unknown := [group for group in rule.verbs if group not in groups and group != _NO_VERB]:
        raise CatalogError(f"{where}: unknown verbs {unknown[0]!r}")
    meaning = phase(rule.phase, where)
    activities = {99} | {group.activity for group in groups.values()}
    return _Compiled(
        rule,
        frozenset(rule.verbs),
        tuple(f" {phrase} " for phrase in rule.nouns),
        tuple(f" {phrase} " for phrase in rule.unless),
        {
            activity: Classification(
                base_phase=meaning,
                phase=meaning,
                sub_phase=rule.sub_phase,
                rules=(f"{prefix}{rule.id}",),
                class_uid=known_class(_API_ACTIVITY, activity, where),
                activity_id=activity,
            )
            for activity in activities
        },
    )


def _vocabulary(table: _Table) -> Iterator[str]:
    yield from table.lookalikes
    yield from table.endings
    for group in table.verbs.values():
        yield from group.words
    for rule in table.rules:
        yield from rule.nouns
        yield from rule.unless


TABLE: bytes = pkgutil.get_data("nhi_evidence.catalog", FILE) or b""
"""The bytes of the table: they decide output, so they are part of the mapper digest."""
