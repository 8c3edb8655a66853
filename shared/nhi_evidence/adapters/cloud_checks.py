"""Asking Google Cloud and Azure about one thing at a time; a refusal is never taken for OK."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.checks import Check, State

Judged = tuple[State, str]
"""State of an answer, and what was observed."""


class CloudChecks:
    """Checks one project or subscription through its REST API."""

    def __init__(self, scope: str, reader: RestReader, deploy: str) -> None:
        """Name the scope as the report does, and the command that deploys it again."""
        self._scope, self._reader, self.deploy = scope, reader, deploy

    def ask(
        self,
        what: str,
        url: str,
        body: Any = None,
        *,
        items: str | None = None,
        next_page: str = "",
    ) -> tuple[Check | None, Any]:
        """Return (None, answer), or a check that says why there is no answer, and None.

        `items` and `next_page` are those of `RestReader.ask`: the answer then has every page.
        """
        answer = self._reader.ask(
            what, self._scope, url, body=body, items=items, next_page=next_page
        )
        last = self._reader.answers[-1]
        if last.status == "ok" and isinstance(answer, dict):
            return None, answer
        if last.status == "ok":
            return self.unseen(what, "the answer is not an object"), None
        if last.status == "absent":
            return self.missing(what, last.error), None
        return self.unseen(what, last.error), None

    def look(
        self,
        what: str,
        url: str,
        judge: Callable[[Any], Judged],
        remediation: str = "",
        *,
        body: Any = None,
    ) -> Iterator[Check]:
        """Yield the check of one answer, as `judge` judges it."""
        failed, answer = self.ask(what, url, body)
        if failed is not None:
            yield failed
        else:
            yield self.judged(what, judge(answer), remediation)

    def judged(self, what: str, judged: Judged, remediation: str = "") -> Check:
        """Return the check of an answer that was judged already."""
        state, observed = judged
        is_wrong = state not in {State.OK, State.UNKNOWN}
        return Check(
            self._scope, what, state, observed, (remediation or self.deploy) if is_wrong else ""
        )

    def unseen(self, what: str, why: str) -> Check:
        """Return the check of something that could not be checked."""
        return Check(self._scope, what, State.UNKNOWN, why)

    def missing(self, what: str, observed: str) -> Check:
        """Return the check of something that does not exist."""
        return Check(self._scope, what, State.NOT_DEPLOYED, observed, self.deploy)


def same(compared: tuple[bool, str]) -> Judged:
    """Judge the result of comparing something with what the stacks write."""
    is_same, observed = compared
    return State.OK if is_same else State.CHANGED, observed


def variables(
    wanted: Mapping[str, str], actual: Mapping[str, Any], *, ours: Callable[[str], bool]
) -> tuple[bool, str]:
    """Compare variables; report names only, as a value may be a secret.

    `ours` tells for an additional name whether it counts as a change.
    """
    kinds = {
        "missing": wanted.keys() - actual.keys(),
        "changed": {name for name in wanted.keys() & actual.keys() if wanted[name] != actual[name]},
        "added": {name for name in actual.keys() - wanted.keys() if ours(name)},
    }
    faults = [f"{kind}: {', '.join(sorted(names))}" for kind, names in kinds.items() if names]
    return not faults, "; ".join(faults) or f"{len(wanted)} variables, as deployed"
