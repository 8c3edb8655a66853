"""Split an operation's name into words, the verb first, for the lexicon's rules.

Providers write names in six ways, distinguished by their form:

- `CreateBucketAccessKey` (AWS, resource logs): words begin with a capital letter
- `google.iam.admin.v1.CreateRole`, `v1.compute.firewalls.insert` (Google): parts separated by
  periods, of which the last names the call; if that is a single word, it says only what is done,
  and the part before it says to what
- `Microsoft.Compute/sshPublicKeys/generateKeyPair/action` (Azure): a path that ends in `read`,
  `write`, `delete` or `action`; an action's own name precedes it
- `POST /groups/{id}/members/$ref` (Microsoft Graph): a method and a path
- `create pods/exec` (Kubernetes): a verb and a resource, all in lower case
- `Add member to role` (Entra): a phrase
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WORD = re.compile(r"[A-Za-z]+|\d+")
_VERSION = re.compile(r"v\d+\w*", re.IGNORECASE)
_VIEW = "view"
"""Means reading a resource as its API shows it, which seldom includes a secret."""
_NOT_A_NAME = frozenset({"$ref", "$value", "$count", "$batch", "{id}"})
_OF = "of"
"""Separates what an action names from the kind of resource that it belongs to."""
_KEEP_S = ("ss", "us", "is", "os", "as")
_SHORTEST_PLURAL = 4
_SHORTEST = 3
"""The shortest word that is looked for inside others: `is` is also in `publish`."""

Split = Callable[[str], list[str]]


class Splitter:
    """Splits names into words, using a vocabulary if a name's case does not tell."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        """Take the words to look for in names written in a single case, e.g. `LISTKEYS`."""
        words = {word for phrase in vocabulary for word in phrase.split() if len(word) >= _SHORTEST}
        # A plural only counts at the end: there is no `gets` in `getsecret`.
        forms = {word: re.escape(word) for word in words}
        forms |= {plural(word): f"{re.escape(plural(word))}$" for word in words}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(forms[form] for form in longest_first))

    def words(self, name: str) -> tuple[str, ...]:
        """Return the words of an operation's name in lower case and singular, the verb first."""
        return tuple(singular(word) for word in self._parts(name))

    def _parts(self, name: str) -> list[str]:
        head, blank, rest = name.partition(" ")
        if blank and rest.startswith("/"):
            return self._graph(head.lower(), rest)
        if blank and name.islower() and head.isalpha():
            return [head, *(word for part in rest.split("/") for word in self._split(part))]
        if blank:
            return [word.lower() for word in _CAMEL.findall(name)]
        if "/" in name:
            return self._azure(name.split("/"))
        if "." in name:
            return self._dotted(name.split("."))
        return self._split(name)

    def _graph(self, method: str, path: str) -> list[str]:
        segments = [part.removesuffix("()") for part in path.split("/") if part]
        names = [part for part in segments if part.lower() not in _NOT_A_NAME]
        words = self._split(names[-1]) if names else []
        return [_VIEW if method == "get" else method, *words]

    def _azure(self, segments: list[str]) -> list[str]:
        *path, last = segments
        if last.lower() == "action" and len(path) > 1:
            *path, last = path
        elif last.lower() == "read":
            last = _VIEW
        kind = self._split(path[-1]) if len(path) > 1 else []
        return [*self._split(last), _OF, *kind] if kind else self._split(last)

    def _dotted(self, parts: list[str]) -> list[str]:
        names = [part for part in parts if not _VERSION.fullmatch(part)]
        words = self._split(names[-1]) if names else []
        if len(words) > 1 or len(names) == 1:
            return words
        return [_VIEW if words == ["get"] else names[-1].lower(), *self._split(names[-2])]

    def _split(self, name: str) -> list[str]:
        """Split at capital letters, or at known words if the name has a single case."""
        if not (name.islower() or name.isupper()):
            return [word.lower() for word in _CAMEL.findall(name)]
        words: list[str] = []
        end = 0
        text = name.lower()
        for match in self._known.finditer(text):
            words += _WORD.findall(text[end : match.start()])
            words.append(match[0])
            end = match.end()
        return words + _WORD.findall(text[end:])


def singular(word: str) -> str:
    """Return the singular of an English noun: `policies`, `keys`, `aliases`."""
    if len(word) < _SHORTEST_PLURAL or not word.endswith("s") or word.endswith(_KEEP_S):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "ches")) else word[:-1]


def plural(word: str) -> str:
    """Return the plural of a word, from which `singular` makes the same word again."""
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("ss", "x", "ch")) else "s")
