"""Print what is made of a corpus of real records, source by source.

python -m tests.corpus ../shared/corpus

Exit code 0 when every record is accounted for, valid, without an invented value, and at least 95 %
of those that name a target still do; 1 otherwise.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.corpus.measure import EXPECTED, Measured, measure

AT_LEAST = 0.95


def main() -> int:
    """Measure the corpus named on the command line."""
    corpus = Path(sys.argv[1])
    measured = [measure(source, corpus) for source in EXPECTED]
    for result in measured:
        _report(result)
    return 0 if all(_is_good(one) for one in measured) else 1


def _is_good(measured: Measured) -> bool:
    accounted = measured.kept + measured.rejected.total() == measured.records
    wrong = measured.changed or measured.invalid or measured.invented or measured.repeated
    return accounted and not wrong and measured.named_share >= AT_LEAST


def _report(measured: Measured) -> None:
    named = measured.naming - len(measured.unnamed)
    rejected = ", ".join(f"{reason} {count}" for reason, count in measured.rejected.most_common())
    known = ", ".join(f"{how} {count}" for how, count in measured.known_by.most_common())
    judged = {
        "changed": measured.changed,
        "not valid OCSF": measured.invalid,
        "values invented": measured.invented,
        "targets twice": measured.repeated,
    }
    counts = f"{measured.kept} kept + {measured.rejected.total()} rejected ({rejected or 'none'})"
    share = f"{named} of {measured.naming} ({measured.named_share:.1%})"
    lines = [
        f"{measured.source}: {measured.records} records = {counts}",
        "  " + ", ".join(f"{what} {len(places)}" for what, places in judged.items()),
        f"  targets named {share}",
        f"  phases known by {known or 'nothing'}",
        *(f"  target lost: {name}" for name in measured.unnamed),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
