"""V5 of one verification: whoever weighs statements is shown what there is, and answers."""

from __future__ import annotations

from nhi_evidence.evidence.leaf import Leaf, ObjectLeaf
from nhi_evidence.evidence.verify.chain import Chain
from nhi_evidence.evidence.verify.report import Options, Report
from nhi_evidence.evidence.verify.statements import Head


def announce(options: Options, index: int, entry: Leaf) -> None:
    """Tell of a leaf, where it is of something that is sealed beside the evidence."""
    check = options.statements
    if check is None or not options.reads_everything:
        return
    if isinstance(entry, ObjectLeaf) and entry.key.startswith("op/"):
        check.sealed(index, entry)


def weigh(options: Options, chain: Chain, report: Report) -> None:
    """Weigh the sealed statements into a report, where all they speak of was read."""
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
        f"V5: {count} statements {why}" for why, count in weighed.not_weighed.items()
    ]
