"""Every line of every counted unit, once, hour by hour: what a sealed store says happened.

Reads what signed checkpoints cover, and weighs claims as verification does; it verifies nothing
else. Keeps the claims of one hour and the lines of one object in memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from nhi_evidence.evidence import counting, objects
from nhi_evidence.evidence.lines import ParsedLine, UnitLine, decode_line
from nhi_evidence.evidence.sealed_objects import SealedLeaf, SealedObjects, Where, is_valid


class CountedLine(msgspec.Struct, frozen=True):
    """One line of a counted unit."""

    source: str
    unit: UnitLine
    line: ParsedLine


class CountedLines:
    """Reads a sealed store; `unreadable` of its reader names what could not be read."""

    def __init__(self, search: SealedObjects, *, accepted: tuple[str, ...] = ()) -> None:
        """Weigh claims with `accepted` as `counting.count` does."""
        self._search = search
        self._accepted = accepted
        self.contested: list[str] = []
        """Units whose claims contradict each other; none of their lines are yielded."""
        self.incomplete: list[str] = []
        """Units with missing parts; none of their lines are yielded."""
        self.out_of_scope = 0
        """Records left out of the evidence, according to the counted units."""

    def lines(self, where: Where) -> Iterator[CountedLine]:
        """Yield every line of every counted unit, by hour and source, as it was sealed."""
        hours: dict[tuple[str, str], list[SealedLeaf]] = defaultdict(list)
        for leaf in self._search.leaves(where):
            if where.hour in {None, leaf.hour}:
                hours[leaf.hour, leaf.source].append(leaf)
        for hour in sorted(hours):
            yield from self._of_hour(hours[hour])

    def _of_hour(self, leaves: list[SealedLeaf]) -> Iterator[CountedLine]:
        claims: list[counting.Claim] = []
        for leaf, table, _ in self._search.read(leaves):
            valid = [line for line in table.units if is_valid(leaf, table, line)]
            claims += counting.claims(leaf.order, leaf.leaf.key, table.header, valid)
        counted: set[tuple[int, str, int]] = set()
        for unit in counting.count(claims, self._accepted).values():
            counted |= {(claim.index, claim.unit, claim.part) for claim in unit.counted}
            if unit.status is counting.Status.CONTESTED:
                self.contested.append(unit.unit)
            elif unit.status is counting.Status.INCOMPLETE:
                self.incomplete.append(unit.unit)
        holding = {order for order, _, _ in counted}
        wanted = [leaf for leaf in leaves if leaf.order in holding]
        for leaf, table, lines in self._search.read(wanted):
            for line, own in objects.lines_of(table, lines):
                if (leaf.order, line.unit, line.part) in counted:
                    counted.discard((leaf.order, line.unit, line.part))
                    self.out_of_scope += sum(line.out_of_scope.values())
                    for text in own:
                        try:
                            parsed = decode_line(text)
                        except ValueError as error:
                            self._search.unreadable[f"{leaf.leaf.key} {line.unit}"] = str(error)
                        else:
                            yield CountedLine(leaf.source, line, parsed)
