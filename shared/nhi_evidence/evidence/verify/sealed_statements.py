"""V5: pass sealed statements to the check that weighs them, and take its result."""

from __future__ import annotations

from nhi_evidence import plural
from nhi_evidence.evidence.leaf import Leaf, ObjectLeaf
from nhi_evidence.evidence.verify.chain import Chain
from nhi_evidence.evidence.verify.report import Options, Report
from nhi_evidence.evidence.verify.statements import Head


def announce(options: Options, index: int, entry: Leaf) -> None:
    """Pass on the leaf of an object under `op/`; does nothing unless everything is read."""
    check = options.statements
    if check is None or not options.reads_everything:
        return
    if isinstance(entry, ObjectLeaf) and entry.key.startswith("op/"):
        check.sealed(index, entry)


def weigh(options: Options, chain: Chain, report: Report) -> None:
    """Add the result of weighing the sealed statements to a report, if everything was read."""
    check = options.statements
    if check is None or not options.reads_everything:
        return
    heads = [
        Head(each.stated.origin, each.stated.size, each.stated.root.hex(), each.at)
        for _, each in sorted(chain.checkpoints.items())
    ]
    weighed = check.weigh(heads)
    report.findings += weighed.findings
    report.statements = dict(weighed.verdicts)
    report.without_statement = weighed.without
    report.canaries = dict(weighed.canaries)
    report.not_checked += [
        f"V5: {plural.count(count, 'statement')} {why}"
        for why, count in weighed.not_weighed.items()
    ]
