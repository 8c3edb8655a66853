"""Asking Google Cloud and Azure about one thing at a time; a refusal is never taken for well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.checks import Check, State

Judged = tuple[State, str]
"""How an answer stands, and what it says."""


class CloudChecks:
    """Looks at one project or subscription through its REST API."""

    def __init__(self, scope: str, reader: RestReader, deploy: str) -> None:
        """Name the scope as the report does, and the command that deploys it again."""
        self._scope, self._reader, self.deploy = scope, reader, deploy

    def ask(self, what: str, url: str, body: Any = None) -> tuple[Check | None, Any]:
        """Return the answer, or the check that says why there is none."""
        answer = self._reader.ask(what, self._scope, url, body=body)
        last = self._reader.answers[-1]
        if last.status == "ok" and isinstance(answer, dict):
            return None, answer
        if last.status == "ok":
            return self.unseen(what, "the answer is no object"), None
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
        """Yield the check of one answer."""
        failed, answer = self.ask(what, url, body)
        if failed is not None:
            yield failed
        else:
            yield self.judged(what, judge(answer), remediation)

    def judged(self, what: str, judged: Judged, remediation: str = "") -> Check:
        """Return the check of what was judged already."""
        state, observed = judged
        is_wrong = state not in {State.OK, State.UNKNOWN}
        return Check(
            self._scope, what, state, observed, (remediation or self.deploy) if is_wrong else ""
        )

    def unseen(self, what: str, why: str) -> Check:
        """Return the check of what was not looked at."""
        return Check(self._scope, what, State.UNKNOWN, why)

    def missing(self, what: str, observed: str) -> Check:
        """Return the check of what is not there."""
        return Check(self._scope, what, State.NOT_DEPLOYED, observed, self.deploy)


def same(compared: tuple[bool, str]) -> Judged:
    """Judge a comparison with what the stacks write."""
    is_same, observed = compared
    return State.OK if is_same else State.CHANGED, observed


def variables(
    wanted: Mapping[str, str], actual: Mapping[str, Any], *, ours: Callable[[str], bool]
) -> tuple[bool, str]:
    """Compare variables by name: a value may be somebody's secret, and is not printed.

    `ours` says which names more than the wanted ones would be a change.
    """
    kinds = {
        "missing": wanted.keys() - actual.keys(),
        "changed": {name for name in wanted.keys() & actual.keys() if wanted[name] != actual[name]},
        "added": {name for name in actual.keys() - wanted.keys() if ours(name)},
    }
    faults = [f"{kind}: {', '.join(sorted(names))}" for kind, names in kinds.items() if names]
    return not faults, "; ".join(faults) or f"{len(wanted)} variables, as deployed"
